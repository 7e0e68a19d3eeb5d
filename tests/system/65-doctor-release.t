#!/usr/bin/perl
# `miji doctor` on the listener for released mail of a real Postfix: sound, and with mistakes planted. The daemon runs without a
# release socket, which is all that has to change at first.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;

my $lab = Lab->new;
$lab->start_slapd;
$lab->start_miji;
$lab->write_miji_conf($lab->review_conf);
$lab->start_postfix(release_milters => "unix:$lab->{dir}/run/release.sock");
my $config = "$lab->{dir}/postfix/config";
my ($main, $master) = map { Lab::read_file("$config/$_.cf") } qw(main master);
my $port = $lab->{port}{release};

my %found = look();
is_deeply([grep { $found{$_} eq 'fail' } sort keys %found], ['socket'], 'only the socket is missing');
is_deeply(
    { map { $_ => $found{$_} } grep { /^release-/ } keys %found },
    { 'release-listener' => 'ok', 'release-milters' => 'ok', 'release-answer' => 'ok' },
    'the listener of the lab is in order'
);

planted('no listener', $main, $master =~ s/^127\.0\.0\.1:$port inet .*\n(?:    .*\n)*//mr, 'release-listener');
planted('open to others', "$main\ninet_interfaces = all\n", $master =~ s/^127\.0\.0\.1:$port inet/$port inet/mr, 'release-listener');
planted('the milters of everybody', $main, $master =~ s/^    -o smtpd_milters=.*release\.sock\n//mr,
    'release-milters');
planted('another milter', $main, $master =~ s/(release\.sock)$/$1,inet:127.0.0.1:8899/mr, 'release-milters');
planted('a content filter', "$main\ncontent_filter = smtp:[127.0.0.1]:10025\n", $master, 'release-filter');

Lab::write_file("$config/main.cf", $main);
Lab::write_file("$config/master.cf", $master);
$lab->set_release_listener(0);
Lab::write_file("$config/master.cf", $master);    # written, but not in force yet
%found = look();
is($found{'release-answer'}, 'fail', 'a listener that does not answer');
ok($lab->stop_all, 'everything stops');
done_testing;

# One mistake: found under its id, and nothing else of the listener fails.
sub planted {
    my ($what, $main_cf, $master_cf, $id) = @_;
    Lab::write_file("$config/main.cf", $main_cf);
    Lab::write_file("$config/master.cf", $master_cf);
    my %now = look();
    is_deeply([grep { /^release-/ && $now{$_} eq 'fail' } sort keys %now], [$id], "$what is found");
}

# What the doctor says: id => its worst level.
sub look {
    my %rank = (ok => 0, note => 1, warning => 2, fail => 3);
    my ($status, $text) = $lab->miji('-c', $lab->miji_conf_file, 'doctor', '--postfix', $config, '--json');
    my %level;
    while ($text =~ /"id": "([\w-]+)", "level": "(\w+)"/g) {
        $level{$1} = $2 if !defined $level{$1} || $rank{$2} > $rank{ $level{$1} };
    }
    is($status, 1, 'something must change') or diag $text;
    return %level;
}
