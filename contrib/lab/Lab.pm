package Lab;

# A private laboratory: slapd, Postfix, Miji and the world outside, on loopback, in one directory. The demo and the
# system tests are made with it.
#
#     use lib 'contrib/lab';
#     use Lab;
#     my $lab = Lab->new;                           # a fresh directory below /tmp; or dir => '.build/demo'
#     $lab->start_slapd;                            # Lab/Slapd.pm
#     $lab->start_miji(conf => $text);              # Lab/Miji.pm
#     $lab->start_postfix;                          # Lab/Postfix.pm
#     my $r = $lab->send(from => 'bo@agency.gov.cn', to => ['an@agency.gov.cn'], login => 'bo', data => $mail);
#     my @mails = $lab->wait_mailbox('an@agency.gov.cn', 1, 10);
#     $lab->stop_all;                               # also when the program dies or is interrupted
#
# All strings are bytes, as mail is: a program that uses this does not say "use utf8".
# Needs root, since Postfix does. Everything is named in $lab->{…}: dir, top, build, port (by name), log files in dir/log.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname basename);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);
use Lab::Balance;
use Lab::Client;
use Lab::Desk;
use Lab::Fault;
use Lab::Mailbox;
use Lab::Miji;
use Lab::Postfix;
use Lab::Slapd;
use Lab::Tls;

our @ISA = qw(Lab::Slapd Lab::Postfix Lab::Miji Lab::Mailbox Lab::Balance Lab::Tls Lab::Fault Lab::Desk);

my $TOP = abs_path(dirname(__FILE__) . '/../..');
my $MARK = '.miji-lab';    # in a directory that is ours to empty
my %living;                # labs of this process that END has to stop

# dir: where everything lives; made, or emptied if an earlier lab was there (default: a new one below /tmp, removed at the
# end unless keep or MIJI_KEEP is set). build: the folder with bin/miji-milter (MIJI_BUILD, else .build). faults => 1: a
# Miji that crashes where it is told to, and whose clock can be moved (Lab/Fault.pm).
sub new {
    my ($class, %option) = @_;
    $> == 0 or die "the lab needs root, since Postfix does\n";
    my $self = bless {
        top => $TOP,
        build => $option{build} || $ENV{MIJI_BUILD} || "$TOP/.build",
        keep => $option{keep} || $option{dir} || $ENV{MIJI_KEEP},
        port => {},
        owner => $$,
        process => {},
    }, $class;
    $self->{dir} = _directory($option{dir});
    write_file("$self->{dir}/$MARK", "$$\n");
    make_path(map {"$self->{dir}/$_"} qw(log run etc mail));
    $living{$self} = $self;
    for my $signal (qw(INT TERM HUP PIPE)) {
        $SIG{$signal} = sub { exit 130 }
            if !$SIG{$signal} || $SIG{$signal} eq 'DEFAULT';    # so that END runs
    }
    $self->make_certificates;
    $self->prepare_faults if $option{faults};
    return $self;
}

# The lab that another process runs in a directory, for sending mail and looking at what arrived; starts and stops nothing.
sub attach {
    my ($class, $dir) = @_;
    -e "$dir/$MARK" or die "$dir is not a lab\n";
    my %port = map {split} split /^/, read_file("$dir/run/ports");
    return bless { top => $TOP, dir => abs_path($dir), port => \%port, process => {} }, $class;
}

# The users postfix and nobody have to get in, the path of a Unix socket has 107 bytes, and Postfix's settings are words:
# where the wanted directory does not give that, the lab lies below /tmp and the directory is a link to it.
sub _directory {
    my ($wanted) = @_;
    if (!$wanted) {
        my $dir = tempdir('/tmp/miji-lab-XXXXXX');
        chmod 0755, $dir;
        return $dir;
    }
    my $old = -l $wanted ? readlink $wanted : $wanted;
    if (-e "$old/$MARK") {
        _take_over($old);
    } elsif (
        -d $old && grep { !/^\.\.?$/ }
        do { opendir my $d, $old or die "$old: $!\n"; readdir $d }
        )
    {
        die "$wanted is not an earlier lab: not touched\n";
    }
    unlink $wanted if -l $wanted;
    rmdir $wanted if -d $wanted;
    make_path(dirname($wanted));
    my $dir = abs_path(dirname($wanted)) . '/' . basename($wanted);
    if (length $dir > 70 || $dir =~ m{[^\w./-]} || grep { !((stat)[2] & 01) } _parents($dir)) {
        my $real = tempdir('/tmp/miji-lab-XXXXXX');
        chmod 0755, $real;
        symlink $real, $dir or die "$dir: $!\n";
        $dir = $real;
    } else {
        mkdir $dir, 0755 or die "$dir: $!\n";
    }
    return $dir;
}

