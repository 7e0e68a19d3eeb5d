package Lab::Agency;

# Part of Lab: the people of ldap-schema/example.ldif, the levels of cn.scheme, and the places from which one sends in the
# lab's miji.conf. Plain functions, exported.
#
# A place is a list of options for Lab::Client: $lab->send(at_office('bo'), to => [address('an')], label => '机密').

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(@LEVELS @FIVE %CLEARANCE %ASCII_LEVEL rank address may_see
    at_office with_certificate travelling from_partner from_internet);

our @LEVELS = qw(公开 内部 秘密 机密 绝密);    # from low to high
our @FIVE = qw(an bo mi ni gu);      # one for each level, from high to low
our %CLEARANCE = (
    an => '绝密',
    bo => '机密',
    mi => '秘密',
    ni => '内部',
    gu => '公开',
    ra => '机密',
    boss => '机密',
    pa => '秘密',
    wu => '公开'
);

# How a level is called in SMTP replies: by its first ASCII name.
our %ASCII_LEVEL =
    ('公开' => 'public', '内部' => 'internal', '秘密' => 'confidential', '机密' => 'secret', '绝密' => 'top-secret');

my %rank = map { $LEVELS[$_] => $_ } 0 .. $#LEVELS;

sub rank { my ($level) = @_; return $rank{$level} }
sub address { my ($name) = @_; return "$name\@agency.gov.cn" }
sub may_see { my ($name, $level) = @_; return $rank{ $CLEARANCE{$name} } >= $rank{$level} }

# The zone "office": a login, or a client certificate in its place (an, bo and mi have one).
sub at_office { my ($name) = @_; return (from => address($name), client => '10.0.0.5', login => $name) }
sub with_certificate { my ($name) = @_; return (from => address($name), client => '10.0.0.5', cert => $name) }

# The zone "travellers": login, TLS and certificate from the internet.
sub travelling {
    my ($name) = @_;
    return (from => address($name), client => '203.0.113.9', login => $name, cert => $name);
}

# The zone "partner ministry": its mail server shows its certificate.
sub from_partner {
    return (
        from => 'p@ministry.gov.cn',
        client => '198.51.100.7',
        client_name => 'mx.ministry.gov.cn',
        cert => 'p'
    );
}

# The zone "internet".
sub from_internet {
    return (from => 'x@example.net', client => '192.0.2.25', client_name => 'mx.example.net');
}

1;
