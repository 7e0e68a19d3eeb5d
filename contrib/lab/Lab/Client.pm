package Lab::Client;

# Part of Lab: the SMTP client that plays everybody: people in the office, travellers, the internet, partners.
# A client whose connection failed at a step has {failed}: {stage, reply, code, text, rcpt}.

use strict;
use warnings;
use IO::Socket::INET;
use MIME::Base64;
use Net::SSLeay;
use Socket qw(SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO);

my $PATIENCE_SECONDS = 120;    # with any one reply

# $lab->open_client(…): client => ADDRESS as which Postfix takes us (XCLIENT), client_name, helo; tls => 1 (or '1.2', '1.3');
# cert => NAME of a certificate of the lab; login => NAME (SASL PLAIN, with password or the lab's own); port => NAME
# (smtp; submission if there is a login). A certificate or a login means TLS unless tls => 0.
sub new {
    my ($class, $lab, %option) = @_;
    my $self = bless { lab => $lab, in => '' }, $class;
    my $port = $lab->{port}{ $option{port} || (defined $option{login} ? 'submission' : 'smtp') };
    $self->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 10)
        or return $self->_failed('connect', "421 $!");
    setsockopt $self->{socket}, SOL_SOCKET, $_, pack 'l!l!', $PATIENCE_SECONDS, 0 for SO_RCVTIMEO, SO_SNDTIMEO;
    my $helo = $option{helo} || 'client.example';
    $self->_step('greeting') && $self->_step('helo', "EHLO $helo") or return $self;
    if ($option{client}) {
        my $address = $option{client} =~ /:/ ? "IPV6:$option{client}" : $option{client};
        $self->_step('xclient', "XCLIENT ADDR=$address NAME=" . ($option{client_name} || '[UNAVAILABLE]'))
            && $self->_step('helo', "EHLO $helo")
            or return $self;
    }
    if ($option{tls} // ($option{cert} || defined $option{login})) {
        $self->_step('starttls', 'STARTTLS') && $self->_start_tls(%option) && $self->_step('helo', "EHLO $helo")
            or return $self;
    }
    if (defined $option{login}) {
        my $password = $option{password} // $lab->password($option{login});
        $self->_step('auth', 'AUTH PLAIN ' . encode_base64("\0$option{login}\0$password", '')) or return $self;
    }
    return $self;
}

