/*
 * The release socket (semantics.md 12.4): what Miji itself sends passes once, its token taken off; everything
 * else is answered 5.7.1. The listener that Postfix would be is played here: a notice comes by SMTP, and goes
 * to the release socket as Postfix would present it.
 */
#include "tests/support/smtp_server.h"
#include "tests/wire/scene.h"

#include <string.h>

#define WAIT_SECONDS 30
#define FORGED "550 5.7.1 A release token that is not ours"

static struct smtp_server *server;
static const struct mta_client loopback = {.name = "localhost", .address = "127.0.0.1", .helo = "localhost"};

/* ---- a message by SMTP, as cleanup(8) presents it */

struct presented {
    char *sender;
    GPtrArray *recipients, *fields; /* char *, NULL at the end */
    GString *body;
};

static void presented_free(struct presented *presented)
{
    g_free(presented->sender);
    g_ptr_array_unref(presented->recipients);
    g_ptr_array_unref(presented->fields);
    g_string_free(presented->body, TRUE);
    g_free(presented);
}
DEFINE_AUTOPTR(presented, presented_free)

/* "MAIL FROM:<a@x> …" → "<a@x>" */
static char *path_of(const char *line)
{
    const char *start = strchr(line, '<');

    return g_strndup(start, strcspn(start, ">") + 1);
}

static void add_line(struct presented *presented, gboolean *in_header, const char *line, gsize length)
{
    g_autofree char *text = g_strndup(line, length);

    if (!*in_header)
        g_string_append_printf(presented->body, "%s\r\n", text);
    else if (length == 0)
        *in_header = FALSE;
    else if (*line == ' ' || *line == '\t') {
        char **last = (char **)&presented->fields->pdata[presented->fields->len - 1];
        g_autofree char *before = *last;
        *last = g_strconcat(before, "\n", text, NULL);
    } else
        g_ptr_array_add(presented->fields, g_steal_pointer(&text));
}

static struct presented *present(const struct server_message *taken)
{
    struct presented *presented = g_new0(struct presented, 1);
    const char *at = (const char *)taken->octets->data, *end = at + taken->octets->len;
    gboolean in_header = TRUE;

    presented->sender = path_of(taken->mail);
    presented->recipients = g_ptr_array_new_with_free_func(g_free);
    presented->fields = g_ptr_array_new_with_free_func(g_free);
    presented->body = g_string_new(NULL);
    for (guint i = 0; i < taken->rcpts->len; i++)
        g_ptr_array_add(presented->recipients, path_of(g_ptr_array_index(taken->rcpts, i)));
    while (at < end) {
        const char *line_end = g_strstr_len(at, end - at, "\r\n");
        add_line(presented, &in_header, at, (gsize)((line_end != NULL ? line_end : end) - at));
        at = line_end != NULL ? line_end + 2 : end;
    }
    g_ptr_array_add(presented->recipients, NULL);
    g_ptr_array_add(presented->fields, NULL);
    return presented;
}

/* On the release socket; the outcome with its edits. */
static char *offer(const struct presented *presented, const char *queue_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open_session(daemon_release_address(scene_daemon()), &loopback, &error);
    const struct mta_message message = {.sender = presented->sender,
                                        .recipients = (const char *const *)presented->recipients->pdata,
                                        .fields = (const char *const *)presented->fields->pdata,
                                        .body = presented->body->str,
                                        .body_length = presented->body->len,
                                        .queue_id = queue_id};

    g_assert_no_error(error);
    return mta != NULL ? scene_edits(mta, &message) : g_strdup("no session");
}

/* ---- what the listener does with the next message */

typedef void (*attempt)(struct presented *presented);
static attempt attempts[8];
static char *outcomes[8];
static gint taken; /* atomic: of them */

/* Called on the server's thread at the end of a message. */
static const char *play(const struct server_message *message, gpointer data)
{
    g_autoptr(presented) presented = present(message);

    for (gint i = 0; i < (gint)G_N_ELEMENTS(attempts) && attempts[i] != NULL; i++) {
        attempts[i](presented);
        g_autofree char *queue_id = g_strdup_printf("4Offer%d", i);
        outcomes[i] = offer(presented, queue_id);
    }
    g_atomic_int_inc(&taken);
    return NULL;
}

static char *field_named(const struct presented *presented, const char *name, guint *index)
{
    for (guint i = 0; i + 1 < presented->fields->len; i++)
        if (g_ascii_strncasecmp(g_ptr_array_index(presented->fields, i), name, strlen(name)) == 0) {
            *index = i;
            return g_ptr_array_index(presented->fields, i);
        }
    return NULL;
}

static void remove_field(struct presented *presented, guint index)
{
    g_ptr_array_remove_index(presented->fields, index);
}

static char *saved_token;

