/* Copies as presented, unique by archive and digest, with everybody who got them (semantics.md 12). */
#include "milter/store/archive.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "policy/label/duration.h"
#include "tests/support/stored.h"

static GPtrArray *list(struct stored *stored, const struct archive_filter *filter)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *copies = store_archive_list(stored->store, stored->world->schemes, filter, &error);

    g_assert_no_error(error);
    return copies;
}

static struct archive *add_archive(struct stored *stored, const char *name, gint64 keep_ms)
{
    struct archive *archive = world_add_archive(stored->world, name, TAKES_EVERYTHING, NULL);

    archive->keep_ms = keep_ms;
    return archive;
}

static void keep(struct stored *stored, const char *verdicts)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(decision) decision = stored_decide(stored, verdicts);

    stored_keep(stored, decision, NULL, NULL, &error);
    g_assert_no_error(error);
}

static void test_copy(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    add_archive(stored, "all", 7 * STORED_DAY_MS);
    stored_message(stored, "an ni"); /* ni as Bcc: nobody sees it in the message */
    keep(stored, "dr");
    g_autoptr(GPtrArray) copies = list(stored, &(struct archive_filter){0});
    g_assert_cmpuint(copies->len, ==, 1);
    const struct archive_copy *copy = g_ptr_array_index(copies, 0);
    g_assert_cmpuint(strlen(copy->id), ==, 27);
    g_assert_cmpstr(copy->archive, ==, "all");
    g_assert_cmpint(copy->keep_until_ms, ==, copy->at_ms + 7 * STORED_DAY_MS);
    g_assert_true(g_str_has_prefix(copy->reference, "MIJI-"));
    g_assert_cmpstr(copy->display, ==, "机密");
    g_assert_cmpstr(copy->label_text, ==, "cn/机密");
    g_assert_nonnull(copy->label);
    g_assert_cmpuint(copy->size, ==, strlen(stored->text));
    g_assert_cmpstr(copy->sender, ==, "bo@agency.gov.cn");
    g_assert_cmpuint(copy->recipients->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(copy->recipients, 1), ==, "ni@agency.gov.cn");
    g_assert_cmpstr(copy->outcome, ==, "deliver");
    g_autofree guint8 *octets = store_archive_contents(stored->store, copy, &length, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(octets, length, stored->text, strlen(stored->text));
    /* no recipient stands anywhere but in the sealed record */
    g_assert_cmpint(
        stored_number(stored, "SELECT count(*) FROM archive_envelope WHERE instr(record, 'agency')"), ==, 0);
}

/* Two that are one to 7.4, and differ in a field that it leaves out: what was presented is kept. */
static void test_hidden(void)
{
    g_autoptr(stored) stored = stored_new();

    add_archive(stored, "all", STORED_DAY_MS);
    stored_message(stored, "an");
    keep(stored, "d");
    g_autofree char *plain = stored->text;
    stored->text = g_strconcat("Delivered-To: a secret\r\n", plain, NULL);
    keep(stored, "d");
    keep(stored, "d");
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_copy"), ==, 2);
}

/* The same message again, to others, too: one copy, all that it went to. */
static void test_joined(void)
{
    g_autoptr(stored) stored = stored_new();
    struct archive *archive = add_archive(stored, "all", STORED_DAY_MS);

    stored_message(stored, "an");
    keep(stored, "d");
    keep(stored, "d");
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_envelope"), ==, 1);
    world_to(stored->world, "<mi@agency.gov.cn>");
    archive->keep_ms = 3 * STORED_DAY_MS;
    keep(stored, "dd");
    g_autoptr(GPtrArray) copies = list(stored, &(struct archive_filter){0});
    g_assert_cmpuint(copies->len, ==, 1);
    const struct archive_copy *copy = g_ptr_array_index(copies, 0);
    g_assert_cmpuint(copy->recipients->len, ==, 2);
    g_assert_cmpint(copy->keep_until_ms, >=, copy->at_ms + 3 * STORED_DAY_MS); /* only ever longer */
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM content"), ==, 1);
}

/* What was found of the same octets later counts for the copy; what is not found any more stays. */
static void test_raised(void)
{
    static const char raises[] = "SELECT count(*) FROM audit WHERE event = 'raise-label'";
    g_autoptr(stored) stored = stored_new();

    add_archive(stored, "all", STORED_DAY_MS);
    stored_message(stored, "an");
    keep(stored, "d");
    stored_change(stored, "UPDATE archive_copy SET label = 'cn/内部'");
    keep(stored, "d");
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_copy WHERE label = 'cn/机密'"), ==,
                    1);
    g_assert_cmpint(stored_number(stored, raises), ==, 1);
    stored_change(stored, "UPDATE archive_copy SET label = 'cn/绝密'");
    keep(stored, "d");
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_copy WHERE label = 'cn/绝密'"), ==,
                    1);
    stored_change(stored, "UPDATE archive_copy SET label = 'gone/secret'");
    keep(stored, "d");
    g_assert_cmpint(stored_number(stored, "SELECT system_high FROM archive_copy"), ==, 1);
    g_assert_cmpint(stored_number(stored, raises), ==, 2);
}

