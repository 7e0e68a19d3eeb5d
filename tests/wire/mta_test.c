/* The protocol client itself, against a filter made with libmilter that says what it saw (echo_milter.h). */
#include "tests/wire/echo_milter.h"
#include "tests/wire/mta_message.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SILENCE                                                                                     \
    (SMFIP_NR_HDR | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | \
     SMFIP_NR_UNKN | SMFIP_NR_EOH | SMFIP_NR_BODY)

static char *directory;
static char *address;

static struct mta *open_session(const struct mta_client *client)
{
    g_autoptr(GError) error = NULL;
    struct mta *mta = mta_open_session(address, client, &error);

    g_assert_no_error(error);
    g_assert_nonnull(mta);
    return mta;
}

/* The first edit is always the field that says what was seen: taken off, so that the rest can be compared. */
static char *send_one(struct mta *mta, const struct mta_message *message, char **outcome)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) reply = NULL;
    char *seen = NULL;

    g_assert_true(mta_send_message(mta, message, &reply, &error));
    g_assert_no_error(error);
    if (reply->edits->len > 0) {
        struct mta_edit *first = reply->edits->pdata[0];

        g_assert_cmpstr(first->name, ==, "X-Seen");
        seen = g_steal_pointer(&first->value);
        g_ptr_array_remove_index(reply->edits, 0);
    }
    *outcome = mta_reply_format(reply);
    return seen;
}

static void quit(struct mta *mta)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mta_quit(mta, &error));
    g_assert_no_error(error);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct mta_message plain = {
    .sender = "<Bo@Inside.example> SIZE=100",
    .recipients = LIST("<An+tag@Inside.example> NOTIFY=NEVER", "<mi@inside.example>"),
    .fields = LIST("Subject: one\n\ttwo", "X-Tight:none"),
    .body = "hello\r\n",
    .queue_id = "4XQ",
};

