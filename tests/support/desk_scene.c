#include "tests/support/desk_scene.h"

#include <glib/gstdio.h>
#include <pwd.h>
#include <string.h>

#include "milter/review/desk.h"
#include "milter/store/audit.h"
#include "milter/store/trace.h"

static const struct {
    const char *account, *person;
} accounts[] = {{"daemon", "gao"}, {"bin", "an"}, {"sys", "hei"}, {"games", "shen"},
                {"man", "you"},    {"lp", "cai"}, {"mail", "bo"}, {"news", "gu"}};

static struct snapshot *snapshot_of(gpointer host)
{
    struct desk_scene *scene = host;

    return snapshot_ref(&scene->world->snapshot);
}

static enum postfix_answer ask_postfix(gpointer host, const char *queue_id)
{
    return POSTFIX_KNOWS_NOT;
}

static void open_store(struct desk_scene *scene)
{
    static const guint8 key[STORE_KEY_BYTES] = {1, 2, 3};
    g_autoptr(GError) error = NULL;

    scene->folder = g_dir_make_tmp("miji-desk-XXXXXX", NULL);
    scene->store = store_open(scene->folder, key, NULL, &error);
    if (scene->store == NULL)
        g_error("%s", error->message);
}

static void set_up_conf(struct world *world)
{
    struct archive *archive = world_add_archive(world, "default", TAKES_EVERYTHING, NULL);

    archive->keep_ms = G_GINT64_CONSTANT(365) * 86400 * 1000;
    world->conf->time_zone = g_time_zone_new_utc();
    world->snapshot.refs = 1; /* never freed: it is the world's */
}

struct desk_scene *desk_scene_new(void)
{
    struct desk_scene *scene = g_new0(struct desk_scene, 1);

    scene->world = world_new();
    scene->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    reviewing_begin(scene->world);
    for (guint i = 0; i < G_N_ELEMENTS(accounts); i++)
        g_ptr_array_add(world_find(scene->world, accounts[i].person)->logins, g_strdup(accounts[i].account));
    reviewing_directory(scene->world);
    set_up_conf(scene->world);
    open_store(scene);
    scene->review.host = (struct review_host){
        .store = scene->store, .snapshot = snapshot_of, .ask_postfix = ask_postfix, .host = scene};
    pthread_mutex_init(&scene->review.lock, NULL);
    pthread_cond_init(&scene->review.changed, NULL);
    return scene;
}

static void remove_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *entry = g_build_filename(path, name, NULL);
        if (g_file_test(entry, G_FILE_TEST_IS_DIR))
            remove_folder(entry);
        else
            g_unlink(entry);
    }
    g_rmdir(path);
}

void desk_scene_free(struct desk_scene *scene)
{
    if (scene == NULL)
        return;
    store_close(scene->store);
    remove_folder(scene->folder);
    pthread_cond_destroy(&scene->review.changed);
    pthread_mutex_destroy(&scene->review.lock);
    reviewing_end(scene->world);
    world_free(scene->world);
    g_hash_table_unref(scene->ids);
    g_free(scene->folder);
    g_free(scene);
}

/* ---- messages */

void desk_scene_keep(struct desk_scene *scene, const char *name, const char *octets, gsize length)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *reference = g_strdup_printf("ref%03u", ++scene->count);
    struct inputs inputs = world_inputs(scene->world);
    g_autoptr(decision) decision = decide(&inputs, reference);
    g_autofree char *id = NULL;
    g_autoptr(GError) error = NULL;
    guint8 digest[32];
    gsize size = sizeof digest;

    g_checksum_update(checksum, (const guchar *)octets, (gssize)length);
    g_checksum_update(checksum, (const guchar *)reference, -1); /* each is a message of its own */
    g_checksum_get_digest(checksum, digest, &size);
    struct store_message message = {.inputs = &inputs,
                                    .decision = decision,
                                    .digest = digest,
                                    .octets = octets,
                                    .length = length,
                                    .fd = -1};
    if (!store_keep(scene->store, &message, &id, &error))
        g_error("%s", error->message);
    if (name[0] != '\0' && id == NULL)
        g_error("%s: nothing is held: %s", name, decision->reply.text);
    if (name[0] != '\0')
        g_hash_table_insert(scene->ids, g_strdup(name), g_steal_pointer(&id));
    store_answered(scene->store, decision->reference);
    g_autoptr(GPtrArray) flushed = store_trace(scene->store, decision->reference, 1, NULL);
    g_assert_true(flushed != NULL && flushed->len == 1);
}

static void begin_message(struct desk_scene *scene, const char *from, const char *to)
{
    g_auto(GStrv) recipients = g_strsplit(to, " ", -1);
    g_autofree char *login = g_strndup(from, strcspn(from, "@"));
    g_autofree char *given = g_strdup_printf("<%s>", from);

    world_new_message(scene->world);
    world_office(scene->world, login);
    world_from(scene->world, given);
    world_field(scene->world, "From", from);
    for (char **recipient = recipients; *recipient != NULL; recipient++) {
        g_autofree char *rcpt = g_strdup_printf("<%s>", *recipient);
        world_to(scene->world, rcpt);
    }
}

static const char usual[] = "From: bo@agency.gov.cn\r\nSubject: =?UTF-8?B?5LiJ5a2j5bqm?=\r\n\r\nHello\r\n";

void desk_scene_conflict(struct desk_scene *scene, const char *name, const char *from, const char *to)
{
    begin_message(scene, from, to);
    world_field(scene->world, "X-Classification", "秘密");
    world_text(scene->world, PLACE_SUBJECT, 0, "【机密】三季度");
    desk_scene_keep(scene, name, usual, sizeof usual - 1);
}

