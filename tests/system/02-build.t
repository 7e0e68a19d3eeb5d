#!/usr/bin/perl
# The Makefile, with a tree of a few files: what is made anew when, that variants keep apart, that nothing is written
# outside of .build, and that what it says to editors and to people without the libraries is right.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Copy qw(copy);
use File::Find qw(find);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $top = $ENV{MIJI_TOP} // abs_path('.');
my $dir = tempdir('miji-build-XXXXXX', TMPDIR => 1, CLEANUP => 1);
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS VARIANT CFLAGS CPPFLAGS LDFLAGS CC WERROR)};

copy("$top/Makefile", "$dir/Makefile") or die;
my $main = qq{#include <stdio.h>\n#include "policy/text/word.h"\nint main(void) { puts(word()); return 0; }\n};
write_file('policy/version.h', qq{#define MIJI_VERSION "7"\n});
write_file('policy/text/word.def', qq{"one"\n});
write_file('policy/text/word.h', qq{const char *word(void);\n});
write_file('policy/text/word.c', <<'EOT');
#include "policy/text/word.h"
const char *word(void)
{
    return
#include "policy/text/word.def"
        ;
}
EOT
write_file('policy/text/spare.c', qq{int spare;\n});
write_file('tests/asan/exit.c', read_source('tests/asan/exit.c'));
write_file("milter/$_/main.c", $main) for qw(daemon inspect cli);
my @given = files();

my ($text, $status) = make('-j2', 'all');
is($status, 0, 'a build from nothing') or diag $text;
is(run('miji-milter'), "one\n", 'the program runs');
is_deeply([grep { !m{^\.build/} } files()], \@given, 'and nothing is written outside of .build');
is((make('all'))[0], '', 'a second build does nothing');
is((make('all', 'WERROR=-Werror'))[0], '', 'nor does one that is stricter with warnings');

write_file('policy/text/word.def', qq{"two"\n});
make('all');
is(run($_), "two\n", "$_ is made anew when a table changes") for qw(miji-milter miji-inspect miji);
write_file('policy/text/word.h', qq{const char *word(void);\n#define MORE\n});
like((make('all'))[0], qr/-c -o \S+word\.o .*-c -o \S+main\.o/s, 'and what includes a header, when that does');
like((make('all', 'CFLAGS=-O1'))[0], qr/-O1 .*-c -o \S+word\.o/, 'and everything, when the options do');
make('all');

like(`ar t $dir/.build/libmiji.a`, qr/^spare\.o$/m, 'the library has every source');
unlink "$dir/policy/text/spare.c";
make('all');
unlike(`ar t $dir/.build/libmiji.a`, qr/^spare\.o$/m, 'but none that is gone');

write_file('policy/text/word.def', qq{"three"\n});
($text, $status) = make('all', 'VARIANT=cov');
is($status, 0, 'a variant is built') or diag $text;
is(run('cov/bin/miji'), "three\n", 'in a folder of its own');
is(run('miji'), "two\n", 'and the other one stays as it was');
like(
    `cd $dir && \Q$top\E/tests/coverage .build/cov`,
    qr{\Amilter/cli +1 of +1 lines 100\.0 %\nmilter/daemon +0 of +1 lines   0\.0 %\n.*^all +2 of +4 lines  50\.0 %\n\z}ms,
    'coverage counts the lines that ran, of all that there are'
);
($text, $status) = make('all', 'VARIANT=aasn');
ok($status && $text =~ /VARIANT=aasn: there are default, asan, tsan, cov, fault\./, 'a variant that is none is an error');

mkdir "$dir/bin";
symlink '/bin/false', "$dir/bin/pkg-config";
{
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    unlink "$dir/.build/obj/policy/text/word.o";
    ($text, $status) = make('all');
    like($text, qr/libraries are missing: run "make deps"/, 'without the libraries it says what to do');
    isnt($status, 0, 'and fails');
}

write_file('bin/id', "#!/bin/sh\necho 1000\n");
chmod 0755, "$dir/bin/id";
for my $goal (qw(check demo)) {
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    ($text, $status) = make($goal);
    like(
        $text,
        qr/\A$goal: Postfix can only be started by root: run it as root, or through sudo\n.*Error 1\n\z/,
        "make $goal without root says so before it does anything"
    );
}

make('compdb');
my $entries = eval { decode_json(read_file('.build/compile_commands.json')) } // [];
is_deeply(
    [sort map { "$_->{directory}/$_->{file}" } @$entries],
    [map {"$dir/$_"} grep {/\.c$/ && !/^\.build/} files()],
    'compile_commands.json names every source'
);
is(scalar(grep { system("cd $dir && $_->{command} -fsyntax-only") } @$entries), 0, 'and its commands compile them');

mkdir $_ for "$dir/.build/demo", "$dir/.build/asan";
my $lab = tempdir('/tmp/miji-lab-XXXXXX', CLEANUP => 1);
symlink $lab, "$dir/.build/asan/demo" or die;
my $foreign = tempdir('miji-foreign-XXXXXX', TMPDIR => 1, CLEANUP => 1);
mkdir "$dir/.build/tsan";
symlink $foreign, "$dir/.build/tsan/demo" or die;
make('clean');
ok(!-e $lab, 'clean takes a lab below /tmp with it');
ok(-e $foreign, 'and nothing else that a link leads to');
is_deeply([grep { !m{^bin/} } files()], [grep { !/spare/ } @given], 'clean leaves what was given');

done_testing;

# stdout and stderr together, and the exit status
sub make {
    my (@arguments) = @_;
    my $text = `make --no-print-directory -C $dir @arguments 2>&1`;
    return ($text, $? >> 8);
}

sub run {
    my ($program) = @_;
    $program = "bin/$program" if $program !~ m{/};
    return scalar `$dir/.build/$program`;
}

sub files {
    my @files;
    find({wanted => sub { push @files, substr $_, 1 + length $dir if -f }, no_chdir => 1}, $dir);
    return sort @files;
}

sub write_file {
    my ($name, $text) = @_;
    make_path("$dir/$1") if $name =~ m{(.*)/};
    open my $file, '>', "$dir/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die;
}

sub read_source {
    my ($name) = @_;
    open my $file, '<', "$top/$name" or die "$name: $!";
    local $/;
    return scalar <$file>;
}

sub read_file {
    my ($name) = @_;
    open my $file, '<', "$dir/$name" or return '';
    local $/;
    return <$file>;
}
