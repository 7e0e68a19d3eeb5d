#!/usr/bin/perl
# The demo: it ends well, fits into 80 columns, notices when what it shows is not so, and leaves nothing behind.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../contrib/lab", "$FindBin::Bin/../../contrib/demo";
use File::Temp qw(tempdir);
use Lab;
use Screen;

my $top = "$FindBin::Bin/../..";
my $place = tempdir('/tmp/miji-demo-XXXXXX', CLEANUP => 1);
chmod 0755, $place;
symlink(($ENV{MIJI_BUILD} || "$top/.build") . '/bin', "$place/bin") or die "$place/bin: $!\n";

my ($status, $text) = Lab::run_command("$top/contrib/demo/run", $place);
is($status, 0, 'the demo ends well') or diag $text;
like($text, qr/^As it is told here\.  \d+ s\n\z/m, 'and says so');
my ($seconds) = $text =~ /(\d+) s\n\z/;
cmp_ok($seconds, '<', 45, 'in time');
is(scalar(() = $text =~ /✓/g), 55, 'so many deliveries are shown');
is_deeply([grep { cells($_) > 80 } split /\n/, $text], [], 'every line fits');
unlike($text, qr/\e/, 'no colours but on a terminal');
like($text, qr/^  机密 secret +✓ +✓ +✗ reader +✗ reader +✗ reader$/m, 'the table has what the policy says');
like($text, qr/^ +- mi\@agency\.gov\.cn may not receive mail marked 机密$/m, 'a notice is shown') or diag $text;
my ($id) = $text =~ /^  gao\$ miji approve (\w{8})$/m;
like($text, qr/^  gao\$ miji held\n\Q$id\E  .* 机密  <bo\@agency/m, 'what is held is listed');
like($text, qr/^  gao\$ miji show \Q$id\E\nhold \Q$id\E/m, 'and looked at');
like($text, qr/^\Q$id\E: approved;/m, 'and approved');
like($text, qr/^ +to +<an\@agency\.gov\.cn>: released/m, 'and traced');
stopped();

# One message too few in a mailbox, one too many: whoever looks sees that it is not so.
my %lie = (
    'did not get' => 'shift @m',
    'should not have' => 'push @m, $m[0]; $m[-1] = Lab::Message->parse(q(Subject: none).qq(\n))',
);
for my $what (sort keys %lie) {
    Lab::write_file("$place/Lie.pm",
              "package Lie; use Lab; my \$true = \\&Lab::Mailbox::mailbox; no warnings;\n"
            . "*Lab::Mailbox::mailbox = sub { my \@m = \$true->(\@_); $lie{$what}; \@m }; 1;\n");
    ($status, $text) =
        Lab::run_command($^X, "-I$place", "-I$top/contrib/lab", '-MLie', "$top/contrib/demo/run", $place);
    is($status, 1, "a mailbox that is not as shown: $what");
    like($text, qr/^  an\@agency\.gov\.cn $what: /m, 'is noticed');
}

# Interrupted while it sends.
my $reader = open my $out, '-|', "$top/contrib/demo/run", $place or die;
while (<$out>) { last if /from bo/ }
kill 'INT', $reader;
my $rest = join '', <$out>;
close $out;
is($? >> 8, 130, 'interrupted it ends at once');
like($rest, qr/interrupted: everything is stopped/, 'and says what it does');
stopped();
done_testing;

sub stopped {
    is(join(' ', map { $_->{name} } Lab::leftovers({ dir => "$place/demo" })), '', 'nothing is left running');
}
