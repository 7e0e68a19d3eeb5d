package Lab::Tls;

# Part of Lab: a certification authority, and certificates for the servers and for people. In dir/tls:
#   ca.pem                 the authority
#   server.pem, .key       127.0.0.1 and localhost, for slapd and Postfix
#   an bo mi               people; the CN is their uid
#   p                      the partner's mail server, CN mx.ministry.gov.cn
#   stranger               CN an, but of an authority that nobody here trusts

use strict;
use warnings;

my %ISSUED = (
    server => [ca       => '/CN=mail.agency.gov.cn', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:mail.agency.gov.cn'],
    an     => [ca       => '/CN=an'],
    bo     => [ca       => '/CN=bo'],
    mi     => [ca       => '/CN=mi'],
    p      => [ca       => '/CN=mx.ministry.gov.cn'],
    stranger => [other  => '/CN=an'],
);

sub make_certificates {
    my ($self) = @_;
    my $dir = "$self->{dir}/tls";
    mkdir $dir;
    _openssl($dir, 'ca',    '/CN=Miji lab CA');
    _openssl($dir, 'other', '/CN=Somebody else');
    for my $name (sort keys %ISSUED) {
        my ($issuer, $subject, $extension) = @{ $ISSUED{$name} };
        _openssl($dir, $name, $subject, '-CA', "$dir/$issuer.pem", '-CAkey', "$dir/$issuer.key",
            '-addext', 'basicConstraints=critical,CA:FALSE', $extension ? ('-addext', $extension) : ());
    }
    chmod 0644, glob "$dir/*.pem";
}

# Paths of a certificate and its key.
sub certificate {
    my ($self, $name) = @_;
    return ("$self->{dir}/tls/$name.pem", "$self->{dir}/tls/$name.key");
}

sub _openssl {
    my ($dir, $name, $subject, @more) = @_;
    my @command = (qw(openssl req -x509 -batch -nodes -days 7 -newkey ec -pkeyopt ec_paramgen_curve:P-256),
        '-subj', $subject, '-keyout', "$dir/$name.key", '-out', "$dir/$name.pem", @more);
    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die "openssl: $!\n";
    my $text = join '', <$out>;
    close $out or die "openssl $subject: $text";
}

1;
