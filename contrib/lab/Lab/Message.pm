package Lab::Message;

# Part of Lab: a message as it was delivered, and the making of simple ones.

use strict;
use warnings;
use MIME::Base64;

# Makes a message (bytes, lines end in LF): from, to => […], subject, body in UTF-8; label => 'X' writes
# "X-Classification: X"; fields => ['Name: value', …]; id for the Message-ID; attachments => [[NAME, BYTES], …].
sub make {
    my ($class, %option) = @_;
    my @fields = (
        "From: <$option{from}>",
        'To: ' . join(', ', map {"<$_>"} @{ $option{to} || [] }),
        'Subject: ' . encode_words($option{subject} // 'test'),
        'Date: ' . ($option{date} // 'Mon, 5 Jan 2026 09:00:00 +0800'),
        'MIME-Version: 1.0'
    );
    push @fields, "Message-ID: <$option{id}>" if $option{id};
    push @fields, 'X-Classification: ' . encode_words($option{label}) if defined $option{label};
    push @fields, @{ $option{fields} || [] };
    my @text = ('Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit');
    my $body = $option{body} // "你好\n";
    $body .= "\n" if $body !~ /\n\z/;
    my @attachments = @{ $option{attachments} || [] };
    return join("\n", @fields, @text, '', $body) if !@attachments;
    my $boundary = 'miji-lab-boundary';
    return join "\n", @fields, "Content-Type: multipart/mixed; boundary=\"$boundary\"", '', "--$boundary", @text,
        '', $body,
        (
        map { (
            "--$boundary",
            'Content-Type: application/octet-stream',
            "Content-Disposition: attachment; filename=\"$_->[0]\"",
            'Content-Transfer-Encoding: base64',
            '', encode_base64($_->[1])
        ) } @attachments
        ),
        "--$boundary--", '';
}

# A text as field value: RFC 2047 words of whole characters where it is not ASCII.
sub encode_words {
    my ($text) = @_;
    return $text if $text !~ /[^ -~]/;
    my @words = ('');
    for my $character ($text =~ /([\x00-\x7f]|[\xc0-\xff][\x80-\xbf]+)/g) {
        push @words, '' if length($words[-1]) + length($character) > 42;
        $words[-1] .= $character;
    }
    return join "\n ", map { '=?UTF-8?B?' . encode_base64($_, '') . '?=' } @words;
}

sub parse {
    my ($class, $bytes) = @_;
    my ($head, $body) = $bytes =~ /\A(.*?\n)(?:\n(.*))?\z/s;
    return bless { raw => $bytes, head => $head // $bytes, body => $body // '' }, $class;
}

# All values of a field, unfolded, its encoded words decoded.
sub fields {
    my ($self, $name) = @_;
    my @values = $self->{head} =~ /^\Q$name\E:[ \t]*(.*(?:\n[ \t].*)*)/mig;
    for (@values) {
        s/\n//g;
        s/\?=\s+=\?/?==?/g;
        s/=\?utf-8\?b\?(.*?)\?=/decode_base64($1)/gie;
    }
    return @values;
}

# The first value of a field, '' if there is none.
sub field { my ($self, $name) = @_; return ($self->fields($name))[0] // '' }

sub body { return $_[0]{body} }
sub subject { return $_[0]->field('Subject') }

# Envelope: the recipient of this copy, the sender; for copies outside also the parameters that the sink was given.
sub to { return $_[0]->field('Delivered-To') }
sub from { my ($sender) = $_[0]->field('Return-Path') =~ /<(.*)>/; return $sender // '' }

1;
