#include "tests/support/releasing.h"

#include <glib/gstdio.h>
#include <string.h>

#include "milter/conf/clock.h"
#include "milter/review/token.h"
#include "milter/store/store_private.h"
#include "tests/support/temp_folder.h"

/* The first queue is where a conflict is held. */
#define REVIEW                                                                         \
    "key file \"key\"\n"                                                               \
    "queue \"office\" { reviewers \"boss@agency.gov.cn\"; deadline 3d then refuse }\n" \
    "role administrator \"adm@agency.gov.cn\"\n"                                       \
    "role officer \"boss@agency.gov.cn\"\n"                                            \
    "role auditor \"aud@agency.gov.cn\"\n"                                             \
    "listen \"unix:smtp.sock\"\n"                                                      \
    "listen \"unix:release.sock\" role release\n"

static const guint8 store_key[STORE_KEY_BYTES] = "a key for tests only, 32 octets.";

/* ---------------------------------------------------------------- configuration */

static void write_people(struct releasing *releasing, const char *clearances)
{
    g_auto(GStrv) people = g_strsplit(clearances, "|", -1);
    GString *text = g_string_new("version: 1\n");

    for (char **person = people; *person != NULL; person++) {
        g_auto(GStrv) words = g_strsplit(*person, " ", 2);
        g_string_append_printf(text,
                               "\ndn: uid=%s,dc=cn\nobjectClass: inetOrgPerson\nobjectClass: mijiPerson\n"
                               "uid: %s\nmail: %s@agency.gov.cn\nmijiClearance: %s\n",
                               words[0], words[0], words[0], words[1]);
    }
    conf_folder_write(releasing->folder, "people.ldif", text->str, 0644);
    g_string_free(text, TRUE);
}

void releasing_configure(struct releasing *releasing, const char *lines, const char *clearances)
{
    g_autofree char *rendered = NULL;
    g_autofree char *text =
        g_strdup_printf(CONF_BASE REVIEW "release through \"%s\"\n%s", smtp_server_address(releasing->server),
                        lines != NULL ? lines : "");

    write_people(releasing,
                 clearances != NULL ? clearances : "an 绝密|an2 绝密|an3 绝密|bo 机密|boss 绝密|ni 内部");
    struct snapshot *snapshot =
        conf_folder_load(releasing->folder, text, SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST, NULL, &rendered);
    if (snapshot == NULL)
        g_error("%s", rendered);
    pthread_mutex_lock(&releasing->lock);
    g_ptr_array_add(releasing->earlier, snapshot);
    releasing->snapshot = snapshot;
    pthread_mutex_unlock(&releasing->lock);
}

static gboolean is_down(const char *value, gpointer data)
{
    return TRUE;
}

void releasing_directory_down(struct releasing *releasing)
{
    pthread_mutex_lock(&releasing->lock);
    directory_unref(releasing->snapshot->directory);
    releasing->snapshot->directory =
        directory_of_people(g_ptr_array_new_with_free_func((GDestroyNotify)person_unref), is_down, NULL);
    pthread_mutex_unlock(&releasing->lock);
}

/* ---------------------------------------------------------------- the daemon and Postfix */

static struct snapshot *current(gpointer data)
{
    struct releasing *releasing = data;

    pthread_mutex_lock(&releasing->lock);
    struct snapshot *snapshot = snapshot_ref(releasing->snapshot);
    pthread_mutex_unlock(&releasing->lock);
    return snapshot;
}

static enum postfix_answer ask_postfix(gpointer data, const char *queue_id)
{
    struct releasing *releasing = data;
    enum postfix_answer answer = POSTFIX_KNOWS_NOT;

    for (guint i = 0; i < smtp_server_count(releasing->server); i++)
        if (strcmp(smtp_server_message(releasing->server, i)->queue_id, queue_id) == 0)
            answer = POSTFIX_KNOWS;
    pthread_mutex_lock(&releasing->lock);
    releasing->asked++;
    if (releasing->silent)
        answer = POSTFIX_SILENT;
    else if (releasing->forgetful)
        answer = POSTFIX_KNOWS_NOT;
    pthread_mutex_unlock(&releasing->lock);
    return answer;
}

/* The value of the token field; NULL none. */
static char *token_of(const struct server_message *message)
{
    gsize start = 0, end = 0;

    if (!token_find_field(message->octets->data, message->octets->len, &start, &end))
        return NULL;
    g_autofree char *field = g_strndup((const char *)message->octets->data + start, end - start);
    return g_strdup(g_strstrip(strchr(field, ':') + 1));
}

