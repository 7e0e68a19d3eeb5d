#!/usr/bin/perl
# tests/lint/run: each kind of mistake, planted in a small tree, is found at its place, and nothing else is.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Test::More;

my $top = $ENV{MIJI_TOP} // abs_path('.');
my $dir = tempdir('miji-lint-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# name, file, text, what lint must print after the file's name; undef for what is no mistake
my @cases = (
    ['a file as it should be', 'policy/label/a.c', qq{#include "policy/text/source.h"\n#include <glib.h>\n}, undef],
    ['a higher layer',  'policy/text/a.c',  qq{\n#include "policy/label/label.h"\n},
        '2: policy/text may not include policy/label'],
    ['a layer beside',  'milter/inspect/a.c', qq{#include "milter/conf/conf.h"\n}, undef],
    ['the rules see no mail', 'rules/a.c',  qq{#include "milter/conf/conf.h"\n},
        '1: rules may not include milter/conf'],
    ['the command and the store', 'milter/cli/a.c', qq{#include "milter/store/store.h"\n},
        '1: milter/cli may not include milter/store'],
    ['a test of a high layer', 'tests/unit/a_test.c', qq{#include "milter/daemon/spool.h"\n}, undef],
    ['an include from beside', 'rules/a.c', qq{#include "facts.h"\n}, '1: "facts.h" is not written from the root'],
    ['a file of the root', 'rules/a.c', qq{#include "policy/version.h"\n}, undef],
    ['libmilter elsewhere', 'milter/decide/a.c', qq{#include <libmilter/mfapi.h>\n},
        '1: <libmilter/mfapi.h> belongs to milter/daemon'],
    ['libldap elsewhere', 'milter/conf/a.c', qq{#include <ldap.h>\n}, '1: <ldap.h> belongs to policy/person'],
    ['PCRE2 elsewhere', 'policy/label/a.c', qq{#  include <pcre2.h>\n}, '1: <pcre2.h> belongs to rules'],
    ['GMime elsewhere', 'milter/decide/a.c', qq{#include <gmime/gmime.h>\n},
        '1: <gmime/gmime.h> belongs to milter/inspect'],
    ['SQLite elsewhere', 'milter/daemon/a.c', qq{#include <sqlite3.h>\n},
        '1: <sqlite3.h> belongs to milter/store'],
    ['libmilter at home', 'milter/daemon/a.c', qq{#include <libmilter/mfapi.h>\n}, undef],
    ['a call not used', 'rules/a.c', qq{\n\nstatic void f(void)\n{\n    strcpy(a, b);\n}\n},
        '5: strcpy is not used here'],
    ['a lock of GLib', 'rules/a.c', qq{g_mutex_lock(&l);\n}, '1: g_mutex_lock is not used here'],
    ['such a word in a text', 'rules/a.c', qq{const char *a = "use strcpy(a)"; /* sprintf( */\n}, undef],
    ['a name that only ends so', 'rules/a.c', qq{my_sprintf(a);\n}, undef],
    ['a promise', 'rules/a.h', qq{/* TO} . qq{DO: later */\n}, '1: a promise left behind: TO' . 'DO'],
    ['a long function', 'rules/a.c', "static void far(void)\n{\n" . "    f();\n" x 81 . "}\n",
        '2: far has 81 lines (80 at most)'],
    ['one that just fits', 'rules/a.c', "static void far(void)\n{\n" . "    f();\n" x 80 . "}\n", undef],
    ['a long file', 'rules/a.c', "int a;\n" x 501, '501: 501 lines (500 at most)'],
    ['a long header', 'rules/a.h', "int a;\n" x 171, '171: 171 lines (170 at most)'],
    ['the top level', 'util/a.c', '', undef, "util:1: does not belong to the top level\n"],
);

for my $case (@cases) {
    my ($name, $file, $text, $place, $other) = @$case;
    remove_tree($dir, {keep_root => 1});
    make_path(map {"$dir/$_"} qw(policy rules milter tests), $file =~ m{(.*)/});
    write_file("$dir/$file", $text);
    my $found = $place ? "$file:$place\n" : $other // '';
    my $files = $other ? 0 : 1;
    my $count = $found ? 1 : 0;
    my $out = `cd $dir && perl \Q$top\E/tests/lint/run 2>&1`;
    is($out . ($? >> 8), "${found}lint: $files files, $count findings\n$count", $name);
}

done_testing;

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>', $name or die "$name: $!";
    print {$file} $text;
    close $file or die;
}
