#!/usr/bin/perl
# contrib/postfix/: what the examples say holds for the real Postfix, chrooted as Debian has it, with a milter that only
# says "go on".
use strict;
use warnings;
use FindBin;
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;

my $lab = Lab->new;
my $top = $lab->{top};
my %setting = settings(Lab::read_file("$top/contrib/postfix/main.cf.example"));
my $spool = "$lab->{dir}/postfix/spool";

$lab->start_postfix(chroot => 1);
$lab->stop_postfix;
my ($status, $text) =
    Lab::run_command('install', '-d', -o => 'nobody', -g => 'postfix', -m => '0750', "$spool/miji");
is($status, 0, 'the directory of the sockets');
start_milter($_) for qw(milter local);
$lab->start_postfix(chroot => 1, main => \%setting);

($status, $text) = Lab::run_command('postconf', -c => "$lab->{dir}/postfix/config", '-n');
unlike($text, qr/warning/, 'Postfix knows every setting of main.cf.example');
like($text, qr/^\Q$_\E = ?\Q$setting{$_}\E$/m, "$_ is set") for sort keys %setting;

is(deliver()->{code}, 250, 'mail comes by SMTP');
is(asked('milter'), 1, 'and Miji is asked, through a relative path, out of the chroot');
$lab->sendmail(from => 'root@agency.gov.cn', to => ['gu@agency.gov.cn'], data => "Subject: cron\n\nran\n");
is(scalar(my @mails = $lab->wait_mailbox('gu@agency.gov.cn', 2, 10)), 2, 'mail comes from a program on this host');
is(asked('local'), 1, 'and Miji is asked, at the other socket');

chmod 0700, "$spool/miji/milter.sock";
is(deliver()->{code}, 451, 'a socket that Postfix may not write to');
ok( scalar(my @denied = $lab->wait_log(qr/connect to Milter service unix:miji\/milter\.sock: Permission denied/)),
    'is told as such'
);
chmod 0660, "$spool/miji/milter.sock";
is(deliver()->{code}, 250, 'with its rights back it works');

$lab->stop_process("null-$_") for qw(milter local);
my $reply = deliver();
is("$reply->{stage} $reply->{code}", 'mail 451', 'without Miji clients are told to try again');
$lab->sendmail(from => 'root@agency.gov.cn', to => ['gu@agency.gov.cn'], data => "Subject: cron\n\nran\n");
ok(scalar $lab->wait_log(qr/miji\/local\.sock: Connection refused/, 10),
    'local mail is put off, too');
is(scalar(@mails = $lab->mailbox('gu@agency.gov.cn')), 3, 'and nothing passes');
start_milter($_) for qw(milter local);
is(scalar(@mails = $lab->wait_mailbox('gu@agency.gov.cn', 4, 10)), 4, 'until Miji is back');

my $services = join '', grep { !/^#/ } split /^/, Lab::read_file("$top/contrib/postfix/master.cf.example");
mkdir "$lab->{dir}/example";
Lab::write_file("$lab->{dir}/example/main.cf", "compatibility_level = 3.6\n");
Lab::write_file("$lab->{dir}/example/master.cf", $services);
($status, $text) = Lab::run_command('postconf', -c => "$lab->{dir}/example", '-M');
is_deeply([map { (split)[0] } split /\n/, $text], [qw(smtp submission pickup cleanup 127.0.0.1:10026)], 'master.cf.example is one');
($status, $text) = Lab::run_command('postconf', -c => "$lab->{dir}/example", '-P');
is(scalar(my @options = split /\n/, $text), 25, 'with its options') or diag $text;
my @unknown = grep { /unused parameter/ } split /\n/, $text;
is_deeply(\@unknown, [], 'all of which Postfix knows');

ok($lab->stop_all, 'nothing is left running');
done_testing;

sub deliver {
    return $lab->send(from => 'x@example.net', to => ['gu@agency.gov.cn'], client => '203.0.113.9');
}

# NAME = VALUE of a main.cf, a value over several lines in one.
sub settings {
    my ($main_cf) = @_;
    $main_cf =~ s/^#.*\n//mg;
    $main_cf =~ s/\n[ \t]+/ /g;
    my %found = $main_cf =~ /^(\w+) =[ \t]*(.*?)[ \t]*$/mg;
    return %found;
}

# How many messages a milter was asked about.
sub asked {
    my ($name) = @_;
    return scalar(() = Lab::read_file("$lab->{dir}/log/null-$name.log") =~ /^message$/mg);
}

# A milter at a socket as main.cf.example describes it: it wants to hear of nothing but the end of each message.
sub start_milter {
    my ($name) = @_;
    my $socket = "$spool/miji/$name.sock";
    $lab->start_process("null-$name", $^X, "$FindBin::Bin/null-milter", $socket);
    $lab->wait_ready("null-$name", 5, sub { $lab->accepts($socket) });
}