# Removes an earlier lab, and what a killed program left running in it; not one that somebody uses.
sub _take_over {
    my ($dir) = @_;
    my ($owner) = read_file("$dir/$MARK") =~ /(\d+)/;
    die "$dir is in use by process $owner\n" if $owner && (readlink("/proc/$owner/exe") // '') =~ /perl/;
    kill 'KILL', map { $_->{pid} } leftovers({ dir => abs_path($dir) });
    remove_tree($dir);
}

sub _parents {
    my ($path) = @_;
    my @parents;
    push @parents, $path while ($path = dirname($path)) ne '/';
    return @parents;
}

# --------------------------------------------------------------------------------- files, commands, ports, waiting

# A plain function: Lab::write_file(NAME, BYTES [, MODE]).
sub write_file {
    my ($name, $bytes, $mode) = @_;
    open my $file, '>', $name or die "$name: $!\n";
    print {$file} $bytes;
    close $file or die "$name: $!\n";
    chmod $mode, $name if defined $mode;
    return $name;
}

# A plain function: the bytes of a file, '' if there is none.
sub read_file {
    my ($name) = @_;
    open my $file, '<', $name or return '';
    local $/;
    return <$file> // '';
}

# A plain function: runs a command; its status, and what it said on both outputs.
sub run_command {
    my (@command) = @_;
    open my $out, "-|", "sh", "-c", q{exec "$@" 2>&1}, "sh", @command or die "$command[0]: $!\n";
    my $text = join "", <$out>;
    close $out;
    return ($? >> 8 || $? & 127, $text);
}

# A port of 127.0.0.1 that nobody uses, below those that the kernel gives to outgoing connections. The name is kept:
# $lab->{port}{NAME}.
sub free_port {
    my ($self, $name) = @_;
    return $self->{port}{$name} if $self->{port}{$name};
    for (1 .. 200) {
        my $port = 20000 + int rand 12000;
        next if grep { $_ == $port } values %{ $self->{port} };
        my $probe =
            IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1, ReuseAddr => 1);
        next if !$probe;
        close $probe;
        $self->{port}{$name} = $port;
        write_file("$self->{dir}/run/ports", join '', map {"$_ $self->{port}{$_}\n"} sort keys %{ $self->{port} });
        return $port;
    }
    die "no free port\n";
}

# Asks until the answer is true, at most so many seconds; returns the last answer.
sub wait_for {
    my ($self, $question, $seconds) = @_;
    my $deadline = time + $seconds;
    my $pause = 0.002;
    while (1) {
        my $answer = $question->();
        return $answer if $answer || time > $deadline;
        sleep $pause;
        $pause *= 1.5 if $pause < 0.05;
    }
}

# True when somebody accepts connections there: a port number or the path of a socket.
sub accepts {
    my ($self, $place) = @_;
    my $socket =
        $place =~ m{/}
        ? IO::Socket::UNIX->new(Peer => $place)
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $place, Timeout => 1);
    return defined $socket;
}

# --------------------------------------------------------------------------------------------------------- clients

# A connection to Postfix, for several messages or for odd things: Lab::Client->new.
sub open_client { my ($self, %option) = @_; return Lab::Client->new($self, %option) }

# Sends one message over a connection of its own: the options of Lab::Client's "new" and of its "transaction". Returns what
# "transaction" returns, with {tls}; when the connection fails already (greeting, XCLIENT, TLS, AUTH): {stage, reply, code, text}.
sub send {
    my ($self, %option) = @_;
    my $client = $self->open_client(%option);
    return $client->{failed} if $client->{failed};
    my $result = $client->transaction(%option);
    $result->{tls} = $client->{tls};
    $client->quit;
    return $result;
}

# ------------------------------------------------------------------------------------------------------- processes

