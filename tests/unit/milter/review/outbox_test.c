/* The sending of notices: once each, again when it failed, at most 30 an hour to one addressee, and never
 * twice. */
#include "milter/review/outbox.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/review/limits.h"
#include "milter/review/review_private.h"
#include "milter/review/token.h"
#include "tests/support/noticing.h"
#include "tests/support/smtp_server.h"
#include "tests/support/temp_folder.h"

#define HOUR_MS ((gint64)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

struct scene {
    struct world *world;
    char *folder;
    struct store *store;
    struct smtp_server *server;
    struct review review;
    gint admitted, turned_away; /* atomic: the server counts */
    enum postfix_answer postfix; /* what Postfix says of a queue id, */
    guint asked;                 /* and how often it was asked */
};

static struct snapshot *borrow(gpointer data)
{
    struct scene *scene = data;

    return snapshot_ref(&scene->world->snapshot);
}

static enum postfix_answer ask_postfix(gpointer data, const char *queue_id)
{
    struct scene *scene = data;

    scene->asked++;
    return scene->postfix;
}

static GPtrArray *paths_of(const struct server_message *message)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < message->rcpts->len; i++) {
        const char *line = g_ptr_array_index(message->rcpts, i);
        const char *begin = strchr(line, '<'), *end = strchr(line, '>');
        g_ptr_array_add(paths, g_strndup(begin, (gsize)(end - begin) + 1));
    }
    return paths;
}

/* What the release socket does at the end of a message. */
static const char *ask_socket(const struct server_message *message, gpointer data)
{
    struct scene *scene = data;
    const GByteArray *octets = message->octets;
    g_autoptr(GPtrArray) paths = paths_of(message);
    guint8 digest[32];
    gsize start = 0, end = 0;
    const gsize name = strlen(TOKEN_FIELD ": ");
    const char *why = NULL;

    g_assert_true(token_find_field(octets->data, octets->len, &start, &end));
    g_assert_cmpuint(start, ==, 0);
    g_autofree char *token = g_strndup((const char *)octets->data + name, end - name - strlen("\r\n"));
    token_digest(octets->data, octets->len, digest);
    if (!release_admit(scene->store, token, digest, paths, "4XkQ2", &why)) {
        g_atomic_int_inc(&scene->turned_away);
        return "550 5.7.1 no";
    }
    g_atomic_int_inc(&scene->admitted);
    return NULL;
}

static void begin(struct scene *scene, gconstpointer unused)
{
    static const guint8 key[STORE_KEY_BYTES] = {1, 2, 3};
    g_autoptr(GError) error = NULL;

    scene->world = world_new();
    noticing_begin(scene->world);
    scene->world->snapshot.refs = 1;
    scene->folder = temp_folder_new();
    scene->store = store_open(scene->folder, key, NULL, &error);
    g_assert_no_error(error);
    scene->server = smtp_server_new();
    smtp_server_ask(scene->server, ask_socket, scene);
    struct conf *conf = scene->world->snapshot.conf;
    g_free(conf->release_through);
    conf->release_through = g_strdup(smtp_server_address(scene->server));
    scene->postfix = POSTFIX_KNOWS;
    scene->review.pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    scene->review.host = (struct review_host){
        .store = scene->store, .snapshot = borrow, .ask_postfix = ask_postfix, .host = scene};
}

static void finish(struct scene *scene, gconstpointer unused)
{
    g_assert_cmpuint(g_hash_table_size(scene->review.pending), ==, 0);
    g_hash_table_unref(scene->review.pending);
    smtp_server_free(scene->server);
    store_close(scene->store);
    temp_folder_remove(scene->folder);
    g_free(scene->folder);
    g_assert_cmpint(scene->world->snapshot.refs, ==, 1);
    reviewing_end(scene->world);
    world_free(scene->world);
}

static void add(struct scene *scene, const char *addressee, guint number, gboolean is_failure)
{
    g_autofree char *reference = g_strdup_printf("MIJI-abc%03u", number);
    g_autofree char *text = g_strdup_printf("Subject: %u\r\n\r\n.text\r\n", number);
    struct notice notice = {.kind = NOTICE_OUTCOME,
                            .addressee = (char *)addressee,
                            .reference = reference,
                            .text = text,
                            .length = strlen(text),
                            .is_failure = is_failure};
    g_autoptr(GError) error = NULL;

    g_assert_true(store_outbox_add(scene->store, &notice, NULL, &error));
    g_assert_no_error(error);
}