void desk_scene_invalid(struct desk_scene *scene, const char *name)
{
    begin_message(scene, "bo@agency.gov.cn", "an@agency.gov.cn");
    world_field(scene->world, "X-Classification", "机秘");
    world_text(scene->world, PLACE_SUBJECT, 0, "【秘密】");
    desk_scene_keep(scene, name, usual, sizeof usual - 1);
}

void desk_scene_unread(struct desk_scene *scene, const char *name)
{
    begin_message(scene, "bo@agency.gov.cn", "an@agency.gov.cn");
    world_no_facts(scene->world, FACTS_NONE_PERSISTENT);
    desk_scene_keep(scene, name, usual, sizeof usual - 1);
}

/* ---- asking */

/* {NAME} and {NAME/8}. */
static char *with_ids(struct desk_scene *scene, const char *line)
{
    g_autoptr(GString) out = g_string_new(line);
    GHashTableIter each;
    gpointer name, id;

    g_hash_table_iter_init(&each, scene->ids);
    while (g_hash_table_iter_next(&each, &name, &id)) {
        g_autofree char *whole = g_strdup_printf("{%s}", (char *)name);
        g_autofree char *part = g_strdup_printf("{%s/8}", (char *)name);
        g_autofree char *eight = g_strndup(id, 8);
        g_string_replace(out, whole, id, 0);
        g_string_replace(out, part, eight, 0);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *desk_scene_ask(struct desk_scene *scene, const char *account, const char *line, gsize *length,
                     gboolean *ok)
{
    g_autofree char *whole = with_ids(scene, line);
    g_autoptr(control_request) request = control_request_parse(whole);
    const struct passwd *entry = getpwnam(account);
    GString *answer = g_string_new(NULL);
    gboolean known = FALSE;

    if (request == NULL || entry == NULL)
        g_error("%s: %s", account, line);
    *ok = desk_serve(&scene->review, entry->pw_uid, request, answer, &known);
    if (!known)
        g_string_assign(answer, "unknown word\n");
    if (length != NULL)
        *length = answer->len;
    return g_string_free(answer, FALSE);
}

char *desk_scene_steady(struct desk_scene *scene, const char *text)
{
    g_autoptr(GString) out = g_string_new(text);
    g_autoptr(GRegex) moment =
        g_regex_new("\\d{4}-\\d\\d-\\d\\d([ T])\\d\\d:\\d\\d(:)?(?(2)\\d\\d)", 0, 0, NULL);
    GHashTableIter each;
    gpointer name, id;

    g_hash_table_iter_init(&each, scene->ids);
    while (g_hash_table_iter_next(&each, &name, &id)) {
        g_autofree char *fixed = g_strdup_printf("%s%.*s", (char *)name, (int)(strlen(id) - strlen(name)),
                                                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        g_autofree char *eight = g_strndup(id, 8), *fixed_eight = g_strndup(fixed, 8);
        g_string_replace(out, id, fixed, 0);
        g_string_replace(out, eight, fixed_eight, 0);
    }
    return g_regex_replace(moment, out->str, (gssize)out->len, 0, "2026-06-01\\g<1>12:00", 0, NULL);
}

char *desk_scene_audit(struct desk_scene *scene, guint last)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = store_audit_records(scene->store, 0, 100000, &error);
    g_autoptr(GString) out = g_string_new(NULL);

    if (records == NULL)
        g_error("%s", error->message);
    for (guint i = records->len - MIN(last, records->len); i < records->len; i++) {
        const struct audit_record *record = g_ptr_array_index(records, i);
        g_string_append_printf(out, "%s %s %s %s\n", record->who, record->event,
                               record->object != NULL ? record->object : "-",
                               record->detail != NULL ? record->detail : "-");
    }
    return desk_scene_steady(scene, out->str);
}

struct hold *desk_scene_hold(struct desk_scene *scene, const char *name)
{
    g_autoptr(GError) error = NULL;
    struct hold *hold =
        store_hold(scene->store, scene->world->schemes, g_hash_table_lookup(scene->ids, name), &error);

    if (hold == NULL)
        g_error("%s: %s", name, error->message);
    return hold;
}

/* ---- what tests say of it */

char *desk_scene_done(struct desk_scene *scene, const char *account, const char *line, gboolean expected)
{
    gboolean ok;
    char *answer = desk_scene_ask(scene, account, line, NULL, &ok);

    if (ok != expected)
        g_test_message("%s: %s: %s", account, line, answer);
    g_assert_cmpint(ok, ==, expected);
    return answer;
}

/* The answer is that sentence, and no. */
void desk_scene_no(struct desk_scene *scene, const char *account, const char *line, const char *sentence)
{
    g_autofree char *answer = desk_scene_done(scene, account, line, FALSE);
    g_autofree char *steady = desk_scene_steady(scene, answer);
    g_autofree char *one_line = g_strdelimit(g_strchomp(g_strdup(steady)), "\n", ' ');

    g_assert_cmpstr(one_line, ==, sentence);
}

void desk_scene_recorded(struct desk_scene *scene, guint last, const char *expected)
{
    g_autofree char *audit = desk_scene_audit(scene, last);

    g_assert_cmpstr(audit, ==, expected);
}

gboolean desk_scene_says(struct desk_scene *scene, const char *account, const char *line, const char *part)
{
    g_autofree char *answer = desk_scene_done(scene, account, line, TRUE);

    return strstr(answer, part) != NULL;
}

enum hold_state desk_scene_state(struct desk_scene *scene, const char *name)
{
    g_autoptr(hold) hold = desk_scene_hold(scene, name);

    return hold->state;
}
