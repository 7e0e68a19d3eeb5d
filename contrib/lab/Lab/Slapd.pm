package Lab::Slapd;

# Part of Lab: a slapd with the schema, the access rules and the example tree of ldap-schema/, and a proxy before it
# that can be slow. Passwords: NAME-secret for people by uid and for the accounts miji and admin below ou=services.

use strict;
use warnings;
use File::Copy qw(copy);
use MIME::Base64;
use Lab::Tls;

our $BASE = 'dc=agency,dc=gov,dc=cn';
my $ROOT_DN = 'gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth';    # root over ldapi

# form: 'conf' (slapd.conf, miji.schema, access.conf) or 'config' (cn=config, miji.ldif, access.ldif, loaded while it
# runs, as an administrator does it). ldif: more entries. After stop_slapd the same data is there again.
# Then: ldap_url('ldap' | 'ldaps' | 'ldapi' | 'slow' | 'slows').
sub start_slapd {
    my ($self, %option) = @_;
    my $dir = "$self->{dir}/slapd";
    my $form = $self->{slapd_form} = $option{form} || $self->{slapd_form} || 'conf';
    $self->free_port($_) for qw(ldap ldaps slow slows);
    my $fresh = !-d $dir;
    if ($fresh) {
        mkdir $_, 0700 for $dir, "$dir/db", "$dir/config";
        Lab::write_file("$dir/tree.ldif", $self->_tree . ($option{ldif} ? "\n$option{ldif}" : ''));
        $form eq 'conf' ? $self->_prepare_conf : $self->_prepare_config;
    }
    $self->start_process('slapd', '/usr/sbin/slapd', '-d', 'stats',
        $form eq 'conf' ? ('-f', "$dir/slapd.conf") : ('-F', "$dir/config"),
        '-h', join ' ', map { $self->ldap_url($_) } qw(ldap ldaps ldapi));
    $self->wait_ready('slapd', 15, sub { $self->accepts($self->{port}{ldaps}) && $self->accepts("$dir/ldapi") });
    if ($fresh && $form eq 'config') {
        $self->_ldap_tool('ldapadd', -f => "$self->{top}/ldap-schema/miji.ldif");
        $self->_ldap_tool('ldapmodify', -f => "$self->{top}/ldap-schema/access.ldif");
        $self->_ldap_tool('ldapadd', -f => "$dir/tree.ldif");
    }
    $self->_start_proxies;
}

sub stop_slapd { my ($self) = @_; return $self->stop_process('slapd') }

# Stopped by a signal: it still accepts connections, and answers nothing.
sub freeze_slapd { my ($self) = @_; $self->signal_process('slapd', 'STOP') }
sub thaw_slapd { my ($self) = @_; $self->signal_process('slapd', 'CONT') }

# Every answer through ldap_url('slow') and ldap_url('slows') comes so many milliseconds later; 0: at once.
sub slow_slapd { my ($self, $delay_ms) = @_; Lab::write_file("$self->{dir}/run/ldap-delay", "$delay_ms\n") }

sub ldap_url {
    my ($self, $kind) = @_;
    return 'ldapi://' . join '', map { m{[\w.-]} ? $_ : sprintf '%%%02x', ord } split //, "$self->{dir}/slapd/ldapi"
        if $kind eq 'ldapi';
    return ($kind =~ /s$/ ? 'ldaps' : 'ldap') . "://127.0.0.1:$self->{port}{$kind}";
}

# The DN and the password of an account: miji, admin, or the uid of a person.
sub account_dn {
    my ($self, $name) = @_;
    return "cn=$name,ou=services,$BASE" if $name =~ /^(?:miji|admin)$/;
    my ($dn) = $self->ldap_search(filter => "(uid=$name)", attributes => ['1.1']) =~ /^dn: (.*)$/m
        or die "no $name in the directory\n";
    return $dn;
}
sub password { my ($self, $name) = @_; return "$name-secret" }

# Changes the directory with LDIF ("changetype: …"), as root.
sub ldap_modify {
    my ($self, $ldif) = @_;
    $self->_ldap_tool('ldapmodify', -f => Lab::write_file("$self->{dir}/run/change.ldif", $ldif));
}

# Other clearances for somebody (uid), none without values.
sub set_clearance {
    my ($self, $uid, @values) = @_;
    my $dn = encode_base64($self->account_dn($uid), '');
    $self->ldap_modify("dn:: $dn\nchangetype: modify\nreplace: mijiClearance\n"
            . join('', map { 'mijiClearance:: ' . encode_base64($_, '') . "\n" } @values));
}

