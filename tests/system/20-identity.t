#!/usr/bin/perl
# Who somebody is: by login, by certificate, by neither. Facts of the session decide, never what the message claims
# (semantics.md 14, cases 10, 11, 38 to 41, 66, 68).
use strict;
use warnings;
use FindBin;
use MIME::Base64;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $NEUTRAL = '550 5.7.1 Message not accepted under the security policy of this site';

my $lab = Lab->new;
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$conf =~ s/^(    client +10\.0\.0\.0\/8)$/$1\n    relay 10.0.0.25/m or die 'no zone office';
$conf .= qq{device scanner\@agency.gov.cn at 10.9.0.7 up to 内部\n};
$lab->start_slapd(ldif => <<"END");
dn: mail=scanner\@agency.gov.cn,ou=contacts,$Lab::Slapd::BASE
objectClass: inetOrgPerson
objectClass: mijiPerson
cn: scanner
sn: scanner
mail: scanner\@agency.gov.cn
mijiClearance:: ${\ encode_base64('内部', '')}
END
$lab->start_miji(conf => $conf);

# A submission server of the office may tell of its clients.
$lab->start_postfix(main => { smtpd_authorized_xclient_hosts => '127.0.0.0/8 10.0.0.5' });
$lab->add_login('ghost');
my $number = 0;
my %delivered;    # subject → recipient

logins();
certificates();
from_fields();
travellers();
without_login();
devices();
relay();
strangers();
xclient();
ok($lab->wait_queue_empty(20), 'Postfix has delivered everything');
is_deeply({ map { $_->subject => $_->to } $lab->mailbox },
    \%delivered, 'what was accepted has arrived, nothing else');
is_deeply([$lab->imbalances], [], 'the logs of both sides agree');
$lab->stop_all;
done_testing;

# One message, 机密 from bo to an unless said; the reply without its reference has to be this, or 250.
sub try_mail {
    my ($what, $expected, %option) = @_;
    %option = (to => [address('an')], label => '机密', subject => 'mail ' . ++$number, %option);
    my $result = $lab->send(%option);
    my $reply = $result->{reply};
    if (!defined $expected) {
        like($reply, qr/^250 /, $what) or diag + (reverse $lab->miji_lines(qr/verdict=/))[0];
        $delivered{ $option{subject} } = $option{to}[0];
    } else {
        $reply =~ s/ \[MIJI-\w{6}\]$//;
        is($reply, $expected, $what) or diag + (reverse $lab->miji_lines(qr/verdict=/))[0];
    }
    return $result;
}

sub logins {
    try_mail('a login', undef, at_office('bo'));
    try_mail(
        'a login with its domain', undef, at_office('bo'),
        login => 'bo@agency.gov.cn',
        password => 'bo-secret'
    );
    try_mail('a login in capitals of a mail client', undef, at_office('bo'), from => 'Bo@Agency.GOV.cn');
    try_mail(
        'a login above its clearance',
        '550 5.7.1 You may not send mail marked secret as mi@agency.gov.cn',
        at_office('mi')
    );
    try_mail(
        'a login that the directory does not know',
        '550 5.7.1 Your login has no entry in the directory',
        at_office('ghost')
    );
    try_mail(
        'a null sender is no way out: From is still checked',
        $NEUTRAL, at_office('bo'),
        from => '',
        data => mail(from => 'an@agency.gov.cn', label => '机密')
    );
    ok(scalar $lab->miji_lines(qr/verdict=refuse.*from-not-own/), 'and the log says so');
    like(
        ($lab->miji_lines(qr/verdict=deliver/))[0],
        qr/ from=<bo\@agency\.gov\.cn> class=person login="bo\@agency\.gov\.cn" zone="office" /,
        'the log names the sender'
    );
}

sub certificates {
    try_mail('a certificate in place of a login', undef, with_certificate('bo'));
    try_mail('on the submission port, too', undef, with_certificate('bo'), port => 'submission');
    try_mail(
        'a certificate above its clearance',
        '550 5.7.1 You may not send mail marked secret as mi@agency.gov.cn',
        with_certificate('mi')
    );
    try_mail('both, of one person', undef, at_office('bo'), cert => 'bo');
    like(try_mail_reply(at_office('bo'), cert => 'an'), qr/^550 5\.7\.1 /, 'both, of different persons');
    like(try_mail_reply(at_office('an'), cert => 'bo'), qr/^550 5\.7\.1 /, 'the other way round');
    try_mail(
        'a certificate that nobody vouches for is none',
        '530 5.7.0 Log in to send mail from this network',
        with_certificate('stranger'),
        from => address('an')
    );
}

