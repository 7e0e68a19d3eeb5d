package Lab::Postfix;

# Part of Lab: a Postfix of our own. Configuration, queue, data and log are in dir/postfix; the programs are the package's.
#   port smtp        what the world sees; XCLIENT from loopback, so that tests play other clients
#   port submission  with SASL (sasldb: NAME-secret for the people of the example tree, realm agency.gov.cn)
#   both             STARTTLS, client certificates of the lab's authority are asked for
#   port release     where Miji hands over what it releases and its notices: only if Miji has a release socket
#   agency.gov.cn    inside: one Maildir for each recipient, dir/mail/ADDRESS (Lab/Mailbox.pm)
#   everything else  outside: goes to smtp-sink, into dir/mail as well

use strict;
use warnings;

our @PEOPLE = qw(an bo mi ni gu ra boss pa wu gao);

# smtp_milters, local_milters, release_milters: what smtpd_milters, non_smtpd_milters and smtpd_milters of the release listener
# say (default: the sockets of a running Miji, else none; no release_milters, no listener). main => { NAME => VALUE }: more for
# main.cf. chroot => 1: the milters' clients, smtpd and cleanup, in the chroot of the queue, as Debian has them (the sasldb is
# not there: no logins). After stop_postfix the queue is still there.
sub start_postfix {
    my ($self, %option) = @_;
    my $dir = "$self->{dir}/postfix";
    $self->free_port($_) for qw(smtp submission release sink);
    $self->_prepare_postfix if !-d $dir;
    my %milters = ((map { ("${_}_milters" => $self->milter_socket($_)) } qw(smtp local release)), %option);
    Lab::write_file("$dir/config/main.cf", $self->_main_cf(\%milters));
    $self->{services} = $self->_master_cf($option{chroot} ? 'y' : 'n');
    $self->{release_service} = $self->_release_service($milters{release_milters});
    Lab::write_file("$dir/config/master.cf", $self->{services} . $self->{release_service});
    if (!$self->is_running('smtp-sink')) {
        $self->start_process(
            'smtp-sink', $^X,
            "$self->{top}/contrib/lab/smtp-sink",
            $self->{port}{sink},
            "$self->{dir}/mail"
        );
        $self->wait_ready('smtp-sink', 10, sub { $self->accepts($self->{port}{sink}) });
    }
    my ($status, $text) = Lab::run_command('/usr/sbin/postfix', -c => "$dir/config", 'start');
    $status == 0 && $self->wait_for(sub { $self->accepts($self->{port}{submission}) }, 10)
        or die "Postfix does not start: $text", Lab::read_file($self->maillog);
}

# Tells a running Postfix new settings of main.cf: NAME => VALUE, …
sub reload_postfix {
    my ($self, %setting) = @_;
    my $dir = "$self->{dir}/postfix/config";
    Lab::run_command('/usr/sbin/postconf', -c => $dir, map {"$_=$setting{$_}"} sort keys %setting) if %setting;
    my ($status, $text) = Lab::run_command('/usr/sbin/postfix', -c => $dir, 'reload');
    die "postfix reload: $text" if $status;
}

# Takes the release listener away from a running Postfix, or gives it back; returns when that is so.
sub set_release_listener {
    my ($self, $there) = @_;
    Lab::write_file("$self->{dir}/postfix/config/master.cf",
        $self->{services} . ($there ? $self->{release_service} : ''));
    $self->reload_postfix;
    $self->wait_for(sub { !!$self->accepts($self->{port}{release}) == !!$there }, 10)
        or die "the release listener does not obey\n";
}

