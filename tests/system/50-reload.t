#!/usr/bin/perl
# The configuration is read again while mail flows: no message fails for it, what is wrong changes nothing and is said,
# what is right counts at once.
use strict;
use warnings;
use FindBin;
use Test::More;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $CLIENTS = 4;
my $MESSAGES = 60;    # each, at least
my $RELOADS = 12;

my $lab = Lab->new;
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$lab->start_slapd;
$lab->start_miji;
$lab->start_postfix;

under_load();
bad_configuration();
lowered_limit();
needs_restart();
from_others();
is_deeply(
    [
        $lab->imbalances(
            expected => [
                qr/^miji-milter: error: reload: .*miji\.conf:\d+:\d+: error: /,
qr/^miji-milter: error: reload: error: ".*miji\.conf" cannot be read: No such file or directory \[no-file\]$/,
                qr/^miji-milter: error: reload: nothing was changed, generation \d+ stays in force$/,
                qr/^miji-milter: warning: reload: .*\[needs-restart\]/
            ]
        )
    ],
    [],
    'the logs say this and nothing else'
);
ok($lab->stop_all, 'everything stops');
done_testing;

sub miji_reload {
    return $lab->miji('-c', $lab->miji_conf_file, '--lang', 'en', 'reload', @_);
}

sub generation {
    my ($line) = reverse $lab->miji_lines(qr/(?:serving|reload): generation=/);
    return $line =~ /generation=(\d+)/ ? $1 : 0;
}

# Four clients send without a pause, each over one connection at a time, until the reloads are done.
sub under_load {
    my $end = "$lab->{dir}/run/enough";
    my @clients = map {
        my $number = $_;
        $lab->in_background(sub { busy_client($number, $end) })
    } 1 .. $CLIENTS;
    my $first = generation();
    my @bad;
    for my $turn (1 .. $RELOADS) {
        my $before = generation();
        my $changed = $conf =~ s/answer within +2s/answer within ${\ (2 + $turn % 2)}s/r;
        if ($turn % 2) {
            $lab->reload_miji($changed);
        } else {
            $lab->write_miji_conf($changed);
            my ($status, $text) = miji_reload();
            push @bad, $text if $status || $text !~ /^reloaded$/m;
        }
        push @bad, "reload $turn did not come" if !$lab->wait_for(sub { generation() > $before }, 10);
    }
    Lab::write_file($end, '');
    my ($sent, @failed) = (0);
    for my $client (@clients) {
        my ($count, @failures) = split /\n/, $client->();
        $sent += $count;
        push @failed, @failures;
    }
    is_deeply(\@bad, [], 'every reload came to its end');
    cmp_ok(generation() - $first, '>=', $RELOADS, 'and is a new generation');
    cmp_ok($sent, '>=', $CLIENTS * $MESSAGES, 'messages were sent meanwhile') or diag $sent;
    is_deeply(\@failed, [], 'none of them failed');
    $lab->wait_queue_empty(30);
    is(scalar(() = $lab->mailbox(address('an'))), $sent, 'all of them arrived');
    note "$sent messages, $RELOADS reloads";
}

# The number of messages that passed, then one line for each that did not.
sub busy_client {
    my ($number, $end) = @_;
    my ($count, @failures) = (0);
    while ($count < $MESSAGES || !-e $end) {
        my $client = $lab->open_client(at_office('bo'));
        for (1 .. 10) {
            my $reply = $client->transaction(
                at_office('bo'),
                to => [address('an')],
                label => '机密',
                subject => "load $number-" . ++$count
            )->{reply};
            push @failures, $reply =~ s/\n/ /gr if $reply !~ /^250 /;
        }
        $client->quit;
    }
    return join "\n", $count, @failures;
}

sub try_mail {
    my ($level) = @_;
    return $lab->send(at_office('bo'), to => [address('an')], label => $level, subject => "$level once")
        ->{reply};
}

