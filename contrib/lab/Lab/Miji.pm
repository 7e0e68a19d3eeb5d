package Lab::Miji;

# Part of Lab: Miji itself, from the build under test. It runs as nobody with a state directory of its own. Its programs and
# the shipped schemes are copied into the lab first: a source tree may lie where nobody cannot read.

use strict;
use warnings;
use File::Copy qw(copy);
use File::Glob qw(bsd_glob);
use File::Path qw(make_path);

# conf: text of miji.conf, with places (see "miji_conf"); default: contrib/lab/miji.conf. arguments => […]: more of the
# command line. environment => { … }. Returns when its sockets accept connections.
sub start_miji {
    my ($self, %option) = @_;
    $self->_prepare_miji if !-d "$self->{dir}/state";
    $self->write_miji_conf($option{conf}) if defined $option{conf} || !-e $self->miji_conf_file;
    $self->{milter_sockets} = _sockets(Lab::read_file($self->miji_conf_file));
    local %ENV = (%ENV, %{ $option{environment} || {} });
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

# The socket of a running Miji in Postfix's words; '' without one. role: smtp or local.
sub milter_socket {
    my ($self, $role) = @_;
    my $path = $self->{milter_sockets}{$role} or return '';
    return "unix:$path";
}

# Writes miji.conf. Places in its text: @RUN@ (for sockets), @STATE@, @ETC@ (schemes/ is below), @TLS@ (ca.pem), and
# @LDAP@ @LDAPS@ @LDAPI@ @SLOW@ @SLOWS@ (URLs of slapd and of the slow proxy before it).
sub write_miji_conf {
    my ($self, $text) = @_;
    $text //= Lab::read_file("$self->{top}/contrib/lab/miji.conf");
    my %place = (
        RUN => "$self->{dir}/run",
        STATE => "$self->{dir}/state",
        ETC => "$self->{dir}/etc",
        TLS => "$self->{dir}/tls"
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
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    chown $uid, $gid, "$self->{dir}/state", "$self->{dir}/etc/ldap.password";
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