/* As the daemon does at the end of a message on the release socket. */
static const char *at_end(const struct server_message *message, gpointer data)
{
    struct releasing *releasing = data;
    g_autofree char *token = token_of(message);
    g_autoptr(GPtrArray) given = g_ptr_array_new_with_free_func(g_free);
    guint8 digest[32];
    const char *why = NULL;

    for (guint i = 0; i < message->rcpts->len; i++) {
        const char *path = (const char *)message->rcpts->pdata[i] + strlen("RCPT TO:");
        g_ptr_array_add(given, g_strndup(path, strcspn(path, " ")));
    }
    token_digest(message->octets->data, message->octets->len, digest);
    pthread_mutex_lock(&releasing->lock);
    gboolean guarded = releasing->guarded;
    const char *filter = releasing->filter;
    pthread_mutex_unlock(&releasing->lock);
    gboolean admitted =
        !guarded || release_admit(releasing->store, token, digest, given, message->queue_id, &why);
    pthread_mutex_lock(&releasing->lock);
    releasing->refusal = why;
    pthread_mutex_unlock(&releasing->lock);
    if (!admitted)
        return release_admit_later(why) ? "451 4.3.0 later" : "550 5.7.1 no";
    return filter;
}

void releasing_filter(struct releasing *releasing, const char *reply)
{
    pthread_mutex_lock(&releasing->lock);
    releasing->filter = reply;
    pthread_mutex_unlock(&releasing->lock);
}

static void open_store(struct releasing *releasing)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(releasing->folder->path, "state", NULL);

    g_mkdir(folder, 0700);
    releasing->store = store_open(folder, store_key, NULL, &error);
    if (releasing->store == NULL)
        g_error("%s", error->message);
    releasing->host = (struct review_host){.store = releasing->store,
                                           .inspector = releasing->inspecting.inspector,
                                           .snapshot = current,
                                           .ask_postfix = ask_postfix,
                                           .host = releasing};
    releasing->review = review_new(&releasing->host);
}

struct releasing *releasing_new(void)
{
    struct releasing *releasing = g_new0(struct releasing, 1);

    releasing->folder = conf_folder_new();
    releasing->guarded = TRUE;
    releasing->earlier = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_unref);
    pthread_mutex_init(&releasing->lock, NULL);
    setting_begin(&releasing->inspecting, 1);
    releasing->server = smtp_server_new();
    smtp_server_ask(releasing->server, at_end, releasing);
    conf_folder_write(releasing->folder, "key", "0123456789abcdef0123456789abcdef", 0400);
    releasing_configure(releasing, NULL, NULL);
    open_store(releasing);
    return releasing;
}

void releasing_free(struct releasing *releasing)
{
    g_autofree char *folder = g_build_filename(releasing->folder->path, "state", NULL);

    smtp_server_free(releasing->server);
    if (releasing->review != NULL)
        review_free(releasing->review);
    store_close(releasing->store);
    g_ptr_array_unref(releasing->earlier);
    setting_end(&releasing->inspecting);
    temp_folder_remove(folder);
    conf_folder_free(releasing->folder);
    pthread_mutex_destroy(&releasing->lock);
    g_free(releasing);
}

void releasing_restart(struct releasing *releasing)
{
    g_assert_true(smtp_server_is_idle(releasing->server));
    review_free(releasing->review);
    store_close(releasing->store);
    open_store(releasing);
}

void releasing_look(struct releasing *releasing, guint times)
{
    for (guint i = 0; i < times; i++) {
        release_look(releasing->review);
        g_assert_true(smtp_server_is_idle(releasing->server));
        clock_advance(60 * 1000);
    }
}

/* ---------------------------------------------------------------- messages */

static struct envelope *envelope_to(const char *names, const char *parameters)
{
    struct envelope *envelope = envelope_new();
    g_auto(GStrv) people = g_strsplit(names, " ", -1);

    envelope_set_sender(envelope, "<bo@agency.gov.cn>", parameters);
    for (char **name = people; *name != NULL; name++) {
        g_autofree char *given = g_strdup_printf("<%s@agency.gov.cn>", *name);
        struct envelope_recipient *recipient = envelope_add(envelope, given);
        recipient->notify = g_strdup(parameters != NULL ? "SUCCESS,FAILURE" : NULL);
        recipient->orcpt = parameters != NULL ? g_strdup_printf("rfc822;%s+2Bx", *name) : NULL;
    }
    envelope->queue_id = g_strdup("4CAME");
    return envelope;
}

static struct directory_query *people_of(const struct inputs *inputs)
{
    struct directory_query *people = directory_query_new(inputs->snapshot->directory);

    inputs_ask_sender(people, inputs->snapshot, inputs->session, inputs->envelope);
    for (guint i = 0; i < inputs->envelope->recipients->len; i++)
        inputs_ask_recipient(people, inputs->snapshot, g_ptr_array_index(inputs->envelope->recipients, i));
    if (inputs->facts != NULL)
        inputs_ask_authors(people, inputs->snapshot, inputs->session, inputs->facts);
    directory_query_wait(people, g_get_monotonic_time() + PATIENCE);
    return people;
}

