package Lab::Balance;

# Part of Lab: what must be true whatever a test did to Miji, read from the logs of both sides.

use strict;
use warnings;

# What does not add up, one sentence each; nothing is what a test wants to see. expected => [qr/…/, …]: complaints in the logs that
# the test provoked; one that did not come is out of balance, too.
sub imbalances {
    my ($self, %option) = @_;
    my @expected = map { { pattern => $_, seen => 0 } } @{ $option{expected} || [] };
    my @problems;
    for my $line ($self->complaints) {
        my @fitting = grep { $line =~ $_->{pattern} } @expected;
        $_->{seen} = 1 for @fitting;
        push @problems, "not expected: $line" if !@fitting;
    }
    push @problems, map { "expected, but not in the logs: $_->{pattern}" } grep { !$_->{seen} } @expected;
    return (@problems, $self->_lost_decisions);
}

# Lines of both logs that complain, and lines of Miji's that are not of its making.
sub complaints {
    my ($self) = @_;
    my @lines = grep { !/^miji-(?:milter|inspect): (?!error: |warning: )/ } $self->miji_lines(qr/./);
    push @lines,
        grep { !/^\S+ +\S+ +\S+ \S+ postfix\S*: warning: run-time library vs. compile-time/ }
        $self->log_lines(qr/ (?:warning|error|fatal|panic): /);
    chomp @lines;
    return @lines;
}

# Every message that Postfix took into its queue has exactly one line of Miji's, which says deliver; every one that it
# refused for Miji's sake has exactly one that does not.
sub _lost_decisions {
    my ($self) = @_;
    $self->wait_queue_empty(10, qw(incoming active));
    my %verdicts;
    for my $line ($self->miji_lines(qr/verdict=/)) {
        push @{ $verdicts{$1} }, $2
            if $line =~ /^miji-milter: (?:warning: )?(\w+): verdict=(\w+)/ && $1 ne 'NOQUEUE';
    }
    my (%taken, %refused);
    for my $line ($self->log_lines(qr/\]: \w+: (?:from=<.*queue active|milter-reject: END-OF-MESSAGE)/)) {
        my ($id, $what) = $line =~ /\]: (\w+): (from|milter)/;
        $what eq 'from' ? $taken{$id}++ : $refused{$id}++;
    }
    my @problems;
    for my $id (sort keys %taken) {
        my @said = @{ $verdicts{$id} || [] };
        push @problems, "Postfix took $id, of which Miji said: " . (join(', ', @said) || 'nothing')
            if "@said" ne 'deliver';
    }
    for my $id (sort keys %refused) {
        my @said = @{ $verdicts{$id} || [] };
        push @problems, "Postfix refused $id, of which Miji said: " . join ', ', @said
            if @said > 1 || "@said" =~ /deliver/;
    }
    return @problems;
}

1;
