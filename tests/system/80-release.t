#!/usr/bin/perl
# The way out through real Postfix (semantics.md 10, 12.4; cases 55, 56, 59, 72): what is approved arrives once, as it came,
# by an envelope as it was; and nothing else gets in where it goes out.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $lab = Lab->new;
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$conf =~ s/(answer within +2s)/$1\n    refresh every 1s/;
$lab->start_slapd;
$lab->start_miji(conf => $conf, review => 1);
$lab->start_postfix;

as_it_came();
header_checks();
every_form();
reports();
without_token();
forged_field();
revoked();
no_listener();
killed();
$lab->wait_queue_empty(20);
is(scalar $lab->log_lines(qr/non-delivery/), 0, 'nothing was bounced');
ok($lab->stop_all, 'everything stops');
done_testing;

# ------------------------------------------------------------------------------------------------------------ doing

# A message of bo, held because its labels disagree: held(SUBJECT, to => […], …); what the client heard.
sub held {
    my ($subject, %option) = @_;
    my $sent = $lab->send(at_office('bo'), label => '秘密', subject => "【机密】 $subject", %option);
    like($sent->{reply}, qr/^250 /, "$subject: taken");
    return $sent;
}

sub hold_id {
    my ($what) = @_;
    my ($status, $text) = $lab->miji_as('gao', '--lang', 'en', 'held', '--json');
    my @ids = $text =~ /"id": ?"(\w+)"/g;
    is(scalar @ids, 1, "$what: one hold") or diag $text;
    return $ids[0] // '?';
}

sub approve {
    my ($id, $what) = @_;
    my ($status, $text) = $lab->miji_as('gao', 'approve', $id);
    is($status, 0, "$what: approved") or diag $text;
}

