#!/usr/bin/perl
# tests/cases/where.txt: each case of semantics.md 14 has a line, each file that it names is there and speaks of that case, and each
# file of cases is named.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use Test::More;

my $tests = abs_path("$FindBin::Bin/..");
my $CASES = 79;
my %ISSUE = map { $_ => 1 } qw(Labels Rules People Inspection Review);

my @lines = grep { !/^#/ } split /^/, read_file("$tests/cases/where.txt");
my %named;
for my $i (1 .. $CASES) {
    my ($number, $shown, $later) = ($lines[$i - 1] // '') =~ /^(\d+) +(.*?)(?:;? ?(?:[\w ]+ )?later (\w+))?$/;
    is($number, $i, "case $i has its line") or next;
    my @files = split ' ', $shown;
    ok(@files || $later, "case $i is shown somewhere, or later");
    ok($ISSUE{$later}, "case $i: $later brings the rest") if $later;
    for my $file (@files) {
        my $path = $tests . ($file =~ m{/} ? "/$file" : "/cases/$file");
        ok(-e $path, "case $i: $file is there") or next;
        ok(spoken_of(read_file($path))->{$i}, "case $i: $file speaks of it");
        $named{$file} = 1;
    }
}
is(scalar @lines, $CASES, 'there are no more lines');
my @files = map {m{([^/]+)$}} glob "$tests/cases/[0-9]*.case";
my %number = map { /^(\d+)/ ? ($1 + 0 => 1) : () } keys %named;
is_deeply([grep { /^(\d+)/ && !$number{ $1 + 0 } } @files], [], 'each number of a file of cases is named');
done_testing;

# Numbers behind the word "case" or "cases": "cases 3, 5 and 7", "cases 25 to 28", "Cases 31–33".
sub spoken_of {
    my ($text) = @_;
    my %found;
    for my $list ($text =~ /\bcases? (\d+(?:(?:,(?: |\n# )| and |, and | to |\xe2\x80\x93)\d+)*)/gi) {
        $list =~ s/(\d+)(?: to |\xe2\x80\x93)(\d+)/join ',', $1 .. $2/ge;
        $found{$_} = 1 for $list =~ /\d+/g;
    }
    return \%found;
}

sub read_file {
    my ($name) = @_;
    open my $file, '<', $name or die "$name: $!\n";
    local $/;
    return <$file>;
}