# True if it ran and has ended.
sub stop_postfix {
    my ($self) = @_;
    my ($master) = Lab::read_file("$self->{dir}/postfix/spool/pid/master.pid") =~ /(\d+)/ or return 0;
    # A pid file outlives its process: only what works in our queue is our master.
    my $spool = "$self->{dir}/postfix/spool";
    my $works_here = sub { (readlink("/proc/$_[0]/cwd") // '') eq $spool };
    return 0 if !$works_here->($master);
    kill 'TERM', $master;    # it ends its children, too
    my @alive;
    my $look = sub {
        @alive = grep { $works_here->($_) } map {m{/proc/(\d+)}} glob '/proc/[0-9]*';
        return !@alive;
    };
    $self->wait_for($look, 10) or kill 'KILL', @alive;
    return $self->wait_for($look, 5);
}

sub is_postfix_running {
    my ($self) = @_;
    return grep { (readlink("$_/cwd") // '') eq "$self->{dir}/postfix/spool" } glob '/proc/[0-9]*';
}

# One more login, NAME-secret, which the directory need not know.
sub add_login {
    my ($self, $name) = @_;
    open my $in, '|-', 'saslpasswd2', '-p', '-c',
        -f => "$self->{dir}/postfix/sasldb",
        -u => 'agency.gov.cn',
        $name
        or die "saslpasswd2: $!\n";
    print {$in} $self->password($name);
    close $in or die "saslpasswd2 failed for $name\n";
}

# A mail of a program on this host, through sendmail(1): from, to => […], data. Returns its exit status, and what it said.
sub sendmail {
    my ($self, %option) = @_;
    my $file = Lab::write_file("$self->{dir}/run/sendmail.eml", $option{data});
    my @command = (
        '/usr/sbin/sendmail',
        -C => "$self->{dir}/postfix/config",
        '-oi',
        -f => $option{from},
        '--', @{ $option{to} });
    return Lab::run_command('sh', '-c', 'in=$1; shift; exec "$@" <"$in"', 'sh', $file, @command);
}

# Queue files, by queue: maildrop (sent by sendmail(1), not yet taken), incoming, active, deferred, hold.
sub queue {
    my ($self, @queues) = @_;
    @queues = qw(maildrop incoming active deferred hold) if !@queues;
    return map { glob "'$self->{dir}/postfix/spool/'$_/*" } @queues;
}

# True when everything was delivered, bounced or put off, in so many seconds. Of put off mail "queue('deferred')" knows. Other
# queues than maildrop, incoming and active can be named.
sub wait_queue_empty {
    my ($self, $seconds, @queues) = @_;
    @queues = qw(maildrop incoming active) if !@queues;
    return $self->wait_for(sub { !$self->queue(@queues) }, $seconds);
}

# Tries put off mail again, now.
sub flush_queue {
    my ($self) = @_;
    Lab::run_command('/usr/sbin/postqueue', -c => "$self->{dir}/postfix/config", '-f');
}

sub maillog { my ($self) = @_; return "$self->{dir}/postfix/mail.log" }

# Lines of Postfix's log that fit.
sub log_lines {
    my ($self, $pattern) = @_;
    return grep { $_ =~ $pattern } split /^/, Lab::read_file($self->maillog);
}

# The same, waiting for the first at most so many seconds (5): Postfix writes its log through a process of its own, so that a
# line may come after the reply that it tells of.
sub wait_log {
    my ($self, $pattern, $seconds) = @_;
    my @lines;
    $self->wait_for(sub { @lines = $self->log_lines($pattern) }, $seconds // 5);
    return @lines;
}

sub _prepare_postfix {
    my ($self) = @_;
    my $dir = "$self->{dir}/postfix";
    my ($uid, $gid) = (getpwnam 'postfix')[2, 3] or die "no user postfix: make deps\n";
    mkdir $_, 0755 or die "$_: $!\n" for $dir, map {"$dir/$_"} qw(config config/sasl spool data);
    chown $uid, $gid, "$dir/data";
    chmod 0700, "$dir/data";
    my ($mail_uid, $mail_gid) = (getpwnam 'nobody')[2, 3];
    chown $mail_uid, $mail_gid, "$self->{dir}/mail";
    my @inside = map {"$_\@agency.gov.cn"} @PEOPLE, 'li';
    Lab::write_file("$dir/config/mailboxes", join '', (map {"$_ $_/\n"} @inside), "\@agency.gov.cn other/\n");
    # Debian's Cyrus SASL reads this place whatever Postfix says.
    Lab::write_file("$dir/config/sasl/smtpd.conf",
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: $dir/sasldb\n");
    $self->add_login($_) for @PEOPLE;
    chown $uid, $gid, "$dir/sasldb";
}

sub _main_cf {
    my ($self, $option) = @_;
    my $dir = "$self->{dir}/postfix";
    my ($mail_uid, $mail_gid) = (getpwnam 'nobody')[2, 3];
    my $text = <<"END";
compatibility_level = 3.6
queue_directory = $dir/spool
data_directory = $dir/data
maillog_file = $dir/mail.log
maillog_file_prefixes = $dir
hash_queue_names = defer
enable_long_queue_ids = yes
inet_interfaces = 127.0.0.1
inet_protocols = all
myhostname = mail.agency.gov.cn
mydomain = agency.gov.cn
myorigin = agency.gov.cn
mydestination =
mynetworks = 127.0.0.0/8 10.0.0.0/8
alias_maps =
local_recipient_maps =
biff = no

# inside
virtual_mailbox_domains = agency.gov.cn
virtual_mailbox_base = $self->{dir}/mail
virtual_mailbox_maps = texthash:$dir/config/mailboxes
virtual_uid_maps = static:$mail_uid
virtual_gid_maps = static:$mail_gid
# outside
relayhost = [127.0.0.1]:$self->{port}{sink}
smtp_line_length_limit = 0

# clients
local_header_rewrite_clients =
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_local_domain = agency.gov.cn
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = may
smtpd_tls_cert_file = $self->{dir}/tls/server.pem
smtpd_tls_key_file = $self->{dir}/tls/server.key
smtpd_tls_CAfile = $self->{dir}/tls/ca.pem
smtpd_tls_ask_ccert = yes
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtpd_forbid_bare_newline = normalize
smtpd_forbid_bare_newline_exclusions =
smtpd_error_sleep_time = 0s
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s

# Miji
smtpd_milters = $option->{smtp_milters}
non_smtpd_milters = $option->{local_milters}
milter_default_action = tempfail
milter_protocol = 6
END
    # The last one counts, and a warning about an overridden setting would look like trouble.
    my %more = %{ $option->{main} || {} };
    for my $name (sort keys %more) {
        $text =~ s/^\Q$name\E = .*\n//m;
        $text .= "$name = $more{$name}\n";
    }
    return $text;
}

# The listener of contrib/postfix/master.cf.example: no milter but the release socket, nobody but this host, nothing rewritten.
sub _release_service {
    my ($self, $milters) = @_;
    return '' if $milters eq '';
    return <<"END";
127.0.0.1:$self->{port}{release} inet n - n - - smtpd
    -o syslog_name=postfix/release
    -o smtpd_milters=$milters
    -o milter_default_action=tempfail
    -o mynetworks=127.0.0.0/8
    -o smtpd_relay_restrictions=permit_mynetworks,reject
    -o smtpd_client_restrictions=
    -o smtpd_helo_restrictions=
    -o smtpd_sender_restrictions=
    -o smtpd_recipient_restrictions=
    -o smtpd_data_restrictions=
    -o smtpd_end_of_data_restrictions=
    -o smtpd_authorized_xclient_hosts=
    -o smtpd_tls_security_level=none
    -o local_header_rewrite_clients=
    -o receive_override_options=no_header_body_checks
END
}

sub _master_cf {
    my ($self, $chroot) = @_;
    my $text = <<"END";
127.0.0.1:$self->{port}{smtp} inet n - $chroot - - smtpd
127.0.0.1:$self->{port}{submission} inet n - $chroot - - smtpd
    -o syslog_name=postfix/submission
    -o milter_macro_daemon_name=ORIGINATING
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_relay_restrictions=permit_sasl_authenticated,permit_tls_all_clientcerts,reject
pickup unix n - n 2 1 pickup
cleanup unix n - $chroot - 0 cleanup
qmgr unix n - n 2 1 qmgr
postlog unix-dgram n - n - 1 postlogd
END
    my %service = (
        tlsmgr => 'tlsmgr',
        rewrite => 'trivial-rewrite',
        bounce => 'bounce',
        defer => 'bounce',
        trace => 'bounce',
        verify => 'verify',
        flush => 'flush',
        proxymap => 'proxymap',
        smtp => 'smtp',
        relay => 'smtp',
        showq => 'showq',
        error => 'error',
        retry => 'error',
        discard => 'discard',
        anvil => 'anvil',
        scache => 'scache'
    );
    $text .=
          "$_ unix " . ($_ eq 'showq' ? 'n' : '-') . ' - n - '
        . (/^(?:tlsmgr|verify|anvil|scache)$/ ? 1 : /^(?:bounce|defer|trace|flush)$/ ? 0 : '-')
        . " $service{$_}\n"
        for sort keys %service;
    return $text . "virtual unix - n n - - virtual\n";
}

1;
