package Lab::Desk;

# Part of Lab: what is held, as a reviewer sees it, and what people were told (start_miji(review => 1)).

use strict;
use warnings;
use JSON::PP qw(decode_json);
use MIME::Base64;

# What gao sees in `miji held`, with its options (--all), as `--json` has it.
sub holds {
    my ($self, @options) = @_;
    my ($status, $text) = $self->miji_as('gao', 'held', '--json', @options);
    die "miji held: $text" if $status;
    return @{ decode_json($text)->{holds} };
}

# How many wait. For this nobody has to be asked who may know it: it works without a directory.
sub holds_open {
    my ($self) = @_;
    my ($status, $text) = $self->miji_as(undef, 'status', '--json');
    die "miji status: $text" if $status;
    return decode_json($text)->{store}{holds_open};
}

# Miji's notices in a mailbox; in all without an address. Reports of Postfix are none.
sub notices {
    my ($self, $address) = @_;
    return grep { $_->field('Auto-Submitted') eq 'auto-generated' } $self->mailbox($address);
}

# Everything that a person reads in a notice.
sub notice_text {
    my ($self, $notice) = @_;
    my $body = $notice->body;
    $body =~ s/^((?:[A-Za-z0-9+\/=]{1,76}\n)+)/decode_base64($1)/gme;
    return $body =~ s/\r//gr;
}

1;