# The copies of a message that somebody has, when there is one at least.
sub copies {
    my ($name, $subject, $count) = @_;
    my @found;
    my $look = sub {
        @found = grep { $_->subject =~ /\Q$subject\E/ } $lab->mailbox(address($name));
        return @found >= ($count // 1);
    };
    $lab->wait_for($look, 20);
    return @found;
}

# Waits until what `miji show` says of a hold fits.
sub shows {
    my ($id, $pattern, $what) = @_;
    my $text;
    my $look = sub { $text = ($lab->miji_as('gao', '--lang', 'en', 'show', $id))[1]; $text =~ $pattern };
    ok($lab->wait_for($look, 20), $what) or diag $text;
}

# As it was delivered, without what Postfix writes on top when it delivers.
sub presented {
    my ($message) = @_;
    my $raw = $message->{raw};
    $raw =~ s/\A(?:(?:Return-Path|X-Original-To|Delivered-To):.*\n(?:[ \t].*\n)*)+//;
    return $raw;
}

# ------------------------------------------------------------------------------------------------------------ cases

# Odd fields, odd lines, no line end: what arrives is what Postfix would have delivered at once, but for the trace. boss is a
# blind copy.
sub as_it_came {
    my $subject = '=?UTF-8?B?44CQ5py65a+G44CRIG9kZA==?=';
    my $odd = join "\r\n", 'From: <bo@agency.gov.cn>', 'To: an@agency.gov.cn', "Subject: $subject",
        'X-Classification: =?UTF-8?B?56eY5a+G?=', 'Message-ID: <odd@agency.gov.cn>',
        'X-Odd :   folded', "\t  again  ", 'X-Empty:', 'x-LONG: ' . 'a' x 3000, 'Date: today', '',
        '..', '.', 'From here', "8 bit: \xff\xfe \xe6\x9c\xba", ' ' . 'b' x 5000, '', '';
    my $wire = $odd =~ s/^\./../gmr . ".\r\n";
    my @envelope = (at_office('bo'), to => [map { address($_) } qw(an boss)], wire => $wire);

    $lab->reload_postfix(smtpd_milters => '');
    like($lab->send(@envelope)->{reply}, qr/^250 /, 'as it came: once without Miji');
    my ($plain) = copies('an', 'odd');
    is(scalar copies('boss', 'odd'), 1, 'as it came: to both');
    $lab->empty_mailboxes;
    $lab->reload_postfix(smtpd_milters => $lab->milter_socket('smtp'));
    my $sent = $lab->send(@envelope);
    like($sent->{reply}, qr/^250 /, 'as it came: taken');
    my $id = hold_id('as it came');
    is(scalar $lab->mailbox, 0 + grep({ $_->from eq '' } $lab->mailbox), 'as it came: nobody has it yet');
    approve($id, 'as it came');
    for my $name (qw(an boss)) {
        my @copies = copies($name, 'odd');
        is(scalar @copies, 1, "as it came: $name has it once") or next;
        my ($copy) = @copies;
        is($copy->from, 'bo@agency.gov.cn', "as it came: $name: from bo");
        my ($rebuilt, $rest) =
            presented($copy) =~ /\AReceived: .*?\n(?=\S)(Received: .*?\n(?=\S))(.*)\z/s;
        (my $want = presented($plain)) =~ s/\AReceived: .*?\n(?=\S)//s;
        is($rest, $want, "as it came: $name: the octets");
        like(
            $rebuilt,
            qr/^Received: from client\.example \(\S+ \[10\.0\.0\.5\]\)\n\t\(using TLSv1\.\d with cipher \w+\)\n\tby \S+ with ESMTPSA id \w+; \w{3}, /,
            "as it came: $name: the trace says how it came"
        );
        unlike($rebuilt, qr/\bbo\b/, "as it came: $name: not who logged in");
        unlike($copy->{raw}, qr/X-Miji-Release/, "as it came: $name: no token");
    }
    unlike((copies('an', 'odd'))[0]{raw}, qr/boss/, 'as it came: nothing tells an of boss');
    is(scalar $lab->log_lines(qr/postfix\/release.*reject/), 0, 'as it came: the listener refused nothing');
    shows($id, qr/released/, 'as it came: the hold says so');
}

# What Postfix does to fields on the way in it does once; and the release does not hang on what it does.
sub header_checks {
    my $checks = Lab::write_file("$lab->{dir}/etc/checks",
        "/^Received:/ IGNORE\n/^X-Seen:/ PREPEND X-Added: by header_checks\n");
    $lab->reload_postfix(header_checks => "regexp:$checks");
    held('checked', to => [address('an')], fields => ['X-Seen: yes']);
    $lab->reload_postfix(smtpd_sender_restrictions => 'reject');
    approve(hold_id('checked'), 'checked');
    my @copies = copies('an', 'checked');
    is(scalar @copies, 1, 'header_checks: it gets out') or return;
    is_deeply([$copies[0]->fields('X-Added')], ['by header_checks'], 'header_checks: asked once');
    $lab->reload_postfix(header_checks => '', smtpd_sender_restrictions => '');
}

# Each given form goes out as it was given; Postfix delivers once, as it would have.
sub every_form {
    held('two forms', to => ['An@agency.gov.cn', 'an@agency.gov.cn']);
    approve(hold_id('two forms'), 'two forms');
    is(scalar copies('an', 'two forms'), 1, 'two forms: one copy');
    is(scalar $lab->log_lines(qr/postfix\/release.*reject/), 0, 'two forms: both are said');
}

# Case 72: what bo asked to be told comes after the release, about the envelope as it was.
sub reports {
    my $client = $lab->open_client(at_office('bo'));
    my $sent = $client->transaction(
        at_office('bo'),
        to => [address('an')],
        label => '秘密',
        subject => '【机密】 reports',
        mail_arguments => 'RET=FULL ENVID=case+2B72',
        rcpt_arguments => 'NOTIFY=SUCCESS ORCPT=rfc822;old+2Ban@agency.gov.cn'
    );
    $client->quit;
    like($sent->{reply}, qr/^250 /, 'case 72: taken');
    my $id = hold_id('case 72');
    my $reports = sub { grep { $_->field('Auto-Submitted') eq 'auto-replied' } $lab->mailbox(address('bo')) };
    is(scalar $reports->(), 0, 'case 72: no report while it waits');
    approve($id, 'case 72');
    ok($lab->wait_for(sub { scalar $reports->() }, 20), 'case 72: a report');
    my ($report) = $reports->();
    like($report->body, qr/^Original-Envelope-Id: case\+72$/m, 'case 72: with its envelope id');
    like($report->body, qr/^Original-Recipient: rfc822;old\+an\@agency\.gov\.cn$/m,
        'case 72: with its recipient as given');
    unlike($report->body, qr/你好/, 'case 72: with the fields alone: it is above the lowest level');
}

# Case 59, second half: whoever is on this host may talk to the listener, and gets nothing through.
sub without_token {
    my %tokens = (
        'without' => [],
        'invented' => ['X-Miji-Release: v1 2kx9bcdfghjkmnpqrstvwxyz234 1999999999999 ' . '0' x 64],
        'nonsense' => ['X-Miji-Release: yes'],
        'two' => ['X-Miji-Release: v1 a 1 ' . '0' x 64, 'X-Miji-Release: v1 b 1 ' . '0' x 64]
    );
    for my $kind (sort keys %tokens) {
        my $sent = $lab->send(
            from => address('bo'),
            to => [address('gu')],
            port => 'release',
            label => '绝密',
            subject => "smuggled $kind",
            fields => $tokens{$kind}
        );
        like($sent->{reply}, qr/^550 5\.7\.1 /, "release listener, $kind: refused");
    }
    my @incidents = $lab->miji_lines(qr/reason=forged-token socket=release/);
    is(scalar @incidents, 4, 'release listener: each stands in the log');
}

# Case 59, first half: the field means nothing elsewhere.
sub forged_field {
    my $sent = $lab->send(
        at_office('bo'),
        to => [address('an')],
        label => '机密',
        subject => 'with a field',
        fields => ['X-Miji-Release: v1 2kx9bcdfghjkmnpqrstvwxyz234 1999999999999 ' . '0' x 64]
    );
    like($sent->{reply}, qr/^250 /, 'forged field: decided as usual');
    my @copies = copies('an', 'with a field');
    is(scalar @copies, 1, 'forged field: delivered');
    unlike($copies[0]{raw}, qr/X-Miji-Release/, 'forged field: without it');
    ok(scalar $lab->miji_lines(qr/forged-token/), 'forged field: the log tells');
    held('held with a field', to => [address('an')], fields => ['X-Miji-Release: v1 x 1 ' . '0' x 64]);
    approve(hold_id('held with a field'), 'held with a field');
    @copies = copies('an', 'held with a field');
    is(scalar @copies, 1, 'held with a field: it gets out');
    unlike($copies[0]{raw}, qr/X-Miji-Release/, 'held with a field: without it');
}

# Case 55: an is no longer cleared when it is approved; cleared again, an officer says so.
sub revoked {
    held('revoked', to => [map { address($_) } qw(an boss)]);
    my $id = hold_id('revoked');
    $lab->set_clearance('an', '内部');
    my $refused = sub { $lab->send(at_office('bo'), to => [address('an')], label => '机密')->{code} == 550 };
    ok($lab->wait_for($refused, 20), 'revoked: known to all');
    approve($id, 'revoked');
    is(scalar copies('boss', 'revoked'), 1, 'revoked: boss has it');
    shows($id, qr/did not pass \(not-cleared\)/, 'revoked: the rest waits, and says why');
    is(scalar grep({ $_->subject =~ /revoked/ } $lab->mailbox(address('an'))), 0, 'revoked: an has nothing');
    $lab->set_clearance('an', '绝密');
    ok($lab->wait_for(sub { !$refused->() }, 20), 'revoked: cleared again');
    my ($status, $text) = $lab->miji_as('gao', 'release', $id, '--again');
    is($status, 0, 'revoked: gao lets it be tried again') or diag $text;
    is(scalar copies('an', 'revoked'), 1, 'revoked: an has it');
    is(scalar copies('boss', 'revoked'), 1, 'revoked: boss has it once');
}

# Case 56 with Postfix in the place of the directory.
sub no_listener {
    $lab->set_release_listener(0);
    held('no listener', to => [address('an')]);
    my $id = hold_id('no listener');
    approve($id, 'no listener');
    shows($id, qr/Postfix has not taken it yet/, 'no listener: it waits, and says why');
    $lab->set_release_listener(1);
    my ($status, $text) = $lab->miji_as('gao', 'release', $id, '--again');
    is($status, 0, 'no listener: now') or diag $text;
    is(scalar copies('an', 'no listener'), 1, 'no listener: an has it');
}

# Everything dies between the approval and the release.
sub killed {
    $lab->set_release_listener(0);
    held('killed', to => [address('an')]);
    my $id = hold_id('killed');
    approve($id, 'killed');
    shows($id, qr/Postfix has not taken it yet/, 'killed: it waits');
    $lab->kill_miji;
    $lab->set_release_listener(1);
    $lab->start_miji;
    my ($status, $text) = $lab->miji_as('gao', 'release', $id, '--again');
    is($status, 0, 'killed: tried again') or diag $text;
    is(scalar copies('an', 'killed'), 1, 'killed: an has it');
    $lab->kill_miji;
    $lab->start_miji;
    $lab->wait_queue_empty(20);
    is(scalar copies('an', 'killed'), 1, 'killed: once');
}
