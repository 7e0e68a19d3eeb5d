#!/usr/bin/perl
# The laboratory without Miji: everything that the other system tests and the demo stand on, and what ldap-schema/ says.
use strict;
use warnings;
use FindBin;
use Test::More;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../../contrib/lab";
use Lab;

my $begin = time;
my $lab = Lab->new;
my $dir = $lab->{dir};
$lab->start_slapd;
$lab->start_postfix;
cmp_ok(time - $begin, '<', 8, 'the lab is there quickly') or diag time - $begin;

a_place_of_its_own();
dying();
directory('slapd.conf');
slow_and_frozen();
mail();
identity();
clients();
local_mail();
for_people();
$lab->stop_postfix;
ok(!$lab->is_postfix_running, 'Postfix has stopped');
$lab->stop_slapd;

my $other = Lab->new;
$other->start_slapd(form => 'config');
is(schema_of($other), schema_of($lab, restart => 1), 'miji.ldif and miji.schema say the same');
$lab->stop_all;
ok(!-e $dir, 'nothing of the lab is left on the disk');
$lab = $other;
directory('cn=config');
a_false_miji();
my @started = $lab->leftovers;
cmp_ok(scalar @started, '>=', 2, 'leftovers sees running daemons');
ok($lab->stop_all, 'everything stops when asked');
is(join(' ', map { $_->{name} } $lab->leftovers), '', 'nothing is left running');

done_testing;

# The schema, the example tree, TLS and the access rules, in whichever form they were loaded.
sub directory {
    my ($form) = @_;
    my $all = $lab->ldap_search(attributes => ['mijiClearance']);
    like($all, qr/^dn: uid=an,ou=保密办,.*\nmijiClearance: 绝密$/m, "$form: the example tree is there, in Chinese");
    is_deeply(
        [map { $all =~ /^dn: uid=$_,.*\nmijiClearance: (.*)$/m } qw(an bo mi ni gu ra boss pa)],
        [qw(绝密 机密 秘密 内部 公开 机密 机密 秘密)],
        "$form: everybody has the clearance of the example"
    );
    like(
        $lab->ldap_search(as => 'miji', url => $lab->ldap_url('ldaps'), filter => '(mail=bo@agency.gov.cn)'),
        qr/^mijiClearance: 机密$/m,
        "$form: Miji's account reads clearances, over TLS"
    );
    like(
        $lab->ldap_search(
            as => 'miji',
            url => $lab->ldap_url('ldaps'),
            ca => "$lab->{dir}/tls/other.pem",
            fail => 1
        ),
        qr/^ldap: .*Can't contact/,
        "$form: a client that trusts another authority does not get in"
    );

    my $book = $lab->ldap_search(as => 'ni', filter => '(mail=bo@agency.gov.cn)');
    like($book, qr/^cn: 柏松$/m, "$form: readers of the address book see names");
    like($book, qr/^mail: bo\@agency\.gov\.cn$/m, "$form: and addresses");
    unlike($book, qr/mijiClearance|mijiVerified|userPassword/, "$form: but no clearance and no password");
    is($lab->ldap_search(as => 'ni', filter => '(mijiClearance=机密)'), '', "$form: nor can they search for one");
    is($lab->ldap_search(as => 'ni', filter => '(&(uid=bo)(!(mijiClearance=公开)))'),
        '', "$form: nor by its opposite");
    unlike($lab->ldap_search(as => 'bo', filter => '(uid=bo)'), qr/mijiClearance/, "$form: nor read their own");
    isnt(change('ni', 'bo', 'replace: mijiClearance', 'mijiClearance: 公开'),
        0, "$form: people do not write clearances");
    isnt(change('bo', 'bo', 'replace: mail', 'mail: an@agency.gov.cn'), 0, "$form: nor their own address");
    isnt(change('miji', 'bo', 'replace: mijiClearance', 'mijiClearance: 公开'), 0, "$form: nor does Miji's account");
    my $grant = '机密 专项 密码 until 2027-06-30';
    is(change('admin', 'wu', 'add: mijiClearance', "mijiClearance: 秘密\nmijiClearance: $grant"),
        0, "$form: directory administrators do");
    my @values = $lab->ldap_search(as => 'miji', filter => '(uid=wu)') =~ /^mijiClearance: (.*)$/mg;
    is_deeply([sort @values], [sort '秘密', $grant], "$form: several values, kept as written");
    is(change('admin', 'wu', 'delete: mijiClearance', ''), 0, "$form: and take them back");
    is($lab->ldap_search(as => 'admin', filter => '(userPassword=*)'), '', "$form: passwords nobody reads");
}

