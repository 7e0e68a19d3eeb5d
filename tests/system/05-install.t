#!/usr/bin/perl
# make install: everything lands where it belongs and belongs together there. The installed programs do what README.md says
# they do, with README's own configuration and commands; uninstall leaves nothing.
use strict;
use warnings;
use utf8;
use Cwd qw(abs_path);
use File::Find qw(find);
use File::Glob qw(bsd_glob);
use File::Temp qw(tempdir);
use Test::More;

my $top = $ENV{MIJI_TOP} // abs_path('.');
my $dir = tempdir('miji-install-XXXXXX', TMPDIR => 1, CLEANUP => 1);
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS VARIANT WERROR LANGUAGE LC_ALL LC_MESSAGES LANG)};
binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output;

my ($version) = read_file("$top/policy/version.h") =~ /MIJI_VERSION "(.*)"/;
my %expected = map { $_ => 1 } (
    qw(sbin/miji-milter sbin/miji-inspect bin/miji lib/systemd/system/miji.service),
    qw(share/man/man1/miji.1 share/man/man5/miji.conf.5 share/man/man5/miji.scheme.5 share/man/man8/miji-milter.8),
    map({ s{.*/}{share/miji/schemes/}r } bsd_glob "\Q$top\E/policy/schemes/*.scheme"),
    map({ s{.*/}{share/miji/ldap-schema/}r } bsd_glob "\Q$top\E/ldap-schema/*"),
);

my $other = "$dir/other";
is(make("install DESTDIR=$other PREFIX=/opt/miji"), 0, 'make install');
is_deeply(files("$other/opt/miji"), [sort keys %expected], 'installs everything');
is_deeply([grep { !-x "$other/opt/miji/$_" } qw(sbin/miji-milter sbin/miji-inspect bin/miji)], [], 'programs can be run');
my $unit = read_file("$other/opt/miji/lib/systemd/system/miji.service");
my @named = grep { m{^/opt/miji/} } $unit =~ m{(/[\w./-]+)}g;
is_deeply([grep { !-e "$other$_" } @named], [], 'what the unit starts is there');
cmp_ok(scalar @named, '>', 0, 'below PREFIX');
is_deeply(
    [grep { read_file("$other/opt/miji/$_") =~ m{/usr/local/} } grep { !/bin/ } sort keys %expected],
    [],
    'no text speaks of another place'
);
is(make("uninstall DESTDIR=$other PREFIX=/opt/miji"), 0, 'make uninstall');
is_deeply(files($other), [], 'leaves nothing');
ok(!-e "$other/opt/miji/share/miji", 'nor its own folder');

# The inspector's sandbox is made with calls that must pass the unit's filter.
my ($filter) = $unit =~ /^SystemCallFilter=(.*)$/m;
my %allowed = map { $_ => 1 } split / /, $filter;
is_deeply(
    [grep { !$allowed{$_} } qw(@system-service seccomp landlock_create_ruleset landlock_restrict_self)],
    [],
    'the unit lets the inspector build its sandbox'
);

# README.md, in order: the configuration, the example of explain
my $root = "$dir/root";
is(make("install DESTDIR=$root"), 0, 'make install, below /usr/local');
my $bin = "$root/usr/local/bin";
my @blocks = read_file("$top/README.md") =~ /^```\n(.*?)^```$/msg;
my ($conf) = grep {/^listen /} @blocks;
my ($explain) = grep {/^miji explain /} @blocks;
ok($conf && $explain, 'README has a configuration and an explain');

mkdir "$root/$_" for qw(etc etc/miji state);
write_file("$root/etc/miji/ldap.password", "secret\n");
chmod 0600, "$root/etc/miji/ldap.password";
$conf =~ s{"(/usr/local|/etc/miji)/}{"$root$1/}g;
is_deeply([run("miji-milter -V")], [0, "miji-milter $version\n"], 'miji-milter -V');
# The host of the test need not have user miji, group miji-review and /var/lib/miji.
$conf =~ s/"miji-review"/"users"/;
write_file("$root/miji.conf", qq{run as "nobody"\nstate "$root/state"\n$conf});
chmod 0700, "$root/state";
is((run("miji store new-key $root/etc/miji/store.key"))[0], 0, "a key for what is kept");
chown +(getpwnam 'nobody')[2, 3], "$root/state", "$root/etc/miji/store.key" if $> == 0;
my ($status, $text) = run("miji check $root/miji.conf");
like($text, qr/: no errors, warnings: 0$/m, "README's configuration has no mistake and no warning") or diag $text;
is($status, 0, 'so says the status');

# The same with the people of the example tree, in a file.
(my $local = $conf) =~ s{^directory .*?^\}\n}{directory "file:$root/usr/local/share/miji/ldap-schema/example.ldif" \{ \}\n}ms;
write_file("$root/local.conf", qq{run as "nobody"\nstate "$root/state"\n$local});
chdir $root or die;
for my $case (['秘密', 'deliver'], ['机密', 'refuse']) {
    my ($level, $verdict) = @$case;
    write_file('letter.eml', "From: bo\@agency.gov.cn\nTo: mi\@agency.gov.cn\nSubject: [$level] plan\n\nText.\n");
    ($status, $text) = run($explain =~ s/^miji /miji -c $root\/local.conf /r =~ s/\s+\z//r);
    like($text, qr/^  verdict +$verdict$/m, "README's explain, of $level: $verdict") or diag $text;
}

chdir '/';

done_testing;

sub make {
    my ($arguments) = @_;
    my $text = `make --no-print-directory -C \Q$top\E $arguments 2>&1`;
    diag $text if $?;
    return $? >> 8;
}

# The installed program; status and both outputs.
sub run {
    my ($command) = @_;
    local $ENV{PATH} = "$root/usr/local/bin:$root/usr/local/sbin:$ENV{PATH}";
    my $text = `$command 2>&1`;
    my $status = $? >> 8;
    utf8::decode($text);
    return ($status, $text);
}

# Names below a folder.
sub files {
    my ($folder) = @_;
    my @files;
    find({wanted => sub { push @files, substr $_, 1 + length $folder if -f }, no_chdir => 1}, $folder);
    return [sort @files];
}

sub read_file {
    my ($name) = @_;
    open my $file, '<:encoding(UTF-8)', $name or die "$name: $!";
    local $/;
    return scalar <$file>;
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>:encoding(UTF-8)', $name or die "$name: $!";
    print {$file} $text;
    close $file or die;
}
