#!/usr/bin/perl
# tests/run and tests/prove themselves: whatever goes wrong in a test program has to fail the run.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time);

my $top = $ENV{MIJI_TOP} // '.';
my $dir = tempdir('miji-harness-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# name, script, variables, what tests/run must print; undef for a program that passes
my @cases = (
    ['passes.t', q{print "1..2\nok 1 - a\nok 2 - b\n"}, undef],
    ['plan-last', "#!/bin/sh\necho 'ok 1 /a'; echo 1..1; echo noise >&2", undef],
    ['arguments', "#!/bin/sh\n[ \"\$*\" = '--tap -k' ] && echo 'ok 1'; echo 1..1", undef],
    ['fails.t', q{print "1..2\nok 1 - a\nnot ok 2 - b\n"; exit 1}, qr/^not ok 2 - b$/m],
    ['bails.t', q{print "1..2\nok 1 - a\nBail out! no more\n"; exit 1}, qr/^not ok 2 - bailed out: no more$/m],
    ['signal', "#!/bin/sh\necho 1..1; echo ok 1; kill -SEGV \$\$", qr/^not ok 2 - died of signal 11$/m],
    ['status.t', q{print "1..1\nok 1 - a\n"; exit 3}, qr/^not ok 2 - ended with status 3$/m],
    [   'skips.t',
        q{print "1..2\nok 1 - a # SKIP no time\nok 2\n"},
        qr/^not ok 1 - a - does not count: SKIP no time$/m
    ],
    ['skips-all.t', q{print "1..0 # SKIP nothing here\n"}, qr/^not ok 1 - skipped as a whole: SKIP nothing here$/m],
    [   'sub-skips.t',
        q{print "    ok 1 - x # skip y\n    1..1\nok 1 - sub\n1..1\n"},
        qr/^not ok 2 - skipped in a subtest: /m
    ],
    [   'todo.t',
        q{print "1..1\nnot ok 1 - later # TODO one day\n"},
        qr/^not ok 1 - later - does not count: TODO one day$/m
    ],
    ['no-plan.t', q{print "ok 1 - a\n"}, qr/^not ok 2 - no plan$/m],
    ['no-test.t', q{print "1..0\n"}, qr/^not ok 1 - no test$/m],
    ['short.t', q{print "1..3\nok 1 - a\n"}, qr/^not ok 2 - planned 3 tests, ran 1$/m],
    [   'asan',
        "#!/bin/sh\necho 1..1; echo ok 1; echo '==7==ERROR: AddressSanitizer: heap-use-after-free' >&2",
        qr/^not ok 2 - a sanitizer reported: ERROR: AddressSanitizer: heap-use-after-free$/m
    ],
    [   'ubsan',
        "#!/bin/sh\necho 1..1; echo ok 1; echo 'a.c:3:4: runtime error: shift' >&2",
        qr/^not ok 2 - a sanitizer reported: /m
    ],
    [   'tsan',
        "#!/bin/sh\necho 1..1; echo ok 1; echo 'WARNING: ThreadSanitizer: data race (pid=1)' >&2",
        qr/^not ok 2 - a sanitizer reported: /m
    ],
    [   'daemon-asan',
        "#!/bin/sh\necho 1..1; echo ok 1; echo 'ERROR: LeakSanitizer: detected memory leaks' >\${ASAN_OPTIONS##*log_path=}.7",
        qr/^not ok 2 - a sanitizer reported: ERROR: LeakSanitizer: detected memory leaks$/m
    ],
    [   'daemon-tsan',
        "#!/bin/sh\necho 1..1; echo ok 1; echo 'FATAL: what' >\${TSAN_OPTIONS##*log_path=}.7",
        qr/^not ok 2 - a sanitizer reported: see above$/m
    ],
    [   'leaves.t',
        q{print "1..1\nok 1 - a\n"; exec 'sleep', '60' if !fork; },
        qr/^not ok 2 - left processes running: sleep \(\d+\)$/m
    ],
    ['absent', undef, qr/^not ok 1 - ended with status 127$/m],
);

for my $case (@cases) {
    my ($name, $script, $expect) = @$case;
    write_script($name, $script) if defined $script;
    my ($out, $status) = output("\Q$top\E/tests/run $dir/$name");
    if ($expect) {
        ok($out =~ $expect && $status == 1, "$name fails") or diag $out;
    } else {
        ok($out !~ /^not ok/m && $status == 0, "$name passes") or diag $out;
    }
}

{
    # A test that hangs is ended, politely first, so that it can stop what it has started.
    write_script('hangs.t', q{$SIG{TERM} = sub { print "ok 1 - tidied\n"; exit 0 }; $| = 1; sleep 60;});
    local $ENV{MIJI_TEST_SECONDS} = 1;
    my $begin = time;
    my ($out, $status) = output("\Q$top\E/tests/run $dir/hangs.t");
    like($out, qr/^not ok \d+ - took longer than 1 s$/m, 'a program that hangs fails');
    like($out, qr/^ok 1 - tidied$/m, 'and could tidy up');
    cmp_ok(time - $begin, '<', 20, 'in bounded time');
}

{
    my ($out, $status) = output("\Q$top\E/tests/prove $dir $dir/bails.t $dir/passes.t");
    my @lines = split /\n/, $out;
    like($lines[-2], qr/^Files=2, Tests=4/, 'after a bail-out the other programs still run');
    is($lines[-1], 'Result: FAIL', 'and the run as a whole has failed');
    isnt($status, 0, 'also in its status');
    ($out, $status) = output("\Q$top\E/tests/prove $dir $dir/passes.t $dir/plan-last");
    @lines = split /\n/, $out;
    is("$lines[-1] $status", 'Result: PASS 0', 'what passes passes');
    write_script('environment.t',
              q{print "1..1\n", join(' ', map { $ENV{$_} // '-' } qw(MIJI_BUILD G_SLICE)) eq "}
            . $dir
            . q{ always-malloc" && $ENV{MIJI_TOP} =~ m(^/) && $ENV{UBSAN_OPTIONS} =~ /halt_on_error=1/ ? "ok 1\n" : "not ok 1\n"}
    );
    ($out, $status) = output("cd \Q$top\E && tests/prove $dir $dir/environment.t");
    is($status, 0, 'build folder and sanitizer options are in the environment') or diag $out;
}

done_testing;

sub write_script {
    my ($name, $text) = @_;
    open my $file, '>', "$dir/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die;
    chmod 0755, "$dir/$name";
}

# stdout of the command alone (what prove reads), and its status
sub output {
    my ($command) = @_;
    my $out = `$command 2>$dir/stderr`;
    return ($out, $? >> 8);
}
