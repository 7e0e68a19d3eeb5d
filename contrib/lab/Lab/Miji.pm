package Lab::Miji;

# Part of Lab: Miji itself, from the build under test. It runs as nobody with a state directory of its own. Its programs and
# the shipped schemes are copied into the lab first: a source tree may lie where nobody cannot read.

use strict;
use warnings;
use File::Copy qw(copy);
use File::Glob qw(bsd_glob);
use File::Path qw(make_path);

# The users of this host as whom people of the directory ask at the control socket: who asks is decided by the uid of the
# peer, so each person has the name of a user that every Debian has as a second login (a second value of uid, Lab/Slapd.pm).
our %UNIX_USER = (
    an => 'daemon', bo => 'bin', mi => 'games', ni => 'man', gu => 'lp', ra => 'news', boss => 'uucp', pa => 'proxy',
    wu => 'www-data', gao => 'backup');
my $CONTROL_GROUP = 'users';    # of the control socket in the lab's miji.conf

# conf: text of miji.conf, with places (see "write_miji_conf"); default: contrib/lab/miji.conf. review => 1: with what is in
# contrib/lab/review.conf behind it, and conflicts of labels held. arguments => […]: more of the command line.
# environment => { … }. Returns when its sockets accept connections.
sub start_miji {
    my ($self, %option) = @_;
    $self->_prepare_miji if !-d "$self->{dir}/state";
    $self->write_miji_conf($option{review} ? $self->review_conf($option{conf}) : $option{conf})
        if defined $option{conf} || $option{review} || !-e $self->miji_conf_file;
    $self->{milter_sockets} = _sockets(Lab::read_file($self->miji_conf_file));
    # Whose queue and log Miji's supervisor looks into.
    local %ENV = (
        %ENV,
        MAIL_CONFIG => "$self->{dir}/postfix/config",
        %{ $self->{fault_environment} || {} },
        $option{disk_spy} ? $self->spy_environment($option{disk_spy}) : (),
        %{ $option{environment} || {} });
    $self->start_process(
        'miji', "$self->{dir}/bin/miji-milter",
        -c => $self->miji_conf_file,
        '-f', @{ $option{arguments} || [] });
    my @sockets = values %{ $self->{milter_sockets} };
    $self->wait_ready(
        'miji', 20,
        sub {
            !grep { !$self->accepts($_) } @sockets;
        });
}

# TERM: drains and stops; returns the wait status, undef if it did not run. A sanitizer's report in its log comes out on
# stderr, where tests/run finds it.
sub stop_miji {
    my ($self, $seconds) = @_;
    my $status = $self->stop_process('miji', $seconds // 30);
    for my $line ($self->miji_lines(qr/Sanitizer|runtime error:/)) {
        print STDERR "miji: $line";
    }
    return $status;
}

# KILL to all of its processes at once, as when the host loses its power; a later start_miji finds what it left.
sub kill_miji {
    my ($self) = @_;
    my @pids = map { $_->{pid} } $self->miji_processes;
    kill 'KILL', @pids;
    $self->wait_for(sub { !$self->is_running('miji') && !grep { kill 0, $_ } @pids }, 10)
        or die "miji survives KILL\n";
}

# HUP: reads its configuration again; conf as for start_miji.
sub reload_miji {
    my ($self, $conf) = @_;
    $self->write_miji_conf($conf) if defined $conf;
    $self->signal_process('miji', 'HUP');
}

# Runs the command line tool `miji` of the build; returns status and output (both outputs).
sub miji {
    my ($self, @arguments) = @_;
    $self->_prepare_miji if !-d "$self->{dir}/state";
    return Lab::run_command("$self->{dir}/bin/miji", @arguments);
}

# The same as a person of the directory (an, bo, …), or as root without one: asks the running Miji. Status and output.
sub miji_as {
    my ($self, $person, @arguments) = @_;
    my @command = ("$self->{dir}/bin/miji", '-c', $self->miji_conf_file, @arguments);
    return Lab::run_command(@command) if !defined $person;
    my ($uid, $gid) = ((getpwnam $UNIX_USER{$person})[2], scalar getgrnam $CONTROL_GROUP);
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        $) = "$gid $gid";
        POSIX::setgid($gid);
        POSIX::setuid($uid);
        exec { $command[0] } @command or do { print "$command[0]: $!\n"; POSIX::_exit(127) };
    }
    my $text = join '', <$out>;
    close $out;
    return ($? >> 8 || $? & 127, $text);
}