# LDIF of what the account as => NAME finds (default: root, who sees everything); values in clear, lines not folded.
# url (ldapi), base, scope, filter, attributes => […]; with fail => 1 an error is returned, "ldap: TEXT", instead of raised.
sub ldap_search {
    my ($self, %option) = @_;
    my @who =
        $option{as}
        ? ('-x', -D => $self->account_dn($option{as}), -w => $self->password($option{as}))
        : qw(-Q -Y EXTERNAL);
    local $ENV{LDAPTLS_CACERT} = $option{ca} || "$self->{dir}/tls/ca.pem";
    local $ENV{LDAPTLS_REQCERT} = 'demand';
    my ($status, $text) = Lab::run_command(
        'ldapsearch', '-LLL',
        -o => 'ldif-wrap=no',
        -o => 'nettimeout=5',
        @who,
        -H => $option{url} || $self->ldap_url('ldapi'),
        -b => $option{base} || $BASE,
        -s => $option{scope} || 'sub',
        $option{filter} || '(objectClass=*)', @{ $option{attributes} || [] });
    if ($status) { return "ldap: $text" if $option{fail}; die "ldapsearch: $text" }
    $text =~ s/^([\w;-]+):: (\S+)$/"$1: " . decode_base64($2)/gme;
    return $text;
}

# How many searches slapd was asked, by a regular expression over its log line; all without one.
sub slapd_searches {
    my ($self, $which) = @_;
    $which //= qr//;
    return scalar grep { /SRCH base=/ && $_ =~ $which } split /^/, Lab::read_file("$self->{dir}/log/slapd.log");
}

sub _tree {
    my ($self) = @_;
    my $ldif = Lab::read_file("$self->{top}/ldap-schema/example.ldif") or die "no ldap-schema/example.ldif\n";
    $ldif =~ s/^(uid: (\w+))$/"$1\n" . _unix_login($2) . 'userPassword: ' . $self->password($2)/meg;
    $ldif =~
        s/^(objectClass: applicationProcess\n)(cn: (\w+))$/$1objectClass: simpleSecurityObject\n$2\nuserPassword: @{[ $self->password($3) ]}/mg;
    return $ldif;
}

# The user of this host as whom a person asks Miji (Lab/Miji.pm).
sub _unix_login {
    my ($name) = @_;
    my $user = $Lab::Miji::UNIX_USER{$name} or return '';
    return "uid: $user\n";
}

sub _prepare_conf {
    my ($self) = @_;
    my $dir = "$self->{dir}/slapd";
    # Copies: slapd.conf takes names as words, and the source may lie anywhere.
    for my $file (qw(miji.schema access.conf)) {
        copy("$self->{top}/ldap-schema/$file", "$dir/$file") or die "$file: $!\n";
    }
    Lab::write_file("$dir/slapd.conf", <<"END");
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include $dir/miji.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $dir/slapd.pid
TLSCACertificateFile $self->{dir}/tls/ca.pem
TLSCertificateFile $self->{dir}/tls/server.pem
TLSCertificateKeyFile $self->{dir}/tls/server.key
database mdb
suffix $BASE
rootdn "$ROOT_DN"
directory $dir/db
dbnosync
index objectClass,uid,mail,member eq
include $dir/access.conf
END
    my ($status, $text) =
        Lab::run_command('/usr/sbin/slapadd', '-q', -f => "$dir/slapd.conf", -l => "$dir/tree.ldif");
    die "slapadd: $text" if $status;
}

sub _prepare_config {
    my ($self) = @_;
    my $dir = "$self->{dir}/slapd";
    Lab::write_file("$dir/config.ldif", <<"END");
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: $dir/slapd.pid
olcTLSCACertificateFile: $self->{dir}/tls/ca.pem
olcTLSCertificateFile: $self->{dir}/tls/server.pem
olcTLSCertificateKeyFile: $self->{dir}/tls/server.key

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcAccess: {0}to * by dn.exact=$ROOT_DN manage by * none

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: $BASE
olcRootDN: $ROOT_DN
olcDbDirectory: $dir/db
olcDbNoSync: TRUE
olcDbIndex: objectClass,uid,mail,member eq
END
    my ($status, $text) =
        Lab::run_command('/usr/sbin/slapadd', -n => 0, -F => "$dir/config", -l => "$dir/config.ldif");
    die "slapadd: $text" if $status;
}

sub _start_proxies {
    my ($self) = @_;
    return if $self->is_running('slow-proxy');
    $self->slow_slapd(0);
    $self->start_process('slow-proxy', $^X, "$self->{top}/contrib/lab/slow-proxy",
        "$self->{dir}/run/ldap-delay", map { $self->{port}{$_} } qw(slow ldap slows ldaps));
    $self->wait_ready('slow-proxy', 10, sub { $self->accepts($self->{port}{slows}) });
}

sub _ldap_tool {
    my ($self, $tool, @arguments) = @_;
    my ($status, $text) = Lab::run_command($tool, qw(-Q -Y EXTERNAL), -H => $self->ldap_url('ldapi'), @arguments);
    die "$tool: $text" if $status;
}

1;