static void without_token(struct presented *presented)
{
    guint index = 0;

    saved_token = g_strdup(field_named(presented, "X-Miji-Release:", &index));
    g_assert_nonnull(saved_token);
    remove_field(presented, index);
}

static void with_two(struct presented *presented)
{
    g_ptr_array_insert(presented->fields, 0, g_strdup(saved_token));
    g_ptr_array_insert(presented->fields, 0, g_strdup(saved_token));
}

static void with_a_bad_one(struct presented *presented)
{
    char *last = saved_token + strlen(saved_token) - 1;
    g_autofree char *bad = g_strdup(saved_token);

    bad[last - saved_token] = *last == 'a' ? 'b' : 'a';
    remove_field(presented, 0);
    remove_field(presented, 0);
    g_ptr_array_insert(presented->fields, 0, g_steal_pointer(&bad));
}

static void with_other_octets(struct presented *presented)
{
    remove_field(presented, 0);
    g_ptr_array_insert(presented->fields, 0, g_strdup(saved_token));
    g_string_append(presented->body, "one line more\r\n");
}

static void with_another_recipient(struct presented *presented)
{
    g_string_truncate(presented->body, presented->body->len - strlen("one line more\r\n"));
    g_ptr_array_insert(presented->recipients, 0, g_strdup("<x@example.net>"));
}

/* As it was sent; the field may stand anywhere. */
static void as_sent(struct presented *presented)
{
    g_ptr_array_remove_index(presented->recipients, 0);
    remove_field(presented, 0);
    g_ptr_array_insert(presented->fields, 2, g_strdup(saved_token));
}

static void once_more(struct presented *presented)
{
}

/* A split message makes a notice for its sender. */
static void make_notice(void)
{
    static int number;
    g_autofree char *id = g_strdup_printf("Message-ID: <release-%d@pc7>", ++number), *outcome = NULL;
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;

    message.recipients = TEXTS("<an@agency.gov.cn>", "<ni@agency.gov.cn>");
    message.fields = TEXTS("From: bo@agency.gov.cn", "Subject: figures", id, "X-Classification: secret");
    outcome = scene_send(mta, &message);
    g_assert_cmpstr(outcome, ==, "accept");
    scene_quit(mta);
}

static void await_taken(gint number)
{
    gint64 deadline_us = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;

    while (g_atomic_int_get(&taken) < number && g_get_monotonic_time() < deadline_us)
        g_usleep(10000);
    g_assert_cmpint(g_atomic_int_get(&taken), ==, number);
}

static void test_tokens(void)
{
    static const struct {
        attempt attempt;
        const char *outcome;
    } rows[] = {
        {without_token, FORGED},
        {with_two, FORGED},
        {with_a_bad_one, FORGED},
        {with_other_octets, FORGED},
        {with_another_recipient, FORGED},
        {as_sent, "chgheader 1 X-Miji-Release: ; accept"},
        {once_more, FORGED},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        attempts[i] = rows[i].attempt;
    make_notice();
    await_taken(1);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %zu", i);
        g_assert_cmpstr(outcomes[i], ==, rows[i].outcome);
        g_free(outcomes[i]);
    }
    g_free(saved_token);
}

/* The log has a line for the officers for each. */
static void test_log(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *none = daemon_wait_line(
        scene_daemon(),
        TEXTS("4Offer0: verdict=refuse reason=forged-token socket=release", "problem=\"no token\""), &error);
    g_assert_no_error(error);
    g_autofree char *several =
        daemon_wait_line(scene_daemon(), TEXTS("4Offer1:", "problem=\"several tokens\""), &error);
    g_assert_no_error(error);
    g_autofree char *good =
        daemon_wait_line(scene_daemon(), TEXTS("4Offer5: verdict=deliver socket=release to=1"), &error);
    g_assert_no_error(error);
}

/* Whatever else comes to this socket: no mail of people passes, whoever they are. */
static void test_no_other_mail(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open_session(daemon_release_address(scene_daemon()), &scene_bo, &error);
    g_autofree char *fine = scene_edits(mta, &scene_fine), *public = scene_edits(mta, &scene_public);
    struct mta_message message = scene_public;

    g_assert_no_error(error);
    g_assert_cmpstr(fine, ==, FORGED);
    g_assert_cmpstr(public, ==, FORGED);
    message.fields = NULL;
    message.body = NULL;
    g_autofree char *empty = scene_edits(mta, &message);
    g_assert_cmpstr(empty, ==, FORGED);
    scene_check(); /* and the other socket is none of its kind */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    server = smtp_server_new();
    smtp_server_ask(server, play, NULL);
    scene_open_keeping(smtp_server_address(server), NULL);
    g_test_add_func("/wire/release/tokens", test_tokens);
    g_test_add_func("/wire/release/log", test_log);
    g_test_add_func("/wire/release/no-other-mail", test_no_other_mail);
    int status = scene_run("/wire/release");
    smtp_server_free(server);
    return status;
}