sub try_mail_reply {
    my (%option) = @_;
    return $lab->send(to => [address('an')], label => '机密', subject => 'never ' . ++$number, %option)->{reply};
}

sub mail {
    my (%option) = @_;
    return Lab::Message->make(to => [address('an')], subject => "never $number", %option);
}

# What the message says of its author has to be true.
sub from_fields {
    my $own = 'From: <bo@agency.gov.cn>';
    my $mail = mail(from => 'bo@agency.gov.cn', label => '机密');
    my %change = (
        'From is somebody else' =>
            ['550 5.7.1 You may not send as an@agency.gov.cn', 'From: <an@agency.gov.cn>'],
        'From is somebody outside' => ['550 5.7.1 You may not send as x@example.net', 'From: <x@example.net>'],
        'From has a second author' =>
            ['550 5.7.1 You may not send as mi@agency.gov.cn', 'From: <bo@agency.gov.cn>, <mi@agency.gov.cn>'],
        'two From fields' => ['550 5.7.1 The From field must name one sender', "$own\n$own"],
        'no From field' => ['550 5.7.1 The From field must name one sender', 'X-From: <bo@agency.gov.cn>'],
        'a From that names nobody' =>
            ['550 5.7.1 The From field must name one sender', 'From: nobody in particular'],
        'Sender is somebody else' =>
            ['550 5.7.1 You may not send as an@agency.gov.cn', "$own\nSender: <an\@agency.gov.cn>"],
        'resent by somebody else' =>
            ['550 5.7.1 You may not send as an@agency.gov.cn', "Resent-From: <an\@agency.gov.cn>\n$own"],
    );
    for my $what (sort keys %change) {
        my ($expected, $field) = @{ $change{$what} };
        try_mail($what, $expected, at_office('bo'), data => $mail =~ s/^\Q$own\E$/$field/mr);
    }
    try_mail(
        'the envelope is somebody else', '553 5.7.1 Sender address is not yours', at_office('bo'),
        from => address('an'),
        data => $mail
    );
    $number++;
    try_mail(
        'a name that looks like somebody else changes nothing', undef, at_office('bo'),
        data => mail(from => 'bo@agency.gov.cn', label => '机密', subject => 'mail 900') =~
            s/^From: .*$/From: "an\@agency.gov.cn" <bo\@agency.gov.cn>/mr,
        subject => 'mail 900'
    );
}

# From the internet: login, TLS and certificate, and what the zone carries.
sub travellers {
    my @mail = (label => '内部', to => [address('ni')]);
    try_mail('on a journey, with TLS 1.3', undef, travelling('bo'), @mail, tls => '1.3');
    try_mail('with TLS 1.2', undef, travelling('bo'), @mail, tls => '1.2');
    try_mail(
        'above what the zone carries',
        '550 5.7.1 Mail marked confidential may not be sent from this network', travelling('bo'), @mail,
        label => '秘密',
        to => [address('mi')]
    );
    my $missing = '550 5.7.10 This network requires a client certificate';
    try_mail('without certificate', $missing, travelling('bo'), @mail, cert => undef);
    try_mail('with one that nobody vouches for', $missing, travelling('bo'), @mail, cert => 'stranger');
    try_mail('not even 公开', $missing, travelling('bo'), @mail, cert => undef, label => '公开');
    try_mail(
        'without TLS', '550 5.7.10 This network requires TLS 1.2', travelling('bo'), @mail,
        cert => undef,
        tls => 0
    );
}

sub without_login {
    my $required = '530 5.7.0 Log in to send mail from this network';
    try_mail('the office without login', $required, at_office('bo'), login => undef);
    try_mail('not even 公开', $required, at_office('bo'), login => undef, label => '公开');
    try_mail(
        'whoever one says to be', $required, at_office('x'),
        login => undef,
        from => 'x@example.net',
        label => '公开'
    );
    try_mail(
        'nor without a sender', $required, at_office('x'),
        login => undef,
        from => '',
        label => '公开',
        data => mail(from => 'x@example.net', label => '公开')
    );
}

