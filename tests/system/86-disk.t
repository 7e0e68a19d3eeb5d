#!/usr/bin/perl
# Trouble with the disk, through real Postfix (case 60): no space, errors, read only, a database that another program has
# locked. Mail of which nothing must be kept passes; what must be kept is put off with 452 and comes again; what was kept
# before stays what it is. When the trouble is over everything goes on, without a restart.
use strict;
use warnings;
use FindBin;
use Test::More;
use IO::Handle;
use Time::HiRes qw(sleep time);
use lib $FindBin::Bin, "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;
use Numbered;

my $build = $ENV{MIJI_BUILD} || "$FindBin::Bin/../../.build";
my $begun = time;
my $lab = begin_numbered(disk_spy => "$build/tests/support/disk_spy.so");
my $daemon = daemon_pid();

trouble('full', disk('ENOSPC'), qr/no space is left on the disk/);
trouble('broken', disk('EIO'), qr/the disk failed/);
trouble('read only', disk('EROFS'), qr/read only/);
trouble('locked', \&lock, qr/another program has locked it/);
full_while_released();
is(daemon_pid(), $daemon, 'no daemon died');
is(count_of("journal_recipient WHERE canonical = 'gu\@agency.gov.cn'"), 4, 'what passed meanwhile is in the journal, too');
trouble_at_the_start($_) for qw(ENOSPC EIO EROFS);
all_are_counted();
ok($lab->stop_all, 'everything stops');
note sprintf '%.0f s', time - $begun;
done_testing;

sub daemon_pid {
    my ($daemon) = map { $_->{pid} } grep { $_->{name} eq 'miji-daemon' } $lab->miji_processes;
    return $daemon;
}

# Begins a trouble; what it returns ends it.
sub disk {
    my ($error) = @_;
    return sub {
        $lab->fail_disk($error);
        return sub { $lab->fail_disk };
    };
}

sub lock {
    open my $program, '|-', 'sqlite3', "$lab->{dir}/state/store.db" or die "sqlite3: $!\n";
    $program->autoflush;
    print {$program} "BEGIN EXCLUSIVE;\n.shell touch $lab->{dir}/run/locked\n";
    $lab->wait_for(sub { -e "$lab->{dir}/run/locked" }, 10) or die "the database cannot be locked\n";
    return sub { close $program; unlink "$lab->{dir}/run/locked" };
}

sub once {
    my ($message) = @_;
    return $lab->send(@{ $message->{how} })->{reply};
}

sub trouble {
    my ($what, $begin, $words) = @_;
    new_mail();
    my $waiting = new_message(\&held_message, 'an');
    do_phase($waiting, send_phase());
    my $id = of_hold('id');
    my ($plain, $held, $split) = (
        new_message(\&plain_message, 'gu'),
        new_message(\&held_message, 'an'),
        new_message(\&split_message, 'an'));
    my $rows = sql('SELECT count(*), (SELECT count(*) FROM notice) FROM hold');

    my $end = $begin->();
    like(once($plain), qr/^250 /, "$what: what need not be kept passes");
    ok($lab->wait_for(sub { grep { $_->to eq address('gu') } new_mail() }, 10), "$what: gu has it");
    like(once($held), qr/^452 4\.3\.1 /, "$what: a hold is put off");
    like(once($split), qr/^452 4\.3\.1 /, "$what: a mixture is put off");
    my ($status, $text) = $lab->miji_as('gao', '--lang', 'en', 'approve', $id);
    is($status, 1, "$what: nobody can vote");
    like($text, qr/the store cannot/, "$what: which is said");
    ($status, $text) = $lab->miji_as(undef, '--lang', 'en', 'status');
    like($text, $words, "$what: and why");
    ($status, $text) = $lab->miji_as('gao', '--lang', 'en', 'show', $id);
    is($status, 1, "$what: nobody looks at what is kept without a record");
    $end->();

    is(sql('SELECT count(*), (SELECT count(*) FROM notice) FROM hold'), $rows, "$what: nothing of it was kept");
    is(scalar(new_mail()), 0, "$what: nobody got anything");
    go_on($what, $held, $split);
}

# All is as if there had been no trouble.
sub go_on {
    my ($what, @messages) = @_;
    do_phase($_, send_phase()) for @messages;
    $lab->advance_clock(3700);
    is(count_of('hold WHERE closed_ms IS NULL'), 1 + @messages, "$what, over: all wait");
    for my $id (split /\n/, sql('SELECT id FROM hold WHERE closed_ms IS NULL ORDER BY number')) {
        my $is_split =
            count_of("hold JOIN hold_recipient ON number = hold WHERE id = '$id' AND canonical LIKE 'zz@%'");
        my $verb = $is_split ? 'refuse' : 'approve';
        my ($status, $text) = $lab->miji_as('gao', '--lang', 'en', $verb, $id);
        is($status, 0, "$what, over: $verb") or diag $text;
    }
    settle($messages[0], { name => "$what, over", until => \&is_over });
    my %got;
    $got{ $_->to =~ s/@.*//r . ' ' . $_->subject =~ s/(n\d+|MIJI-\w+)/n/r }++ for new_mail();
    is_deeply(
        \%got,
        {
            'an n split' => 1,
            'an n 【机密】 whole' => 2,
            'bo 您的邮件待审 / Your mail waits for review [n]' => 1,
            'bo 您的邮件部分拒收, 部分待审 / Your mail was refused for some and waits for review for others [n]'
                => 1,
            'bo 您的邮件已放行 / Your mail was released [n]' => 2,
            'bo 您的邮件未获批准 / Your mail was not approved [n]' => 1,
        },
        "$what, over: everybody has everything once"
    );
}

sub complaints {
    return scalar(my @lines = $lab->miji_lines(qr/no space is left/));
}

# The disk is full when an approved hold is on its way: it waits, and goes when there is room.
sub full_while_released {
    for my $place (qw(release.rechecked release.attempted release.offering release.offered release.sent)) {
        my $message = new_message(\&held_message, 'an');
        do_phase($message, send_phase());
        $lab->plan_faults("$place stop 400");
        $lab->advance_clock(3700);
        $lab->miji_as('gao', 'approve', of_hold('id'));
        ok($lab->wait_for(sub { !$lab->faults_left }, 10), "full at $place: it is there");
        $lab->fail_disk('ENOSPC');
        my $before = complaints();
        ok($lab->wait_for(sub { complaints() > $before }, 10), "full at $place: it fails");
        $lab->fail_disk;
        settle($message, { name => "full at $place", until => \&is_over });
        my @got = map { $_->subject } grep { $_->to eq address('an') } new_mail();
        is_deeply(\@got, ["n$message->{number} 【机密】 whole"], "full at $place: it arrives once");
    }
}

# Miji is started on a disk in trouble, served or not: the client comes again, and then all is well by itself.
sub trouble_at_the_start {
    my ($error) = @_;
    my $message = new_message(\&held_message, 'an');
    $lab->fail_disk($error);
    kill_daemon();
    like(once($message), qr/^4/, "$error at the start: nothing is taken") for 1 .. 3;
    $lab->fail_disk;
    wait_up();
    do_phase($message, $_) for send_phase(), approve_phase();
    my @got = map { $_->subject } grep { $_->to eq address('an') } new_mail();
    is_deeply(\@got, ["n$message->{number} 【机密】 whole"], "$error at the start: it arrives once");
}
