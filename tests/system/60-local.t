#!/usr/bin/perl
# Mail of programs on this host, through sendmail(1): 公开 passes (case 35), everything above waits in the maildrop; it is never
# bounced, since a bounce would carry it past the filter to whatever -f says.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $lab = Lab->new;
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$lab->start_slapd;
$lab->start_miji;
$lab->start_postfix;
my @delivered;
my $waiting = 0;    # messages in the maildrop

passes('a cron job', from => 'root@agency.gov.cn', to => [address('bo')]);
passes('with a label', from => 'root@agency.gov.cn', to => [address('gu')], label => '公开');
passes('to the outside', from => 'root@agency.gov.cn', to => ['x@example.net']);
passes('to somebody nobody knows', from => 'root@agency.gov.cn', to => ['new@agency.gov.cn']);
passes('without a sender', from => '', to => [address('bo')]);
passes('many at once', from => 'root@agency.gov.cn', to => [map { address($_) } @FIVE]);

waits('above 公开', from => 'root@agency.gov.cn', to => [address('an')], label => '机密');
waits(
    'in the subject only',
    from => 'root@agency.gov.cn',
    to => [address('an')],
    subject => '【内部】in the subject only'
);
waits('with somebody cleared behind -f', from => address('an'), to => [address('an')], label => '内部');
waits('with a sender outside', from => 'x@example.net', to => [address('an')], label => '绝密');
waits('to the outside, above 公开', from => address('bo'), to => ['x@example.net'], label => '秘密');
waits('to a strange address', from => 'root@agency.gov.cn', to => ['mi%ext@agency.gov.cn']);
a_storm();
let_through();

$lab->wait_queue_empty(20, qw(incoming active));
is_deeply(
    [sort map { $_->to . ' ' . $_->subject } $lab->mailbox],
    [sort @delivered],
    'what passed has arrived, nothing else'
);
is(scalar $lab->log_lines(qr/postfix\/bounce\[/), 0, 'nothing was ever bounced');
is_deeply([$lab->imbalances], [], 'the logs of both sides agree');
ok($lab->stop_all, 'everything stops');
done_testing;

# Hands a message to sendmail(1); the queue id that Postfix gave it, found by its Message-ID, and Miji's line.
sub submit {
    my ($what, %option) = @_;
    (my $id = $what) =~ s/\W+/-/g;
    my $data = Lab::Message->make(subject => $what, id => "$id\@local", %option);
    my ($status, $text) = $lab->sendmail(from => $option{from}, to => $option{to}, data => $data);
    is("$status $text", '0 ', "$what: sendmail takes it");
    my ($line) = $lab->wait_log(qr/message-id=<\Q$id\E\@local>/, 10);
    my ($queue_id) = ($line // '') =~ /: (\w+): message-id/ or return fail("$what: Postfix has it");
    $lab->wait_for(sub { $lab->miji_lines(qr/: $queue_id: verdict=/) }, 10);
    my @said = $lab->miji_lines(qr/: $queue_id: verdict=/);
    is(scalar @said, 1, "$what: Miji says one line");
    return $said[0] // '';
}

sub passes {
    my ($what, %option) = @_;
    like(submit($what, %option), qr/verdict=deliver\b/, "$what: passes");
    push @delivered, map { "$_ $what" } @{ $option{to} };
}

# Refused, but with 4xx: the file stays where it is, and Postfix comes again.
sub waits {
    my ($what, %option) = @_;
    my $line = submit($what, subject => $what, %option);
    unlike($line, qr/verdict=deliver\b/, "$what: does not pass");
    my ($id) = $line =~ /: (\w+): verdict/;
    ok(scalar $lab->wait_log(qr/$id: milter-reject: END-OF-MESSAGE .*: 4\.\d\.\d /), "$what: 4xx");
    $waiting++;
    ok($lab->wait_for(sub { $lab->queue('maildrop') == $waiting }, 10), "$what: it waits in the maildrop");
}

# Many at once, through the one socket.
sub a_storm {
    my @senders = map {
        my $number = $_;
        $lab->in_background(
            sub {
                my $file =
                    Lab::write_file("$lab->{dir}/run/storm-$number.eml", "Subject: storm $number\n\nran\n");
                my ($status, $text) = Lab::run_command(
                    'sh', '-c', 'in=$1; shift; exec "$@" <"$in"',
                    'sh', $file, '/usr/sbin/sendmail',
                    -C => "$lab->{dir}/postfix/config",
                    '-f', 'root@agency.gov.cn', '--', 'wu@agency.gov.cn'
                );
                return "$status$text";
            }
        )
    } 1 .. 20;
    is(join('', map { $_->() } @senders), '0' x 20, 'twenty programs send at once');
    $lab->wait_mailbox(address('wu'), 20, 60);
    push @delivered, map { address('wu') . " storm $_" } 1 .. 20;
}

# What waits passes as soon as the officers let it: the limit of the zone is raised, nothing was lost.
sub let_through {
    ok($lab->wait_for(sub { $lab->queue('maildrop') == $waiting }, 20), 'what was stopped still waits');
    $lab->reload_miji($conf . "zone \"local\" {\n    carries up to 机密\n}\n");
    ok($lab->wait_for(sub { $lab->miji_lines(qr/reload: generation=2/) }, 10),
        'the zone "local" carries 机密 now');
    my ($to, $subject) = (address('an'), 'with somebody cleared behind -f');
    ok(
        $lab->wait_for(
            sub {
                grep { $_->subject eq $subject } $lab->mailbox($to);
            },
            20
        ),
        "$subject: arrives now"
    );
    push @delivered, "$to $subject";
    ok($lab->wait_for(sub { $lab->miji_lines(qr/reason=return-path-not-cleared/) }, 10),
        'a bounce may go to nobody who is not cleared, either');
    ok($lab->wait_for(sub { $lab->queue('maildrop') == $waiting - 1 }, 10), 'so the rest still waits');
}