# A device cannot log in: its address and its place are declared together, with a level.
sub devices {
    my @scanner = (from => 'scanner@agency.gov.cn', client => '10.9.0.7', to => [address('ni')]);
    try_mail('a device without label', undef, @scanner, label => undef);
    try_mail('a device up to its level', undef, @scanner, label => '内部');
    try_mail(
        'a device above its level',
        '550 5.7.1 You may not send mail marked confidential as scanner@agency.gov.cn',
        @scanner,
        label => '秘密',
        to => [address('mi')]
    );
    try_mail(
        'to somebody who is not cleared', '550 5.7.1 gu@agency.gov.cn may not receive mail marked internal',
        @scanner,
        label => '内部',
        to => [address('gu')]
    );
    my $required = '530 5.7.0 Log in to send mail from this network';
    try_mail(
        'another address at its place', $required, @scanner,
        from => 'printer@agency.gov.cn',
        label => '公开'
    );
    try_mail('its address at another place', $required, @scanner, client => '10.9.0.8', label => '公开');
}

# A gateway in the office passes outside mail on: that is mail from the internet, not from the office.
sub relay {
    my @gateway = (from => 'x@example.net', client => '10.0.0.25', to => [address('an')]);
    try_mail('outside mail through the gateway', undef, @gateway, label => undef);
    try_mail('with a mark above 公开', $NEUTRAL, @gateway, label => undef, subject => '【机密】plan');
    try_mail('with an inside sender', $NEUTRAL, @gateway, label => undef, from => address('bo'));
    try_mail('even with a login', $NEUTRAL, @gateway, label => '机密', from => address('bo'), login => 'bo');
}

sub strangers {
    try_mail(
        'an inside sender from the internet', $NEUTRAL, from_internet(),
        from => address('bo'),
        label => '公开'
    );
    try_mail('in capitals', $NEUTRAL, from_internet(), from => 'bo@AGENCY.gov.CN', label => '公开');
    try_mail(
        'an inside author of a mailing list outside passes, and is recorded', undef, from_internet(),
        from => 'list@example.org',
        label => undef,
        subject => 'mail 901',
        data => mail(from => address('bo'), subject => 'mail 901')
    );
    ok(scalar $lab->miji_lines(qr/verdict=deliver.*inside-from-outside/), 'in the log');
    try_mail(
        'a partner with an address of its own', undef, from_partner(),
        to => [address('mi')],
        label => '秘密'
    );
    try_mail(
        'a partner who is not cleared is told so',
        '550 5.7.1 gu@agency.gov.cn may not receive mail marked confidential',
        from_partner(),
        to => [address('gu')],
        label => '秘密'
    );
    my @other = (from_partner(), from => 'x@example.net', label => '秘密');
    try_mail('a partner with an address of somebody else comes from the same network',
        undef, @other, to => [address('mi')]);
    try_mail('but is told nothing', $NEUTRAL, @other, to => [address('gu')]);
    try_mail(
        'a partner without certificate is the internet', $NEUTRAL, from_partner(),
        cert => undef,
        to => [address('mi')],
        label => '秘密'
    );
    try_mail('a partner with an inside sender', $NEUTRAL, from_partner(), from => address('bo'), label => '公开');
}

# Postfix tells of another client on the same connection: nothing of the first one stays.
sub xclient {
    my $client = $lab->open_client(at_office('bo'));
    is(
        $client->transaction(at_office('bo'), to => [address('an')], label => '机密', subject => 'mail 902')
            ->{code},
        250,
        'before XCLIENT bo is in the office'
    );
    $delivered{'mail 902'} = address('an');
    like($client->command('XCLIENT ADDR=203.0.113.9 NAME=far.example LOGIN=[UNAVAILABLE]'), qr/^220/,
        'XCLIENT');
    like($client->command('EHLO far.example'), qr/^250/, 'EHLO');
    my $reply = $client->transaction(from => address('bo'), to => [address('an')], label => '机密')->{reply};
    like(
        $reply,
        qr/^550 5\.7\.1 Message not accepted|^5\d\d .*(?:relay|denied)/i,
        'behind it somebody from far away'
    );
    $client->quit;

    $client = $lab->open_client(client => '10.0.0.5');
    like($client->command('XCLIENT ADDR=10.0.0.6 LOGIN=bo'), qr/^220/, 'a submission server tells of a login');
    $client->command('EHLO submission.example');
    is(
        $client->transaction(
            from => address('bo'),
            to => [address('an')],
            label => '机密',
            subject => 'mail 903'
        )->{code},
        250,
        'which counts'
    );
    $delivered{'mail 903'} = address('an');
    $reply = $client->transaction(from => address('an'), to => [address('an')], label => '机密')->{reply};
    like($reply, qr/^550 5\.7\.1 You may not send as an\@/, 'as that of bo and of nobody else');
    $client->quit;
}