static void test_filter(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gint64 before_ms = clock_wall_ms();

    add_archive(stored, "one", STORED_DAY_MS);
    add_archive(stored, "two", STORED_DAY_MS);
    for (guint i = 0; i < 3; i++) {
        stored_message(stored, "an");
        keep(stored, "d");
    }
    stored_change(stored, "UPDATE archive_copy SET at_ms = 1000 WHERE number <= 2");
    g_autoptr(GPtrArray) all = list(stored, &(struct archive_filter){0});
    g_autoptr(GPtrArray) one = list(stored, &(struct archive_filter){.archive = "one"});
    g_autoptr(GPtrArray) late = list(stored, &(struct archive_filter){.since_ms = before_ms});
    g_autoptr(GPtrArray) early = list(stored, &(struct archive_filter){.until_ms = before_ms});
    g_autoptr(GPtrArray) few = list(stored, &(struct archive_filter){.limit = 1});
    g_assert_cmpuint(all->len, ==, 6);
    g_assert_cmpuint(one->len, ==, 3);
    g_assert_cmpuint(late->len, ==, 4);
    g_assert_cmpuint(early->len, ==, 2);
    g_assert_cmpuint(few->len, ==, 1);
    const struct archive_copy *last = g_ptr_array_index(few, 0);
    g_assert_cmpint(last->number, ==, 6);
    g_autofree char *beginning = g_strndup(last->id, 8);
    g_autoptr(archive_copy) found =
        store_archive_find(stored->store, stored->world->schemes, beginning, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found->id, ==, last->id);
    static const char *const strangers[] = {"", "a", "abcd", "%%%%", "nobody knows"};
    for (guint i = 0; i < G_N_ELEMENTS(strangers); i++) {
        g_assert_null(store_archive_find(stored->store, stored->world->schemes, strangers[i], &error));
        assert_store_error(error, ABSENT);
    }
}

