/*
 * What a crash leaves, between any two calls that change the disk: a store that opens, in which all that was
 * promised stands and nothing is half; and the same when any of these calls fails because the disk is full,
 * broken or read only.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/store/hold.h"
#include "milter/store/store_private.h"
#include "tests/support/disk.h"
#include "tests/support/stored.h"
#include "tests/support/temp_folder.h"

/* Sanitizers make a look at one image slow: fewer of them there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOST_CUTS 40
#else
#define MOST_CUTS 220
#endif
#define SMALL 3000
#define LARGE 400000 /* in a file */

static const guint8 KEY_A[STORE_KEY_BYTES] = "key a of a store that is cut....";
static const guint8 KEY_B[STORE_KEY_BYTES] = "key b of a store that is cut....";

static struct store *open_store(const char *folder, const guint8 *key)
{
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(folder, key, NULL, &error);
    g_assert_no_error(error);
    return store;
}

/* A world whose messages go into a store of our own. */
static struct stored *stored_in(const char *folder)
{
    struct stored *stored = stored_new();
    store_close(stored->store);
    temp_folder_remove(stored->folder);
    g_free(stored->folder);
    stored->folder = g_strdup(folder);
    stored->store = open_store(folder, KEY_A);
    return stored;
}

/* ---- what is promised, and when */

enum what { ABSENT, HELD, REFUSED };

/* One call: from the event where it began it may have happened, from where it ended it has. */
struct deed {
    guint hold; /* in promises */
    enum what becomes;
    guint begun, ended;
};

struct promise {
    char *id, *text;
};

struct script {
    struct stored *stored;
    GArray *deeds;       /* struct deed */
    GPtrArray *promises; /* struct promise * */
    guint key_begun, key_ended;
};

static guint now(void)
{
    guint count = 0;
    disk_events(&count);
    return count;
}

static void promise_free(struct promise *promise)
{
    g_free(promise->id);
    g_free(promise->text);
    g_free(promise);
}

/* Octets of their own, which do not compress to nothing. */
static char *draw_text(gsize length)
{
    GString *text = g_string_new("Message-ID: <");
    while (text->len < length)
        g_string_append_printf(text, "%08x", g_test_rand_int());
    return g_string_free(text, FALSE);
}

static void prepare_message(struct stored *stored, gsize length)
{
    stored_message(stored, "an ni");
    g_free(stored->text);
    stored->text = draw_text(length);
}

static void script_keep(struct script *script, gsize length)
{
    struct deed deed = {.hold = script->promises->len, .becomes = HELD};
    struct promise *promise = g_new0(struct promise, 1);
    g_autoptr(GError) error = NULL;
    prepare_message(script->stored, length);
    promise->text = g_strdup(script->stored->text);
    g_autoptr(decision) decision = stored_decide(script->stored, "hh");
    deed.begun = now();
    stored_keep(script->stored, decision, stored_notice(NOTICE_OUTCOME, "bo@agency.gov.cn"), &promise->id,
                &error);
    g_assert_no_error(error);
    deed.ended = now();
    g_ptr_array_add(script->promises, promise);
    g_array_append_val(script->deeds, deed);
}

static void script_refuse(struct script *script, guint number)
{
    const struct promise *promise = g_ptr_array_index(script->promises, number);
    struct deed deed = {.hold = number, .becomes = REFUSED, .begun = now()};
    g_autoptr(hold) hold = stored_find(script->stored, promise->id);
    g_autoptr(GError) error = NULL;
    store_hold_refuse(script->stored->store, hold, "an@agency.gov.cn", NULL, NULL, &error);
    g_assert_no_error(error);
    deed.ended = now();
    g_array_append_val(script->deeds, deed);
}

/* All that is closed goes. */
static void script_tidy(struct script *script, guint first, guint second)
{
    struct deed deeds[] = {{.hold = first, .becomes = ABSENT, .begun = now()},
                           {.hold = second, .becomes = ABSENT, .begun = now()}};
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 2; i++) {
        clock_advance(10 * 60 * 1000);
        store_tidy(script->stored->store, clock_wall_ms() + 1000, 0, 0, &error);
        g_assert_no_error(error);
    }
    deeds[0].ended = deeds[1].ended = now();
    g_array_append_vals(script->deeds, deeds, 2);
}

