#include "milter/store/store.h"

#include <string.h>

#include "milter/decide/past.h"
#include "milter/store/hold.h"
#include "milter/store/identity.h"
#include "tests/support/temp_folder.h"
#include "tests/support/world.h"

#define HOUR_MS 3600000

/* bo writes to an; the rows of that are written by the tests themselves. */
struct scene {
    struct store *store;
    struct world *world;
    guint8 digest[32];
    gint64 now_ms;
};

static struct scene scene_new(void)
{
    g_autofree char *folder = temp_folder_new();
    struct scene scene = {
        .store = store_open(folder, NULL, NULL, NULL), .world = world_new(), .digest = "digest"};
    world_usual(scene.world, NULL);
    world_to(scene.world, "<an@agency.gov.cn>");
    world_to(scene.world, "<mi@agency.gov.cn>");
    decision_free(world_decide(scene.world));
    scene.now_ms = scene.world->now * 1000;
    return scene;
}

static void scene_clear(struct scene *scene)
{
    store_close(scene->store);
    world_free(scene->world);
}

static void an_key(struct scene *scene, guint8 key[IDENTITY_BYTES])
{
    struct inputs inputs = world_inputs(scene->world);
    g_autofree char *identity = inputs_identity(&inputs);
    identity_key(scene->store, identity, "an@agency.gov.cn", scene->digest, key);
}

static struct past_entry look(struct scene *scene)
{
    struct inputs inputs = world_inputs(scene->world);
    g_autoptr(GError) error = NULL;
    g_autoptr(past) past = store_past(scene->store, &inputs, scene->digest, 24 * HOUR_MS, &error);
    g_assert_no_error(error);
    g_assert_cmpint(past_of(past, "mi@agency.gov.cn")->state, ==, PAST_NOTHING);
    return *past_of(past, "an@agency.gov.cn");
}

struct row {
    guint8 key[IDENTITY_BYTES];
    gint64 hold, state, changed_ms, via_later, kind;
};

static gboolean insert_hold(struct database *database, gpointer data, GError **error)
{
    struct row *row = data;
    g_autofree char *id = store_new_id();
    return database_run(
               database, error,
               "INSERT INTO hold (number, id, kind, at_ms, reference, class, sender, zone, authors, size, "
               "digest, about, content, record, system_high, courtesy, generation, snapshot_hash) VALUES "
               "(?1, "
               "?2, ?3, 1, '', 0, '', '', '', 0, '', '', 1, '', 0, 0, 0, '')",
               "iti", row->hold, id, row->kind) &&
           database_run(
               database, error,
               "INSERT INTO hold_recipient (hold, position, canonical, key, state, via_later, changed_ms, "
               "leading, reasons) VALUES (?1, 0, '', ?2, ?3, ?4, ?5, '', '')",
               "ibiii", row->hold, row->key, (gsize)IDENTITY_BYTES, row->state, row->via_later,
               row->changed_ms);
}

static gboolean insert_deferred(struct database *database, gpointer data, GError **error)
{
    struct row *row = data;
    return database_run(
        database, error,
        "INSERT INTO deferred (key, first_ms, own_since_ms, last_ms, count) VALUES (?1, 1, ?2, ?3, 1)", "bii",
        row->key, (gsize)IDENTITY_BYTES, row->state, row->changed_ms);
}

static void add(struct scene *scene, writer_job job, struct row row)
{
    g_autoptr(GError) error = NULL;
    an_key(scene, row.key);
    writer_run(scene->store->writer, job, &row, &error);
    g_assert_no_error(error);
    attempts_add(scene->store->attempts, row.key);
}

/* What one row of this state, so old, means. */
static enum past_state meaning(gint64 state, gint64 age_ms, gint64 via_later, gint64 kind)
{
    struct scene scene = scene_new();
    add(&scene, insert_hold,
        (struct row){.hold = 7,
                     .state = state,
                     .changed_ms = scene.now_ms - age_ms,
                     .via_later = via_later,
                     .kind = kind});
    struct past_entry entry = look(&scene);
    g_assert_cmpint(entry.hold, ==, entry.state == PAST_NOTHING ? 0 : 7);
    if (entry.state == PAST_ENDED)
        g_assert_cmpint(entry.at_s, ==, (scene.now_ms - age_ms) / 1000);
    scene_clear(&scene);
    return entry.state;
}

