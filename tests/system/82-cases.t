#!/usr/bin/perl
# Cases of semantics.md 14 through real Postfix, slapd and commands, where they need the store, the way out or time: what
# is kept, what is answered, who is told; and what is archived (12). Where each is shown stands in tests/cases/where.txt.
use strict;
use warnings;
use FindBin;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $NEUTRAL = qr/^550 5\.7\.1 Message not accepted under the security policy of this site \[MIJI-\w{6}\]$/;
my $LATER = qr/^451 4\.4\.3 Directory not available, try again later \[MIJI-\w{6}\]$/;
my $HOUR = 3600;
my $DAY = 24 * $HOUR;
my $MANY = 50;    # messages of each of two clients, in an outage
my $ENVELOPED = join "\n", 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data',
    'Content-Transfer-Encoding: base64', '', 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA', '';

my $lab = Lab->new(faults => 1);
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf");
$conf =~ s/"Choose a classification for this message\."/"请选定密级后重发。"/ or die 'no text for unlabelled mail';
$lab->start_slapd(ldif => many_people());
$lab->start_miji(conf => $conf, review => 1);
$lab->start_postfix;
my %told;    # address => how many notices it should have
my $number = 0;

one_lookup();
answers_age();
chinese_text();
marked_outside();
forged_outside();
bounces();
nobody_reads_the_label();
cut_field();
encrypted();
receipt();
refused_before();
local_program();
archived();
directory_down();
approved_without_directory();
expires();
kept_for_a_month();
nobody_else();
is_deeply([unexpected()], [], 'the log complains of nothing else');
ok($lab->stop_all, 'everything stops');
done_testing;

# ------------------------------------------------------------------------------------------------------------ doing

# People whom nobody has asked about when the directory goes away.
sub many_people {
    return join "\n", map {
              "dn: uid=u$_,ou=contacts,$Lab::Slapd::BASE\nobjectClass: inetOrgPerson\nobjectClass: mijiPerson\n"
            . "uid: u$_\ncn: u$_\nsn: u$_\nmail: u$_\@agency.gov.cn\n"
    } 1 .. 2 * $MANY;
}