static void look(struct scene *scene)
{
    outbox_send_due(&scene->review, clock_wall_ms());
}

/* Of those that the server took, to this addressee. */
static guint sent_to(struct scene *scene, const char *addressee)
{
    g_autofree char *path = g_strdup_printf("<%s>", addressee);
    guint count = 0;

    for (guint i = 0; i < smtp_server_count(scene->server); i++)
        count += strstr(smtp_server_message(scene->server, i)->rcpts->pdata[0], path) != NULL;
    return count;
}

/* ---------------------------------------------------------------- one */
static void test_sent(struct scene *scene, gconstpointer unused)
{
    add(scene, "bo@agency.gov.cn", 1, FALSE);
    look(scene);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 1);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
    const struct server_message *message = smtp_server_message(scene->server, 0);
    g_assert_true(g_str_has_prefix(message->mail, "MAIL FROM:<>"));
    g_assert_cmpuint(message->rcpts->len, ==, 1);
    g_assert_cmpstr(message->rcpts->pdata[0], ==, "RCPT TO:<bo@agency.gov.cn> NOTIFY=NEVER");
    g_autofree char *octets = g_strndup((const char *)message->octets->data, message->octets->len);
    g_assert_true(g_str_has_prefix(octets, TOKEN_FIELD ": v1 "));
    g_assert_true(g_str_has_suffix(octets, "\r\nSubject: 1\r\n\r\n.text\r\n"));
}

static void test_no_way(struct scene *scene, gconstpointer unused)
{
    g_clear_pointer(&scene->world->snapshot.conf->release_through, g_free);
    add(scene, "bo@agency.gov.cn", 1, FALSE);
    look(scene);
    g_autoptr(GPtrArray) due = store_outbox_due(scene->store, clock_wall_ms(), 10, NULL);
    g_assert_cmpuint(due->len, ==, 1); /* waits, nothing is counted against it */
    g_assert_cmpuint(((struct outbox_entry *)due->pdata[0])->tries, ==, 0);
}

/* ---------------------------------------------------------------- again */
static void test_pauses(void)
{
    g_assert_cmpint(outbox_pause_ms(0), ==, 10 * 1000);
    g_assert_cmpint(outbox_pause_ms(1), ==, 20 * 1000);
    g_assert_cmpint(outbox_pause_ms(20), ==, HOUR_MS);
    g_assert_cmpint(outbox_pause_ms(G_MAXUINT), ==, HOUR_MS);
}

static void test_put_off(struct scene *scene, gconstpointer reply)
{
    smtp_server_plan(scene->server, STEP_RCPT, reply);
    add(scene, "bo@agency.gov.cn", 1, FALSE);
    look(scene);
    smtp_server_plan_none(scene->server);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 0); /* not before its pause is over */
    clock_advance(11 * 1000);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 1);
}

/* Nobody there is so for all of them: one is tried. */
static void test_nobody_there(struct scene *scene, gconstpointer unused)
{
    smtp_server_plan(scene->server, STEP_CONNECT, NULL);
    for (guint i = 0; i < 5; i++)
        add(scene, "bo@agency.gov.cn", i, FALSE);
    look(scene);
    g_assert_cmpuint(smtp_server_sessions(scene->server), ==, 1);
    smtp_server_plan_none(scene->server);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 4);
    clock_advance(11 * 1000);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 5);
}

static void test_given_up(struct scene *scene, gconstpointer unused)
{
    struct store_status status;

    smtp_server_plan(scene->server, STEP_MAIL, "451 4.3.0 no");
    add(scene, "bo@agency.gov.cn", 1, FALSE);
    look(scene);
    clock_advance(5 * DAY_MS);
    smtp_server_plan_none(scene->server);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 0);
    store_get_status(scene->store, &status);
    g_assert_cmpuint(status.outbox, ==, 0);
    g_free(status.problem);
}