static void test_states(void)
{
    g_assert_cmpint(meaning(HOLD_HELD, HOUR_MS, 0, KIND_HOLD), ==, PAST_HELD);
    g_assert_cmpint(meaning(HOLD_RELEASING, HOUR_MS, 0, KIND_HOLD), ==, PAST_SETTLED);
    g_assert_cmpint(meaning(HOLD_RELEASED, HOUR_MS, 0, KIND_HOLD), ==, PAST_SETTLED);
    g_assert_cmpint(meaning(HOLD_REFUSED, HOUR_MS, 0, KIND_HOLD), ==, PAST_ENDED);
    g_assert_cmpint(meaning(HOLD_EXPIRED, HOUR_MS, 0, KIND_HOLD), ==, PAST_ENDED);
    /* by a later attempt */
    g_assert_cmpint(meaning(HOLD_RELEASED, HOUR_MS, 1, KIND_HOLD), ==, PAST_NOTHING);
    g_assert_cmpint(meaning(HOLD_REFUSED, HOUR_MS, 1, KIND_HOLD), ==, PAST_ENDED);
    /* a copy of what was refused at once */
    g_assert_cmpint(meaning(HOLD_REFUSED, HOUR_MS, 0, KIND_REFUSED), ==, PAST_NOTHING);
}

static void test_what_is_open_is_never_forgotten(void)
{
    g_assert_cmpint(meaning(HOLD_HELD, 1000 * (gint64)HOUR_MS, 0, KIND_HOLD), ==, PAST_HELD);
    g_assert_cmpint(meaning(HOLD_RELEASING, 1000 * (gint64)HOUR_MS, 0, KIND_HOLD), ==, PAST_SETTLED);
    g_assert_cmpint(meaning(HOLD_RELEASED, 25 * HOUR_MS, 0, KIND_HOLD), ==, PAST_NOTHING);
    g_assert_cmpint(meaning(HOLD_REFUSED, 25 * HOUR_MS, 0, KIND_HOLD), ==, PAST_NOTHING);
    g_assert_cmpint(meaning(HOLD_REFUSED, 23 * HOUR_MS, 0, KIND_HOLD), ==, PAST_ENDED);
}

static void test_several_holds(void)
{
    struct scene scene = scene_new();
    gint64 young_ms = scene.now_ms - HOUR_MS;
    add(&scene, insert_hold, (struct row){.hold = 1, .state = HOLD_EXPIRED, .changed_ms = young_ms});
    add(&scene, insert_hold, (struct row){.hold = 2, .state = HOLD_RELEASED, .changed_ms = young_ms});
    g_assert_cmpint(look(&scene).state, ==, PAST_SETTLED); /* the youngest */
    add(&scene, insert_hold,
        (struct row){.hold = 3, .state = HOLD_RELEASED, .changed_ms = young_ms, .via_later = 1});
    g_assert_cmpint(look(&scene).state, ==, PAST_SETTLED);
    add(&scene, insert_hold, (struct row){.hold = 4, .state = HOLD_HELD, .changed_ms = young_ms});
    add(&scene, insert_hold, (struct row){.hold = 5, .state = HOLD_REFUSED, .changed_ms = young_ms});
    g_assert_cmpint(look(&scene).state, ==, PAST_HELD); /* an open one before all */
    g_assert_cmpint(look(&scene).hold, ==, 4);
    scene_clear(&scene);
}

static void test_deferred(void)
{
    struct scene scene = scene_new();
    g_assert_cmpint(look(&scene).state, ==, PAST_NOTHING);
    add(&scene, insert_deferred, (struct row){.state = 5000, .changed_ms = scene.now_ms - HOUR_MS});
    g_assert_cmpint(look(&scene).state, ==, PAST_DEFERRED);
    g_assert_cmpint(look(&scene).own_since_s, ==, 5);
    add(&scene, insert_hold, (struct row){.hold = 1, .state = HOLD_HELD, .changed_ms = scene.now_ms});
    g_assert_cmpint(look(&scene).state, ==, PAST_HELD);
    scene_clear(&scene);
    scene = scene_new();
    add(&scene, insert_deferred, (struct row){.state = 5000, .changed_ms = scene.now_ms - 25 * HOUR_MS});
    g_assert_cmpint(look(&scene).state, ==, PAST_NOTHING);
    scene_clear(&scene);
}

static gboolean drop(struct database *database, gpointer data, GError **error)
{
    return database_script(database, "DROP TABLE deferred", error);
}

/* Of whom nothing is known, nothing is asked; else what cannot be told is an error, never "nothing". */
static void test_disk(void)
{
    struct scene scene = scene_new();
    g_autoptr(GError) error = NULL;
    guint8 key[IDENTITY_BYTES];
    g_assert_true(writer_run(scene.store->writer, drop, NULL, NULL));
    g_assert_cmpint(look(&scene).state, ==, PAST_NOTHING);
    an_key(&scene, key);
    attempts_add(scene.store->attempts, key);
    struct inputs inputs = world_inputs(scene.world);
    g_assert_null(store_past(scene.store, &inputs, scene.digest, HOUR_MS, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    scene_clear(&scene);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/past/states", test_states);
    g_test_add_func("/past/open-is-not-forgotten", test_what_is_open_is_never_forgotten);
    g_test_add_func("/past/several-holds", test_several_holds);
    g_test_add_func("/past/deferred", test_deferred);
    g_test_add_func("/past/disk", test_disk);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
