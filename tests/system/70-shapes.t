#!/usr/bin/perl
# What senders hear, the shapes in which a mark arrives, large messages, several on one connection; and `miji doctor`
# on this Postfix, sound and with mistakes planted (semantics.md 14, cases 46, 67, 78).
use strict;
use warnings;
use Encode qw(decode encode);
use FindBin;
use MIME::Base64;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $NEUTRAL = '550 5.7.1 Message not accepted under the security policy of this site';

my $lab = Lab->new;
my $conf = Lab::read_file("$lab->{top}/contrib/lab/miji.conf") . "limits { message size 1MB }\n";
$lab->start_slapd;
$lab->start_miji(conf => $conf);
$lab->start_postfix;
my @delivered;

what_insiders_hear();
what_outsiders_hear();
marks();
no_marks();
sizes();
one_connection();
$lab->wait_queue_empty(20);
is_deeply(
    [sort map { $_->to . ' ' . ($_->fields('X-Test'))[0] } $lab->mailbox],
    [sort @delivered],
    'what was accepted has arrived, nothing else'
);
doctor();
is_deeply([$lab->imbalances], [], 'the logs of both sides agree');
ok($lab->stop_all, 'everything stops');
done_testing;

# Sends a message with a field that names it; fields => replaces those between From and the text. The reply.
sub try_mail {
    my ($name, %option) = @_;
    my $fields = delete $option{fields} // "Subject: test\n";
    my $body = delete $option{body} // "text\n";
    my $from = $option{author} // $option{from};
    $option{data} //= "From: <$from>\nX-Test: $name\n$fields\n$body";
    my $client = delete $option{over};
    my $reply = ($client ? $client->transaction(%option) : $lab->send(%option))->{reply};
    push @delivered, map { "$_ $name" } @{ $option{to} } if $reply =~ /^250 /;
    return $reply;
}

sub bare {
    my ($reply) = @_;
    return $reply =~ s/ \[MIJI-[2-9a-z]{6}\]$//r;
}

sub what_insiders_hear {
    my %heard = (
        'not cleared' => [
            'mi@agency.gov.cn may not receive mail marked secret',
            to => [address('mi')],
            fields => "X-Classification: 机密\n"
        ],
        'unlabelled' => ['Choose a classification for this message.', to => [address('gu')]],
        'to the outside' => [
            'Mail marked internal may not be sent to x@example.net',
            to => ['x@example.net'],
            fields => "X-Classification: 内部\n"
        ],
        'two marks' => [
            qr/^The message carries differing markings: /,
            to => [address('an')],
            fields => "X-Classification: 秘密\nSubject: 【机密】x\n"
        ],
        'no level' => [
            'The marking in the field X-Classification is not understood',
            to => [address('an')],
            fields => "X-Classification: 机秘\n"
        ],
        'twice' => [
            'More than one X-Classification',
            to => [address('an')],
            fields => "X-Classification: 公开\nX-Classification: 公开\n"
        ],
    );
    my %references;
    for my $what (sort keys %heard) {
        my ($text, @option) = @{ $heard{$what} };
        my $reply = try_mail($what, at_office('bo'), @option);
        like(
            $reply,
            qr/^550 5\.7\.1 [ -~]+ \[MIJI-[2-9b-z]{6}\]$/,
            "$what: one line in ASCII, with a reference"
        );
        my ($got, $reference) = $reply =~ /^550 5\.7\.1 (.*) \[(MIJI-\w+)\]$/;
        ref $text ? like($got, $text, "$what: the reason") : is($got, $text, "$what: the reason");
        is(scalar $lab->miji_lines(qr/\b$reference\b/), 1, "$what: the log has the reference");
        $references{$reference}++;
    }
    is(scalar keys %references, scalar keys %heard, 'no reference twice');
    my $reply = try_mail(
        'strange address', at_office('bo'),
        to => ['mi%ext@agency.gov.cn', address('an')],
        fields => "X-Classification: 公开\n"
    );
    is(bare($reply), '553 5.1.3 Address form not accepted', 'a strange address refuses the whole message');
}