/* keep for the label's duration, at least so long. */
static void test_duration(void)
{
    static const struct {
        struct duration duration;
        gint64 least_ms, most_ms; /* from now */
    } rows[] = {
        {{.kind = DURATION_NONE}, STORED_DAY_MS, STORED_DAY_MS},
        {{.kind = DURATION_TERM, .term_seconds = 3600}, STORED_DAY_MS, STORED_DAY_MS},
        {{.kind = DURATION_TERM, .term_seconds = 864000}, 10 * STORED_DAY_MS, 10 * STORED_DAY_MS},
        {{.kind = DURATION_TERM, .term_seconds = G_MAXINT64 / 2000}, 900000 * STORED_DAY_MS, G_MAXINT64},
        {{.kind = DURATION_UNTIL, .until = 1000}, STORED_DAY_MS, STORED_DAY_MS},
        {{.kind = DURATION_UNTIL, .until = G_MAXINT64}, 900000 * STORED_DAY_MS, G_MAXINT64},
        {{.kind = DURATION_EVENT}, 900000 * STORED_DAY_MS, G_MAXINT64},
        {{.kind = DURATION_FOREVER}, 900000 * STORED_DAY_MS, G_MAXINT64}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(stored) stored = stored_new();
        g_autoptr(GError) error = NULL;
        add_archive(stored, "all", STORED_DAY_MS)->for_label = TRUE;
        stored_message(stored, "an");
        g_autoptr(decision) decision = stored_decide(stored, "d");
        struct label *label = g_ptr_array_index(decision->label->effective->labels, 0);
        duration_clear(&label->duration);
        label->duration = rows[i].duration;
        stored_keep(stored, decision, NULL, NULL, &error);
        g_assert_no_error(error);
        g_autoptr(GPtrArray) copies = list(stored, &(struct archive_filter){0});
        const struct archive_copy *copy = g_ptr_array_index(copies, 0);
        g_test_message("row %u", i);
        g_assert_cmpint(copy->keep_until_ms - copy->at_ms, >=, rows[i].least_ms);
        g_assert_cmpint(copy->keep_until_ms - copy->at_ms, <=, rows[i].most_ms);
    }
}

static const char *outcome(struct stored *stored)
{
    g_autoptr(GPtrArray) copies = list(stored, &(struct archive_filter){0});

    return g_intern_string(((struct archive_copy *)g_ptr_array_index(copies, 0))->outcome);
}

/* At hold time, once; how the hold ends is added. */
static void test_outcome(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = NULL;

    add_archive(stored, "all", STORED_DAY_MS);
    hold = stored_hold(stored, "an ni");
    g_assert_cmpstr(outcome(stored), ==, "held");
    keep(stored, "hh");
    g_assert_cmpstr(outcome(stored), ==, "held");
    stored_again(stored, &hold);
    g_assert_true(store_hold_refuse(stored->store, hold, "an@agency.gov.cn", NULL, NULL, &error));
    g_assert_cmpstr(outcome(stored), ==, "refused");
    /* the copy stays when the hold goes, and its contents with it */
    g_assert_cmpint(stored_number(stored,
                                  "SELECT count(DISTINCT content) FROM"
                                  " (SELECT content FROM hold UNION ALL SELECT content FROM archive_copy)"),
                    ==, 1);
}

static void test_damaged(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gsize length;

    add_archive(stored, "all", STORED_DAY_MS);
    stored_message(stored, "an");
    keep(stored, "d");
    g_autoptr(GPtrArray) copies = list(stored, &(struct archive_filter){0});
    stored_change(stored, "UPDATE content SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00'");
    g_assert_null(store_archive_contents(stored->store, g_ptr_array_index(copies, 0), &length, &error));
    assert_store_error(error, DAMAGED);
    stored_change(stored,
                  "UPDATE archive_envelope SET record = substr(record, 1, length(record) - 1) || x'00'");
    g_autoptr(GPtrArray) again = list(stored, &(struct archive_filter){0}); /* it is there all the same */
    g_assert_cmpuint(again->len, ==, 1);
    g_assert_cmpstr(((struct archive_copy *)g_ptr_array_index(again, 0))->sender, ==, "?");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/archive/copy", test_copy);
    g_test_add_func("/archive/joined", test_joined);
    g_test_add_func("/archive/raised", test_raised);
    g_test_add_func("/archive/hidden", test_hidden);
    g_test_add_func("/archive/filter", test_filter);
    g_test_add_func("/archive/duration", test_duration);
    g_test_add_func("/archive/outcome", test_outcome);
    g_test_add_func("/archive/damaged", test_damaged);
    return g_test_run();
}