static void script_reopen(struct script *script, const guint8 *key)
{
    store_close(script->stored->store);
    script->stored->store = open_store(script->stored->folder, key);
}

static void run_script(struct script *script, const char *folder)
{
    script->deeds = g_array_new(FALSE, FALSE, sizeof(struct deed));
    script->promises = g_ptr_array_new_with_free_func((GDestroyNotify)promise_free);
    script->stored = stored_in(folder);
    script_keep(script, SMALL);
    script_keep(script, LARGE);
    script_keep(script, SMALL);
    script_refuse(script, 0);
    script_reopen(script, KEY_A);
    script_keep(script, LARGE);
    script_refuse(script, 1);
    script->key_begun = now();
    g_assert_true(store_change_key(script->stored->store, KEY_B, NULL));
    script->key_ended = now();
    script_keep(script, LARGE);
    script_tidy(script, 0, 1);
    script_reopen(script, KEY_B);
    script_keep(script, SMALL);
    script_refuse(script, 3);
    store_close(script->stored->store);
}

static void script_clear(struct script *script)
{
    g_array_unref(script->deeds);
    g_ptr_array_unref(script->promises);
    script->stored->store = NULL;
    stored_free(script->stored);
}

/* ---- looking at what is left */

/* A complaint that says where; the test goes on. */
struct cut {
    guint events;
    enum disk_kept kept;
};

static void complain(const struct cut *cut, const char *what, const char *more)
{
    g_autofree char *text = g_strdup_printf("cut behind %u events, kept: %s: %s: %s", cut->events,
                                            disk_kept_name(cut->kept), what, more);
    g_assertion_message(G_LOG_DOMAIN, __FILE__, __LINE__, G_STRFUNC, text);
}

static const struct promise *promise_of(const struct script *script, const char *id)
{
    for (guint i = 0; i < script->promises->len; i++) {
        const struct promise *promise = g_ptr_array_index(script->promises, i);
        if (strcmp(promise->id, id) == 0)
            return promise;
    }
    return NULL;
}

/* Whole: its octets as they were given, its record, two recipients. */
static void look_at_hold(const struct script *script, struct store *store, const struct hold *hold,
                         const struct cut *cut)
{
    const struct promise *promise = promise_of(script, hold->id);
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    g_autofree guint8 *octets = store_hold_contents(store, hold, &length, &error);
    if (octets == NULL) {
        complain(cut, "a hold cannot be read", error->message);
        return;
    }
    g_autoptr(recorded) recorded = store_hold_recorded(store, hold, &error);
    if (promise == NULL || length != strlen(promise->text) || memcmp(octets, promise->text, length) != 0)
        complain(cut, "a hold is not what was given", hold->id);
    if (recorded == NULL || hold->recipients->len != 2)
        complain(cut, "a hold is half", hold->id);
}

static enum what state_of(const GPtrArray *holds, const char *id)
{
    for (guint i = 0; i < holds->len; i++) {
        const struct hold *hold = g_ptr_array_index(holds, i);
        if (strcmp(hold->id, id) == 0)
            return hold->state == HOLD_HELD ? HELD : REFUSED;
    }
    return ABSENT;
}

/* What it must be at this place, or may be already. */
static void look_at_promises(const struct script *script, const GPtrArray *holds, const struct cut *cut)
{
    for (guint i = 0; i < script->promises->len; i++) {
        const struct promise *promise = g_ptr_array_index(script->promises, i);
        enum what must = ABSENT, may = ABSENT, found = state_of(holds, promise->id);
        for (guint d = 0; d < script->deeds->len; d++) {
            const struct deed *deed = &g_array_index(script->deeds, struct deed, d);
            if (deed->hold == i && deed->ended <= cut->events)
                must = may = deed->becomes;
            else if (deed->hold == i && deed->begun <= cut->events)
                may = deed->becomes;
        }
        if (found != must && found != may)
            complain(cut, "a promise is not kept", promise->id);
    }
}