# A message with a subject and a Message-ID of its own, as options for Lab::Client: the same bytes whenever it is sent.
sub message {
    my ($place, $to, %option) = @_;
    my %place = @$place;
    my $subject = ($option{subject} // 'message') . ' ' . ++$number;
    my $data = Lab::Message->make(
        from => $place{from} || address('bo'),
        to => [map { address($_) } @$to],
        id => "m$number\@agency.gov.cn",
        %option,
        subject => $subject
    );
    $data =~ s/^Content-Type: .*/$ENVELOPED/ms if $option{is_enveloped};
    return (%place, %option, to => [map { address($_) } @$to], data => $data, subject => $subject);
}

# Line of Miji's about what was answered so: by the queue id of a 250, by the reference of everything else.
sub line_of {
    my ($result) = @_;
    my ($reference) = $result->{reply} =~ /\[(MIJI-\w{6})\]/;
    my $pattern = $result->{queue_id} ? qr/: $result->{queue_id}: verdict=/ : qr/verdict=.* ref=$reference /;
    return ($lab->miji_lines($pattern))[0] // '';
}

sub only_hold {
    my ($what) = @_;
    my @holds = $lab->holds;
    is(scalar @holds, 1, "$what: one hold");
    return $holds[0] // { id => '?', reason => '?', recipients => 0 };
}

# Somebody does something to a hold, and may.
sub done {
    my ($what, $who, @command) = @_;
    my ($status, $text) = $lab->miji_as($who, '--lang', 'en', @command);
    is($status, 0, "$what: $who says $command[0]") or diag $text;
    return $text;
}

sub turned_down {
    my ($what, $pattern, $who, @command) = @_;
    my ($status, $text) = $lab->miji_as($who, '--lang', 'en', @command);
    is($status, 1, "$what: $who may not $command[0]");
    like($text, $pattern, "$what: and hears why");
}

# What delays nobody is written in batches.
sub is_recorded {
    my ($result, $what) = @_;
    my ($reference) = $result->{reply} =~ /\[(MIJI-\w{6})\]/;
    my $look = sub { return !($lab->miji_as(undef, 'trace', $reference))[0] };
    ok($lab->wait_for($look, 10), $what) or diag(($lab->miji_as(undef, 'trace', $reference))[1]);
}

# Waits until what `miji show` says of a hold fits.
sub shows {
    my ($id, $pattern, $what) = @_;
    my $text;
    my $look = sub { $text = ($lab->miji_as('gao', '--lang', 'en', 'show', $id))[1]; $text =~ $pattern };
    ok($lab->wait_for($look, 20), $what) or diag $text;
}

sub copies {
    my ($name, $subject) = @_;
    return grep { $_->subject eq $subject } $lab->mailbox(address($name));
}

sub arrives {
    my ($name, $subject) = @_;
    return $lab->wait_for(sub { scalar(my @found = copies($name, $subject)) }, 20);
}

# The text of the newest notice of somebody, who should have one more than before.
sub next_notice {
    my ($address, $what) = @_;
    my $count = ++$told{$address};
    my @found;
    $lab->wait_for(sub { @found = $lab->notices($address); @found >= $count }, 30);
    if (!is(scalar @found, $count, "$what: one notice for $address")) {
        $told{$address} = @found;    # those that follow can still be right
        return '';
    }
    return $lab->notice_text($found[-1]);
}

# Miji's clocks go ahead, and the sweeper has passed a place of its code since.
sub time_passes {
    my ($seconds, $place, $what) = @_;
    $lab->plan_faults("$place stop 1");
    $lab->advance_clock($seconds);
    my $passed = sub { !$lab->faults_left };
    # It looks once a minute: a look that was just under way, or that met a directory which was coming back, comes again.
    $lab->advance_clock(61) if !$lab->wait_for($passed, 10);
    ok($lab->wait_for($passed, 20), $what);
}

sub unexpected {
    return grep { !/directory: ldaps:|put-off|deadline=expired|forged-token|recheck-failed/ }
        $lab->miji_lines(qr/\b(?:error|warning):/);
}

# ------------------------------------------------------------------------------------------------------------ cases

# Cases 25 to 28: people whom Miji knows, and one who cannot be asked about, since a part of the directory lies elsewhere.
sub one_lookup {
    my $elsewhere = "dn: ou=elsewhere,$Lab::Slapd::BASE\n";
    my %warm = message([at_office('bo')], ['an', 'mi'], label => '秘密');
    like($lab->send(%warm)->{reply}, qr/^250 /, 'people are asked about');
    $lab->ldap_modify("${elsewhere}changetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
            . "ou: elsewhere\nref: ldap://127.0.0.1:9/ou=elsewhere,$Lab::Slapd::BASE\n");
    my %message = message([at_office('bo')], ['an', 'ni'], label => '机密');
    my $sent = $lab->send(%message);
    like($sent->{reply}, $LATER, 'case 25: put off for both');
    like(line_of($sent), qr/verdict=defer to=<ni\S+> also=<an\S+> .*reason=directory-unavailable/,
        'case 25: for the sake of one');
    like($lab->send(message([at_office('bo')], ['mi', 'ni'], label => '机密'))->{reply},
        $LATER, 'case 27: put off beside one who is refused');
    like($lab->send(message([from_internet()], ['mi', 'ni'], subject => '【机密】'))->{reply},
        $NEUTRAL, 'case 28: refused where that is certain');
    is($lab->holds_open, 0, 'cases 25, 27, 28: nothing is kept');
    is_recorded($sent, 'case 25: the clock of 4 h begins');
    $lab->advance_clock(4 * $HOUR - 60);
    $sent = $lab->send(%message);
    like($sent->{reply}, $LATER, 'case 26: put off before 4 h are over');
    is_recorded($sent, 'case 26: and counted');
    $lab->advance_clock(60);
    $sent = $lab->send(%message);
    like($sent->{reply}, qr/^250 /, 'case 26: accepted after 4 h');
    ok(arrives('an', $message{subject}), 'case 26: an has it');
    like(next_notice(address('bo'), 'case 26'), qr/ni\@agency.*waits for review/s, 'case 26: bo hears of it');
    $lab->ldap_modify("${elsewhere}control: 2.16.840.1.113730.3.4.2 true\nchangetype: delete\n");
    my $hold = only_hold('case 26');
    is("$hold->{reason} $hold->{recipients}", 'directory-unavailable 1', 'case 26: for ni alone');
    done('case 26', 'gao', 'approve', $hold->{id});
    shows($hold->{id}, qr/did not pass \(not-cleared\)/, 'case 26: ni can be asked about now, and may not have it');
    done('case 26', 'gao', 'refuse', $hold->{id});
    like(next_notice(address('bo'), 'case 26, refused'), qr/^Final-Recipient: rfc822; ni\@agency\.gov\.cn$/m,
        'case 26: bo hears the end');
}

# From here on nobody is known for longer than a second.
sub answers_age {
    $conf =~ s/(answer within +2s)/$1\n    refresh every 1s/ or die 'no "answer within"';
    $lab->reload_miji($lab->review_conf($conf));
    ok($lab->wait_for(sub { scalar $lab->miji_lines(qr/reload: generation=2/) }, 10), 'answers age faster');
}

# Case 61, without a rule: the reply has to be ASCII, the notice says what the officers wrote.
sub chinese_text {
    my $sent = $lab->send(message([at_office('bo')], ['gu']));
    like(
        $sent->{reply},
        qr/^550 5\.7\.1 Choose a classification for this message \[MIJI-\w{6}\]$/,
        'case 61: the reply'
    );
    like(next_notice(address('bo'), 'case 61'), qr/请选定密级后重发。/, 'case 61: the text');
}

# Cases 14 and 15: whoever is cleared, x hears the same; the officers read of it.
sub marked_outside {
    for my $name (qw(an gu)) {
        my $sent = $lab->send(message([from_internet()], [$name], subject => '【机密】'));
        like($sent->{reply}, $NEUTRAL, "case 15: x to $name");
        my ($reference) = $sent->{reply} =~ /(MIJI-\w+)/;
        like(line_of($sent), qr/verdict=refuse .*label=机密 reason=zone-origin .* class=outside/,
            "case 14: $name: in the log");
        like(done("case 14: $name", 'gao', 'trace', $reference), qr/zone-origin/, "case 14: $name: in the records");
    }
    is(scalar $lab->holds('--all'), 1, 'case 14: no text of it stays here');    # the one of case 26 is there
}

# Case 59, first half, from outside.
sub forged_outside {
    my %message = message([from_internet()], ['gu'], fields => ['X-Miji-Release: v1 2kx9 1999999999999 ' . '0' x 64]);
    my $sent = $lab->send(%message);
    like($sent->{reply}, qr/^250 /, 'case 59: x to gu, decided as usual');
    ok(arrives('gu', $message{subject}), 'case 59: delivered');
    is(scalar +(copies('gu', $message{subject}))[0]->fields('X-Miji-Release'), 0, 'case 59: without the field');
    like(line_of($sent), qr/verdict=deliver .*recorded=\S*forged-token/, 'case 59: recorded');
}

# Case 8, as far as nothing proves how the way out is protected: what Postfix sends back of it is the fields alone.
sub bounces {
    my %message = message([at_office('bo')], ['mi'], label => '秘密', body => "figures\n");
    my %options = (mail_arguments => 'RET=FULL', rcpt_arguments => 'NOTIFY=SUCCESS');
    like($lab->send(%message, %options)->{reply}, qr/^250 /, 'case 8: accepted');
    my @reports;
    my $look = sub { @reports = grep { $_->subject =~ /Delivery/ } $lab->mailbox(address('bo')) };
    ok($lab->wait_for($look, 20), 'case 8: bo has the report that was asked for') or return;
    like($reports[0]->body, qr/^Subject: \Q$message{subject}\E$/m, 'case 8: with the fields');
    unlike($reports[0]->body, qr/figures/, 'case 8: without the text');
}

# Case 20: an is cleared for the highest level, and not for whatever else it may be.
sub nobody_reads_the_label {
    my %message = message([at_office('bo')], ['boss'], label => '机秘');
    like($lab->send(%message)->{reply}, qr/^250 /, 'case 20: taken');
    like(next_notice(address('bo'), 'case 20'), qr/boss\@agency.*waits for review/s, 'case 20: bo hears of it');
    my $hold = only_hold('case 20');
    is($hold->{reason}, 'label-invalid', 'case 20: why');
    turned_down('case 20', qr/cleared/, 'an', 'show', $hold->{id}, '--text');
    turned_down('case 20', qr/cleared/, 'an', 'approve', $hold->{id});
    like(done('case 20', 'gao', 'show', $hold->{id}, '--text'), qr/你好/, 'case 20: gao reads it');
    done('case 20', 'gao', 'approve', $hold->{id}, '--as', '机密');
    ok(arrives('boss', $message{subject}), 'case 20: as what gao says it is, boss may have it');
    like(next_notice(address('bo'), 'case 20, released'), qr/handed on to/, 'case 20: bo hears of it');
}

# Case 73: Postfix cuts what is too long, so nobody knows what stood behind.
sub cut_field {
    my %message = message([at_office('bo')], ['an'], fields => ['X-Padding: ' . 'x' x 900 . "\n " . 'y' x 150000]);
    like($lab->send(%message)->{reply}, qr/^250 /, 'case 73: taken');
    my $hold = only_hold('case 73');
    is($hold->{reason}, 'ambiguous-structure', 'case 73: held, and not called unlabelled');
    next_notice(address('bo'), 'case 73');
    done('case 73', 'gao', 'refuse', $hold->{id});
    next_notice(address('bo'), 'case 73, refused');
}

# Cases 23 and 70.
sub encrypted {
    my %message = message([at_office('bo')], ['gu', 'ni'], label => '公开', is_enveloped => 1);
    like($lab->send(%message)->{reply}, qr/^250 /, 'case 23: taken');
    my $hold = only_hold('case 23');
    is("$hold->{reason} $hold->{recipients}", 'encrypted 2', 'case 23: held');
    like(next_notice(address('bo'), 'case 23'), qr/gu\@agency.*ni\@agency/s, 'case 23: bo hears of it');
    done('case 70', 'gao', 'approve', $hold->{id}, '--as', '内部');
    ok(arrives('ni', $message{subject}), 'case 70: ni has it');
    shows($hold->{id}, qr/did not pass \(not-cleared\)/, 'case 70: gu has to wait');
    is(scalar copies('gu', $message{subject}), 0, 'case 70: gu has nothing');
    ok(scalar $lab->miji_lines(qr/hold=\w+ .*recheck-failed/), 'case 70: the log says so');
    my $text = next_notice(address('bo'), 'case 70');
    like($text, qr/handed on to:\n  - ni\@agency\.gov\.cn/, 'case 70: bo hears of ni');
    unlike($text, qr/gu\@agency/, 'case 70: and not of gu');
    done('case 70', 'gao', 'refuse', $hold->{id});
    like(next_notice(address('bo'), 'case 70, refused'), qr/rfc822; gu\@agency/, 'case 70: bo hears of gu');
}

# Case 75, with a label in the place of a thread: null sender, so nobody can be told.
sub receipt {
    my %message = message([at_office('bo')], ['an', 'ni'], label => '机密', fields => ['Auto-Submitted: auto-replied']);
    my $sent = $lab->send(%message, from => '');
    like($sent->{reply}, $NEUTRAL, 'case 75: refused for both');
    like(line_of($sent), qr/verdict=refuse to=<ni\S+ also=<an\S+> .*reason=not-cleared .*from=<>/,
        'case 75: the log says why');
}

# Case 33.
sub refused_before {
    my %message = message([at_office('bo')], ['an'], label => '秘密', subject => '【机密】');
    my $send = sub { $lab->send(@_)->{reply} };
    like($send->(%message), qr/^250 /, 'case 33: taken');
    my $first = only_hold('case 33');
    next_notice(address('bo'), 'case 33');
    done('case 33', 'gao', 'refuse', $first->{id}, '--note', 'no');
    next_notice(address('bo'), 'case 33, refused');
    my $reply = $send->(%message);
    like(
        $reply,
        qr/^550 5\.7\.1 Refused on \d{4}-\d\d-\d\d, see reference \[MIJI-\w{6}\]$/,
        'case 33: the same again'
    );
    is(scalar $lab->holds, 0, 'case 33: which is no new hold');
    (my $again = $message{data}) =~ s/^(Message-ID: <)/$1another-/m;
    like($send->(%message, data => $again), qr/^250 /, 'case 33: sent anew, it is judged anew');
    my $second = only_hold('case 33');
    isnt($second->{id}, $first->{id}, 'case 33: another hold');
    next_notice(address('bo'), 'case 33, anew');
    done('case 33', 'ra', 'approve', $second->{id});
    ok(arrives('an', $message{subject}), 'case 33: another reviewer decides otherwise');
    next_notice(address('bo'), 'case 33, released');
    like($send->(%message, data => $again), qr/^250 /, 'case 32: what was released and comes again is settled');
    like($send->(%message), qr/^550 5\.7\.1 Refused on /, 'case 33: what was refused stays so');
    is(scalar $lab->holds, 0, 'case 33: nothing is held');
    $lab->wait_queue_empty(20);
    is(scalar copies('an', $message{subject}), 1, 'case 33: an has it once');
}

# Case 34: no answer that makes Postfix bounce it.
sub local_program {
    my $data = Lab::Message->make(
        from => 'x@example.net',
        to => [address('an')],
        subject => 'nightly',
        id => 'nightly@local',
        body => "机密★10年\nfigures of the night\n"
    );
    my ($status, $text) = $lab->sendmail(from => 'x@example.net', to => [address('an')], data => $data);
    is("$status $text", '0 ', 'case 34: sendmail takes it');
    ok($lab->wait_for(sub { scalar $lab->miji_lines(qr/reason=zone-origin .*zone="local"/) }, 20), 'case 34: refused');
    my ($line) = $lab->miji_lines(qr/reason=zone-origin .*zone="local"/);
    like($line, qr/label=机密 .* act=discard ref=MIJI-\w+ from=<x\@example\.net> class=device/,
        'case 34: the log tells the officers');
    ok($lab->wait_queue_empty(20), 'case 34: nothing waits in a queue');
    is(scalar $lab->holds, 0, 'case 34: it is no hold');
    my ($copy) = grep { $_->{kind} eq 'refused' } $lab->holds('--all');
    ok($copy, 'case 34: a copy is kept') or return;
    is("$copy->{sender} $copy->{reason}", 'x@example.net zone-origin', 'case 34: of whose, and why');
    like(done('case 34', 'gao', 'show', $copy->{id}, '--text'), qr/figures of the night/, 'case 34: officers read it');
    turned_down('case 34', qr/./, 'bo', 'show', $copy->{id}, '--text');
    turned_down('case 34', qr/./, 'gao', @$_) for ['approve', $copy->{id}], ['release', $copy->{id}, '--again'];
    is(scalar grep({ $_->{raw} =~ /figures of the night/ } $lab->mailbox), 0, 'case 34: nobody has it');
    is(scalar $lab->mailbox('x@example.net'), 0, 'case 34: nothing goes to what -f says');
    is(scalar $lab->log_lines(qr/non-delivery/), 0, 'case 34: nothing is bounced');
}

# What is 秘密 or above is archived as Postfix presented it; boss, a blind copy, stands in the sealed record only.
sub archived {
    my $odd = join "\r\n", 'From: <bo@agency.gov.cn>', 'To: an@agency.gov.cn', 'Subject: archived',
        'X-Classification: =?UTF-8?B?5py65a+G?=', 'Message-ID: <archived@agency.gov.cn>', 'X-Odd :   folded',
        "\t  again  ", 'Date: today', '', '..', 'From here', "8 bit: \xff\xfe", 'seldom seen words', '', '';
    my $wire = $odd =~ s/^\./../gmr . ".\r\n";
    my $sent = $lab->send(at_office('bo'), to => [map { address($_) } qw(an boss ni)], wire => $wire);
    like($sent->{reply}, qr/^250 /, 'archive: accepted');
    my $line = line_of($sent);
    like($line, qr/ archive=1 /, 'archive: after it was archived');
    ok(arrives($_, 'archived'), "archive: $_ has it") for qw(an boss);
    next_notice(address('bo'), 'archive: ni is taken off');
    my $text = done('archive', 'gao', 'archive', 'list', '--json');
    my ($copy) = grep { $line =~ / ref=\Q$_->{reference}\E / } @{ decode_json($text)->{copies} };
    ok($copy, 'archive: it is listed') or return diag $text;
    my $id = $copy->{id};
    is("$copy->{archive} @{ $copy->{recipients} }", 'classified ' . join(' ', map { address($_) } qw(an boss ni)),
        'archive: the record has everybody');
    like(done('archive', 'gao', 'archive', 'show', $id), qr/boss\@agency\.gov\.cn/, 'archive: who is a blind copy, too');
    my $octets = done('archive', 'gao', 'archive', 'export', $id);
    (my $delivered = (copies('an', 'archived'))[0]{raw}) =~
        s/\A(?:(?:Return-Path|X-Original-To|Delivered-To|Received):.*\n(?:[ \t].*\n)*)+//;
    is($octets =~ s/\r\n/\n/gr, $delivered, 'archive: the octets that Postfix presented');
    unlike($octets, qr/boss|ni\@/, 'archive: no field of it names who is not in a field');
    turned_down('archive', qr/./, 'bo', 'archive', 'export', $id);
    my @files = grep { -f } glob "'$lab->{dir}/state'/{*,contents/*}";
    ok(scalar(grep {/store\.db$/} @files), 'archive: here it is');
    is(scalar(grep { Lab::read_file($_) =~ /seldom seen words/ } @files), 0, 'archive: and nothing of it in clear');
}

# Case 77 and the second half of 26: a directory that is away for a day makes no hold.
sub directory_down {
    my @messages = map {
        my @place = $_ % 2 ? at_office('bo') : from_internet();
        +{ message(\@place, ["u$_"], label => '公开', subject => 'in the outage') }
    } 1 .. 2 * $MANY;
    $lab->stop_slapd;
    like($lab->send(%{ $messages[0] })->{reply}, $LATER, 'case 77: put off');
    is_deeply({ replies(@messages) }, { '451 4.4.3' => 2 * $MANY }, 'case 77: all of them');
    $lab->advance_clock($DAY);
    is_deeply({ replies(@messages) }, { '451 4.4.3' => 2 * $MANY }, 'case 26: and a day later');
    $lab->start_slapd;
    ok($lab->wait_for(sub { $lab->send(message([from_internet()], ['wu']))->{code} == 250 }, 20),
        'case 77: the directory is back');
    is_deeply({ replies(@messages) }, { '250 2.0.0' => 2 * $MANY }, 'case 77: all are accepted');
    is($lab->holds_open, 0, 'case 77: none was held');
    ok($lab->wait_queue_empty(30), 'case 77: all are delivered');
    my %arrived;
    $arrived{ $_->to . ' ' . $_->subject }++ for grep { $_->subject =~ /^in the outage / } $lab->mailbox;
    is_deeply(\%arrived, { map { ("$_->{to}[0] $_->{subject}" => 1) } @messages }, 'case 77: each once');
}

# Sends them over a connection for each of the two clients; code => how often.
sub replies {
    my (@messages) = @_;
    my %count;
    for my $turn (1, 0) {
        my $client = $lab->open_client($turn ? at_office('bo') : from_internet());
        for my $index (grep { ($_ + 1) % 2 == $turn } 0 .. $#messages) {
            my $reply = $client->transaction(%{ $messages[$index] })->{reply};
            $count{ substr $reply, 0, 9 }++;
        }
        $client->quit;
    }
    return %count;
}

# Case 56.
sub approved_without_directory {
    my %message = message([at_office('bo')], ['an'], label => '秘密', subject => '【机密】');
    like($lab->send(%message)->{reply}, qr/^250 /, 'case 56: taken');
    next_notice(address('bo'), 'case 56');
    my $hold = only_hold('case 56');
    $lab->set_release_listener(0);
    done('case 56', 'gao', 'approve', $hold->{id});
    shows($hold->{id}, qr/Postfix has not taken it yet/, 'case 56: it cannot go yet');
    $lab->stop_slapd;
    my $stale = time + 1.1;
    $lab->wait_for(sub { time > $stale }, 5);
    $lab->set_release_listener(1);
    $lab->advance_clock($HOUR);
    ok($lab->wait_for(sub { scalar $lab->miji_lines(qr/release=put-off why="directory-unavailable/) }, 20),
        'case 56: without the directory neither');
    is(scalar copies('an', $message{subject}), 0, 'case 56: an has nothing');
    $lab->start_slapd;
    $lab->advance_clock($HOUR);
    ok(arrives('an', $message{subject}), 'case 56: with it an has it');
    like(next_notice(address('bo'), 'case 56, released'), qr/handed on to:\n  - an\@/, 'case 56: bo hears of it');
    shows($hold->{id}, qr/released/, 'case 56: the hold says so');
    $lab->advance_clock($HOUR);
    $lab->wait_queue_empty(20);
    is(scalar copies('an', $message{subject}), 1, 'case 56: once');
}

# Case 71: the time is over when it was seen so twice, ten minutes apart.
sub expires {
    my %message = message([from_internet()], ['gu'], is_enveloped => 1);
    like($lab->send(%message)->{reply}, qr/^250 /, 'case 71: taken');
    my $hold = only_hold('case 71');
    time_passes($DAY + 60, 'sweeper.expired', 'case 71: its time is over, seen once');
    is(only_hold('case 71')->{state}, 'held', 'case 71: which ends nothing');
    time_passes(8 * 60, 'sweeper.expired', 'case 71: seen eight minutes later');
    is(only_hold('case 71')->{state}, 'held', 'case 71: nor does that');
    turned_down('case 71', qr/its deadline was/, 'gao', 'approve', $hold->{id});
    time_passes(3 * 60, 'sweeper.expired', 'case 71: seen more than ten minutes later');
    my $text = next_notice(address('gu'), 'case 71');
    like($text, qr/x\@example\.net/, 'case 71: gu learns from whom it was');
    unlike($text, qr/\Q$message{subject}\E/, 'case 71: and nothing else');
    is(scalar $lab->holds, 0, 'case 71: nothing is held');
    like(done('case 71', 'gao', 'show', $hold->{id}), qr/expired/, 'case 71: it is kept, for the officers');
    is(scalar $lab->mailbox('x@example.net'), 0, 'case 71: x hears nothing');
    is(scalar copies('gu', $message{subject}), 0, 'case 71: gu never has it');
}

# Cases 34 and 71: what is kept of what ended is kept for 30 days.
sub kept_for_a_month {
    time_passes(27 * $DAY, 'sweeper.tidied', 'before 30 days are over');
    is(scalar grep({ $_->{kind} eq 'refused' || $_->{state} eq 'expired' } $lab->holds('--all')), 2, 'both are there');
    time_passes(4 * $DAY, 'sweeper.tidied', 'when they are over');
    isnt(scalar $lab->holds('--all'), 0, 'that may be a clock that jumped');
    time_passes(2 * $HOUR, 'sweeper.tidied', 'an hour later');
    is(scalar $lab->holds('--all'), 0, 'nothing is there');
}

# The mailboxes have the notices that were counted, no more.
sub nobody_else {
    $lab->wait_queue_empty(20);
    my %found;
    $found{ $_->to }++ for $lab->notices;
    is_deeply(\%found, \%told, 'every notice once, and no other');
    is(scalar $lab->log_lines(qr/non-delivery/), 0, 'nothing was ever bounced');
}