# Different reasons, one text: nobody outside learns who is cleared for what.
sub what_outsiders_hear {
    my @reasons = (
        ['to somebody cleared', to => [address('an')], fields => "Subject: 【机密】x\n"],
        ['to somebody not cleared', to => [address('gu')], fields => "Subject: 【机密】x\n"],
        ['to somebody nobody knows', to => ['new@agency.gov.cn'], fields => "Subject: 【机密】x\n"],
        ['to all of them', to => [map { address($_) } @FIVE], fields => "Subject: 【内部】x\n"],
        ['an inside sender', to => [address('gu')], from => address('bo')],
        ['a mark that is none', to => [address('gu')], fields => "X-Classification: 机秘\n"],
        ['a field twice', to => [address('gu')], fields => "X-Classification: 公开\nX-Classification: 内部\n"],
    );
    for my $reason (@reasons) {
        my ($what, @option) = @$reason;
        is(bare(try_mail("outside: $what", from_internet(), @option)), $NEUTRAL, "outside: $what");
    }
}

# The word 机密 in every coat that mail programs and clever people put on it.
sub marks {
    my $mark = '关于年度会议的通知【机密】及附件';
    my $gbk = encode('gbk', decode('utf8', $mark));
    my @halves = (substr($gbk, 0, 17), substr $gbk, 17);    # in the middle of a character
    my %shape = (
        'UTF-8 as it is' => "Subject: $mark",
        'GBK as it is' => "Subject: $gbk",
        'GB2312, encoded' => 'Subject: =?GB2312?B?' . encode_base64($gbk, '') . '?=',
        'GB2312, folded inside a character' => 'Subject: '
            . join("\n ", map { '=?gb2312?B?' . encode_base64($_, '') . '?=' } @halves),
        'GB18030, quoted-printable' => 'Subject: =?GB18030?Q?'
            . join('', map { sprintf '=%02X', ord } split //, $gbk) . '?=',
        'UTF-8, encoded and folded' => 'Subject: ' . Lab::Message::encode_words($mark x 3),
        'Big5' => 'Subject: =?Big5?B?' . encode_base64(encode('big5', decode('utf8', '【機密】會議')), '') . '?=',
        'traditional' => 'Subject: 【機密】會議',
        'full-width brackets' => 'Subject: ［机密］会议',
        'full-width letters' => 'X-Classification: ｓｅｃｒｅｔ',
        'zero-width space inside' => "Subject: 【机\xe2\x80\x8b密】会议",
        'a space inside' => 'Subject: 【机 密】会议',
        'with a term' => 'Subject: 会议 机密★10年',
        'a field of another name' => 'X-Security-Level: 机密',
        'a field in brackets' => 'X-Classification: 【机密】',
        'in capitals' => 'x-CLASSIFICATION: SECRET',
        'with a comment before' => 'X-Classification:     机密  ',
    );
    for my $what (sort keys %shape) {
        my @option = (at_office('bo'), fields => "$shape{$what}\n");
        like(try_mail("mark: $what", @option, to => [address('an')]), qr/^250 /, "$what: the cleared have it");
        is(
            bare(try_mail("mark: $what", @option, to => [address('gu')])),
            '550 5.7.1 gu@agency.gov.cn may not receive mail marked secret',
            "$what: nobody else"
        );
        is(
            bare(try_mail("mark: $what", from_internet(), fields => "$shape{$what}\n", to => [address('an')])),
            $NEUTRAL,
            "$what: nor from outside"
        );
    }
}

# Words that are no marks.
sub no_marks {
    my %shape = (
        'a sentence' => ['Subject: 机密文件管理办法的学习', "本办法所称机密级文件\n"],
        'a negation' => ['Subject: 【非密】会议', "text\n"],
        'quoted' => ['Subject: Re: meeting', "text\n\n> 密级：机密\n> old text\n"],
    );
    for my $what (sort keys %shape) {
        my ($field, $body) = @{ $shape{$what} };
        like(
            try_mail(
                "no mark: $what", from_internet(),
                fields => "$field\n",
                body => $body,
                to => [address('gu')]
            ),
            qr/^250 /,
            "$what: no mark"
        );
    }
}

sub sizes {
    my $line = "0123456789 the quick brown fox jumps over the lazy dog 0123456789\n";
    my @option = (at_office('bo'), to => [address('an')], fields => "X-Classification: 机密\n");
    like(try_mail('large', @option, body => $line x 13000), qr/^250 /, 'a message of 870 KB');
    my $mail;
    $lab->wait_for(
        sub {
            ($mail) = grep { $_->field('X-Test') eq 'large' } $lab->mailbox(address('an'));
        },
        10
    );
    ok($mail && $mail->body eq $line x 13000, 'arrives as it was');
    my @large = (body => $line x 5000);
    is(
        bare(try_mail('large', @option, @large, to => [address('gu')])),
        '550 5.7.1 gu@agency.gov.cn may not receive mail marked secret',
        'its mark is read'
    );
    is(bare(try_mail('large', from_internet(), @large, fields => "Subject: 【机密】x\n", to => [address('an')])),
        $NEUTRAL, 'from outside, too');
    is(
        bare(try_mail('too large', @option, body => $line x 17000)),
        '552 5.3.4 Message too large',
        'one above the limit'
    );
    is(
        bare(try_mail('too large', from_internet(), to => [address('gu')], body => $line x 17000)),
        '552 5.3.4 Message too large',
        'outsiders hear it as well'
    );
    like(try_mail('empty', @option, body => ''), qr/^250 /, 'a message without text');
}

# Each message on a connection is decided for itself.
sub one_connection {
    my $client = $lab->open_client(at_office('bo'));
    my @replies;
    for my $turn (1 .. 10) {
        my @option = (over => $client, at_office('bo'), fields => "X-Classification: 机密\n");
        push @replies,
            map { substr $_, 0, 3 } (
            try_mail("turn $turn good", @option, to => [address('an')]),
            try_mail("turn $turn bad", @option, to => [address('gu')]),
            try_mail("turn $turn none", @option, fields => '', to => [address('an')])
            );
        $client->command('MAIL FROM:<bo@agency.gov.cn>');
        $client->command('RCPT TO:<gu@agency.gov.cn>');
        $client->command('RSET');
    }
    $client->quit;
    is_deeply(\@replies, [(qw(250 550 550)) x 10], 'on one connection each message stands for itself');
    my ($status, $text) = $lab->miji('-c', $lab->miji_conf_file, 'status', '--json');
    like($text, qr/"sessions": \d, "most_sessions": \d+, "messages": 0,/, 'nothing is left open') or diag $text;
}

# `miji doctor` on this Postfix: nothing to change; then one mistake at a time.
sub doctor {
    my $look = sub {
        my ($status, $text) =
            $lab->miji('-c', $lab->miji_conf_file, '--lang', 'en', 'doctor', '--postfix',
            "$lab->{dir}/postfix/config", @_);
        return ($status, $text);
    };
    my ($status, $text) = $look->();
    is($status, 0, 'the doctor finds nothing to change') or diag $text;
    ($status, $text) = $look->('--json');
    unlike($text, qr/"level": "(?:fail|warning)"/, 'not even to warn of') or diag $text;
    my @mistake = (
        [smtpd_milters => '', 'smtpd_milters'],
        [non_smtpd_milters => '', 'non_smtpd_milters'],
        [non_smtpd_milters => $lab->milter_socket('smtp'), 'non_smtpd_milters'],
        [smtpd_milters => "inet:127.0.0.1:8891, " . $lab->milter_socket('smtp'), 'milter-order'],
        [milter_default_action => 'accept', 'default-action'],
        [always_bcc => 'archive@agency.gov.cn', 'bcc'],
        [recipient_bcc_maps => 'texthash:/etc/postfix/bcc', 'bcc'],
        [sender_bcc_maps => 'texthash:/etc/postfix/bcc', 'bcc'],
        [smtpd_forbid_bare_newline => 'no', 'bare-newline'],
        [milter_content_timeout => '30s', 'timeouts'],
        [milter_protocol => '2', 'protocol'],
        [smtpd_tls_ask_ccert => 'no', 'certificates'],
        [receive_override_options => 'no_milters', 'no-milters'],
    );
    my $config = "$lab->{dir}/postfix/config";
    my $main = Lab::read_file("$config/main.cf");

    for my $mistake (@mistake) {
        my ($name, $value, $id) = @$mistake;
        Lab::write_file("$config/main.cf", ($main =~ s/^\Q$name\E = .*\n//mr) . "$name = $value\n");
        my ($found, $report) = $look->('--json');
        is($found, 1, "doctor: $name=$value has to change");
        my @failed = $report =~ /"id": "([\w-]+)", "level": "fail"/g;
        is_deeply([grep { $_ ne $id } @failed], [], 'and nothing else') or diag $report;
        ok(scalar(grep { $_ eq $id } @failed), "it is found as $id") or diag $report;
    }
    Lab::write_file("$config/main.cf", $main);
    my $master = Lab::read_file("$config/master.cf");
    Lab::write_file("$config/master.cf",
        $master =~ s/(-o syslog_name=postfix\/submission)/$1 -o smtpd_milters=/r);
    ($status, $text) = $look->('--json');
    is($status, 1, 'doctor: a service with a list of its own');
    like($text, qr/"id": "service-milters", "level": "fail"/, 'is found') or diag $text;
}
