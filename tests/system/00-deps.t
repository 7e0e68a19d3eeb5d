#!/usr/bin/perl
# contrib/deps/install with tools that only note how they were called: what it asks of the machine, and that
# policy-rc.d is afterwards what it was, also when the installation fails, is interrupted, or was killed before.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep time);

my $top = $ENV{MIJI_TOP} // abs_path('.');
my $dir = tempdir('miji-deps-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $policy = "$dir/policy-rc.d";
mkdir "$dir/bin" or die;
for my $tool (qw(awk chmod grep ls mv rm sh sleep cat)) {
    my ($path) = grep {-x} map {"$_/$tool"} split /:/, $ENV{PATH};
    symlink $path, "$dir/bin/$tool" or die "$tool: $!";
}
$ENV{MIJI_POLICY_RC} = $policy;

# dpkg-query says that everything is there but postfix and slapd, until apt-get has been here.
tool('dpkg-query',
          'shift 3; for p in "$@"; do case $p in postfix|slapd) [ -e '
        . "$dir/done"
        . ' ] || continue;; esac; echo "ii $p"; done');
tool('id', "cat $dir/uid");
tool('debconf-set-selections', "cat >>$dir/preseed");
apt(": >$dir/done");
write_file("$dir/uid", "0\n");

unlink "$dir/done";
is_deeply([run()], [0, "deps: installing postfix slapd\n"], 'missing packages are installed');
my $log = read_file("$dir/apt.log");
like($log, qr/ install --no-install-recommends --no-remove postfix slapd$/m, 'only these, and none is pushed out');
like($log, qr/^noninteractive 101$/m, 'nothing is asked, and no service may start meanwhile');
is( read_file("$dir/preseed"),
    "postfix postfix/main_mailer_type select No configuration\nslapd slapd/no_configuration boolean true\n",
    'both come without a configuration'
);
ok(!-e $policy, 'there is no policy-rc.d again');

unlink "$dir/apt.log";
is_deeply([run()], [0, ''], 'a second run says nothing');
ok(!-e "$dir/apt.log", 'and does nothing');

# what was there comes back: bytes, mode, or the symbolic link that it was
write_file($policy, "#!/bin/sh\nexit 104\n");
chmod 0711, $policy;
my @before = (stat $policy)[1, 2, 9];
unlink "$dir/done";
run();
is_deeply([(stat $policy)[1, 2, 9]], \@before, 'policy-rc.d is the very file that it was');
unlink $policy;
symlink '/nowhere', $policy;
unlink "$dir/done";
run();
is(readlink $policy, '/nowhere', 'or the link');
unlink $policy;

write_file($policy, "mine\n");
apt("false");
unlink "$dir/done";
my ($status, $text) = run();
is($status, 1, 'a failed installation fails');
like($text, qr/^deps: apt-get could not install: postfix slapd$/m, 'with a message');
like(read_file("$dir/apt.log"), qr/ update$/m, 'after a try with fresh package lists');
is(read_file($policy), "mine\n", 'and policy-rc.d is back');

apt(": >$dir/busy; sleep 60; false");
my $pid = fork // die;
if (!$pid) { setpgrp; $ENV{PATH} = "$dir/bin"; exec "\Q$top\E/contrib/deps/install >/dev/null 2>&1" }
my $deadline = time + 20;
sleep 0.02 while !-e "$dir/busy" && time < $deadline;
like(read_file($policy), qr/exit 101/, 'while it installs');
kill 'INT', -$pid;
waitpid $pid, 0;
isnt($?, 0, 'an interruption');
is(read_file($policy), "mine\n", 'puts policy-rc.d back');

# a run that was killed for good leaves its own file; the next one finds the old one
rename $policy, "$policy.before-miji";
write_file($policy, "#!/bin/sh\n# Made by contrib/deps/install of Miji while it installs packages.\nexit 101\n");
apt(": >$dir/done");
run();
is(read_file($policy), "mine\n", 'so does the run after one that was killed');
ok(!-e "$policy.before-miji", 'without leftovers');

unlink "$dir/done";
write_file("$dir/uid", "1000\n");
unlink "$dir/apt.log";
is_deeply(
    [run()],
    [1, "deps: missing: postfix slapd (run it as root: there is no sudo)\n"],
    'without rights it says so'
);
ok(!-e "$dir/apt.log", 'and changes nothing');

done_testing;

sub tool {
    my ($name, $script) = @_;
    write_file("$dir/bin/$name", "#!/bin/sh\n$script\n");
    chmod 0755, "$dir/bin/$name";
}

# An apt-get that notes its arguments and what policy-rc.d says, and does ACTION when it installs.
sub apt {
    my ($action) = @_;
    tool('apt-get',
              "echo \"\$@\" >>$dir/apt.log; case \" \$* \" in *' install '*) $policy; "
            . "echo \"\$DEBIAN_FRONTEND \$?\" >>$dir/apt.log; $action;; esac");
}

sub run {
    local $ENV{PATH} = "$dir/bin";
    my $text = `\Q$top\E/contrib/deps/install 2>&1 </dev/null`;
    return ($? >> 8, $text);
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>', $name or die "$name: $!";
    print {$file} $text;
    close $file or die;
}

sub read_file {
    my ($name) = @_;
    open my $file, '<', $name or return '';
    local $/;
    return <$file>;
}
