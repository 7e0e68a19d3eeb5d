#!/usr/bin/perl
# The manual pages: they are set without a warning, name only pages that exist, and explain every diagnostic, reason and
# finding that somebody can meet, and no other.
use strict;
use warnings;
use Cwd qw(abs_path);
use Test::More;

my $top = $ENV{MIJI_TOP} // abs_path('.');
my %page = (
    'miji.conf(5)' => 'milter/conf/miji.conf.5',
    'miji.scheme(5)' => 'policy/label/miji.scheme.5',
    'miji-milter(8)' => 'milter/daemon/miji-milter.8',
    'miji(1)' => 'milter/cli/miji.1',
);
my %elsewhere = map { $_ => 1 } qw(postconf(1) postconf(5) smtpd(8) systemd.exec(5) ps(1) ulimit(1) slapd(8) slapd.access(5));

for my $name (sort keys %page) {
    is(`cd \Q$top\E && groff -K utf8 -mdoc -Tutf8 -ww -z $page{$name} 2>&1`, '', "$name is set without a warning");
    my $text = read_file($page{$name});
    my @refers = map { s/ (\d).*/($1)/r } $text =~ /^\.Xr (\S+ \d)/mg;
    is_deeply([grep { !$page{$_} && !$elsewhere{$_} } @refers], [], "$name refers to pages that there are");
}

# what the sources can say: DIAG_X, REASON_X, FINDING_X, beside the tables themselves
my %used;
for my $file (split /\n/, `cd \Q$top\E && find policy rules milter -name '*.c'`) {
    my $text = read_file($file);
    $used{$_} = 1 for $text =~ /\b((?:DIAG|REASON|FINDING)_[A-Z0-9_]+)\b/g;
}

# Only rules have patterns and dates; a scheme file and miji.conf cannot be given these.
my %of_rules = map { $_ => 1 } qw(unclosed-pattern pattern-flag date);
my @diagnostics = grep { !$of_rules{$_} } ids('policy/text/diagnostic.def', 'DIAGNOSTIC', 'DIAG');
my $explained = read_file('milter/conf/miji.conf.5') . read_file('policy/label/miji.scheme.5');
my %explained = map { $_ => 1 } map { /\bBq ([a-z-]+)/g } $explained =~ /^\.It (Bq .*)$/mg;
ok(@diagnostics > 20, 'there are diagnostics');
is_deeply([sort keys %explained], \@diagnostics, 'those and no others are explained');

is_deeply(
    [section('REASONS')],
    [grep { $_ ne 'hidden' } ids('policy/check/reason.def', 'REASON', 'REASON')],
    'miji-milter(8) explains the reasons that decide gives'
);
is_deeply([section('FINDINGS')], [ids('rules/finding.def', 'FINDING', 'FINDING')], 'and the findings of the inspector');

done_testing;

# The ids of a table of which the sources use the constant.
sub ids {
    my ($file, $macro, $prefix) = @_;
    my @rows = read_file($file) =~ /^$macro\((\w+, "[^"]+")/mg;
    return sort map { /^(\w+), "(.*)"/ && $used{"${prefix}_$1"} ? $2 : () } @rows;
}

# What a section of miji-milter(8) has entries for.
sub section {
    my ($name) = @_;
    my ($text) = read_file('milter/daemon/miji-milter.8') =~ /^\.Sh $name\n(.*?)^\.Sh /ms or return;
    return sort map { split / , / } $text =~ /^\.It Ic (.*)$/mg;
}

sub read_file {
    my ($name) = @_;
    open my $file, '<', "$top/$name" or die "$name: $!";
    local $/;
    return scalar <$file>;
}
