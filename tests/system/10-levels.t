#!/usr/bin/perl
# Every level to people of every clearance, from inside, from a partner and from the internet: each reply, and what lies
# in the mailboxes afterwards. Nobody who is not cleared ever has a message; everybody who is has it (semantics.md 14, cases 1,
# 2, 6, 7, 9, 12, 13).
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $NEUTRAL = qr/^550 5\.7\.1 Message not accepted under the security policy of this site \[MIJI-\w{6}\]$/;

# The forms in which a message says its level; each sender uses another one.
my %form = (
    an => sub { (label => $_[0]) },
    bo => sub { (subject => "【$_[0]】$_[1]") },
    mi => sub { (body => "密级：$_[0]\n\n正文\n") },
    ni => sub { (label => $ASCII_LEVEL{ $_[0] }) },
    gu => sub { (label => "$_[0]★10年", subject => "[$_[0]]$_[1]") },
);

my $lab = Lab->new;
$lab->start_slapd;
$lab->start_miji;
$lab->start_postfix;
my @expected;    # "RECIPIENT SUBJECT" of everything that has to be in a mailbox at the end

inside($_) for @FIVE;
partner();
internet();
several_recipients();
without_label();
to_the_outside();
the_mailboxes();
is_deeply([$lab->imbalances], [], 'the logs of both sides agree');
ok($lab->stop_all, 'everything stops');
done_testing;

# One person to everybody, herself included, at all levels.
sub inside {
    my ($sender) = @_;
    my $client = $lab->open_client(at_office($sender));
    for my $level (@LEVELS) {
        for my $recipient (@FIVE) {
            my $why =
                 !may_see($sender, $level)
                ? refusal("You may not send mail marked LEVEL as $sender\@agency.gov.cn", $level)
                : !may_see($recipient, $level)
                ? refusal("$recipient\@agency.gov.cn may not receive mail marked LEVEL", $level)
                : undef;
            cell(
                $client,
                [at_office($sender)],
                "$level $sender-$recipient",
                [$recipient], $why, $form{$sender}->($level, "$level $sender-$recipient")
            );
        }
    }
    $client->quit;
}

# A partner's zone carries 秘密; what it may carry is a question of the recipient, and its sender is told.
sub partner {
    my $client = $lab->open_client(from_partner());
    for my $level (@LEVELS) {
        for my $recipient (@FIVE) {
            my $why =
                  rank($level) > rank('秘密')
                ? refusal('Mail marked LEVEL may not be sent from this network', $level)
                : !may_see($recipient, $level)
                ? refusal("$recipient\@agency.gov.cn may not receive mail marked LEVEL", $level)
                : undef;
            cell($client, [from_partner()], "$level p-$recipient", [$recipient], $why, label => $level);
        }
    }
    $client->quit;
}

# The internet carries 公开. Above it one text for everybody, whether the recipient is cleared or not.
sub internet {
    my $client = $lab->open_client(from_internet());
    for my $level (@LEVELS) {
        for my $recipient (@FIVE) {
            cell(
                $client, [from_internet()], "$level x-$recipient",
                [$recipient],
                $level eq '公开' ? undef : $NEUTRAL,
                label => $level
            );
        }
    }
    $client->quit;
}

# To all five at once: the cleared get nothing either, as long as there is no way out, by which the sender would hear about the others.
sub several_recipients {
    my $client = $lab->open_client(at_office('an'));
    for my $level (@LEVELS) {
        my @cleared = grep { may_see($_, $level) } @FIVE;
        cell($client, [at_office('an')], "$level an-cleared", \@cleared, undef, label => $level);
        cell(
            $client, [at_office('an')], "$level an-all",
            \@FIVE,
            qr/^550 5\.7\.1 .*\[MIJI-\w{6}\]$/,
            label => $level
        ) if @cleared < @FIVE;
    }
    $client->quit;
    is(scalar $lab->miji_lines(qr/verdict=refuse to=\S+ also=\S+ .* act=refuse /),
        4, 'the log names those who would have had it');
}

sub without_label {
    my $client = $lab->open_client(at_office('an'));
    cell($client, [at_office('an')], 'none an-gu', ['gu'],
        qr/^550 5\.7\.1 Choose a classification for this message\. \[MIJI-\w{6}\]$/);
    $client->quit;
    $client = $lab->open_client(from_internet());
    cell($client, [from_internet()], 'none x-gu', ['gu'], undef);
    $client->quit;
}

sub to_the_outside {
    my $client = $lab->open_client(at_office('an'));
    my ($x, $p) = ('x@example.net', 'p@ministry.gov.cn');
    for my $level (@LEVELS) {
        my $public = $level eq '公开';
        cell(
            $client, [at_office('an')], "$level an-x", [$x],
            $public ? undef : refusal("Mail marked LEVEL may not be sent to $x", $level),
            label => $level
        );

        # Nothing proves yet that the way out to the partner is encrypted.
        my $why =
              $public ? undef
            : rank($level) > rank('秘密') ? refusal("$p may not receive mail marked LEVEL", $level)
            : qr/^550 5\.7\.10 The way to \Q$p\E is not protected as required \[MIJI-\w{6}\]$/;
        cell($client, [at_office('an')], "$level an-p", [$p], $why, label => $level);
    }
    $client->quit;
}

# Sends one message and looks at the reply: 250, or a refusal that fits.
sub cell {
    my ($client, $place, $subject, $recipients, $refusal, @label) = @_;
    my @to = map { /@/ ? $_ : address($_) } @$recipients;
    my %option = (@$place, to => \@to, subject => $subject, @label);
    my $reply = $client->transaction(%option)->{reply};
    if ($refusal) {
        like($reply, $refusal, "$subject is refused");
    } else {
        like($reply, qr/^250 /, "$subject passes");
        push @expected, map { "$_ $option{subject}" } @to;
    }
}

sub refusal {
    my ($text, $level) = @_;
    $text =~ s/LEVEL/$ASCII_LEVEL{$level}/;
    return qr/^550 5\.7\.1 \Q$text\E \[MIJI-\w{6}\]$/;
}

sub the_mailboxes {
    ok($lab->wait_queue_empty(20), 'Postfix has delivered everything');
    my @found = map { $_->to . ' ' . $_->subject } $lab->mailbox;
    is(scalar @found, scalar @expected, 'as many copies as were accepted');
    is_deeply([sort @found], [sort @expected], 'everybody who may has it, and nobody else');
    my @uncleared =
        grep {
        my ($to, $level) = /^(\w+)\@agency\S+ \W*(?:【|\[)?(公开|内部|秘密|机密|绝密)/;
        $to && $level && !may_see($to, $level)
        } @found;
    is_deeply(\@uncleared, [], 'nobody has a message above the own clearance');
}
