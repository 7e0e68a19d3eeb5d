package Numbered;

# Part of the system tests: numbered messages; what people do with them until it is done, whatever Miji does meanwhile (the
# client sends again, the reviewer asks again); and what comes of it. A phase is { name, do, until, before }: "do" does
# something with a message, it is over when "until" is true; before: lines of the plan of faults (Lab/Fault.pm) that come
# first. Functions, exported; one lab for a program.

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
use Time::HiRes qw(sleep time);
use Lab;
use Lab::Agency;

our @EXPORT = qw(
    begin_numbered new_message do_phase settle outcome all_are_counted new_mail sql count_of of_hold
    kill_daemon wait_up doubts
    split_message large_message held_message late_message plain_message refused_message sealed_message
    send_phase note_phase approve_phase approve_as_phase refuse_phase late_phase doubt_phase again_phase forged_phase
    anew_phase revoked_phase restored_phase wrong_clock_phase given_up_phase digest_phase put_off interrupted is_over);

my $lab;
my ($number, $doubts) = (0, 0);
my %delivered;    # number => names of who should have the message in the end
my %seen;         # files of mail
my %last;         # table => its newest row before the message

my $CONF_MORE = <<'END';
undecidable { label hold in "slow"; otherwise hold in "labels" }
queue "slow" {
    reviewers   members of "cn=baomi,ou=groups,dc=agency,dc=gov,dc=cn"
    deadline    15m then hold in "late"
}
queue "late" {
    reviewers   members of "cn=baomi,ou=groups,dc=agency,dc=gov,dc=cn"
    deadline    15m then refuse
}
END

# zz: a person whose clearance nobody can read.
my $ZZ = <<'END';
dn: uid=zz,ou=contacts,dc=agency,dc=gov,dc=cn
objectClass: inetOrgPerson
objectClass: mijiPerson
uid: zz
cn: Zz
sn: Zz
mail: zz@agency.gov.cn
mijiClearance: no such level
END

# A lab with a Miji that keeps and reviews mail, has a queue that ends soon, and a person zz; options of start_miji.
sub begin_numbered {
    my (%option) = @_;
    $lab = Lab->new(faults => 1);
    $lab->start_slapd(ldif => $ZZ);
    $lab->start_miji(conf => $lab->review_conf . $CONF_MORE, %option);
    $lab->start_postfix;
    return $lab;
}

sub doubts { return $doubts }

# ---------------------------------------------------------------------------------------------------------- messages

# The next number, for a message of this kind (a function below), which these people should have in the end ("an bo").
sub new_message {
    my ($kind, $people) = @_;
    $delivered{ ++$number } = $people;
    $lab->advance_clock(600);    # nobody is told more than so much in an hour
    $last{$_} = sql("SELECT coalesce(max(number), 0) FROM $_") for qw(hold archive_copy notice);
    new_mail();
    my $message = $kind->($number);
    $message->{number} = $number;
    return $message;
}

