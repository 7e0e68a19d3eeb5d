#!/usr/bin/perl
# The commands that ask the daemon: what they ask, what they print, how they end. The daemon is a socket here that writes down
# what it is asked and answers what it is told; that the manual knows every command and option is seen, too.
use strict;
use warnings;
use utf8;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use Test::More;

binmode $_, ':encoding(UTF-8)' for Test::More->builder->output, Test::More->builder->failure_output;
my $top = $ENV{MIJI_TOP} // '.';
my $miji = ($ENV{MIJI_BUILD} || "$top/.build") . '/bin/miji';
my $dir = tempdir('miji-commands-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $socket = "$dir/control.sock";
my $asked = "$dir/asked";
my $answer = "$dir/answer";
my $daemon = start_daemon();

# words of the command, the request
my @asks = (
    [[qw(held)], 'held text en'],
    [[qw(held --json --lang zh)], 'held json zh'],
    [[qw(held --all --queue=labels --since), '2026-06-01 12:00'],
        'held text en all=yes queue=labels since=2026-06-01%2012:00'],
    [[qw(show k3x9)], 'show text en k3x9'],
    [[qw(show --reasons k3x9)], 'show text en k3x9 view=reasons'],
    [[qw(show k3x9 --raw)], 'show text en k3x9 view=raw'],
    [[qw(approve k3x9)], 'approve text en k3x9'],
    [[qw(approve k3x9 --as 机密), '--note', "a=b\tc"], 'approve text en k3x9 as=%E6%9C%BA%E5%AF%86 note=a%3Db%09c'],
    [[qw(refuse k3x9 --note no)], 'refuse text en k3x9 note=no'],
    [['note', 'k3x9', 'look at 1=1'], 'note text en k3x9 look%20at%201%3D1'],
    [[qw(release k3x9 --again)], 'release text en k3x9 again=yes'],
    [[qw(release --done k3x9)], 'release text en k3x9 done=yes'],
    [['trace', '<a=b@x.cn>'], 'trace text en %3Ca%3Db@x.cn%3E'],
    [['trace', '--', '-x@x.cn'], 'trace text en -x@x.cn'],
    [[qw(archive list --archive default --since 7d --until 2026-06-01)],
        'archive text en list archive=default since=7d until=2026-06-01'],
    [[qw(archive show k3x9 --json)], 'archive json en show k3x9'],
    [[qw(archive export k3x9)], 'archive text en export k3x9'],
);
for my $case (@asks) {
    my ($words, $request) = @$case;
    my ($status, $out, $err) = ask("ok\nan answer\n", @$words);
    my ($line, %got) = split_request(read_file($asked));
    my ($expected, %want) = split_request("$request\n");
    is_deeply([$line, \%got], [$expected, \%want], "miji @$words: what is asked");
    is_deeply([$status, $out, $err], [0, "an answer\n", ''], "miji @$words: the answer");
}

# octets, and what is no answer
my $octets = "a\0b\r\n\x1b[31m\xff\n";
is_deeply([ask("ok\n$octets", qw(show k3x9 --raw))], [0, $octets, ''], 'a raw message comes as it is');
is_deeply([ask("failed\nnobody decides on own mail\n", qw(approve k3x9))],
    [1, '', "nobody decides on own mail\n"], 'what is turned down goes to standard error, status 1');
my ($status, $out, $err) = ask("what\nelse", 'held');
is_deeply([$status, $out], [1, ''], 'an answer that says neither ok nor failed is no success');
($status, $out, $err) = run($miji, '--lang', 'en', 'held', '--control', "unix:$dir/nobody");
is($status, 2, 'without a daemon the status is 2');
like($err, qr/^miji: no answer from the daemon at unix:\Q$dir\E\/nobody: No such file or directory; /, 'and it says why');
($status, $out, $err) = run($miji, '--lang', 'en', '-c', "$dir/none.conf", 'status');
is_deeply([$status, $err], [2, "miji: there is no configuration $dir/none.conf\n"],
    'a configuration that -c names and that is not there leaves no other to be asked');

# its text is decoded here
my $mail = "Content-Type: text/plain; charset=GBK\r\nContent-Transfer-Encoding: base64\r\n\r\nu/rD3BtbMzFt\r\n";
is_deeply([ask("ok\n$mail", qw(show k3x9 --text))], [0, encoded("机密?[31m\n"), ''], 'text is decoded and harmless');
is_deeply([ask("ok\n$mail", qw(show k3x9 --text --json))],
    [0, encoded(qq({"text":"机密?[31m\\u000a","whole":true}\n)), ''], 'also for programs');
my $bomb = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" . "--b\r\n\x1b\r\n" x 30000;
($status, $out, $err) = ask("ok\n$bomb", qw(show k3x9 --text));
is_deeply([$status, $err], [0, "miji: its parts cannot be read (too many lines or parts); it is shown as it stands\n"],
    'what cannot be decoded is shown as it stands');
unlike($out, qr/\x1b/, 'and harmless');

# a terminal is not sent what it would obey
for my $words ('show k3x9 --raw', 'archive export k3x9') {
    unlink $asked;
    my $seen = on_terminal("$miji --lang en $words --control unix:$socket");
    like($seen, qr/^miji: a raw message may command a terminal; write it into a file/, "$words: not to a terminal");
    ok(!-e $asked, 'and nobody was asked, so no look is recorded');
    write_file($answer, "ok\nraw\n");
    is(on_terminal("$miji --lang en $words --force --control unix:$socket"), "raw\r\n", 'unless it is forced');
}

# arguments that are wrong
for my $case (
    [[qw(held --quueue x)], "miji: there is no option --quueue here; did you mean --queue?\n"],
    [[qw(held --frobnicate)], "miji: there is no option --frobnicate here; see `miji help held`\n"],
    [[qw(held --all=x)], "miji: --all takes no value\n"],
    [[qw(held --queue)], "miji: --queue needs a value behind it\n"],
    [[qw(held --queue --all)], "miji: --queue needs a value behind it\n"],
    [[qw(held --queue=)], "miji: --queue needs a value behind it\n"],
    [[qw(show k3x9 --text --raw)], "miji: --raw says again what another option said; see `miji help show`\n"],
    [[qw(note k3x9 two words)], "miji: words is one word too many (a text of several words stands in quotes); see `miji help note`\n"],
    [['trace', "\xff"], "miji: an argument is no UTF-8 text\n"],
    [['note', 'k3x9', 'x' x 9000], "miji: that is too long for one request\n"],
    )
{
    my ($words, $text) = @$case;
    unlink $asked;
    my ($command, @rest) = @$words;
    is_deeply([run($miji, '--lang', 'en', $command, '--control', "unix:$socket", @rest)],
        [2, '', $text], 'wrong: ' . substr "@$words", 0, 40);
    ok(!-e $asked, 'and nobody is asked');
}
for my $command (qw(show approve refuse note release trace archive)) {
    ($status, $out, $err) = run($miji, '--lang', 'en', $command);
    is_deeply([$status, $out], [2, ''], "$command alone is too little");
    like($err, qr/^usage: miji $command /, 'and its usage is shown');
    is((run($miji, '--lang', 'en', 'help', $command))[1], $err, 'as help shows it');
}

# the manual: every command, every option of a usage
my $manual = read_file("$top/milter/cli/miji.1");
my @commands = (run($miji, '--lang', 'en', 'help'))[1] =~ /^  (\w+) /mg;
ok(@commands > 10, 'there are commands');
for my $command (@commands) {
    my ($entry) = $manual =~ /^(\.It Ic $command\b.*?)(?=^\.It Ic (?!$command\b))/ms;
    ok($entry, "miji(1) has $command");
    for my $option ((run($miji, '--lang', 'en', 'help', $command))[1] =~ /--([\w-]+)/g) {
        my $where = $option =~ /^(?:json|control)$/ ? $manual : $entry // '';
        like($where, qr/Fl -\Q$option\E\b|[ |]-\Q$option\E\b/, "and its --$option");
    }
}

kill TERM => $daemon;
waitpid $daemon, 0;
done_testing;

sub start_daemon {
    my $listen = IO::Socket::UNIX->new(Local => $socket, Listen => 5) or die "$socket: $!";
    my $pid = fork;
    return $pid if $pid;
    while (my $client = $listen->accept) {
        my $line = <$client>;
        write_file("$asked.new", $line);
        rename "$asked.new", $asked or die;
        print {$client} read_file($answer);
        close $client;
    }
    exit 0;
}

# The command with a daemon that answers so: status, what it printed, what it complained.
sub ask {
    my ($text, @words) = @_;
    write_file($answer, $text);
    my ($first) = grep { $words[$_] eq '--' } 0 .. $#words;
    my @control = ('--control', "unix:$socket");
    splice @words, defined $first ? $first : scalar @words, 0, @control;
    return run($miji, (grep { $_ eq '--lang' } @words) ? () : ('--lang', 'en'), map { encoded($_) } @words);
}

sub run {
    my (@command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$dir/out" or die;
        open STDERR, '>', "$dir/err" or die;
        open STDIN, '<', '/dev/null' or die;
        exec @command or exit 127;
    }
    waitpid $pid, 0;
    return ($? & 127 ? "signal $?" : $? >> 8, read_file("$dir/out"), read_file("$dir/err"));
}

sub on_terminal {
    my ($command) = @_;
    run('script', '-qec', $command, '/dev/null');
    return read_file("$dir/out");
}

# Named arguments come in any order.
sub split_request {
    my ($line) = @_;
    my @words = split ' ', $line;
    return (join(' ', grep { !/=/ } @words), map { split /=/, $_, 2 } grep { /=/ } @words);
}

sub encoded { my ($text) = @_; utf8::encode($text) if utf8::is_utf8($text); return $text }

sub read_file {
    my ($name) = @_;
    open my $file, '<:raw', $name or return '';
    local $/;
    return scalar(<$file>) // '';
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>:raw', $name or die "$name: $!";
    print {$file} $text;
    close $file or die;
}