sub bad_configuration {
    my $before = generation();
    my $bad = $conf =~ s/carries up to   秘密/carries up to   机秘/r;
    $lab->write_miji_conf($bad);
    my ($status, $text) = miji_reload();
    is($status, 1, 'a bad configuration is refused');
    my ($excerpt, $caret) = $text =~ /^( +\d+ \| +carries up to +机秘)\n +\| +(\^~*)$/m;
    like($text, qr/^\S*miji\.conf:\d+:\d+: error: .*机秘/m, 'with a message');
    ok($excerpt, 'with the line and what is wrong in it') or diag $text;
    is(length($caret // ''), 4, 'as wide as on the screen');
    like($text, qr/^ +help: /m, 'and what to do');
    is(generation(), $before, 'nothing was changed');
    like(try_mail('机密'), qr/^250 /, 'mail goes on');

    my $lines = $lab->miji_lines(qr/stays in force/);
    $lab->reload_miji($conf . "zone \"more\" {\n");
    ok($lab->wait_for(sub { $lab->miji_lines(qr/stays in force/) > $lines }, 10),
        'HUP with a bad one is refused, too');
    ok(scalar $lab->miji_lines(qr/error: reload: .*miji\.conf:\d+:\d+: error: /), 'the log says why');
    is(generation(), $before, 'nothing was changed');
    unlink $lab->miji_conf_file;
    ($status, $text) = miji_reload('--control', "unix:$lab->{dir}/run/control.sock");
    is($status, 1, 'a configuration that is gone is refused');
    like($text, qr/miji\.conf/, 'with its name');
    like(try_mail('机密'), qr/^250 /, 'mail goes on');
    $lab->write_miji_conf($conf);
    ($status) = miji_reload();
    is($status, 0, 'a good one is taken');
    is(generation(), $before + 1, 'and is the next generation');
}

# Counts for the next message, also on a connection that is open.
sub lowered_limit {
    my $client = $lab->open_client(at_office('bo'));
    my $send = sub {
        return $client->transaction(at_office('bo'), to => [address('an')], label => '机密', subject => 'limit')
            ->{reply};
    };
    like($send->(), qr/^250 /, 'the office carries 机密');
    $lab->write_miji_conf($conf =~ s/(recipient +agency\.gov\.cn\n +carries up to +)绝密/${1}内部/r);
    my ($status, $text) = miji_reload();
    is($status, 0, 'its limit is lowered') or diag $text;
    like(
        $send->(),
        qr/^550 5\.7\.1 Mail marked secret may not be sent from this network \[MIJI-/,
        'and counts on an open connection'
    );
    like(try_mail('机密'), qr/^550 5\.7\.1 Mail marked secret may not be sent/, 'and on a new one');
    $lab->write_miji_conf($conf);
    miji_reload();
    like($send->(), qr/^250 /, 'raised again, it counts as well');
    $client->quit;
}

# What only a restart can change keeps its value, and that is said.
sub needs_restart {
    my $before = generation();
    $lab->write_miji_conf($conf =~ s{^control .*$}{control "unix:\@RUN\@/other.sock"}mr);
    my ($status, $text) = miji_reload('--control', "unix:$lab->{dir}/run/control.sock");
    is($status, 0, 'a change that needs a restart is no error');
    like($text, qr/warning: .*\[needs-restart\]/, 'but a warning');
    is(generation(), $before + 1, 'the rest is taken');
    ok(!$lab->accepts("$lab->{dir}/run/other.sock"), 'the old value stays');
    $lab->write_miji_conf($conf);
    ($status, $text) = miji_reload();
    unlike($text, qr/needs-restart/, 'back to the old one: no warning') or diag $text;
}

# Nobody else may reload, whatever the rights of the socket.
sub from_others {
    my $socket = "$lab->{dir}/run/control.sock";
    my $before = generation();
    chmod 0666, $socket;
    chmod 0644, $lab->miji_conf_file;
    my ($status, $text) = Lab::run_command(
        'setpriv', '--reuid=postfix', '--regid=postfix', '--clear-groups',
        "$lab->{dir}/bin/miji", 'reload', '--control', "unix:$socket"
    );
    is($status, 1, 'another user may not reload') or diag $text;
    is(generation(), $before, 'and does not');
    ($status, $text) = Lab::run_command(
        'setpriv', '--reuid=postfix', '--regid=postfix', '--clear-groups',
        "$lab->{dir}/bin/miji", 'status', '--control', "unix:$socket"
    );
    is($status, 0, 'but look, where the socket lets in');
}