static void test_as_postfix(void)
{
    pid_t pid = echo_milter_start(address, &(struct echo_options){0}, NULL);
    struct mta *mta = open_session(&(struct mta_client){
        .login = "bo", .tls_version = "TLSv1.3", .cert_subject = "bo", .cert_issuer = "ca"});
    g_autofree char *outcome = NULL;
    g_autofree char *seen = send_one(mta, &plain, &outcome);

    g_assert_cmpstr(outcome, ==, "continue");
    g_assert_cmpstr(seen, ==,
                    "connect client.example [192.0.2.1]:40000 j=mx.example v=Postfix 3.7.11"
                    " _=client.example [192.0.2.1] {daemon_name}=mx.example\n\t"
                    "helo client.example\n\t"
                    "helo client.example {tls_version}=TLSv1.3 {cert_subject}=bo {cert_issuer}=ca\n\t"
                    "mail <Bo@Inside.example> SIZE=100 {auth_type}=plain {auth_authen}=bo"
                    " {mail_addr}=bo@inside.example {mail_host}=inside.example {tls_version}=TLSv1.3\n\t"
                    "rcpt <An+tag@Inside.example> NOTIFY=NEVER {rcpt_addr}=an+tag@inside.example"
                    " {rcpt_host}=inside.example {rcpt_mailer}=virtual\n\t"
                    "rcpt <mi@inside.example> i=4XQ {rcpt_addr}=mi@inside.example"
                    " {rcpt_host}=inside.example {rcpt_mailer}=virtual\n\t"
                    "data i=4XQ\n\t"
                    "field Subject:one\\n\\ttwo i=4XQ\n\t"
                    "field X-Tight:none i=4XQ\n\t"
                    "eoh i=4XQ\n\t"
                    "body 7 i=4XQ\n\t"
                    "eom of 7 i=4XQ {mail_addr}=bo@inside.example {auth_authen}=bo");
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

static void test_silence_and_leading_space(void)
{
    pid_t pid =
        echo_milter_start(address, &(struct echo_options){.protocol = SILENCE | SMFIP_HDR_LEADSPC}, NULL);
    struct mta *mta = open_session(&(struct mta_client){0});
    g_autofree char *outcome = NULL;
    g_autofree char *seen = send_one(mta, &plain, &outcome);

    g_assert_cmphex(mta_terms(mta)->protocol, ==, SILENCE | SMFIP_HDR_LEADSPC);
    g_assert_cmpstr(outcome, ==, "continue");
    g_assert_nonnull(strstr(seen, "field Subject: one\\n\\ttwo"));
    g_assert_nonnull(strstr(seen, "field X-Tight:none"));
    g_assert_false(mta_is_reply_awaited(mta, SMFIC_RCPT));
    g_assert_true(mta_is_reply_awaited(mta, SMFIC_BODYEOB));
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

static void test_macros_asked_for(void)
{
    struct echo_options options = {SILENCE, "{client_addr}, {auth_authen} i", "{mail_addr}", FALSE};
    pid_t pid = echo_milter_start(address, &options, NULL);
    struct mta *mta = open_session(&(struct mta_client){.address = "10.1.2.3"});
    g_autofree char *outcome = NULL;
    g_autofree char *seen = send_one(mta, &plain, &outcome);

    g_assert_cmpstr(mta_terms(mta)->macros[SMFIM_ENVFROM], ==, options.mail_macros);
    g_assert_nonnull(strstr(seen, "connect client.example [10.1.2.3]:40000 j=mx.example v=Postfix 3.7.11"
                                  " _=client.example [10.1.2.3] {daemon_name}=mx.example\n"));
    g_assert_nonnull(strstr(seen, "mail <Bo@Inside.example> SIZE=100 {client_addr}=10.1.2.3\n"));
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

static void test_edits(void)
{
    pid_t pid = echo_milter_start(address, &(struct echo_options){.protocol = SILENCE}, NULL);
    struct mta *mta = open_session(&(struct mta_client){0});
    struct mta_message message = plain;
    g_autofree char *outcome = NULL, *seen = NULL, *second = NULL, *second_seen = NULL;

    message.fields =
        LIST("X-Do: delrcpt <mi@inside.example>", "X-Do: addrcpt <x@y>",
             "X-Do: addrcpt_par <z@y> NOTIFY=NEVER", "X-Do: progress", "X-Do: chgfrom <q@y> RET=HDRS",
             "X-Do: addheader X-A one", "X-Do: insheader 3 X-B two", "X-Do: chgheader 1 Subject three",
             "X-Do: replbody new", "X-Do: quarantine because", "X-Do: progress");
    seen = send_one(mta, &message, &outcome);
    g_assert_cmpstr(outcome, ==,
                    "delrcpt <mi@inside.example>; addrcpt <x@y>; addrcpt_par <z@y> NOTIFY=NEVER; "
                    "chgfrom <q@y> RET=HDRS; addheader X-A: one; insheader 3 X-B: two; "
                    "chgheader 1 Subject: three; replbody new; quarantine because; continue");
    second_seen = send_one(mta, &plain, &second);
    g_assert_cmpstr(second, ==, "continue");
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

static void test_replies(void)
{
    static const struct {
        const char *order, *outcome;
    } cases[] = {
        {"X-Do: accept", "accept"},
        {"X-Do: discard", "discard"},
        {"X-Do: reject", "reject"},
        {"X-Do: tempfail", "tempfail"},
        {"X-Do: reply 550 5.7.1 not here", "550 5.7.1 not here"},
        {"X-Do: reply 451 4.3.0 later", "451 4.3.0 later"},
        {"X-Do: reply2 554 5.6.0 no", "554-5.6.0 no\r\n554 5.6.0 and more"},
    };
    pid_t pid = echo_milter_start(address, &(struct echo_options){.protocol = SILENCE}, NULL);
    struct mta *mta = open_session(&(struct mta_client){0});

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mta_message message = plain;
        g_autofree char *outcome = NULL, *seen = NULL;

        message.fields = LIST(cases[i].order);
        seen = send_one(mta, &message, &outcome);
        g_assert_cmpstr(outcome, ==, cases[i].outcome);
    }
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

static void test_early_replies(void)
{
    static const struct {
        const char *sender, *outcome;
    } cases[] = {
        {"<early-reject@x>", "reject"},
        {"<early-accept@x>", "accept"},
        {"<early-discard@x>", "discard"},
    };
    pid_t pid = echo_milter_start(address, &(struct echo_options){0}, NULL);
    struct mta *mta = open_session(&(struct mta_client){0});
    struct mta_message message = plain;
    g_autofree char *some = NULL, *some_seen = NULL, *none = NULL, *none_seen = NULL, *last = NULL;
    g_autofree char *last_seen = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *outcome = NULL, *seen = NULL;

        message.sender = cases[i].sender;
        seen = send_one(mta, &message, &outcome);
        g_assert_cmpstr(outcome, ==, cases[i].outcome);
    }
    message = plain;
    message.recipients = LIST("<refuse@x>", "<b@x>", "<defer@x>");
    some_seen = send_one(mta, &message, &some);
    g_assert_cmpstr(some, ==,
                    "refused <refuse@x> 550 5.1.1 no such person; refused <defer@x> tempfail; continue");
    message.recipients = LIST("<refuse@x>");
    none_seen = send_one(mta, &message, &none);
    g_assert_cmpstr(none, ==, "refused <refuse@x> 550 5.1.1 no such person; 550 5.1.1 no such person");
    g_assert_null(none_seen);
    last_seen = send_one(mta, &plain, &last);
    g_assert_cmpstr(last, ==, "continue");
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

/* 200,000 bytes are three full chunks and a rest; after SKIP only the first is sent; an empty body is none.
 */
static void test_body(void)
{
    pid_t pid = echo_milter_start(address, &(struct echo_options){.protocol = SMFIP_SKIP}, NULL);
    struct mta *mta = open_session(&(struct mta_client){0});
    g_autofree char *body = g_strnfill(200000, 'x');
    g_autofree char *outcome = NULL, *full = NULL, *skipped = NULL, *empty = NULL;
    struct mta_message message = plain;

    message.body = body;
    full = send_one(mta, &message, &outcome);
    g_assert_nonnull(strstr(full,
                            "body 65535 i=4XQ\n\tbody 65535 i=4XQ\n\tbody 65535 i=4XQ\n\tbody 3395 i=4XQ\n\t"
                            "eom of 200000"));
    g_clear_pointer(&outcome, g_free);
    memcpy(body, "SKIP", 4);
    skipped = send_one(mta, &message, &outcome);
    g_assert_nonnull(strstr(skipped, "body 65535 i=4XQ\n\teom of 65535"));
    g_clear_pointer(&outcome, g_free);
    message.body = NULL;
    empty = send_one(mta, &message, &outcome);
    g_assert_nonnull(strstr(empty, "eoh i=4XQ\n\teom of 0"));
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

static void test_old_mta(void)
{
    pid_t pid =
        echo_milter_start(address, &(struct echo_options){.protocol = SILENCE | SMFIP_HDR_LEADSPC}, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open(address, &error);
    g_autofree char *outcome = NULL, *seen = NULL;

    g_assert_true(mta_negotiate(mta, &mta_offer_v2, &error));
    g_assert_cmpuint(mta_terms(mta)->version, ==, 2);
    g_assert_cmphex(mta_terms(mta)->protocol, ==, 0);
    g_assert_true(mta_start(mta, &(struct mta_client){0}, NULL, &error));
    seen = send_one(mta, &plain, &outcome);
    g_assert_no_error(error);
    g_assert_null(strstr(seen, "data "));
    g_assert_nonnull(strstr(seen, "field Subject:one"));
    g_assert_cmpstr(outcome, ==, "continue");
    quit(mta);
    echo_milter_stop(pid);
}

static void test_local_submission(void)
{
    pid_t pid = echo_milter_start(address, &(struct echo_options){.protocol = SILENCE}, NULL);
    struct mta *mta = open_session(&(struct mta_client){.is_local = true});
    struct mta_message message = plain;
    g_autofree char *outcome = NULL, *seen = NULL;

    message.sender = "root@inside.example";
    message.recipients = LIST("An@inside.example");
    seen = send_one(mta, &message, &outcome);
    g_assert_nonnull(strstr(seen, "connect localhost [127.0.0.1]:0 "));
    g_assert_nonnull(
        strstr(seen, "helo localhost\n\tmail root@inside.example i=4XQ {mail_addr}=root@inside.example"));
    g_assert_nonnull(strstr(seen, "rcpt An@inside.example i=4XQ {rcpt_addr}=an@inside.example"
                                  " {rcpt_host}=inside.example\n"));
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

/* QUIT_NC behind a message keeps the connection for the next client; libmilter says close and connect. */
static void test_kept_connection(void)
{
    pid_t pid = echo_milter_start(address, &(struct echo_options){.protocol = SILENCE}, NULL);
    struct mta *mta = open_session(&(struct mta_client){.name = "first.example"});
    g_autoptr(GError) error = NULL;
    g_autofree char *outcome = NULL, *seen = NULL;

    g_autofree char *first_outcome = NULL, *first_seen = send_one(mta, &plain, &first_outcome);

    g_assert_true(mta_quit_keeping(mta, &error));
    g_assert_true(
        mta_start(mta, &(struct mta_client){.name = "next.example", .address = "2001:db8::9"}, NULL, &error));
    g_assert_no_error(error);
    seen = send_one(mta, &plain, &outcome);
    g_assert_true(g_str_has_prefix(seen, "connect next.example [2001:db8::9]:40000 "));
    quit(mta);
    mta_close(mta);
    echo_milter_stop(pid);
}

/* A port that nobody listens on at this moment. */
static unsigned free_port(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof where;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&where, sizeof where), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&where, &length), ==, 0);
    close(fd);
    return ntohs(where.sin_port);
}

static void test_inet(void)
{
    g_autofree char *where = g_strdup_printf("inet:%u@127.0.0.1", free_port());
    pid_t pid = echo_milter_start(where, &(struct echo_options){0}, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open_session(where, &(struct mta_client){0}, &error);
    g_autofree char *outcome = NULL, *seen = NULL;

    g_assert_no_error(error);
    seen = send_one(mta, &plain, &outcome);
    g_assert_cmpstr(outcome, ==, "continue");
    quit(mta);
    echo_milter_stop(pid);
}

static void test_closed_and_refused(void)
{
    pid_t pid = echo_milter_start(address, &(struct echo_options){0}, NULL);
    struct mta *mta = open_session(&(struct mta_client){0});
    struct mta_message message = plain;
    g_autoptr(GError) error = NULL;

    message.fields = LIST("X-Do: close");
    g_assert_false(mta_send_message(mta, &message, NULL, &error));
    g_assert_error(error, MTA_ERROR, MTA_ERROR_CLOSED);
    mta_close(mta);
    echo_milter_stop(pid);
    g_clear_error(&error);
    g_assert_null(mta_open(address, &error));
    g_assert_error(error, MTA_ERROR, MTA_ERROR_SYSTEM);
}

/* ---- a filter that breaks the protocol: bytes written by hand */

static struct mta *wrong_filter(const char *bytes, size_t length, int *other_end)
{
    g_autofree char *path = g_build_filename(directory, "wrong", NULL);
    g_autofree char *name = g_strconcat("unix:", path, NULL);
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct mta *mta;

    g_strlcpy(where.sun_path, path, sizeof where.sun_path);
    g_unlink(path);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&where, sizeof where), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    mta = mta_open(name, NULL);
    g_assert_nonnull(mta);
    *other_end = accept(listener, NULL, NULL);
    g_assert_cmpint(write(*other_end, bytes, length), ==, (gssize)length);
    close(listener);
    mta_set_timeout(mta, 100);
    return mta;
}

#define ANSWER "\0\0\0\015O\0\0\0\6\0\0\1\377"
#define NO_BITS "\0\0\0\0"

static void test_wrong_answers(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        enum mta_error error;
    } cases[] = {
#define CASE(bytes, error) {bytes, sizeof(bytes) - 1, error}
        CASE("", MTA_ERROR_TIMEOUT),
        CASE("\0\0\0\015O\0\0", MTA_ERROR_TIMEOUT),
        CASE("\0\0\0\0", MTA_ERROR_PROTOCOL),
        CASE("\377\377\377\377O", MTA_ERROR_PROTOCOL),
        CASE("\0\0\0\1c", MTA_ERROR_PROTOCOL),
        CASE("\0\0\0\015O\0\0\0\7\0\0\0\0\0\0\0\0", MTA_ERROR_PROTOCOL),          /* a newer version */
        CASE("\0\0\0\015O\0\0\0\6\0\0\2\0\0\0\0\0", MTA_ERROR_PROTOCOL),          /* an unknown action */
        CASE("\0\0\0\021O\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\77", MTA_ERROR_PROTOCOL), /* no such stage */
        CASE(ANSWER NO_BITS "\0\0\0\1z", MTA_ERROR_PROTOCOL),                     /* an unknown reply */
        CASE(ANSWER NO_BITS "\0\0\0\5+a@b\0", MTA_ERROR_PROTOCOL),                /* an edit at CONNECT */
        CASE(ANSWER NO_BITS "\0\0\0\2cc", MTA_ERROR_PROTOCOL),                    /* continue, and more */
        CASE(ANSWER NO_BITS "\0\0\0\11y250 fine", MTA_ERROR_PROTOCOL),            /* no refusal */
        CASE(ANSWER NO_BITS "\0\0\0\1c\0\0\0\1c\0\0\0\1c", MTA_ERROR_PROTOCOL),   /* one reply too many */
#undef CASE
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int other_end;
        g_autoptr(mta) mta = wrong_filter(cases[i].bytes, cases[i].length, &other_end);
        g_autoptr(GError) error = NULL;

        g_assert_false(mta_negotiate(mta, &mta_offer_postfix, &error) &&
                       mta_start(mta, &(struct mta_client){0}, NULL, &error) && mta_quit(mta, &error));
        g_assert_error(error, MTA_ERROR, (int)cases[i].error);
        close(other_end);
    }
}

int main(int argc, char **argv)
{
    int status;
    g_autofree char *path = NULL;

    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    directory = g_dir_make_tmp("miji-wire-XXXXXX", NULL);
    path = g_build_filename(directory, "filter.sock", NULL);
    address = g_strconcat("unix:", path, NULL);
    g_test_add_func("/wire/mta/as-postfix", test_as_postfix);
    g_test_add_func("/wire/mta/silence-and-leading-space", test_silence_and_leading_space);
    g_test_add_func("/wire/mta/macros-asked-for", test_macros_asked_for);
    g_test_add_func("/wire/mta/edits", test_edits);
    g_test_add_func("/wire/mta/replies", test_replies);
    g_test_add_func("/wire/mta/early-replies", test_early_replies);
    g_test_add_func("/wire/mta/body", test_body);
    g_test_add_func("/wire/mta/old-mta", test_old_mta);
    g_test_add_func("/wire/mta/local-submission", test_local_submission);
    g_test_add_func("/wire/mta/kept-connection", test_kept_connection);
    g_test_add_func("/wire/mta/inet", test_inet);
    g_test_add_func("/wire/mta/closed-and-refused", test_closed_and_refused);
    g_test_add_func("/wire/mta/wrong-answers", test_wrong_answers);
    status = g_test_run();
    g_unlink(path);
    g_free(path);
    path = g_build_filename(directory, "wrong", NULL);
    g_unlink(path);
    g_rmdir(directory);
    g_free(directory);
    g_free(address);
    return status;
}
