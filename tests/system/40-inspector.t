#!/usr/bin/perl
# Processes that die or hang with a message in hand: the client is told to try again, nothing passes, nothing is lost, and
# what died is there again.
use strict;
use warnings;
use FindBin;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $lab = Lab->new;
my $slowness = $lab->{build} =~ m{/tsan$} ? 5 : 1;    # of workers under the thread sanitizer
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$conf .= sprintf "sandbox { helpers 2; time %ds }\nlimits { time %ds }\n", 2 * $slowness, 4 * $slowness;
$lab->start_slapd;
$lab->start_miji(conf => $conf, review => 1);
$lab->start_postfix;
my @delivered;

passes('before');
worker_killed();
worker_killed_before();
worker_hung();
inspector_killed();
daemon_killed();
supervisor_killed();
drained();
$lab->wait_queue_empty(20);
is_deeply(
    [sort map { $_->subject } grep { $_->field('Auto-Submitted') ne 'auto-generated' } $lab->mailbox],
    [sort @delivered],
    'what was accepted has arrived, nothing else'
);
is_deeply(
    [
        $lab->imbalances(
            expected => [
                qr/^miji-milter: warning: \w+: inspector died /,
                qr/^miji-milter: warning: \w+: inspector ran out of time /,
                qr/^miji-milter: error: the inspector's parent ended, starting another$/,
                qr/^miji-milter: error: the daemon died of signal 9 \(Killed\)$/,
                qr/ warning: milter unix:\S+: can't read SMFIC_BODYEOB reply packet header/,
                qr/ warning: connect to Milter service unix:\S+: Connection refused/,
            ]
        )
    ],
    [],
    'the logs say this and nothing else'
);
ok($lab->stop_all, 'everything stops');
done_testing;

# ------------------------------------------------------------------------------------------------------ the tools

sub message {
    my ($subject) = @_;
    return (
        at_office('bo'),
        to => [address('an')],
        label => '机密',
        subject => $subject,
        id => "$subject\@agency"
    );
}