sub change {
    my ($who, $whom, @lines) = @_;
    my $file = Lab::write_file(
        "$lab->{dir}/run/change.ldif", join "\n",
        'dn: ' . $lab->account_dn($whom),
        'changetype: modify',
        @lines, ''
    );
    my ($status) = Lab::run_command(
        'ldapmodify', '-x',
        -D => $lab->account_dn($who),
        -w => $lab->password($who),
        -H => $lab->ldap_url('ldap'),
        -f => $file
    );
    return $status;
}

# Miji's definitions as the running server publishes them.
sub schema_of {
    my ($which, %option) = @_;
    $which->start_slapd if $option{restart};
    my $text = $which->ldap_search(
        base => 'cn=subschema',
        scope => 'base',
        attributes => [qw(attributeTypes objectClasses)]);
    return join '', sort grep {/'miji/} split /^/, $text;
}

sub slow_and_frozen {
    my $search = sub {
        my $from = time;
        my $answer = $lab->ldap_search(as => 'miji', url => $_[0], filter => '(uid=an)', fail => 1);
        return (time - $from, $answer);
    };
    my ($seconds, $answer) = $search->($lab->ldap_url('slows'));
    like($answer, qr/^uid: an$/m, 'the proxy passes TLS on');
    my $searches = $lab->slapd_searches(qr/uid=an/);
    $lab->slow_slapd(150);
    ($seconds, $answer) = $search->($lab->ldap_url('slows'));
    like($answer, qr/^uid: an$/m, 'slowly too');
    cmp_ok($seconds, '>=', 0.3, 'as slow as it was told');
    is($lab->slapd_searches(qr/uid=an/), $searches + 1, 'searches are counted');
    $lab->slow_slapd(0);
    $lab->freeze_slapd;
    ok($lab->accepts($lab->{port}{ldap}), 'a frozen slapd accepts connections');
    my ($status) =
        Lab::run_command('timeout', 0.5, 'ldapsearch', '-x', -H => $lab->ldap_url('ldap'), -b => '', -s => 'base');
    is($status, 124, 'and answers nothing');
    $lab->thaw_slapd;
    ($seconds, $answer) = $search->($lab->ldap_url('ldaps'));
    like($answer, qr/^uid: an$/m, 'until it is thawed');
}

sub mail {
    my $data = Lab::Message->make(
        from => 'bo@agency.gov.cn',
        to => ['an@agency.gov.cn'],
        subject => '关于召开年度财务工作会议的通知【机密】及其附件目录',
        body => "你好\n.\n..\n"
    );
    my $r = $lab->send(
        from => 'bo@agency.gov.cn',
        to => [qw(an@agency.gov.cn gu@agency.gov.cn new@agency.gov.cn x@example.net)],
        client => '10.0.0.5',
        data => $data,
        mail_arguments => 'RET=HDRS ENVID=e1'
    );
    is($r->{code}, 250, 'Postfix takes a message') or diag explain $r;
    like($r->{rcpt}{'x@example.net'}, qr/^250/, 'for each recipient');
    for my $address (qw(an@agency.gov.cn gu@agency.gov.cn new@agency.gov.cn x@example.net)) {
        my @mails = $lab->wait_mailbox($address, 1, 10);
        is(scalar @mails, 1, "$address has one message") or next;
        is($mails[0]->subject, '关于召开年度财务工作会议的通知【机密】及其附件目录', 'its subject');
        is($mails[0]->body, "你好\n.\n..\n", 'its text');
        is($mails[0]->from, 'bo@agency.gov.cn', 'its sender');
    }
    like(
        ($lab->mailbox('x@example.net'))[0]->field('X-Sink-Mail'),
        qr/ENVID=e1 RET=HDRS/,
        'outside one sees the parameters'
    );
    ok($lab->wait_queue_empty(5), 'the queue is empty then');
    ok(scalar $lab->wait_log(qr/$r->{queue_id}: .*status=sent/), 'and the log tells');
}

sub identity {
    my $r = $lab->send(
        from => 'bo@agency.gov.cn',
        to => ['an@agency.gov.cn'],
        login => 'bo',
        cert => 'bo',
        client => '203.0.113.9',
        subject => 'signed in'
    );
    is($r->{code}, 250, 'a person signs in') or diag explain $r;
    like($r->{tls}, qr/^TLSv1/, 'over TLS');
    ok(scalar $lab->wait_log(qr/$r->{queue_id}: client=.*203\.0\.113\.9.*sasl_username=bo/),
        'Postfix knows the login and the client');
    my ($mail) = grep { $_->subject eq 'signed in' } $lab->wait_mailbox('an@agency.gov.cn', 2, 10);
    like($mail->field('Received'), qr/Client CN "bo", Issuer "Miji lab CA" \(verified OK\)/, 'and the certificate');
    is( $lab->send(
            from => 'bo@agency.gov.cn',
            to => ['x@example.net'],
            cert => 'bo',
            port => 'submission',
            client => '203.0.113.9'
        )->{code},
        250,
        'a certificate alone is enough for submission'
    );
    is( $lab->send(
            from => 'bo@agency.gov.cn',
            to => ['an@agency.gov.cn'],
            cert => 'bo',
            port => 'submission',
            tls => '1.2'
        )->{tls},
        'TLSv1.2',
        'TLS 1.2 on demand'
    );
    my $stranger = $lab->send(
        from => 'bo@agency.gov.cn',
        to => ['x@example.net'],
        cert => 'stranger',
        port => 'submission',
        client => '203.0.113.9'
    );
    is("$stranger->{stage} $stranger->{code}", 'rcpt 554', 'a certificate of somebody else is not')
        or diag explain $stranger;
    my $wrong =
        $lab->send(from => 'bo@agency.gov.cn', to => ['an@agency.gov.cn'], login => 'bo', password => 'guess');
    is("$wrong->{stage} $wrong->{code}", 'auth 535', 'nor a wrong password');
    is( $lab->send(
            from => 'an@agency.gov.cn',
            to => ['bo@agency.gov.cn'],
            login => 'an@agency.gov.cn',
            password => 'an-secret'
        )->{code},
        250,
        'a login may have its domain'
    );
}

sub clients {
    my $r = $lab->send(
        from => 'x@example.net',
        to => ['gu@agency.gov.cn'],
        client => '203.0.113.9',
        client_name => 'mx.example.net',
        subject => 'hello'
    );
    ok(scalar $lab->wait_log(qr/$r->{queue_id}: client=mx\.example\.net\[203\.0\.113\.9\]/),
        'a client of the internet');
    $r = $lab->send(from => 'x@example.net', to => ['gu@agency.gov.cn'], client => '2001:db8::9');
    ok(scalar $lab->wait_log(qr/$r->{queue_id}: client=unknown\[2001:db8::9\]/), 'one with IPv6');
    is($lab->send(from => 'x@example.net', to => ['y@example.org'], client => '203.0.113.9')->{code},
        554, 'who may not relay');
    is($lab->send(from => 'bo@agency.gov.cn', to => ['y@example.org'], client => '10.1.2.3')->{code},
        250, 'as the office may');
    my $client = $lab->open_client(client => '10.0.0.5');
    my @queued = map {
        $client->transaction(from => 'bo@agency.gov.cn', to => ['mi@agency.gov.cn'], subject => "number $_")
            ->{queue_id}
    } 1 .. 3;
    $client->quit;
    is(scalar(grep {defined} @queued), 3, 'three messages over one connection');
    is_deeply(
        [sort map { $_->subject } $lab->wait_mailbox('mi@agency.gov.cn', 3, 10)],    # Postfix delivers in any order
        ['number 1', 'number 2', 'number 3'],
        'all arrive'
    );
    $r = $lab->send(
        from => 'bo@agency.gov.cn',
        to => ['ni@agency.gov.cn'],
        client => '10.0.0.5',
        wire => "Subject: a\r\n\r\nb\n.\nMAIL FROM:<smuggled\@example.net>\r\n.\r\n"
    );
    is($r->{code}, 250, 'a bare LF does not hang');
    is(scalar(my @mails = $lab->wait_mailbox('ni@agency.gov.cn', 1, 10)), 1, 'and smuggles nothing');
}

sub local_mail {
    my ($status, $text) = $lab->sendmail(
        from => 'root@agency.gov.cn',
        to => ['boss@agency.gov.cn'],
        data => "Subject: cron\n\nran\n"
    );
    is("$status $text", '0 ', 'sendmail(1) takes a message');
    is(scalar(my @mails = $lab->wait_mailbox('boss@agency.gov.cn', 1, 10)), 1, 'and Postfix delivers it');
    $lab->reload_postfix(non_smtpd_milters => "unix:$lab->{dir}/run/nobody.sock");
    $lab->sendmail(from => 'root@agency.gov.cn', to => ['pa@agency.gov.cn'], data => "Subject: cron\n\nran\n");
    ok(scalar $lab->wait_log(qr/nobody\.sock: No such file/, 10), 'a milter that is not there is asked');
    is(scalar $lab->mailbox('pa@agency.gov.cn'), 0, 'and nothing passes without it');
    cmp_ok(scalar $lab->queue('maildrop'), '==', 1, 'the message waits');
    unlink $lab->queue('maildrop');
}

# Start, signals and places in miji.conf, with a program that only listens.
sub a_false_miji {
    my $build = "$lab->{dir}/build";
    mkdir $_ for $build, "$build/bin";
    Lab::write_file("$build/bin/miji-milter", <<'EOT', 0755);
#!/usr/bin/perl
use IO::Socket::UNIX;
$| = 1;
open my $in, '<', $ARGV[1];
my @sockets = map { /^listen\s+"unix:(.*?)"/ ? IO::Socket::UNIX->new(Local => $1, Listen => 5) || () : () } <$in>;
@sockets or die "cannot listen\n";
print "@ARGV[0, 2] ", scalar(@sockets), "\n";
my $child = fork // die;
sleep 1 while !$child;
$SIG{TERM} = sub { kill 'TERM', $child; print "drained\n"; exit 3 };
$SIG{HUP} = sub { print "again\n" };
sleep 1 while 1;
EOT
    $lab->{build} = $build;
    $lab->start_miji(
        conf => "listen  \"unix:\@RUN\@/milter.sock\"  mode 0660\nlisten \"unix:\@RUN\@/local.sock\"   role local\n"
            . "state \"\@STATE\@\"\ndirectory \"\@SLOWS\@\" { ca file \"\@TLS\@/ca.pem\" }\n");
    is($lab->milter_socket('local'), "unix:$lab->{dir}/run/local.sock", 'sockets are known by role');
    my $conf = Lab::read_file($lab->miji_conf_file);
    like(
        $conf,
        qr{^directory "ldaps://127\.0\.0\.1:$lab->{port}{slows}" \{ ca file "$lab->{dir}/tls/ca\.pem" \}$}m,
        'places are filled in'
    );
    is((stat "$lab->{dir}/state")[4], scalar getpwnam('nobody'), 'the state directory belongs to nobody');
    is((stat "$lab->{dir}/state")[2] & 07777, 0700, 'and to nobody else');
    is(scalar $lab->miji_lines(qr/^-c -f 2$/), 1, 'Miji is started in the foreground, its log is kept');
    ok($lab->wait_for(sub { $lab->miji_processes == 2 }, 5), 'its children are seen');
    $lab->reload_miji;
    ok($lab->wait_for(sub { $lab->miji_lines(qr/^again$/) }, 5), 'it is told to reload');
    is($lab->stop_miji >> 8, 3, 'and to stop, and its status is told');
    is(scalar $lab->miji_lines(qr/^drained$/), 1, 'in its own time');
    my ($status) = eval { $lab->start_miji(conf => qq{listen "unix:/nowhere/x.sock"\n}, arguments => ['--']); 1 };
    like($@, qr/^miji does not start:\n(?:.*\n)*cannot listen$/m, 'a Miji that does not listen is noticed')
        if !$status;
    $lab->stop_miji;
}

# A named directory is reused when it was a lab, and only then.
sub a_place_of_its_own {
    my $place = "$dir/place";
    my $first = Lab->new(dir => $place);
    ok(!eval { Lab->new(dir => $place) }, 'a lab that runs');
    like($@, qr/is in use by process $$/, 'is not taken over');
    $first->stop_all;
    ok(-d "$place/tls", 'a named lab stays to be looked at');
    Lab::write_file("$place/.miji-lab", "999999999\n");
    my $forgotten = fork // die;
    if (!$forgotten) { exec $^X, '-e', 'sleep 60', "$place/x" }
    $lab->wait_for(sub { Lab::read_file("/proc/$forgotten/cmdline") =~ /sleep 60/ }, 5);
    my $second = Lab->new(dir => $place);
    waitpid $forgotten, 0;
    is($? & 127, 9, 'what a killed lab left running ends when its place is taken');
    $second->stop_all;
    mkdir "$dir/full";
    Lab::write_file("$dir/full/letter", 'dear');
    ok(!eval { Lab->new(dir => "$dir/full") }, 'a directory with something else in it');
    like($@, qr/is not an earlier lab: not touched/, 'is not touched');
}

# A program that dies, or is interrupted, takes its daemons with it.
sub dying {
    for my $how (['die "oh\n"', 255], ['kill "TERM", $$; sleep 9', 130]) {
        my ($end, $status) = @$how;
        my $place = "$dir/dying";
        my ($got) = Lab::run_command($^X, "-I$lab->{top}/contrib/lab", '-MLab', '-e',
            'my $lab = Lab->new(dir => shift); $lab->start_slapd; $lab->start_postfix; ' . $end, $place);
        is($got, $status, 'a program that ends early');
        ok(-e "$place/postfix/mail.log", 'had a lab');
        is(join(' ', map { $_->{name} } Lab::leftovers({ dir => $place })), '', 'and leaves none');
    }
}

# contrib/lab/miji-lab, which people play with, on the lab that runs here.
sub for_people {
    my $tool = "$lab->{top}/contrib/lab/miji-lab";
    my @send = ($tool, 'send', $dir, '--from', 'an@agency.gov.cn', '--to', 'wu@agency.gov.cn', '--login', 'an');
    my ($status, $text) = Lab::run_command(@send, '--subject', '【内部】你好');
    is($status, 0, 'miji-lab sends');
    like($text, qr/^end: 250 /m, 'and shows the reply');
    $lab->wait_mailbox('wu@agency.gov.cn', 1, 10);
    ($status, $text) = Lab::run_command($tool, 'mail', $dir, 'wu@agency.gov.cn');
    like($text, qr/^wu\@agency\.gov\.cn +from an\@agency\.gov\.cn +【内部】你好$/m, 'it lists what arrived');
    ($status, $text) = Lab::run_command(@send[0 .. 6], '--client', '203.0.113.9', '--to', 'y@example.org');
    is("$status " . ($text =~ /^rcpt: 554 /m), '1 1', 'a refusal is a failure');
    ($status, $text) = Lab::run_command($tool);
    is($status, 2, 'without arguments it says how it is used');
    like($text, qr/^usage: miji-lab run DIR/, 'in a few lines');
}