/* It goes on as if nothing had been. */
static void look_at_going_on(const struct script *script, struct store *store, const struct cut *cut)
{
    struct stored *stored = script->stored;
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    gsize length = 0;
    stored->store = store;
    prepare_message(stored, LARGE);
    g_autoptr(decision) decision = stored_decide(stored, "hh");
    if (!stored_keep(stored, decision, NULL, &id, &error)) {
        complain(cut, "nothing can be kept any more", error->message);
        return;
    }
    g_autoptr(hold) hold = stored_find(stored, id);
    g_autofree guint8 *octets = store_hold_contents(store, hold, &length, &error);
    if (octets == NULL || length != strlen(stored->text))
        complain(cut, "what was kept afterwards cannot be read", id);
}

static void look_at_image(const struct script *script, const char *folder, const struct cut *cut)
{
    g_autoptr(GError) error = NULL;
    gboolean may_be_new = cut->events >= script->key_begun;
    const struct hold_filter all = {.closed = TRUE};
    struct store *store = NULL;
    if (cut->events < script->key_ended)
        store = store_open(folder, KEY_A, NULL, may_be_new ? NULL : &error);
    if (store == NULL && may_be_new)
        store = store_open(folder, KEY_B, NULL, &error);
    if (store == NULL) {
        complain(cut, "it does not open", error->message);
        return;
    }
    g_autoptr(GPtrArray) holds = store_holds(store, script->stored->world->schemes, &all, &error);
    for (guint i = 0; i < holds->len; i++)
        look_at_hold(script, store, g_ptr_array_index(holds, i), cut);
    look_at_promises(script, holds, cut);
    if (cut->kept == DISK_KEPT_ALL || cut->kept == DISK_KEPT_NONE)
        look_at_going_on(script, store, cut);
    store_close(store);
}

/* ---- every cut */

static gboolean is_write(const struct disk_event *event)
{
    return event->call == DISK_WRITE;
}

/* Behind every call but those amid a run of writes: of a run its first, one in the middle, and its last. */
static GArray *choose_cuts(const struct disk_event *events, guint count)
{
    GArray *cuts = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint at = 0, begin = 0; at <= count; at++) {
        if (at > 0 && at < count && is_write(&events[at - 1]) && is_write(&events[at])) {
            guint end = begin = at;
            while (end < count && is_write(&events[end]))
                end++;
            guint chosen[] = {begin, begin + (end - begin) / 2, end};
            g_array_append_vals(cuts, chosen, G_N_ELEMENTS(chosen));
            at = end;
        } else {
            g_array_append_val(cuts, at);
        }
    }
    return cuts;
}

static guint cut_everywhere(const struct script *script)
{
    guint count = 0, looked = 0;
    const struct disk_event *events = disk_events(&count);
    g_autoptr(disk_image) image = disk_image_new();
    g_autoptr(GArray) cuts = choose_cuts(events, count);
    guint step = (cuts->len + MOST_CUTS - 1) / MOST_CUTS;
    for (guint i = 0; i < cuts->len && !g_test_failed(); i += step) {
        struct cut cut = {.events = g_array_index(cuts, guint, i)};
        disk_image_advance(image, cut.events);
        for (cut.kept = 0; cut.kept < DISK_KEPT_WAYS; cut.kept++) {
            g_autofree char *folder = temp_folder_new();
            disk_image_write(image, cut.kept, folder);
            look_at_image(script, folder, &cut);
            temp_folder_remove(folder);
            looked++;
        }
    }
    g_test_message("%u events, %u cuts, %u images", count, cuts->len, looked);
    return looked;
}

static void test_cuts(void)
{
    struct script script = {0};
    g_autofree char *folder = temp_folder_new();
    disk_watch(folder);
    run_script(&script, folder);
    guint count = 0;
    disk_events(&count);
    g_assert_cmpuint(count, >, 150);
    g_assert_cmpuint(cut_everywhere(&script), >, 100);
    script_clear(&script);
    disk_watch(NULL);
}

/* ---- every call fails */

struct trial {
    int number; /* errno */
    guint times;
};

/* Files of contents, temporary ones included. */
static guint files_in(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "contents", NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    guint count = 0;
    while (g_dir_read_name(dir) != NULL)
        count++;
    g_dir_close(dir);
    return count;
}

/* A message is given while calls fail: it is kept, or it is told that it is not; then there is nothing of it.
 */
