#!/usr/bin/perl
# Notices through real Postfix (semantics.md 9; cases 3, 5, 16, 18, 71, 72, 74, 76): who is told what, that nobody learns of a
# Bcc, that no notice causes another, and that each is sent once whatever dies or is stopped meanwhile.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $lab = Lab->new;
$lab->start_slapd;
$lab->start_miji(review => 1);
$lab->start_postfix;
my %told;    # address => how many notices it should have
my $number = 0;

part_refused();
blind_copy();
from_the_partner();
held_and_released();
held_and_refused();
outside_mail();
two_forms();
never();
programs();
without_listener();
killed();
nobody_else();
is(scalar $lab->log_lines(qr/non-delivery|postfix\/bounce\[.*double/), 0, 'nothing was bounced');
is_deeply([grep { !/put-off|interrupted|counts-as-sent/ } $lab->miji_lines(qr/\b(?:error|warning):/)],
    [], 'no line of the log is one too many');
ok($lab->stop_all, 'everything stops');
done_testing;

# ------------------------------------------------------------------------------------------------------------ doing

# Sends, with a subject of its own; {subject} is it.
sub mail {
    my (%option) = @_;
    my $subject = $option{subject} // sprintf 'message %d', ++$number;
    my $result = $lab->send(%option, subject => $subject);
    $result->{subject} = $subject;
    return $result;
}

# The notices that an address has: mail with Auto-Submitted from Miji.
sub notices_of {
    my ($address) = @_;
    return grep { $_->field('Auto-Submitted') eq 'auto-generated' } $lab->mailbox($address);
}

# The newest notice of an address, when it has one more than before.
sub next_notice {
    my ($address, $what) = @_;
    my $count = ++$told{$address};
    my @found;
    $lab->wait_for(sub { @found = notices_of($address); @found >= $count }, 40);
    is(scalar @found, $count, "$what: one notice for $address") or return Lab::Message->parse("\n");
    my $notice = $found[-1];
    is($notice->from, '', "$what: from nobody, so that nothing comes back");
    is($notice->field('From'), 'Miji <miji@agency.gov.cn>', "$what: it says who tells");
    is($notice->field('To'), "<$address>", "$what: to one address");
    is($notice->field('X-Classification'), '公开', "$what: everybody may read it");
    is(scalar $notice->fields('X-Miji-Release'), 0, "$what: the token stays here");
    cmp_ok(length $notice->{raw}, '<=', 9000, "$what: it is small");    # 8 KiB and the trace fields
    return $notice;
}

# Everything that a person reads in it.
sub text_of {
    my ($notice) = @_;
    my $body = $notice->body;
    $body =~ s/^((?:[A-Za-z0-9+\/=]{1,76}\n)+)/MIME::Base64::decode_base64($1)/gme;
    return $body =~ s/\r//gr;
}

sub delivered {
    my ($address, $subject) = @_;
    return $lab->wait_for(sub { scalar grep { $_->subject eq $subject } $lab->mailbox($address) }, 20);
}

# Looks through every mailbox but those named: what must not be known there.
sub nowhere_but {
    my ($pattern, $what, @but) = @_;
    my @knowing = grep { ($_->{raw} . text_of($_)) =~ $pattern } $lab->mailbox;
    my @where = grep { my $to = $_->to; !grep { $_ eq $to } @but } @knowing;
    ok(scalar @knowing, "$what, but somebody does");
    is(join(' ', map { $_->to } @where), '', $what);
}

# The short id of the hold that waits, as a reviewer sees it.
sub hold_id {
    my ($subject) = @_;
    my ($status, $text) = $lab->miji_as('gao', '--lang', 'en', 'held', '--json');
    is($status, 0, "$subject: gao sees what is held") or diag $text;
    my ($id) = $text =~ /"id": ?"(\w+)"/;
    return $id // '?';
}

# ------------------------------------------------------------------------------------------------------------ cases

# Case 3.
sub part_refused {
    my $sent = mail(
        at_office('bo'),
        to => [map { address($_) } qw(an mi)],
        label => '机密',
        mail_arguments => 'ENVID=case3');
    like($sent->{reply}, qr/^250 /, 'case 3: accepted for one of two');
    ok(delivered(address('an'), $sent->{subject}), 'case 3: an has it');
    my $notice = next_notice(address('bo'), 'case 3');
    my $text = text_of($notice);
    like($text, qr/mi\@agency\.gov\.cn 无权接收 机密 级邮件/, 'case 3: in Chinese');
    like($text, qr/mi\@agency\.gov\.cn may not receive mail marked 机密/, 'case 3: and in English');
    like($text, qr/^Final-Recipient: rfc822; mi\@agency\.gov\.cn$/m, 'case 3: as a report');
    like($text, qr/^Action: failed\nStatus: 5\.7\.1$/m, 'case 3: that programs understand');
    like($text, qr/^Original-Envelope-Id: case3$/m, 'case 3: with the envelope id');
    unlike($text, qr/an\@agency|message 1/, 'case 3: of nobody else, and without the subject');
    like($notice->field('Content-Type'), qr/^multipart\/report; +report-type=delivery-status/, 'case 3: its type');
    my ($reference) = $notice->subject =~ /\[(MIJI-\w{6})\]$/;
    ok(scalar $lab->miji_lines(qr/ref=\Q$reference\E/), 'case 3: the reference stands in the log, too');
}

# Case 5: ni is a blind copy. Only its author ever reads that name.
sub blind_copy {
    my $data = Lab::Message->make(
        from => address('bo'),
        to => [address('an')],
        label => '机密',
        subject => 'to an alone, it seems');
    my $sent =
        mail(at_office('bo'), to => [map { address($_) } qw(an ni)], data => $data, subject => 'to an alone, it seems');
    like($sent->{reply}, qr/^250 /, 'case 5: accepted');
    ok(delivered(address('an'), $sent->{subject}), 'case 5: an has it');
    like(text_of(next_notice(address('bo'), 'case 5')), qr/ni\@agency\.gov\.cn/, 'case 5: bo reads of ni');
    nowhere_but(qr/ni\@agency/, 'case 5: nobody else does', address('bo'));
}

# Case 16.
sub from_the_partner {
    my $sent = mail(from_partner(), to => [map { address($_) } qw(mi ni)], label => '秘密');
    like($sent->{reply}, qr/^250 /, 'case 16: accepted');
    ok(delivered(address('mi'), $sent->{subject}), 'case 16: mi has it');
    like(text_of(next_notice('p@ministry.gov.cn', 'case 16')),
        qr/^Final-Recipient: rfc822; ni\@agency\.gov\.cn$/m, 'case 16: p has a report of ni');
}

# Cases 18 and 72.
sub held_and_released {
    my $sent = mail(
        at_office('bo'),
        to => [address('an')],
        label => '秘密',
        subject => '【机密】 two labels',
        rcpt_arguments => 'NOTIFY=SUCCESS'
    );
    like($sent->{reply}, qr/^250 /, 'case 18: taken');
    my $held = next_notice(address('bo'), 'case 18');
    like(text_of($held), qr/您的邮件待审.*waits for review/s, 'case 18: bo hears that it waits');
    unlike($held->subject . text_of($held), qr/two labels/, 'case 18: without its subject');
    is(scalar $lab->mailbox(address('an')), 2, 'case 18: an has nothing yet');
    my ($status, $text) = $lab->miji_as('gao', 'approve', hold_id('case 18'));
    is($status, 0, 'case 18: gao approves') or diag $text;
    ok(delivered(address('an'), $sent->{subject}), 'case 18: an has it');
    my $released = next_notice(address('bo'), 'case 18, released');
    like(text_of($released), qr/已获批准.*approved and handed on to:\n  - an\@agency\.gov\.cn/s,
        'case 18: bo hears of it');
    # Case 72: the delivery report that bo asked for comes from Postfix, once, after the release.
    my @reports;
    my $look = sub {
        @reports = grep { $_->field('Auto-Submitted') eq 'auto-replied' } $lab->mailbox(address('bo'));
    };
    $lab->wait_for($look, 20);
    is(scalar @reports, 1, 'case 72: one report of success');
}

# Case 21.
sub held_and_refused {
    my $sent = mail(
        at_office('bo'),
        to => [address('an')],
        label => '公开',
        fields => ['X-Classification: =?UTF-8?B?5YWs5byA?=']);
    like($sent->{reply}, qr/^250 /, 'refused: taken');
    like(text_of(next_notice(address('bo'), 'refused, held')), qr/^主题 \/ Subject: \Q$sent->{subject}\E$/m,
        'refused: of a public mail the subject is said');
    my ($status, $text) = $lab->miji_as('gao', 'refuse', hold_id('refused'), '--note', '请改用公开版本');
    is($status, 0, 'refused: gao refuses') or diag $text;
    my $notice = text_of(next_notice(address('bo'), 'refused'));
    like($notice, qr/审核人说明: 请改用公开版本/, 'refused: with the note');
    like($notice, qr/^Action: failed\nStatus: 5\.7\.1$/m, 'refused: as a report');
}

# Case 71, ended by a reviewer: x never hears of it, gu does.
sub outside_mail {
    my $data = Lab::Message->make(from => 'x@example.net', to => [address('gu')], subject => 'sealed');
    my @sealed = (
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data',
        'Content-Transfer-Encoding: base64',
        '', 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA', ''
    );
    $data =~ s/^Content-Type: .*/join "\n", @sealed/mse;
    my $sent = mail(from_internet(), to => [address('gu')], data => $data, subject => 'sealed');
    like($sent->{reply}, qr/^250 /, 'case 71: taken');
    my ($status, $text) = $lab->miji_as('gao', 'refuse', hold_id('case 71'));
    is($status, 0, 'case 71: gao refuses') or diag $text;
    my $notice = text_of(next_notice(address('gu'), 'case 71'));
    like($notice, qr/发件人 \/ From: x\@example\.net/, 'case 71: gu learns from whom it was');
    unlike($notice, qr/sealed|Final-Recipient/, 'case 71: and nothing else');
}

# Case 74.
sub two_forms {
    my $sent = mail(at_office('bo'), to => ['Ni@agency.gov.cn', 'ni@agency.gov.cn', address('an')], label => '机密');
    like($sent->{reply}, qr/^250 /, 'case 74: accepted');
    ok(delivered(address('an'), $sent->{subject}), 'case 74: an has it');
    my $text = text_of(next_notice(address('bo'), 'case 74'));
    is(scalar(() = $text =~ /^Final-Recipient:/mg), 1, 'case 74: one of two forms is named');
    like($text, qr/^Final-Recipient: rfc822; Ni\@agency\.gov\.cn$/m, 'case 74: as it was typed');
}

# Case 76, and what is already known: all that comes later is counted in nobody_else.
sub never {
    my $client = $lab->open_client(at_office('bo'));
    my @options = (at_office('bo'), label => '机密', subject => 'never', rcpt_arguments => 'NOTIFY=NEVER');
    like($client->transaction(@options, to => [map { address($_) } qw(an ni)])->{reply}, qr/^250 /, 'case 76: accepted');
    $client->quit;
    ok(delivered(address('an'), 'never'), 'case 76: an has it');
    my ($status, $text) = $lab->miji_as(undef, '--lang', 'en', 'trace', address('ni'));
    like($text, qr/not-cleared/, 'case 76: the journal has it');
}

# Courtesies are not for programs; what was refused is told all the same.
sub programs {
    my $held = mail(
        at_office('bo'),
        to => [address('an')],
        label => '秘密',
        subject => '【机密】 a list',
        fields => ['List-Id: <l.example.net>']
    );
    like($held->{reply}, qr/^250 /, 'a list: held');
    my $sent = mail(
        at_office('bo'),
        to => [map { address($_) } qw(an ni)],
        label => '机密',
        fields => ['Precedence: bulk']);
    like($sent->{reply}, qr/^250 /, 'bulk: accepted');
    like(text_of(next_notice(address('bo'), 'bulk')), qr/ni\@agency/, 'bulk: the refusal is told');
}

# What cannot be handed over waits, and goes when the listener is back.
sub without_listener {
    $lab->set_release_listener(0);
    my $sent = mail(at_office('bo'), to => [map { address($_) } qw(an mi)], label => '机密');
    like($sent->{reply}, qr/^250 /, 'no listener: mail passes');
    ok(delivered(address('an'), $sent->{subject}), 'no listener: an has it');
    ok($lab->wait_for(sub { scalar $lab->miji_lines(qr/notice=outcome.*send=put-off/) }, 20),
        'no listener: the notice waits');
    my ($status, $text) = $lab->miji_as(undef, '--lang', 'en', 'status');
    like($text, qr/^notices waiting +1\nof them failing +1$/m, 'no listener: the status says so');
    $lab->set_release_listener(1);
    next_notice(address('bo'), 'no listener');
}

# A notice survives the death of all that runs, and is sent once.
sub killed {
    $lab->set_release_listener(0);
    my $sent = mail(at_office('bo'), to => [map { address($_) } qw(an mi)], label => '机密');
    like($sent->{reply}, qr/^250 /, 'killed: mail passes');
    $lab->kill_miji;
    $lab->set_release_listener(1);
    $lab->start_miji;
    next_notice(address('bo'), 'killed');
    $lab->kill_miji;
    $lab->start_miji;
}

# The mailboxes have what was counted, no more; nobody was told of a notice.
sub nobody_else {
    $lab->wait_queue_empty(20);
    my %found;
    $found{ $_->to }++ for grep { $_->from eq '' && $_->field('Auto-Submitted') eq 'auto-generated' } $lab->mailbox;
    is_deeply(\%found, \%told, 'every notice once, and no other');
}