static char *keep(struct releasing *releasing, const struct inputs *inputs, const struct decision *decision,
                  const char *octets, gsize length)
{
    guint8 digest[32];
    gsize size = sizeof digest;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GError) error = NULL;
    char *id = NULL;

    g_checksum_update(sum, (const guchar *)octets, (gssize)length);
    g_checksum_get_digest(sum, digest, &size);
    struct store_message message = {.inputs = inputs,
                                    .decision = decision,
                                    .digest = digest,
                                    .octets = octets,
                                    .length = length,
                                    .fd = -1};
    store_keep(releasing->store, &message, &id, &error);
    g_assert_no_error(error);
    return id;
}

static struct hold *find(struct releasing *releasing, const char *id)
{
    g_autoptr(GError) error = NULL;

    writer_flush(releasing->store->writer);
    struct hold *hold = store_hold(releasing->store, releasing->snapshot->schemes, id, &error);
    if (hold == NULL)
        g_error("%s: %s", id, error->message);
    return hold;
}

struct hold *releasing_hold_octets(struct releasing *releasing, const char *names, const char *parameters,
                                   const char *octets, gsize length)
{
    enum inspect_failure failure = INSPECT_OK;
    struct session session = {.client = ip_parse("10.1.2.3"),
                              .client_name = (char *)"desk.agency.gov.cn",
                              .helo = (char *)"desk",
                              .login = (char *)"bo",
                              .auth_type = (char *)"PLAIN"};
    g_autoptr(envelope) envelope = envelope_to(names, parameters);
    g_autoptr(facts) facts = releasing->unreadable
                                 ? NULL
                                 : inspector_inspect(releasing->inspecting.inspector, octets, length, -1,
                                                     g_get_monotonic_time() + PATIENCE, NULL, NULL, &failure);
    struct inputs inputs = {.snapshot = releasing->snapshot,
                            .session = &session,
                            .envelope = envelope,
                            .facts = facts,
                            .facts_state = facts != NULL ? FACTS_HERE : FACTS_NONE_PERSISTENT,
                            .now = clock_wall_ms() / 1000};
    g_autoptr(directory_query) people = people_of(&inputs);
    inputs.people = people;
    g_autoptr(decision) decision = decide(&inputs, "abc234");

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->fate != FATE_HELD)
            g_error("%s is not held: %s", recipient->first->address->canonical,
                    recipient->leading != NULL ? reason_name(recipient->leading->id) : "-");
    }
    g_autofree char *id = keep(releasing, &inputs, decision, octets, length);
    if (!releasing->unanswered)
        store_answered(releasing->store, decision->reference);
    return find(releasing, id);
}

struct hold *releasing_hold(struct releasing *releasing, const char *names, const char *more)
{
    static gint count;
    g_autofree char *octets =
        g_strdup_printf("Message-ID: <%d@agency.gov.cn>\r\nFrom: bo@agency.gov.cn\r\n"
                        "Subject: =?utf-8?B?44CQ5py65a+G44CR?=\r\n"
                        "X-Classification: =?utf-8?B?56eY5a+G?=\r\n%s\r\nbody %d\r\n",
                        g_atomic_int_add(&count, 1), more != NULL ? more : "", g_atomic_int_get(&count));

    return releasing_hold_octets(releasing, names, NULL, octets, strlen(octets));
}

void releasing_approve(struct releasing *releasing, struct hold **hold)
{
    g_autoptr(GError) error = NULL;

    store_hold_approve(releasing->store, *hold, "boss@agency.gov.cn", NULL, NULL, &error);
    g_assert_no_error(error);
    releasing_again(releasing, hold);
}

struct hold *releasing_approved(struct releasing *releasing, const char *names)
{
    struct hold *hold = releasing_hold(releasing, names, NULL);

    releasing_approve(releasing, &hold);
    return hold;
}

/* ---------------------------------------------------------------- looking */

void releasing_again(struct releasing *releasing, struct hold **hold)
{
    struct hold *again = find(releasing, (*hold)->id);

    hold_free(*hold);
    *hold = again;
}

char *releasing_state(struct releasing *releasing, const struct hold *hold)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        g_auto(GStrv) halves = g_strsplit(recipient->canonical, "@", 2);
        g_string_append_printf(out, "%s%s %s", i > 0 ? ", " : "", halves[0],
                               hold_state_name(recipient->state));
        if (recipient->queue_id != NULL)
            g_string_append_printf(out, " %s", recipient->queue_id);
    }
    if (hold->slip.trouble != NULL)
        g_string_append_printf(out, " | %s", hold->slip.trouble);
    return g_string_free(out, FALSE);
}

void expect_state(struct releasing *releasing, struct hold **hold, const char *state)
{
    releasing_again(releasing, hold);
    g_autofree char *is = releasing_state(releasing, *hold);
    g_assert_cmpstr(is, ==, state);
}

static gboolean change(struct database *database, gpointer data, GError **error)
{
    return database_run(database, error, data, "");
}

void releasing_change(struct releasing *releasing, const char *sql)
{
    g_autoptr(GError) error = NULL;

    writer_flush(releasing->store->writer);
    writer_run(releasing->store->writer, change, (gpointer)sql, &error);
    g_assert_no_error(error);
}