static gboolean give(struct stored *stored, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    gsize found = 0;
    prepare_message(stored, length);
    g_autoptr(decision) decision = stored_decide_blindly(stored, "hh");
    gboolean done = stored_keep(stored, decision, NULL, &id, &error);
    disk_fail(0, 0, 0);
    if (!done) {
        g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
        g_clear_error(&error);
        g_assert_null(store_hold(stored->store, stored->world->schemes, decision->reference, &error));
        g_assert_error(error, STORE_ERROR, STORE_ERROR_ABSENT);
        return FALSE;
    }
    g_autoptr(hold) hold = store_hold(stored->store, stored->world->schemes, id, &error);
    g_assert_no_error(error);
    g_autofree guint8 *octets = store_hold_contents(stored->store, hold, &found, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(octets, found, stored->text, strlen(stored->text));
    return TRUE;
}

static void expect_whole(struct stored *stored, struct store *store, guint least)
{
    const struct hold_filter all = {.closed = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) holds = store_holds(store, stored->world->schemes, &all, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(holds->len, >=, least);
    for (guint i = 0; i < holds->len; i++) {
        gsize length = 0;
        g_autofree guint8 *octets = store_hold_contents(store, g_ptr_array_index(holds, i), &length, &error);
        g_assert_no_error(error);
    }
}

/* Killed now: what was written of a commit that failed may come back, but then with its contents. */
static void expect_whole_after_kill(struct stored *stored, struct disk_image *image, guint least)
{
    g_autofree char *folder = temp_folder_new();
    disk_image_advance(image, now());
    disk_image_write(image, DISK_KEPT_ALL, folder);
    struct store *store = open_store(folder, KEY_A);
    expect_whole(stored, store, least);
    store_close(store);
    temp_folder_remove(folder);
}

/* The n-th call of a message of this size fails, for every n, until none is left to fail. How many were kept.
 */
static guint fail_every_call(struct stored *stored, struct disk_image *image, const struct trial *trial,
                             gsize length)
{
    guint kept = 0, refused = 0;
    gboolean is_reached = TRUE;
    for (guint n = 1; is_reached && !g_test_failed(); n++) {
        guint before = disk_calls();
        disk_fail(before + n, trial->times, trial->number);
        gboolean done = give(stored, length);
        is_reached = disk_calls() - before >= n;
        kept += done;
        refused += !done;
        if (done)
            continue;
        expect_whole_after_kill(stored, image, kept);
        if (n % 5 == 1) {
            store_close(stored->store);
            stored->store = open_store(stored->folder, KEY_A);
            expect_whole(stored, stored->store, kept);
        }
    }
    g_assert_cmpuint(refused, >=, length == LARGE ? 8 : 2);
    return kept;
}

static void fail_everywhere(const struct trial *trial)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(GError) error = NULL;
    disk_watch(folder);
    struct stored *stored = stored_in(folder);
    g_autoptr(disk_image) image = disk_image_new();
    guint kept = fail_every_call(stored, image, trial, LARGE) + fail_every_call(stored, image, trial, SMALL);
    g_assert_true(give(stored, LARGE));
    store_tidy(stored->store, 0, 0, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(files_in(folder), ==,
                     stored_number(stored, "SELECT count(*) FROM content WHERE file IS NOT NULL"));
    expect_whole(stored, stored->store, kept + 1);
    stored_free(stored);
    disk_watch(NULL);
}

static void test_faults(gconstpointer data)
{
    fail_everywhere(data);
}

int main(int argc, char **argv)
{
    static const struct trial trials[] = {{ENOSPC, 1},      {ENOSPC, G_MAXUINT}, {EIO, 1},
                                          {EIO, G_MAXUINT}, {EROFS, 1},          {EROFS, G_MAXUINT}};
    static const char *const names[] = {"full-once", "full",           "broken-once",
                                        "broken",    "read-only-once", "read-only"};

    disk_preload(argv);
    if (access("/dev/shm", W_OK) == 0) /* thousands of files */
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/cut/everywhere", test_cuts);
    for (guint i = 0; i < G_N_ELEMENTS(trials); i++) {
        g_autofree char *path = g_strconcat("/cut/", names[i], NULL);
        g_test_add_data_func(path, &trials[i], test_faults);
    }
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
