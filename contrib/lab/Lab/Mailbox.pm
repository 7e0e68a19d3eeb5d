package Lab::Mailbox;

# Part of Lab: what arrived, inside (Postfix's virtual delivery) and outside (smtp-sink) alike. Every copy lies in
# dir/mail/ADDRESS/new; addresses of the inside that the example tree does not have share dir/mail/other. The recipient is
# what the Delivered-To line says, which the deliverer puts on top.

use strict;
use warnings;
use Lab::Message;

# All messages that were delivered to an address, in the order of their arrival; of all addresses without one.
sub mailbox {
    my ($self, $address) = @_;
    my @found;
    for my $file (glob "'$self->{dir}/mail/'*/new/*") {
        my $message = Lab::Message->parse(Lab::read_file($file));
        next if defined $address && lc $message->to ne lc $address;
        $message->{file} = $file;
        push @found, [(Time::HiRes::stat($file))[9], $file, $message];
    }
    return map { $_->[2] } sort { $a->[0] <=> $b->[0] || $a->[1] cmp $b->[1] } @found;
}

# Waits until so many messages are there, at most so many seconds; returns what is there.
sub wait_mailbox {
    my ($self, $address, $count, $seconds) = @_;
    my @mails;
    $self->wait_for(sub { @mails = $self->mailbox($address); @mails >= $count }, $seconds);
    return @mails;
}

# Forgets what arrived so far.
sub empty_mailboxes {
    my ($self) = @_;
    unlink glob "'$self->{dir}/mail/'*/new/*";
}

1;