# One message: from, to => […], data (bytes; line ends become CRLF, dots are doubled) or wire (bytes as they go out, with
# the final dot); mail_arguments, rcpt_arguments: text behind the address (RET=HDRS, NOTIFY=NEVER); halfway: a function that
# is called when half of the message is sent.
# Returns {stage, reply, code, text, mail, rcpt => {ADDRESS => reply}, queue_id}; reply is the one that decided: of the end
# of data, or of the step at which it was over.
sub transaction {
    my ($self, %option) = @_;
    my %result = (rcpt => {});
    my $finish = sub {
        my ($stage, $reply) = @_;
        @result{qw(stage reply)} = ($stage, $reply);
        @result{qw(code text)} = $reply =~ /^(\d{3})[ -](.*)/s;
        ($result{queue_id}) = $reply =~ /queued as (\w+)/;
        return \%result;
    };
    my $utf8 = grep({/[^\x00-\x7f]/} $option{from} // '', @{ $option{to} }) ? ' SMTPUTF8' : '';
    my $more = join '', $utf8, map {" $_"} grep {defined} $option{mail_arguments};
    $result{mail} = $self->command('MAIL FROM:<' . ($option{from} // '') . ">$more");
    return $finish->('mail', $result{mail}) if $result{mail} !~ /^2/;
    my $last;
    for my $recipient (@{ $option{to} }) {
        $last = $result{rcpt}{$recipient} = $self->command(
            "RCPT TO:<$recipient>" . (defined $option{rcpt_arguments} ? " $option{rcpt_arguments}" : ''));
    }
    if (!grep {/^2/} values %{ $result{rcpt} }) {
        $self->command('RSET');
        return $finish->('rcpt', $last // '503 no recipient');
    }
    my $reply = $self->command('DATA');
    return $finish->('data', $reply) if $reply !~ /^3/;
    my $wire = $option{wire} // _wire($option{data} // Lab::Message->make(%option));
    if ($option{halfway}) {
        $self->_write(substr $wire, 0, length($wire) / 2, '');
        $option{halfway}->();
    }
    $self->_write($wire);
    return $finish->('end', $self->_reply);
}

# Sends one line and returns the reply, its lines joined by LF; "421 …" when the connection is gone.
sub command {
    my ($self, $line) = @_;
    $self->_write("$line\r\n");
    return $self->_reply;
}

sub quit {
    my ($self) = @_;
    $self->command('QUIT');
    $self->hang_up;
}

# Ends without a word, as a machine that lost its power.
sub hang_up {
    my ($self) = @_;
    Net::SSLeay::free($self->{ssl}) if $self->{ssl};
    delete $self->{ssl};
    close $self->{socket} if $self->{socket};
}

# ---------------------------------------------------------------------------------------------------------- inside

# A command that has to succeed; otherwise the client is {failed}.
sub _step {
    my ($self, $stage, $line) = @_;
    my $reply = defined $line ? $self->command($line) : $self->_reply;
    return 1 if $reply =~ /^2/;
    $self->_failed($stage, $reply);
    return 0;
}

sub _failed {
    my ($self, $stage, $reply) = @_;
    my ($code, $text) = $reply =~ /^(\d{3})[ -](.*)/s;
    $self->{failed} = { stage => $stage, reply => $reply, code => $code, text => $text, rcpt => {} };
    $self->hang_up;
    return $self;
}

sub _start_tls {
    my ($self, %option) = @_;
    my $lab = $self->{lab};
    my $context = Net::SSLeay::CTX_new() or die "no TLS context\n";
    Net::SSLeay::CTX_load_verify_locations($context, "$lab->{dir}/tls/ca.pem", '');
    Net::SSLeay::CTX_set_verify($context, Net::SSLeay::VERIFY_PEER(), sub { $_[0] });
    if ($option{cert}) {
        my ($certificate, $key) = $lab->certificate($option{cert});
        Net::SSLeay::CTX_use_certificate_chain_file($context, $certificate) or die "$certificate: unreadable\n";
        Net::SSLeay::CTX_use_PrivateKey_file($context, $key, Net::SSLeay::FILETYPE_PEM())
            or die "$key: unreadable\n";
    }
    my %version = ('1.2' => 0x0303, '1.3' => 0x0304);
    if (my $only = $version{ $option{tls} // '' }) {
        Net::SSLeay::CTX_set_min_proto_version($context, $only);
        Net::SSLeay::CTX_set_max_proto_version($context, $only);
    }
    my $ssl = Net::SSLeay::new($context);
    Net::SSLeay::set_fd($ssl, fileno $self->{socket});
    if (Net::SSLeay::connect($ssl) != 1) {
        $self->_failed('starttls',
            '454 ' . (Net::SSLeay::ERR_error_string(Net::SSLeay::ERR_get_error()) || 'no TLS'));
        return 0;
    }
    $self->{ssl} = $ssl;
    $self->{tls} = Net::SSLeay::get_version($ssl);
    return 1;
}

sub _write {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $bytes) {
        my $count = $self->{ssl} ? Net::SSLeay::write($self->{ssl}, $bytes) : syswrite $self->{socket}, $bytes;
        return if !defined $count || $count <= 0;
        substr $bytes, 0, $count, '';
    }
}

sub _reply {
    my ($self) = @_;
    my @lines;
    while (1) {
        while ($self->{in} =~ s/\A(.*?)\r?\n//) {
            push @lines, $1;
            return join "\n", @lines if $lines[-1] =~ /^\d{3}(?: |$)/;
        }
        my $more;
        if ($self->{ssl}) { $more = Net::SSLeay::read($self->{ssl}, 65536) }
        else { sysread $self->{socket}, $more, 65536 }
        return '421 the connection is gone' if !defined $more || $more eq '';
        $self->{in} .= $more;
    }
}

sub _wire {
    my ($message) = @_;
    $message =~ s/\r?\n/\r\n/g;
    $message .= "\r\n" if $message !~ /\r\n\z/;
    $message =~ s/^\./../mg;
    return "$message.\r\n";
}

1;