/* ---------------------------------------------------------------- not known */
/* Offered, and the answer is lost. */
static void lose_after_offer(struct scene *scene, gboolean is_failure)
{
    smtp_server_plan(scene->server, STEP_TAKEN, NULL);
    add(scene, "bo@agency.gov.cn", 1, is_failure);
    look(scene);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
    smtp_server_plan_none(scene->server);
}

/* Postfix has it: nobody is told twice. */
static void test_lost_after_offer(struct scene *scene, gconstpointer unused)
{
    lose_after_offer(scene, TRUE);
    for (guint i = 0; i < 3; i++) {
        look(scene);
        clock_advance(HOUR_MS);
    }
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
    g_assert_cmpuint(scene->asked, ==, 1);
    g_assert_cmpuint(store_outbox_sent(scene->store, "bo@agency.gov.cn", 0), ==, 1);
}

/* Postfix has not: it goes once more, when Postfix has said so twice. */
static void test_lost_with_connection(struct scene *scene, gconstpointer unused)
{
    scene->postfix = POSTFIX_KNOWS_NOT;
    lose_after_offer(scene, TRUE);
    look(scene);
    look(scene);
    g_assert_cmpuint(scene->asked, ==, 1);
    clock_advance(RELEASE_ASK_MS);
    look(scene);
    g_assert_cmpuint(scene->asked, ==, 2);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 2);
    g_assert_cmpuint(store_outbox_sent(scene->store, "bo@agency.gov.cn", 0), ==, 1);
    g_assert_cmpint(g_atomic_int_get(&scene->turned_away), ==, 0);
}

static void lose_in_silence(struct scene *scene, gboolean is_failure)
{
    scene->postfix = POSTFIX_SILENT;
    lose_after_offer(scene, is_failure);
    while (scene->asked < RELEASE_SILENT - 1) {
        look(scene);
        clock_advance(RELEASE_ASK_MS);
    }
    g_assert_cmpuint(store_outbox_sent(scene->store, "bo@agency.gov.cn", 0), ==, 0);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
    look(scene);
    look(scene);
    g_assert_cmpuint(store_outbox_sent(scene->store, "bo@agency.gov.cn", 0), ==, 1);
}

/* Postfix cannot be asked: it stays open for a while, and then nobody is told twice … */
static void test_lost_in_silence(struct scene *scene, gconstpointer unused)
{
    lose_in_silence(scene, FALSE);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
}

/* … but of a failure, of which nobody else would tell. */
static void test_failure_lost_in_silence(struct scene *scene, gconstpointer unused)
{
    lose_in_silence(scene, TRUE);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 2);
}

/* Lost before: it is sent, with a token of its own. */
static void test_lost_before_offer(struct scene *scene, gconstpointer unused)
{
    smtp_server_plan(scene->server, STEP_DOT, NULL);
    add(scene, "bo@agency.gov.cn", 1, TRUE);
    look(scene);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 0);
    smtp_server_plan_none(scene->server);
    look(scene);
    look(scene);
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 1);
}

/* A process that died with an attempt begun: the next one finds it. */
static void test_earlier_life(struct scene *scene, gconstpointer unused)
{
    static const guint8 digest[32];
    g_autoptr(GError) error = NULL;

    add(scene, "bo@agency.gov.cn", 1, TRUE);
    add(scene, "bo@agency.gov.cn", 2, TRUE);
    g_autoptr(GPtrArray) due = store_outbox_due(scene->store, clock_wall_ms(), 10, &error);
    g_assert_cmpuint(due->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(attempt) attempt =
            store_attempt_begin_notice(scene->store, ((struct outbox_entry *)due->pdata[i])->number,
                                       "<bo@agency.gov.cn>", digest, clock_wall_ms() + HOUR_MS, &error);
        g_assert_no_error(error);
        if (i == 0)
            g_assert_true(store_attempt_offered(scene->store, attempt, "4XkQ1", &error));
    }
    look(scene);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 1);
    g_autofree char *octets = g_strndup((const char *)smtp_server_message(scene->server, 0)->octets->data,
                                        smtp_server_message(scene->server, 0)->octets->len);
    g_assert_nonnull(strstr(octets, "Subject: 2\r\n"));
    g_assert_cmpuint(store_outbox_sent(scene->store, "bo@agency.gov.cn", 0), ==, 2);
}