sub message {
    my ($n, $subject, %option) = @_;
    my $data = Lab::Message->make(
        from => $option{from} // address('bo'),
        subject => "n$n $subject",
        id => "n$n\@lab",
        fields => $option{fields},
        label => $option{label},
        body => $option{body},
        to => $option{to}
    );
    return { data => $data, how => [at_office($option{login} // 'bo'), to => $option{to}, data => $data] };
}

sub people { return [map { address($_) } @_] }

# One has it, one is refused, one waits; it goes into the archive, and brings a forged token.
sub split_message {
    my ($n) = @_;
    return message($n, 'split', to => people(qw(an ni zz)), label => '机密', fields => ['X-Miji-Release: forged']);
}

sub large_message {
    my ($n) = @_;
    my $body = join '', map {"line $_\n"} 1 .. 40000;
    return message($n, 'large', to => people(qw(an ni zz)), label => '机密', body => $body);
}

sub held_message {
    my ($n) = @_;
    return message($n, '【机密】 whole', to => people(qw(an)), label => '秘密');
}

sub late_message {
    my ($n) = @_;
    return message($n, 'late', to => people(qw(an)), label => '机秘');
}

sub plain_message {
    my ($n) = @_;
    return message($n, 'plain', to => people(qw(gu)), label => '公开');
}

sub refused_message {
    my ($n) = @_;
    return message($n, 'refused', login => 'boss', from => address('boss'), to => people(qw(an ni)), label => '机密');
}

# Nobody can read it: who approves it says what it is.
sub sealed_message {
    my ($n) = @_;
    my $message = message($n, 'sealed', to => people(qw(an)), label => '公开', body => 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A');
    for my $data ($message->{data}) {
        $data =~ s{^Content-Type: .*}{Content-Type: application/pkcs7-mime; smime-type=enveloped-data}m;
        $data =~ s{^Content-Transfer-Encoding: .*}{Content-Transfer-Encoding: base64}m;
        $message->{how}[-1] = $data;
    }
    return $message;
}

# ---------------------------------------------------------------------------------------------------------- doing

# One phase of a message, with more lines of the plan of faults.
sub do_phase {
    my ($message, $phase, @plan) = @_;
    $lab->plan_faults(@{ $phase->{before} || [] }, @plan);
    $phase->{do}->($message);
    settle($message, $phase);
    $lab->plan_faults;
}

# Waits until nothing is under way any more, and makes the time go faster when nothing moves.
sub settle {
    my ($message, $phase) = @_;
    my $still = time + 0.15;
    my $deadline = time + 30;
    my $why;
    while ($why = unsettled($phase, $message)) {
        if (time > $deadline) {
            fail("n$message->{number}, $phase->{name}: settles");
            diag $why;
            diag substr($_, 0, 150) for ($lab->miji_lines(qr/./))[-12 .. -1];
            return;
        }
        sleep 0.02;
        is_in_doubt($message) if $why eq 'in doubt';
        next if time < $still;
        $lab->advance_clock($why =~ /attempts/ ? 25 : 300);    # a token is good for ten minutes
        $still = time + 0.08;
    }
}

# In this order: what comes to its end leaves notices, what is sent is in the queue.
sub unsettled {
    my ($phase, $message) = @_;
    my @left = grep { $_ ne 'record' } $lab->faults_left;
    return "@left" if @left;
    return 'Miji is not up' if !is_up();
    my $is_over = $phase->{until}->($message);
    my ($waiting, $open, $doubtful) = split /\|/,
        sql('SELECT (SELECT count(*) FROM notice WHERE state = 0), '
            . join ', ', map {"(SELECT count(*) FROM attempt WHERE state $_)"} '< 2', '= 2');
    return 'in doubt' if $doubtful && !$phase->{until}->($message);
    return 'attempts are open' if $open;
    return 'notices wait' if $waiting;
    return 'mail is in the queue' if $lab->queue;
    return $is_over ? '' : 'not at its end';
}

# Nobody knows whether it was delivered; here it was not, the officer is told so, and says that it shall go again.
sub is_in_doubt {
    my ($message) = @_;
    my ($status, $text) = $lab->miji_as('gao', '--lang', 'en', 'show', of_hold('id'));
    like($text, qr/doubt/i, "n$message->{number}: the doubt is shown");
    my @copies = grep { $_->subject =~ /^n$message->{number}\b/ } $lab->mailbox;
    is(scalar @copies, 0, "n$message->{number}: not delivered");
    ask_phase('again', sub { !count_of('attempt WHERE state = 2') }, 'gao', 'release', '--again')->{do}->($message);
    $doubts++;
}

sub is_up { return !grep { !$lab->accepts($_) } values %{ $lab->{milter_sockets} } }

sub wait_up { $lab->wait_for(\&is_up, 20) or die "Miji does not come back\n" }

sub sql {
    my ($query) = @_;
    my ($status, $text) = Lab::run_command('sqlite3', '-cmd', '.timeout 10000', "$lab->{dir}/state/store.db", $query);
    die "sqlite3: $text" if $status;
    chomp $text;
    return $text;
}

# Asks the store itself.
sub count_of { return sql("SELECT count(*) FROM $_[0]") }

# ---------------------------------------------------------------------------------------------------------- outcome

# No message is lost, doubled, or with somebody who may not see it.
sub all_are_counted {
    $lab->wait_queue_empty(20, qw(maildrop incoming active deferred));
    my (%copies, @wrong);
    for my $mail ($lab->mailbox) {
        $copies{$1}{ $mail->to }++ if $mail->subject =~ /^n(\d+)\b/;
    }
    for my $n (1 .. $number) {
        my $should = join ' ', map {"$_\@agency.gov.cn 1"} split / /, $delivered{$n};
        my $is = join ' ', map {"$_ $copies{$n}{$_}"} sort keys %{ $copies{$n} || {} };
        push @wrong, "n$n: $is, not $should" if $is ne $should;
    }
    is_deeply(\@wrong, [], "$number messages: each is where it should be, once");
}

# Columns of the message's hold.
sub of_hold { return sql("SELECT $_[0] FROM hold WHERE number > $last{hold}") }

# Mail that has arrived since this was asked the last time.
sub new_mail {
    my @new;
    for my $file (glob "'$lab->{dir}/mail/'*/new/*") {
        next if $seen{$file}++;
        push @new, Lab::Message->parse(Lab::read_file($file));
    }
    return @new;
}

# What the message has come to, as lines that are the same for every message of its kind.
sub outcome {
    my ($message) = @_;
    my @lines;
    for my $mail (new_mail()) {
        my $subject = $mail->subject;
        my $of_others = $subject =~ /^n(\d+)\b/ && $1 != $message->{number} ? 'of another message: ' : '';
        $subject =~ s/MIJI-\w+/MIJI/g;
        $subject =~ s/^n\d+\b/n/;
        push @lines, "mail $of_others" . $mail->to . ": $subject";
    }
    push @lines, split /\n/, sql(<<"END");
SELECT 'hold ' || group_concat(canonical || ' ' || state, ', ') FROM hold JOIN hold_recipient ON hold = number
 WHERE number > $last{hold} GROUP BY number;
SELECT 'vote ' || what || ' ' || count(*) FROM vote WHERE hold > $last{hold} AND what <> 'again' GROUP BY what;
SELECT 'archive ' || archive || ' ' || group_concat(outcome) FROM archive_copy JOIN archive_envelope ON copy = number
 WHERE number > $last{archive_copy} GROUP BY number;
SELECT 'notice ' || kind || ' ' || addressee || ' ' || state FROM notice WHERE number > $last{notice};
END
    my $rows = sql('SELECT count(*) FROM content WHERE file IS NOT NULL');
    my $files = () = glob "'$lab->{dir}/state/contents/'{,.}[A-Za-z0-9]*";
    push @lines, "$files files of contents, $rows rows" if $files != $rows;
    return [sort @lines];
}

# ------------------------------------------------------------------------------------------------------------ phases

# The client: until it has an answer that it need not try again for.
sub send_phase {
    return {
        name => 'send',
        do => sub {
            my ($message) = @_;
            for (1 .. 10) {
                my $result = $lab->send(@{ $message->{how} });
                push @{ $message->{replies} }, $result->{reply};
                return if $result->{code} =~ /^[25]/;
                wait_up();
            }
            fail("n$message->{number}: an answer");
            diag $_ for @{ $message->{replies} };
        },
        until => sub { $_[0]{replies}[-1] =~ /^250/ },
    };
}

# Somebody asks for something until it is done; until: what is to come of it.
sub ask_phase {
    my ($name, $until, $who, @command) = @_;
    my $is_done = $command[0] eq 'approve' ? \&is_approved : $until;
    return {
        name => $name,
        do => sub {
            my ($message) = @_;
            $lab->advance_clock(3700);    # a hold whose client may never have heard the answer is released then
            my $id = of_hold('id');
            for (1 .. 10) {
                my ($status, $text) = $lab->miji_as($who, '--lang', 'en', $command[0], $id, @command[1 .. $#command]);
                return if !$status || $is_done->($message);
                push @{ $message->{said} }, $text;
                wait_up();
            }
            fail("n$message->{number}: $name");
            diag $_ for @{ $message->{said} };
        },
        until => $until,
    };
}

sub note_phase {
    return ask_phase('note', sub { count_of("vote WHERE hold > $last{hold} AND what = 'note'") }, 'gao', 'note', 'seen');
}

sub approve_phase { return ask_phase('approve', \&is_over, 'gao', 'approve') }
sub approve_as_phase { return ask_phase('approve as', \&is_over, 'gao', 'approve', '--as', '内部') }
sub refuse_phase { return ask_phase('refuse', \&is_over, 'ra', 'refuse') }
sub is_approved { return count_of("slip WHERE hold > $last{hold} AND approved_ms IS NOT NULL") }
sub is_over { return !count_of('hold WHERE closed_ms IS NULL') }

# What was approved is held for another reason: nobody can tell what zz is cleared for.
sub anew_phase {
    return ask_phase('anew', sub { count_of("slip WHERE hold > $last{hold} AND trouble LIKE 'recheck-failed%'") },
        'gao', 'approve');
}

# Case 55: what an is cleared for changes behind the decision.
sub revoked_phase {
    my $phase = ask_phase('revoked', sub { count_of("slip WHERE hold > $last{hold} AND trouble LIKE 'recheck-failed%'") },
        'gao', 'approve');
    my $approve = $phase->{do};
    $phase->{do} = sub { clear_an('公开'); $approve->(@_) };
    return $phase;
}

sub restored_phase {
    my $phase = again_phase();
    my $again = $phase->{do};
    $phase->{do} = sub { clear_an('绝密'); $again->(@_) };
    return $phase;
}

sub clear_an {
    my ($level) = @_;
    my $dn = $lab->account_dn('an');
    $lab->ldap_modify("dn: $dn\nchangetype: modify\nreplace: mijiClearance\nmijiClearance: $level\n");
    kill_daemon();    # it forgets what it knew of people
    wait_up();
}

sub kill_daemon {
    wait_up();    # it may have died already
    my ($daemon) = map { $_->{pid} } grep { $_->{name} eq 'miji-daemon' } $lab->miji_processes;
    kill 'KILL', $daemon;
    $lab->wait_for(sub { !kill 0, $daemon }, 5);
}

# A clock that jumps, and is put right when Miji starts the next time.
sub wrong_clock_phase {
    return {
        name => 'wrong clock',
        do => sub {
            $lab->advance_clock(90000);
            $lab->wait_for(sub { count_of("slip WHERE hold > $last{hold} AND passed_us IS NOT NULL") }, 10)
                or diag 'the deadline was not seen passed';
            kill_daemon();
            $lab->advance_clock(-90000);
        },
        until => sub { count_of("slip WHERE hold > $last{hold} AND passed_us IS NULL") },
    };
}

sub late_phase {
    return { name => 'time', do => sub { }, until => \&is_over };
}

# The release listener has a bad day.
sub put_off {
    my ($phase) = @_;
    return { %$phase, before => ['offer.before-admit fail'] };
}

sub interrupted {
    my ($phase) = @_;
    return { %$phase, before => ['release.attempted kill'] };
}

sub doubt_phase {
    my $phase = ask_phase('doubt', sub { count_of('attempt WHERE state = 2') }, 'gao', 'approve');
    $phase->{before} = ['release.offered kill'];
    return $phase;
}

sub again_phase { return ask_phase('again', \&is_over, 'gao', 'release', '--again') }

sub forged_phase {
    my $phase = send_phase();
    return {
        name => 'forged',
        do => sub {
            my ($message) = @_;
            $message->{how} = [from => address('bo'), to => people('an'), port => 'release', data => $message->{data}];
            $phase->{do}->($message);
        },
        until => sub { $_[0]{replies}[-1] =~ /^550 5\.7\.1/ },
    };
}

# What cannot be handed over for days is not sent any more.
sub given_up_phase {
    my $phase = put_off(send_phase());
    my $send = $phase->{do};
    $phase->{do} = sub {
        my ($message) = @_;
        $send->($message);
        $lab->wait_for(sub { sql("SELECT count(*) FROM notice WHERE number > $last{notice} AND tries > 0") }, 10);
        $lab->advance_clock(6 * 86400);
    };
    return $phase;
}

# So many were told of something in this hour that the next are told in one.
sub digest_phase {
    my $phase = send_phase();
    return {
        name => 'digest',
        do => sub {
            my ($message) = @_;
            $lab->advance_clock(3700);
            my $now_ms = int(time * 1000) + $lab->{clock_ms};
            sql(<<"END");
WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
 INSERT INTO notice (about, kind, addressee, reference, is_failure, created_ms, next_ms, state, ended_ms)
 SELECT randomblob(16), 0, 'boss\@agency.gov.cn', 'before', 0, $now_ms, $now_ms, 1, $now_ms FROM n
END
            $last{notice} = sql('SELECT max(number) FROM notice');
            $phase->{do}->($message);
        },
        until => $phase->{until},
    };
}

1;
