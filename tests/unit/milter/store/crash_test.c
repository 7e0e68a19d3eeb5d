/*
 * A process that ends between any two steps, and what comes after it, end in the same state as one that does
 * not (semantics.md 13.13). The variant "fault" ends it at each step; every other one right behind the last.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/stored.h"

typedef void (*deed)(struct stored *stored);

static guint count_files(struct stored *stored)
{
    g_autofree char *path = g_build_filename(stored->folder, "contents", NULL);
    GDir *folder = g_dir_open(path, 0, NULL);
    guint count = 0;

    while (g_dir_read_name(folder) != NULL)
        count++;
    g_dir_close(folder);
    return count;
}

/* Everything that counts, without times, ids and how often it came. */
static char *census(struct stored *stored)
{
    static const char *const questions[] = {
        "SELECT count(*) FROM content",
        "SELECT group_concat(kind || ' ' || (closed_ms IS NULL)) FROM hold",
        "SELECT group_concat(canonical || ' ' || state || ' ' || via_later) FROM hold_recipient",
        "SELECT group_concat(queue || ' ' || (approved_ms IS NULL) || ' ' || failing) FROM slip",
        "SELECT group_concat(what) FROM vote",
        "SELECT group_concat(archive) FROM archive_copy",
        "SELECT group_concat(outcome) FROM archive_envelope",
        "SELECT group_concat(addressee || ' ' || kind || ' ' || state) FROM notice",
        "SELECT group_concat(event) FROM (SELECT event FROM audit ORDER BY number)"};
    GString *text = g_string_new(NULL);

    writer_flush(stored->store->writer);
    for (guint i = 0; i < G_N_ELEMENTS(questions); i++) {
        struct rows *rows = rows_begin(store_read_begin(stored->store), questions[i], "");
        const char *found = rows_next(rows, NULL) == ROWS_ROW ? rows_text(rows, 0) : "?";
        g_string_append_printf(text, "%s\n", found != NULL ? found : "-");
        rows_end(rows);
        store_read_end(stored->store);
    }
    g_string_append_printf(text, "files %u\n", count_files(stored));
    return g_string_free(text, FALSE);
}

/* ---------------------------------------------------------------- the deeds */
/* The client gives the message, until it has an answer. */
static void give(struct stored *stored)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(decision) decision = stored_decide(stored, "dh");

    stored_keep(stored, decision, stored_notice(NOTICE_OUTCOME, "bo@agency.gov.cn"), NULL, &error);
    g_assert_no_error(error);
    store_answered(stored->store, decision->reference);
    writer_flush(stored->store->writer);
}

static struct attempt *first_attempt(struct stored *stored)
{
    g_autoptr(GPtrArray) attempts = store_attempts_open(stored->store, NULL);

    return attempts->len > 0 ? g_ptr_array_steal_index(attempts, 0) : NULL;
}

static void begin(struct stored *stored, const struct hold *hold)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) who = g_ptr_array_new();
    guint8 digest[32] = "x";

    g_ptr_array_add(who, (gpointer) "ni@agency.gov.cn");
    g_autoptr(attempt) attempt =
        store_attempt_begin(stored->store, hold, who, who, digest, clock_wall_ms() + STORED_HOUR_MS, &error);
    g_assert_no_error(error);
}

static void finish(struct stored *stored, const struct attempt *attempt)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);

    g_ptr_array_add(notices, stored_notice(NOTICE_END, "bo@agency.gov.cn"));
    if (attempt->state == ATTEMPT_OPEN)
        store_attempt_offered(stored->store, attempt, "4R1", &error);
    else
        store_attempt_released(stored->store, attempt, NULL, NULL, notices, &error);
    g_assert_no_error(error);
}

/* One step on the way out of the only hold, from wherever it stands; FALSE: it is out. */
static gboolean go_on(struct stored *stored)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) holds =
        store_holds(stored->store, stored->world->schemes, &(struct hold_filter){0}, NULL);
    g_autoptr(attempt) attempt = first_attempt(stored);

    if (holds->len == 0)
        return FALSE;
    const struct hold *hold = g_ptr_array_index(holds, 0);
    if (attempt != NULL)
        finish(stored, attempt);
    else if (hold->slip.approved)
        begin(stored, hold);
    else
        store_hold_approve(stored->store, hold, "an@agency.gov.cn", NULL, NULL, &error);
    g_assert_no_error(error);
    return !g_test_failed();
}

static void go_all_the_way(struct stored *stored)
{
    while (go_on(stored))
        continue;
}

/* ---------------------------------------------------------------- with an end in between */
/* In a process of its own, which ends at the step, or behind the last one. */
static void do_and_die(struct stored *stored, deed act, const char *step, guint count)
{
    g_autofree char *file = g_build_filename(stored->folder, "fault", NULL);
    g_autofree char *text = g_strdup_printf("%s kill %u", step, count);
    int status = 0;

    g_clear_pointer(&stored->store, store_close);
    pid_t child = fork();
    if (child == 0) {
        g_file_set_contents(file, text, -1, NULL);
        g_setenv("MIJI_FAULT", file, TRUE);
        stored_reopen(stored);
        act(stored);
        kill(getpid(), SIGKILL);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
#ifdef MIJI_FAULTS
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS)); /* the step was met */
#endif
    unlink(file);
    stored_reopen(stored);
}