/* The work ends at a step (variant fault; else behind all of them), and is taken up at the next look. */
static void test_cut(struct scene *scene, gconstpointer step)
{
    g_autofree char *file = g_build_filename(scene->folder, "fault", NULL);
    g_autofree char *plan = g_strdup_printf("%s fail\n", (const char *)step);

    add(scene, "bo@agency.gov.cn", 1, TRUE);
    g_assert_true(g_file_set_contents(file, plan, -1, NULL));
    g_setenv("MIJI_FAULT", file, TRUE);
    look(scene);
#ifdef MIJI_FAULTS
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS)); /* it has acted */
#endif
    g_unsetenv("MIJI_FAULT");
    for (guint i = 0; i < 3; i++) {
        look(scene);
        clock_advance(HOUR_MS);
    }
    g_assert_cmpint(g_atomic_int_get(&scene->admitted), ==, 1);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, 1);
    g_assert_cmpuint(store_outbox_sent(scene->store, "bo@agency.gov.cn", 0), ==, 1);
}

/* ---------------------------------------------------------------- the hour's bound */
static char *last_text(struct scene *scene)
{
    const struct server_message *message =
        smtp_server_message(scene->server, smtp_server_count(scene->server) - 1);
    struct notice notice = {.kind = NOTICE_DIGEST,
                            .addressee = (char *)"",
                            .text = (char *)message->octets->data,
                            .length = message->octets->len};

    return noticing_read(&notice);
}

static void test_bound(struct scene *scene, gconstpointer unused)
{
    for (guint i = 0; i < 40; i++)
        add(scene, "bo@agency.gov.cn", i, i % 2 == 1);
    add(scene, "an@agency.gov.cn", 99, FALSE);
    look(scene);
    g_assert_cmpuint(sent_to(scene, "bo@agency.gov.cn"), ==, OUTBOX_AN_HOUR);
    g_assert_cmpuint(sent_to(scene, "an@agency.gov.cn"), ==, 1); /* nobody waits for another */
    look(scene);
    g_assert_cmpuint(sent_to(scene, "bo@agency.gov.cn"), ==, OUTBOX_AN_HOUR + 1);
    g_autofree char *text = last_text(scene);
    g_assert_nonnull(strstr(text, "10 more notices"));
    for (guint i = 30; i < 40; i++) {
        g_autofree char *reference = g_strdup_printf("MIJI-abc%03u", i);
        g_assert_nonnull(strstr(text, reference));
    }

    add(scene, "bo@agency.gov.cn", 50, TRUE); /* no second digest in the hour, and nothing is lost */
    look(scene);
    look(scene);
    g_assert_cmpuint(sent_to(scene, "bo@agency.gov.cn"), ==, OUTBOX_AN_HOUR + 1);
    clock_advance(HOUR_MS + 1000);
    look(scene);
    g_assert_cmpuint(sent_to(scene, "bo@agency.gov.cn"), ==, OUTBOX_AN_HOUR + 2);
    look(scene);
    g_assert_cmpuint(smtp_server_count(scene->server), ==, OUTBOX_AN_HOUR + 3);
}

#define ADD(name, data, function) \
    g_test_add("/review/outbox/" name, struct scene, data, begin, function, finish)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/outbox/pauses", test_pauses);
    ADD("sent", NULL, test_sent);
    ADD("no-way", NULL, test_no_way);
    ADD("put-off", "450 4.2.0 later", test_put_off);
    ADD("refused", "550 5.1.1 nobody of that name", test_put_off);
    ADD("nobody-there", NULL, test_nobody_there);
    ADD("given-up", NULL, test_given_up);
    ADD("lost-after-offer", NULL, test_lost_after_offer);
    ADD("lost-with-connection", NULL, test_lost_with_connection);
    ADD("lost-in-silence", NULL, test_lost_in_silence);
    ADD("failure-lost-in-silence", NULL, test_failure_lost_in_silence);
    ADD("lost-before-offer", NULL, test_lost_before_offer);
    ADD("earlier-life", NULL, test_earlier_life);
    ADD("cut/attempted", "notice.attempted", test_cut);
    ADD("cut/sent", "notice.sent", test_cut);
    ADD("cut/recorded", "notice.recorded", test_cut);
    ADD("bound", NULL, test_bound);
    return g_test_run();
}
