#!/usr/bin/perl
# The thread sanitizer as Miji uses it: a race on a GLib container is found, whatever tests/tsan/suppressions says, the same
# work under a lock is no finding, and no call of a container is left out. Part of `make check-tsan` only.
use strict;
use warnings;
use Test::More;

my $top = $ENV{MIJI_TOP} // '.';
my $build = $ENV{MIJI_BUILD} // "$top/.build/tsan";
my $race = "$build/tests/tsan/race";

# The reports are wanted here, not in the folder where tests/run looks for unwanted ones.
$ENV{TSAN_OPTIONS} = join ':', grep {defined} $ENV{TSAN_OPTIONS}, 'log_path=stderr';
my @cases = split /\n/, `$race`;
ok(@cases > 5, 'there are cases');
for my $case (@cases) {
    my ($report) = output("$race $case none");
    like($report, qr/^WARNING: ThreadSanitizer: data race/m, "$case: a race is found");
    my ($silence, $status) = output("$race $case lock");
    is("$silence$status", '0', "$case: under a lock there is none");
}

# new containers nobody else knows yet; a further reference changes only the count
my $harmless = qr/_(?:new|sized_new|new_\w+|ref)$/;
my %wrapped;
for my $file ('wrap.def', 'wrap.c') {
    open my $in, '<', "$top/tests/tsan/$file" or die "$file: $!";
    while (<$in>) {
        $wrapped{$_} = 1 for /\b(?:__wrap_)?(g_[a-z_]+)\b/g;
    }
}
my %called = map { $_ => 1 } grep { $_ !~ $harmless }
    `nm -u $build/libmiji.a` =~ /\bU (g_(?:hash_table|ptr_array|array|byte_array|string|queue)_\w+)$/mg;
ok(keys %called > 20, 'Miji uses containers');
is_deeply([sort grep { !$wrapped{$_} } keys %called], [], 'and each call of one is in tests/tsan/wrap.def');

done_testing;

# stdout and stderr together, and the exit status
sub output {
    my ($command) = @_;
    my $text = `$command 2>&1`;
    return ($text, $? >> 8);
}