# Does something in a process of its own, a client that waits for a reply, say; a function that waits for its end and
# returns the text that it returned. It must not stop or start anything.
sub in_background {
    my ($self, $do) = @_;
    pipe my $out, my $in or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        close $out;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        print {$in} eval { $do->() } // "died: $@";
        close $in;
        POSIX::_exit(0);
    }
    close $in;
    return sub {
        local $/;
        my $text = <$out>;
        waitpid $pid, 0;
        return $text;
    };
}

# Starts a program under a name, with both outputs in dir/log/NAME.log; returns its process id.
sub start_process {
    my ($self, $name, @command) = @_;
    die "$name runs already\n" if $self->is_running($name);
    my $log = "$self->{dir}/log/$name.log";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $log or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        exec { $command[0] } @command or do { print STDERR "$command[0]: $!\n"; POSIX::_exit(127) };
    }
    $self->{process}{$name} = { pid => $pid };
    return $pid;
}

# Collects a process that ended, so that is_running tells the truth.
sub is_running {
    my ($self, $name) = @_;
    my $process = $self->{process}{$name} or return 0;
    return 0 if defined $process->{status};
    $process->{status} = $? if waitpid($process->{pid}, WNOHANG) != 0;
    return defined $process->{status} ? 0 : 1;
}

# Waits until a started program is ready; dies with the end of its log when it ended, or is not in time.
sub wait_ready {
    my ($self, $name, $seconds, $question) = @_;
    my $ready;
    $self->wait_for(sub { ($ready = $question->()) || !$self->is_running($name) }, $seconds);
    return if $ready;
    my @log = split /^/, read_file("$self->{dir}/log/$name.log");
    splice @log, 0, @log - 20 if @log > 20;
    die "$name does not start:\n", @log;
}

sub pid_of {
    my ($self, $name) = @_;
    return $self->is_running($name) ? $self->{process}{$name}{pid} : undef;
}

sub signal_process {
    my ($self, $name, $signal) = @_;
    my $pid = $self->pid_of($name) or die "$name is not running\n";
    kill $signal, $pid or die "$name: $!\n";
}

# TERM, then KILL after so many seconds (10). Returns the wait status, undef if nothing ran.
sub stop_process {
    my ($self, $name, $seconds) = @_;
    my $process = $self->{process}{$name} or return undef;
    for my $signal (qw(TERM KILL)) {
        last if !$self->is_running($name);
        kill 'CONT', $process->{pid};
        kill $signal, $process->{pid};
        $self->wait_for(sub { !$self->is_running($name) }, $signal eq 'TERM' ? $seconds // 10 : 5);
    }
    return $process->{status};
}

# Stops everything, in the order in which mail would meet it. Says on stderr what had to be killed.
sub stop_all {
    my ($self) = @_;
    $self->stop_postfix;
    $self->stop_miji;
    $self->stop_process($_) for sort keys %{ $self->{process} };
    delete $living{$self};
    my @left = $self->leftovers;
    for my $process (@left) {
        print STDERR "lab: had to kill $process->{name} ($process->{pid})\n";
        kill 'KILL', $process->{pid};
    }
    write_file("$self->{dir}/$MARK", '');
    remove_tree($self->{dir}) if !$self->{keep};
    return !@left;
}

# Living processes that have to do with this lab: they work in it, or name it in their command line.
sub leftovers {
    my ($self) = @_;
    my @left;
    for my $proc (glob '/proc/[0-9]*') {
        my ($pid) = $proc =~ /(\d+)$/;
        next if $pid == $$ || $pid == getppid;
        my ($name, $state) = read_file("$proc/stat") =~ /\((.*)\) (\S)/s or next;
        next if $state =~ /[ZX]/;
        my $cwd = readlink("$proc/cwd") // '';
        my @arguments = split /\0/, read_file("$proc/cmdline");
        my $program = readlink("$proc/exe") // '';
        push @left, { pid => $pid, name => $name }
            if index("$cwd/", "$self->{dir}/") == 0
            || index($program, "$self->{dir}/") == 0
            || $program =~ m{/(?:slapd|perl|master)$} && grep { index($_, "$self->{dir}/") >= 0 } @arguments;
    }
    return @left;
}

END {
    my $status = $?;
    for my $lab (values %living) {
        eval { $lab->stop_all } if $lab->{owner} == $$;
        print STDERR $@ if $@;
    }
    $? = $status;
}

1;