/* A store with an archive, and a message, which goes into a file of its own if it is large. */
static struct stored *start(gboolean is_large)
{
    struct stored *stored = stored_new();

    world_add_archive(stored->world, "all", TAKES_EVERYTHING, NULL);
    stored_message(stored, "an ni");
    if (is_large) {
        g_free(stored->text);
        stored->text = g_strnfill(300 * 1024, 'x');
    }
    return stored;
}

/* What is to be in the end; before: what is done in peace; NULL: nothing. */
static char *without_end(gboolean is_large, deed before, deed act)
{
    g_autoptr(stored) stored = start(is_large);

    if (before != NULL)
        before(stored);
    act(stored);
    return census(stored);
}

struct crash {
    const char *step;
    guint times; /* that it is met */
    gboolean is_large;
};

static void expect_same(const struct crash *crash, guint count, deed before, deed act)
{
    g_autofree char *wanted = without_end(crash->is_large, before, act);
    g_autoptr(stored) stored = start(crash->is_large);

    g_test_message("%s, time %u", crash->step, count);
    if (before != NULL)
        before(stored);
    do_and_die(stored, act, crash->step, count);
    act(stored);
    g_autofree char *found = census(stored);
    g_assert_cmpstr(found, ==, wanted);
}

static void test_keep(void)
{
    static const struct crash crashes[] = {
        {"keep.begin", 1, FALSE},          {"keep.prepared", 1, FALSE},
        {"writer.before-begin", 1, FALSE}, {"keep.holds", 1, FALSE},
        {"keep.archives", 1, FALSE},       {"notice.write", 1, FALSE},
        {"journal.write", 1, FALSE},       {"audit.write", 1, FALSE},
        {"keep.written", 1, FALSE},        {"writer.before-commit", 1, FALSE},
        {"writer.committed", 1, FALSE},    {"keep.committed", 1, FALSE},
        {"content.written", 1, TRUE},      {"content.synced", 1, TRUE},
        {"content.named", 1, TRUE},        {"content.kept", 1, TRUE},
        {"writer.before-commit", 1, TRUE}, {"writer.committed", 1, TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(crashes) && !g_test_failed(); i++)
        expect_same(&crashes[i], 1, NULL, give);
}

static void test_way_out(void)
{
    static const struct crash crashes[] = {
        {"hold.approve", 1, FALSE},    {"hold.approved", 1, FALSE},        {"attempt.begin", 1, FALSE},
        {"attempt.begun", 1, FALSE},   {"attempt.offer", 1, FALSE},        {"attempt.offered", 1, FALSE},
        {"attempt.release", 1, FALSE}, {"attempt.released", 1, FALSE},     {"audit.write", 4, FALSE},
        {"notice.write", 1, FALSE},    {"writer.before-commit", 4, FALSE}, {"writer.committed", 4, FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(crashes); i++)
        for (guint count = 1; count <= crashes[i].times && !g_test_failed(); count++)
            expect_same(&crashes[i], count, give, go_all_the_way);
}

#ifdef MIJI_FAULTS
/* A step that fails: an error, nothing kept, and all is well the next time. */
static void test_fail(void)
{
    static const struct crash steps[] = {
        {"keep.begin", 1, FALSE},    {"keep.prepared", 1, FALSE},        {"writer.before-begin", 1, FALSE},
        {"keep.holds", 1, FALSE},    {"keep.archives", 1, FALSE},        {"notice.write", 1, FALSE},
        {"journal.write", 1, FALSE}, {"audit.write", 1, FALSE},          {"keep.written", 1, FALSE},
        {"content.named", 1, TRUE},  {"writer.before-commit", 1, FALSE}, {"writer.before-commit", 1, TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(stored) stored = start(steps[i].is_large);
        g_autoptr(GError) error = NULL;
        g_autofree char *file = g_build_filename(stored->folder, "fault", NULL);
        g_autofree char *text = g_strdup_printf("%s fail", steps[i].step);
        g_autofree char *before = census(stored);
        g_autoptr(decision) decision = stored_decide(stored, "dh");
        struct notice *notice = stored_notice(NOTICE_OUTCOME, "bo@agency.gov.cn");
        g_file_set_contents(file, text, -1, NULL);
        g_setenv("MIJI_FAULT", file, TRUE);
        g_assert_false(stored_keep(stored, decision, notice, NULL, &error));
        g_unsetenv("MIJI_FAULT");
        g_test_message("%s", steps[i].step);
        assert_store_error(error, UNAVAILABLE);
        g_autofree char *after = census(stored);
        g_assert_cmpstr(before, ==, after);
        give(stored);
        g_autofree char *wanted = without_end(steps[i].is_large, NULL, give);
        g_autofree char *found = census(stored);
        g_assert_cmpstr(found, ==, wanted);
    }
}
#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/crash/keep", test_keep);
    g_test_add_func("/crash/way-out", test_way_out);
#ifdef MIJI_FAULTS
    g_test_add_func("/crash/fail", test_fail);
#endif
    return g_test_run();
}