# A new message is delivered, at once or after at most so many seconds.
sub passes {
    my ($subject, $seconds, @more) = @_;
    my ($result, $tries) = (undef, 0);
    my $from = time;
    $lab->wait_for(sub { $tries++; $result = $lab->send(message($subject), @more); $result->{code} == 250 },
        $seconds // 0);
    is($result->{code}, 250, "$subject: mail passes") or diag explain $result;
    push @delivered, $subject if $result->{code} == 250;
    note sprintf '%s: after %.1f s and %d tries', $subject, time - $from, $tries;
}

sub sent_in_background {
    my ($subject, @more) = @_;
    return $lab->in_background(sub { $lab->send(message($subject), @more)->{reply} });
}

sub processes_named {
    my ($name) = @_;
    return grep { $_->{name} eq $name } $lab->miji_processes;
}

# The inspector's workers: children of its parent.
sub workers {
    my @inspect = processes_named('miji-inspect');
    my %is_inspect = map { $_->{pid} => 1 } @inspect;
    return map { $_->{pid} } grep { $is_inspect{ $_->{parent} } } @inspect;
}

sub inspector_parent {
    my @inspect = processes_named('miji-inspect');
    my %is_inspect = map { $_->{pid} => 1 } @inspect;
    my ($parent) = grep { !$is_inspect{ $_->{parent} } } @inspect;
    return $parent ? $parent->{pid} : 0;
}

sub daemon_pid { my ($daemon) = processes_named('miji-daemon'); return $daemon ? $daemon->{pid} : 0 }

# What `miji status` says; nothing while the daemon is away.
sub status {
    my ($status, $text) = $lab->miji('-c', $lab->miji_conf_file, 'status', '--json');
    return $status ? {} : decode_json($text);
}

# Sends a message that takes most of a second to read, and stops the workers while one of them reads it.
sub caught {
    my ($subject) = @_;
    $lab->wait_for(sub { workers() == 2 }, 10);
    my $reply = sent_in_background($subject, long_message($subject));
    ok($lab->wait_for(sub { status()->{inspector}{busy} }, 20), "$subject: a worker has the message in hand");
    my @workers = workers();
    kill 'STOP', @workers;
    is(status()->{inspector}{busy}, 1, "$subject: and has not read all of it");
    return ($reply, @workers);
}

sub long_message {
    my ($subject) = @_;
    my $lines = 400_000 / $slowness;
    my $text = "<p>\xbb\xe1\xd2\xe9\xbc\xcd\xd2\xaa\xb9\xd8\xd3\xda</p>\n" x $lines;
    return (data =>
            "From: bo\@agency.gov.cn\nX-Classification: 机密\nSubject: $subject\nMessage-ID: <$subject\@agency>\n"
            . "MIME-Version: 1.0\nContent-Type: text/html; charset=gb18030\nContent-Transfer-Encoding: 8bit\n\n$text"
    );
}

# ------------------------------------------------------------------------------------------------------ the tests

sub worker_killed {
    my ($reply, @workers) = caught('killed');
    kill 'KILL', @workers;
    like(
        $reply->(),
        qr/^451 4\.3\.0 Try again later \[MIJI-\w{6}\]$/,
        'a worker killed: the client tries again'
    );
    ok($lab->wait_for(sub { my @new = workers(); @new == 2 && "@new" ne "@workers" }, 10),
        'new workers are there');
    passes('after a worker was killed');
    ($reply, @workers) = caught('killed');
    kill 'KILL', @workers;
    like($reply->(), qr/^250 /, 'case 24: killed again by the same message: nobody will ever know what is in it');
    $lab->wait_for(sub { workers() == 2 }, 10);
    held('killed');
}

# It is held. Whoever lets it go has to say what it is; and the client that comes once more is answered by that.
sub held {
    my ($subject) = @_;
    my $gao = sub { $lab->miji_as('gao', '--lang', 'en', @_) };
    my ($status, $text) = $gao->('held', '--json');
    my ($hold) = @{ decode_json($text)->{holds} };
    is($hold->{reason}, 'inspector-failed', 'case 24: held') or return diag $text;
    like(($gao->('show', $hold->{id}))[1], qr/--as LEVEL/, 'case 24: the reviewer reads what to do');
    ($status, $text) = $gao->('approve', $hold->{id});
    is("$status $text", "1 nobody knows its label: say what it is with --as LEVEL\n", 'case 24: not without a label');
    ($status, $text) = $gao->('approve', $hold->{id}, '--as', '机密');
    is($status, 0, 'case 24: with one') or diag $text;
    my $arrived = sub {
        scalar grep { $_->subject eq $subject } $lab->mailbox(address('an'));
    };
    ok($lab->wait_for($arrived, 20), 'case 24: it is delivered');
    passes($subject, 0, long_message($subject));    # read this time, and settled
    my $told = sub { scalar(my @notices = $lab->mailbox(address('bo'))) };
    $lab->wait_for(sub { $told->() >= 2 }, 20);
    is($told->(), 2, 'case 24: bo is told at its begin and its end');
}

# One that dies before it has read anything costs nothing: another reads the message.
sub worker_killed_before {
    $lab->wait_for(sub { workers() == 2 }, 10);
    my @workers = workers();
    kill 'STOP', @workers;
    my $reply = sent_in_background('not yet read');
    ok(
        $lab->wait_for(sub { status()->{inspector}{busy} }, 10),
        'a worker has got a message, and has not read it'
    );
    kill 'KILL', @workers;
    like($reply->(), qr/^250 /, 'it is killed, another reads the message');
    push @delivered, 'not yet read';
}

sub worker_hung {
    my $from = time;
    my ($reply, @workers) = caught('hung');
    like($reply->(), qr/^451 4\.3\.0 /, 'a worker hung: the client tries again');
    my $seconds = time - $from;
    cmp_ok($seconds, '<', 4 + 4 * $slowness, 'in its time') or diag $seconds;
    ok($lab->wait_for(sub { my @now = workers(); @now == 2 && "@now" ne "@workers" }, 10), 'it is replaced');
    kill 'CONT', @workers;
    passes('after a worker hung', 5);
}

sub inspector_killed {
    my $old = inspector_parent();
    ok($old, 'the inspector has a parent');
    kill 'KILL', $old;
    ok($lab->wait_for(sub { my $new = inspector_parent(); $new && $new != $old }, 10),
        'killed, it is there again');
    passes('after the inspector was killed', 5);
    ok($lab->wait_for(sub { workers() == 2 }, 10), 'with its workers') or diag explain [$lab->miji_processes];
}

sub daemon_killed {
    my $old = daemon_pid();
    my ($first, @workers) = caught('in flight 1');
    my @replies = ($first, map { sent_in_background("in flight $_") } 2 .. 3);
    ok($lab->wait_for(sub { (status()->{messages} // 0) >= 3 }, 10), 'three messages are in flight');
    kill 'KILL', $old;
    like($_->(), qr/^4\d\d /, 'the daemon killed: the client tries again') for @replies;
    kill 'CONT', @workers;
    ok($lab->wait_for(sub { my $new = daemon_pid(); $new && $new != $old }, 10),
        'the supervisor starts it again');
    passes('after the daemon was killed', 10);
    ok($lab->wait_for(sub { workers() == 2 }, 10), 'no worker of the old one is left')
        or diag explain [$lab->miji_processes];
}

# Without the supervisor nobody would start again what dies: the rest ends by itself, and a new start finds nothing in its way.
sub supervisor_killed {
    my @before = map { $_->{pid} } $lab->miji_processes;
    $lab->signal_process('miji', 'KILL');
    ok($lab->wait_for(sub { !$lab->is_running('miji') }, 10), 'the supervisor killed');
    ok($lab->wait_for(sub { !kill 0, @before }, 20), 'ends everything') or diag explain [$lab->leftovers];
    $lab->start_miji;
    passes('after the supervisor was killed', 5);
}

# TERM with a message half sent: it gets its answer, then everything ends.
sub drained {
    my $stopping;
    my $client = $lab->open_client(message('drained'));
    my $result = $client->transaction(
        message('drained'),
        halfway => sub {
            $lab->wait_for(sub { status()->{messages} }, 10);
            $lab->signal_process('miji', 'TERM');
            $stopping =
                $lab->wait_for(sub { $lab->miji_lines(qr/stopping: told to, 1 messages under way/) }, 10);
        }
    );
    $client->quit;
    ok($stopping, 'told to stop, it waits for the message under way');
    is($result->{code}, 250, 'which is answered') or diag explain $result;
    push @delivered, 'drained' if $result->{code} == 250;
    ok($lab->wait_for(sub { !$lab->is_running('miji') }, 15), 'then it ends');
    is($lab->stop_miji, 0, 'with a good status');
    my $without = $lab->send(message('without Miji'));
    like($without->{reply}, qr/^4/, 'without it nothing passes');
    $lab->start_miji;
    passes('after a start', 5);
}
