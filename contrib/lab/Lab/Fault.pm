package Lab::Fault;

# Part of Lab: a Miji that dies, or fails, at a place of its code (milter/conf/fault.h), and whose clock can be moved
# (milter/conf/clock.h). Only for a lab with faults => 1: its programs are those of VARIANT=fault, or of another variant
# that is for tests only.

use strict;
use warnings;

# Called by Lab->new.
sub prepare_faults {
    my ($self) = @_;
    $self->{build} = "$self->{build}/fault" if -d "$self->{build}/fault/bin";
    my $dir = "$self->{dir}/fault";
    mkdir $dir, 0700 or die "$dir: $!\n";
    chown((getpwnam 'nobody')[2, 3], $dir);    # Miji takes away the line that acts
    $self->{clock_ms} = 0;
    $self->{fault_environment} = { MIJI_FAULT => "$dir/plan", MIJI_CLOCK => "$dir/clock" };
}

sub spy_environment {
    my ($self, $spy) = @_;
    return (
        LD_PRELOAD => $spy,
        ASAN_OPTIONS => join(':', grep {defined} $ENV{ASAN_OPTIONS}, 'verify_asan_link_order=0'),
        MIJI_DISK_FOLDER => "$self->{dir}/state",
        MIJI_DISK_FAULT => "$self->{dir}/fault/disk"
    );
}

# Miji's calls that change its state fail with this error (ENOSPC, EIO, EROFS), until this is called without one. For a Miji
# that was started with disk_spy => the path of disk_spy.so (tests/support/preload/disk_spy.h).
sub fail_disk {
    my ($self, $error) = @_;
    my $file = "$self->{dir}/fault/disk";
    return unlink $file if !defined $error;
    Lab::write_file("$file.new", "$error\n", 0644);
    rename "$file.new", $file or die "$file: $!\n";
}

# The plan, lines as milter/conf/fault.h has them; without any, nothing happens any more.
sub plan_faults {
    my ($self, @lines) = @_;
    my $plan = "$self->{dir}/fault/plan";
    if (@lines) {
        Lab::write_file("$plan.new", join '', map {"$_\n"} @lines);
        chmod 0644, "$plan.new";
        rename "$plan.new", $plan or die "$plan: $!\n";
    } else {
        unlink $plan;
    }
}

# Lines of the plan that have not acted yet.
sub faults_left {
    my ($self) = @_;
    return split /\n/, Lab::read_file("$self->{dir}/fault/plan");
}

# Names of the places that were passed since "record" was planned, in order; forgets them.
sub recorded_faults {
    my ($self) = @_;
    my $file = "$self->{dir}/fault/plan.visited";
    my @names = split /\n/, Lab::read_file($file);
    unlink $file;
    return @names;
}

# Miji's clocks go so much ahead; back (less than nothing) only when its daemon starts anew.
sub advance_clock {
    my ($self, $seconds) = @_;
    $self->{clock_ms} += 1000 * $seconds;
    my $clock = "$self->{dir}/fault/clock";
    Lab::write_file("$clock.new", "$self->{clock_ms}\n", 0644);
    rename "$clock.new", $clock or die "$clock: $!\n";
}

1;
