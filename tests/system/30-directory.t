#!/usr/bin/perl
# The directory that is slow, frozen, stopped, not who it says it is: whoever is asked about and not known is "cannot tell
# now", 4xx, never a delivery; and it heals without a restart. What changes in it counts after the time set for that.
use strict;
use warnings;
use FindBin;
use MIME::Base64;
use Test::More;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $LATER = qr/^451 4\.4\.3 Directory not available, try again later \[MIJI-\w{6}\]$/;
my $REFRESH_SECONDS = 1;

my $lab = Lab->new;
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$conf =~ s/answer within +2s/answer within 1s\n    refresh every ${REFRESH_SECONDS}s/
    or die 'no "answer within"';
$lab->start_slapd(ldif => many_people());
$lab->start_miji(conf => $conf);
$lab->start_postfix;
my $next = 0;    # of the many people, how many have been asked about
my @delivered;

one_search();
slow();
frozen();
stopped();
wrong_authority();
changes();
unclear();
$lab->wait_queue_empty(20);
is_deeply(
    [sort map { $_->to . ' ' . $_->subject } $lab->mailbox],
    [sort @delivered],
    'what was accepted has arrived, nothing else'
);
is_deeply(
    [
        $lab->imbalances(
            expected => [
                qr{^miji-milter: warning: directory: ldaps://\S+: no answer in time$},
                qr{^miji-milter: warning: directory: ldaps://\S+: does not answer$},
qr{^miji-milter: warning: directory: ldaps://\S+: no TLS with this server: its certificate is not signed by }
            ]
        )
    ],
    [],
    'the logs say this and nothing else'
);
ok($lab->stop_all, 'everything stops');
done_testing;

# ------------------------------------------------------------------------------------------------------ the tools

sub many_people {
    my $secret = encode_base64('内部', '');
    return join "\n", map {
              "dn: uid=u$_,ou=contacts,$Lab::Slapd::BASE\nobjectClass: inetOrgPerson\nobjectClass: mijiPerson\n"
            . "uid: u$_\ncn: u$_\nsn: u$_\nmail: u$_\@agency.gov.cn\nmijiClearance:: $secret\n"
    } 1 .. 300;
}

# Sends 内部 from bo; to somebody nobody asked about yet unless said. The reply.
sub try_mail {
    my ($subject, %option) = @_;
    my $to = $option{to} || [address('u' . ++$next)];
    my $reply = $lab->send(at_office('bo'), label => '内部', subject => $subject, %option, to => $to)->{reply};
    push @delivered, map { "$_ $subject" } @$to if $reply =~ /^250 /;
    return $reply;
}

# Mail to people who were not asked about yet passes again, within so many seconds.
sub heals {
    my ($subject, $seconds) = @_;
    my ($from, $reply) = (time);
    $lab->wait_for(sub { ($reply = try_mail($subject)) =~ /^250 / }, $seconds);
    like($reply, qr/^250 /, "$subject: mail passes again without a restart") or diag $lab->miji_lines(qr/./);
    note sprintf '%s: %.1f s', $subject, time - $from;
}

# ------------------------------------------------------------------------------------------------------ the tests

sub one_search {
    like(try_mail('warm', to => [address('gu'), address('an')], label => '公开'),
        qr/^250 /, 'the directory answers');
    my $before = $lab->slapd_searches;
    like(try_mail('forty', to => [map { address("u$_") } 1 .. 40]), qr/^250 /, 'a message to forty people');
    is($lab->slapd_searches - $before, 1, 'is one search');
    $before = $lab->slapd_searches;
    like(try_mail('twice', to => [address('u1')]), qr/^250 /, 'another to one of them');
    is($lab->slapd_searches - $before, 0, 'is none');
    my ($status, $text) = $lab->miji('-c', $lab->miji_conf_file, 'status', '--json');
    like($text, qr/"connected": true/, 'the status tells of the connection');
}

# Answers of the forty are fresh for a second: what is asked in the following is asked anew.
sub stale {
    my $until = time + $REFRESH_SECONDS + 0.1;
    $lab->wait_for(sub { time > $until }, $REFRESH_SECONDS + 1);
}

sub slow {
    stale();
    $lab->slow_slapd(400);
    my $from = time;
    like(try_mail('slow'), qr/^250 /, 'a slow directory');
    cmp_ok(time - $from, '>=', 0.4, 'makes it slow');
    $lab->slow_slapd(1500);
    stale();
    $from = time;
    like(try_mail('too slow'), $LATER, 'one that is slower than it may be is "cannot tell now"');
    cmp_ok(time - $from, '<', 4, 'in its time');
    $lab->slow_slapd(0);
    heals('quick again', 5);
}

sub frozen {
    stale();
    $lab->freeze_slapd;
    my $from = time;
    like(try_mail('frozen'), $LATER, 'a frozen directory');
    cmp_ok(time - $from, '<', 4, 'costs no more than its time');
    $from = time;
    my @replies = map { $_->() } map {
        my @to = (to => [address('u' . ++$next)]);
        $lab->in_background(sub { try_mail('frozen', @to) })
    } 1 .. 4;
    is(scalar(grep { $_ =~ $LATER } @replies), 4, 'several at once get the same answer')
        or diag explain \@replies;
    cmp_ok(time - $from, '<', 6, 'and wait together');
    like(try_mail('frozen', from => 'x@example.net', client => '192.0.2.25', login => undef, label => '公开'),
        $LATER, 'outsiders hear it, too');
    $lab->thaw_slapd;
    heals('thawed', 5);
}

sub stopped {
    stale();
    $lab->stop_slapd;
    like(try_mail('stopped'), $LATER, 'no directory');
    like(try_mail('stopped', to => [address('an')]), $LATER, 'nor for those who were known a second ago');
    my $result = $lab->send(at_office('bo'), label => '绝密', to => [address('u1')], subject => 'stopped');
    like($result->{reply}, $LATER, 'whatever the level');
    $lab->start_slapd;
    heals('started', 10);
    ok(scalar $lab->miji_lines(qr/directory: answers again: ldaps:/), 'which the log says, too');
}

# Somebody else's certificate: no answer from that server is believed.
sub wrong_authority {
    my $other = $lab->miji_conf_file;
    $lab->reload_miji($conf =~ s/ca\.pem/other.pem/r);
    ok($lab->wait_for(sub { $lab->miji_lines(qr/reload: generation=2/) }, 10),
        'another authority is configured');
    like(try_mail('wrong authority'), $LATER, 'the directory is not believed');
    ok(scalar $lab->miji_lines(qr/(?:error|warning): .*(?:directory|ldaps:).*(?:certificate|verif|TLS)/i),
        'and the log says why')
        or diag $lab->miji_lines(qr/./);
    $lab->reload_miji($conf);
    ok($lab->wait_for(sub { $lab->miji_lines(qr/reload: generation=3/) }, 10), 'the right one is configured');
    heals('right authority', 5);
}

# Sends until the reply is another one: what was known stays in force until it is refreshed, and the message that asks for
# that may wait a second itself.
sub until_reply {
    my ($what, $expected, %option) = @_;
    my ($from, $reply) = (time);
    $lab->wait_for(sub { ($reply = try_mail($what, %option)) =~ $expected }, $REFRESH_SECONDS + 4);
    like($reply, $expected, $what);
    cmp_ok(time - $from, '<', $REFRESH_SECONDS + 2, '... in its time');
}

sub changes {
    my @mi = (to => [address('mi')], label => '秘密');
    like(try_mail('mi is cleared', @mi), qr/^250 /, 'mi is cleared for 秘密');
    $lab->set_clearance('mi', '内部');
    until_reply('a lowered clearance counts',
        qr/^550 5\.7\.1 mi\@agency\.gov\.cn may not receive mail marked conf/, @mi);
    $lab->set_clearance('mi', '秘密');
    until_reply('a raised one, too', qr/^250 /, @mi);
    $lab->set_clearance('bo', '公开');
    until_reply('the sender is lowered', qr/^550 5\.7\.1 You may not send mail marked confidential as bo/, @mi);
    $lab->set_clearance('bo', '机密');
    until_reply('and raised', qr/^250 /, @mi);
    $lab->ldap_modify("dn: uid=u300,ou=contacts,$Lab::Slapd::BASE\nchangetype: delete\n");
    until_reply(
        'somebody who is gone',
        qr/^550 5\.7\.1 u300\@agency\.gov\.cn may not receive mail marked internal/,
        to => [address('u300')]
    );
    like(try_mail('公开 for all', to => [address('u300')], label => '公开'),
        qr/^250 /, 'whoever the directory does not know may have 公开');
}

# Two entries with one address; a clearance that nobody can read.
sub unclear {
    my $secret = encode_base64('内部', '');
    $lab->ldap_modify(
              "dn: uid=twin,ou=contacts,$Lab::Slapd::BASE\nchangetype: add\nobjectClass: inetOrgPerson\n"
            . "objectClass: mijiPerson\nuid: twin\ncn: twin\nsn: twin\nmail: u299\@agency.gov.cn\nmijiClearance:: $secret\n"
    );
    until_reply(
        'two people with one address',
        qr/^550 5\.7\.1 u299\@agency\.gov\.cn is recorded more than once/,
        to => [address('u299')]
    );
    $lab->set_clearance('u298', '机秘');
    until_reply(
        'a clearance that cannot be read',
        qr/^550 5\.7\.1 .*u298\@agency\.gov\.cn/,
        to => [address('u298')]
    );
    $lab->set_clearance('u298');
    until_reply(
        'no clearance at all',
        qr/^550 5\.7\.1 u298\@agency\.gov\.cn may not receive mail marked internal/,
        to => [address('u298')]
    );
}