# Lines of Miji's log that fit.
sub miji_lines {
    my ($self, $pattern) = @_;
    return grep { $_ =~ $pattern } split /^/, Lab::read_file("$self->{dir}/log/miji.log");
}

# All processes of the running Miji: the supervisor and its children, with their names, as { pid, name, parent }.
sub miji_processes {
    my ($self) = @_;
    my $root = $self->pid_of('miji') or return;
    my %all;
    for my $file (glob '/proc/[0-9]*/stat') {
        my ($pid, $name, $parent) = Lab::read_file($file) =~ /^(\d+) \((.*)\) \S (\d+)/s or next;
        $all{$pid} = { pid => $pid, name => $name, parent => $parent };
    }
    my @tree = $all{$root} || ();
    for (my $i = 0; $i < @tree; $i++) {
        push @tree, grep { $_->{parent} == $tree[$i]{pid} } map { $all{$_} } sort { $a <=> $b } keys %all;
    }
    return @tree;
}

sub miji_conf_file { my ($self) = @_; return "$self->{dir}/etc/miji.conf" }

# The socket of a running Miji in Postfix's words; '' without one. role: smtp, local or release.
sub milter_socket {
    my ($self, $role) = @_;
    my $path = $self->{milter_sockets}{$role} or return '';
    return "unix:$path";
}

# A configuration that keeps and reviews mail: the text (default: contrib/lab/miji.conf) and contrib/lab/review.conf.
sub review_conf {
    my ($self, $text) = @_;
    $text //= Lab::read_file("$self->{top}/contrib/lab/miji.conf");
    $text =~ s/^label conflict\s+refuse$/label conflict      hold in "labels"/m;
    return "$text\n" . Lab::read_file("$self->{top}/contrib/lab/review.conf");
}

# Writes miji.conf. Places in its text: @RUN@ (for sockets), @STATE@, @ETC@ (schemes/ is below, store.key too), @TLS@
# (ca.pem), @RELEASE@ (port of Postfix's release listener), and @LDAP@ @LDAPS@ @LDAPI@ @SLOW@ @SLOWS@ (URLs of slapd and of
# the slow proxy before it).
sub write_miji_conf {
    my ($self, $text) = @_;
    $text //= Lab::read_file("$self->{top}/contrib/lab/miji.conf");
    my %place = (
        RUN => "$self->{dir}/run",
        STATE => "$self->{dir}/state",
        ETC => "$self->{dir}/etc",
        TLS => "$self->{dir}/tls",
        RELEASE => $self->free_port('release')
    );
    if ($self->{port}{ldap}) {
        $place{ uc $_ } = $self->ldap_url($_) for qw(ldap ldaps ldapi slow slows);
    }
    $text =~ s/\@([A-Z]+)\@/exists $place{$1} ? $place{$1} : die "miji.conf: no place \@$1\@ here\n"/ge;
    return Lab::write_file($self->miji_conf_file, $text);
}

sub _prepare_miji {
    my ($self) = @_;
    make_path("$self->{dir}/bin", "$self->{dir}/etc/schemes", "$self->{dir}/state");
    for my $program (qw(miji-milter miji-inspect miji)) {
        next if !-e "$self->{build}/bin/$program";
        copy("$self->{build}/bin/$program", "$self->{dir}/bin/$program") or die "$program: $!\n";
        chmod 0755, "$self->{dir}/bin/$program";
    }
    for my $scheme (bsd_glob "\Q$self->{top}\E/policy/schemes/*.scheme") {
        copy($scheme, "$self->{dir}/etc/schemes/") or die "$scheme: $!\n";
    }
    Lab::write_file("$self->{dir}/etc/ldap.password", $self->password('miji') . "\n", 0600);
    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read $random, my $key, 32;
    Lab::write_file("$self->{dir}/etc/store.key", $key, 0400);
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    chown $uid, $gid, "$self->{dir}/state", map {"$self->{dir}/etc/$_"} qw(ldap.password store.key);
    chmod 0700, "$self->{dir}/state";
}

# The Unix sockets that the text says to listen at, by role.
sub _sockets {
    my ($text) = @_;
    my %socket;
    $socket{ $2 // 'smtp' } = $1 while $text =~ /^\s*listen\s+"unix:([^"]+)"(?:.*?\brole\s+(\w+))?/mg;
    return \%socket;
}

1;
