#!/usr/bin/perl
# The answer to a released message is lost on its way back (semantics.md 10, row 11; case 58): Postfix has it, Miji cannot know. The
# supervisor looks into Postfix's queue and log, and the hold is released, once.
use strict;
use warnings;
use FindBin;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;
use Lab::Agency;

my $lab = Lab->new;
my $cut = "$lab->{dir}/run/cut";    # while this file is there, no answer to a message comes back
my $proxy = $lab->free_port('between');
$lab->start_slapd;
$lab->start_miji(conf => $lab->review_conf =~ s/\@RELEASE\@/$proxy/r);
$lab->start_postfix;
my $between = start_between($proxy, $lab->free_port('release'));

my $sent = $lab->send(at_office('bo'), to => [address('an')], label => '秘密', subject => '【机密】 two labels');
like($sent->{reply}, qr/^250 /, 'a message is held');
ok($lab->wait_for(sub { mail_of('bo') == 1 }, 30), 'bo hears of it: the way out is open');
Lab::write_file($cut, '');
my ($status, $text) = $lab->miji_as('gao', 'approve', hold_id());
is($status, 0, 'it is approved') or diag $text;
ok($lab->wait_for(sub { mail_of('an') == 1 }, 30), 'it comes to an, but no answer comes back');
ok($lab->wait_for(sub { scalar $lab->miji_lines(qr/: Postfix was asked for it: known/) }, 60), 'Postfix is asked for it')
    or diag join '', $lab->miji_lines(qr/./);
unlink $cut;
ok($lab->wait_for(sub { mail_of('bo') == 2 }, 60), 'bo hears that it was released');
($status, $text) = $lab->miji_as('gao', '--lang', 'en', 'held', '--json');
unlike($text, qr/"id"/, 'nothing is held any more');
is(mail_of('an'), 1, 'an has it once');
is(scalar $lab->miji_lines(qr/forged-token/), 0, 'nothing was offered twice');

kill 'KILL', $between;
waitpid $between, 0;
ok($lab->stop_all, 'everything stops');
done_testing;

sub hold_id {
    my ($line) = $lab->miji_lines(qr/ hold=/);
    return $line =~ / hold=(\w+)/ ? $1 : die "nothing is held: $line";
}

sub mail_of {
    my ($name) = @_;
    return scalar(my @mails = $lab->mailbox(address($name)));
}

# SMTP passes in both directions; when it is cut, the answer that comes behind the end of a message does not.
sub start_between {
    my ($port, $target) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1)
        or die "$port: $!\n";
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    $SIG{PIPE} = 'IGNORE';
    while (my $client = $listener->accept) {
        my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target) or next;
        between($client, $server);
    }
    POSIX::_exit(0);
}

sub between {
    my ($client, $server) = @_;
    my $select = IO::Select->new($client, $server);
    my $said = '';
    while (1) {
        for my $from ($select->can_read) {
            sysread $from, my $octets, 65536 or return;
            return if $from == $server && $said =~ /\r\n\.\r\n\z/ && -e $cut;
            $said = substr $said . $octets, -5 if $from == $client;
            syswrite $from == $client ? $server : $client, $octets;
        }
    }
}
