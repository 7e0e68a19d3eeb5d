/* What is decided at the desk: approve, refuse, note, release. */
#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/outbox.h"
#include "tests/support/desk_scene.h"

/* ---- votes */

static void test_approve(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_no(scene, "bin", "approve text en {one}", "you are a recipient of it; somebody else decides");
    desk_scene_no(scene, "lp", "approve text en {one}",
                  "there is no hold onexxxxxxxxxxxxxxxxxxxxxxxx; `miji held` lists those that wait");
    desk_scene_no(scene, "man", "approve text en {one}",
                  "only reviewers of queue \"labels\" decide, and you are none");
    desk_scene_no(scene, "sys", "approve text en {one} as=绝密",
                  "its label is known (机密); --as is only for what nobody can read");
    g_assert_false(scene->review.woken);
    g_autofree char *yes = desk_scene_done(scene, "sys", "approve text en {one/8} note=fine", TRUE);
    g_autofree char *steady = desk_scene_steady(scene, yes);
    g_assert_cmpstr(steady, ==, "onexxxxx: approved; it goes out when it has been checked once more\n");
    g_assert_true(scene->review.woken);
    g_autoptr(hold) hold = desk_scene_hold(scene, "one");
    g_assert_true(hold->slip.approved && hold->state == HOLD_HELD);
    g_assert_cmpuint(hold->votes->len, ==, 1);
    const struct hold_vote *vote = g_ptr_array_index(hold->votes, 0);
    g_assert_cmpstr(vote->person, ==, "hei@agency.gov.cn");
    g_assert_cmpstr(vote->what, ==, "approve");
    g_assert_cmpstr(vote->note, ==, "fine");
    desk_scene_no(scene, "daemon", "approve text en {one}", "it is approved already, by hei@agency.gov.cn");
    g_free(desk_scene_done(scene, "daemon", "refuse text en {one}",
                           TRUE)); /* before it is gone, one refusal is enough */
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_REFUSED);
    desk_scene_no(scene, "sys", "approve text en {one}", "it is refused: nothing is left to decide");
    desk_scene_no(scene, "sys", "refuse text en {one}", "it is refused: nothing is left to decide");
}

static void test_own_mail(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_no(scene, "mail", "approve text en {one}", "nobody decides on own mail");
    desk_scene_no(scene, "mail", "refuse text en {one}", "nobody decides on own mail");
    desk_scene_recorded(scene, 1,
                        "bo@agency.gov.cn turned-away onexxxxxxxxxxxxxxxxxxxxxxxx refuse: own-mail\n");
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_HELD);
}

/* `recipients may vote no`: also those who have the message already. */
static void test_recipients_may_not(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    struct world *world = scene->world;

    reviewing_queue(world, "labels")->recipients_may_vote = FALSE;
    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_free(desk_scene_done(scene, "sys", "approve text en {one}", TRUE));
    desk_scene_conflict(scene, "two", "cai@agency.gov.cn", "an@agency.gov.cn hei@agency.gov.cn");
    desk_scene_no(scene, "sys", "approve text en {two}", "you are a recipient of it; somebody else decides");
}

static void test_deadline(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    reviewing_queue(scene->world, "labels")->deadline_ms = 60000;
    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    clock_advance(61000);
    desk_scene_no(scene, "sys", "approve text en {one}",
                  "its deadline was 2026-06-01 12:00; nothing is released behind it");
    g_free(desk_scene_done(scene, "sys", "refuse text en {one}", TRUE));
}

/* The clock stands long before what was recorded: clearances end by it, so nobody is cleared. */
static void test_clock(void)
{
    static const char *const sentence =
        "the clock of this host is doubtful, so clearances cannot be compared "
        "now; nothing is shown or decided until it is right";
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    clock_advance(3600 * 1000);
    g_free(desk_scene_done(scene, "sys", "held text en", TRUE));
    clock_advance(-3600 * 1000);
    desk_scene_no(scene, "sys", "show text en {one} view=raw", sentence);
    desk_scene_no(scene, "sys", "approve text en {one}", sentence);
    desk_scene_no(scene, "daemon", "archive text en show {one}",
                  "there is no archive copy "
                  "onexxxxxxxxxxxxxxxxxxxxxxxx; `miji archive list` "
                  "lists them");
    g_assert_false(desk_scene_says(scene, "sys", "show text en {one}", "carries differing"));
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_HELD);
}

/* ---- approve --as */

static void test_as(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_unread(scene, "none");
    desk_scene_no(scene, "daemon", "approve text en {none}",
                  "nobody knows its label: say what it is with --as LEVEL");
    desk_scene_no(scene, "daemon", "approve text en {none} as=机秘",
                  "\"机秘\" is no label: no scheme has a level 机秘");
    desk_scene_no(scene, "daemon", "approve text en {none} as=机密%20until%202099-01-01",
                  "a label has no dates");
    desk_scene_no(scene, "daemon", "approve text en {none} as=绝密%20知悉范围%20一处",
                  "you are not cleared for \"绝密 知悉范围 一处\" yourself");
    g_assert_true(desk_scene_says(scene, "daemon", "show text en {none}", "--as LEVEL"));
    g_autofree char *yes =
        desk_scene_done(scene, "daemon", "approve text en {none} as=机密%20专项%20密码", TRUE);
    g_autofree char *steady = desk_scene_steady(scene, yes);
    g_assert_cmpstr(
        steady, ==,
        "nonexxxx: approved as 机密 专项:密码; it goes out when it has been checked once\nmore\n");
    g_autoptr(hold) hold = desk_scene_hold(scene, "none");
    g_autoptr(label_set) stated = store_hold_stated(scene->store, hold, scene->world->schemes);
    g_autofree char *label = stated != NULL ? label_set_format(stated) : NULL;
    g_assert_cmpstr(label, ==, "机密 专项:密码");
}

static void test_as_bounds(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_invalid(scene, "two"); /* 秘密 is known of it */
    desk_scene_no(scene, "daemon", "approve text en {two} as=内部",
                  "\"内部\" is below what is known of it: 秘密");
    g_assert_cmpint(desk_scene_state(scene, "two"), ==, HOLD_HELD);
    g_free(desk_scene_done(scene, "daemon", "approve text en {two} as=秘密", TRUE));
    desk_scene_invalid(scene, "three"); /* what is known will do */
    g_free(desk_scene_done(scene, "daemon", "approve text en {three}", TRUE));
    g_autoptr(hold) hold = desk_scene_hold(scene, "three");
    g_autoptr(label_set) stated = store_hold_stated(scene->store, hold, scene->world->schemes);
    g_assert_null(stated);
}

/* ---- refuse, note */

static void test_refuse(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    g_autoptr(GError) error = NULL;

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    g_autofree char *said = desk_scene_done(scene, "sys", "refuse text en {one} note=not%20this%20way", TRUE);
    g_autofree char *steady = desk_scene_steady(scene, said);
    g_assert_cmpstr(steady, ==, "onexxxxx: refused; its sender is told\n");
    g_autoptr(GPtrArray) due = store_outbox_due(scene->store, clock_wall_ms() + 1000, 10, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(due->len, ==, 1);
    const struct outbox_entry *entry = g_ptr_array_index(due, 0);
    g_assert_cmpint(entry->notice.kind, ==, NOTICE_END);
    g_assert_cmpstr(entry->notice.addressee, ==, "bo@agency.gov.cn");
    g_assert_true(strstr(entry->notice.text, "not this way") != NULL);
    g_assert_true(scene->review.woken);
}

static void test_note(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    g_autofree char *long_line = NULL;
    g_autofree char *many = g_strnfill(501, 'n');

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    g_free(desk_scene_done(scene, "mail", "note text en {one} look%0aat%1bit",
                           TRUE)); /* also who may not vote */
    g_autoptr(hold) hold = desk_scene_hold(scene, "one");
    const struct hold_vote *vote = g_ptr_array_index(hold->votes, 0);
    g_assert_cmpstr(vote->note, ==, "look at it");
    g_assert_true(desk_scene_says(scene, "sys", "show text en {one}", "look at it"));
    g_assert_false(desk_scene_says(scene, "games", "show text en {one}", "look at it"));
    desk_scene_no(scene, "sys", "note text en {one}",
                  "something is missing behind note; see `miji help note`");
    desk_scene_no(scene, "sys", "note text en {one} %20%0a",
                  "something is missing behind note; see `miji help note`");
    long_line = g_strdup_printf("note text en {one} %s", many);
    desk_scene_no(scene, "sys", long_line, "a note has at most 500 characters");
    desk_scene_no(scene, "games", "note text en {one} hello",
                  "its content is for reviewers of queue \"labels\" and for officers");
}

/* ---- release */

static void make_doubtful(struct desk_scene *scene, const char *name)
{
    static const guint8 digest[32] = {7};
    g_autoptr(hold) hold = desk_scene_hold(scene, name);
    g_autoptr(GPtrArray) canonical = g_ptr_array_new(), given = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < hold->recipients->len; i++) {
        struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        g_ptr_array_add(canonical, recipient->canonical);
        g_ptr_array_add(given, recipient->canonical);
    }
    g_autoptr(attempt) attempt =
        store_attempt_begin(scene->store, hold, canonical, given, digest, clock_wall_ms() + 600000, &error);
    g_assert_no_error(error);
    g_assert_true(store_attempt_offered(scene->store, attempt, "4XkQueue", &error));
    g_autoptr(attempt) offered = store_attempt(scene->store, attempt->id, &error);
    g_assert_true(store_attempt_doubt(scene->store, offered, &error));
    g_assert_no_error(error);
}

static void test_release(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_no(scene, "sys", "release text en {one}",
                  "say --again (send it once more) or --done (it has arrived)");
    desk_scene_no(scene, "sys", "release text en {one} again=yes done=yes",
                  "say --again (send it once more) or --done (it has arrived)");
    desk_scene_no(scene, "man", "release text en {one} again=yes", "only officers may do this");
    desk_scene_no(scene, "sys", "release text en {one} done=yes",
                  "no release of it is in doubt, and none waits to be tried again");
    g_free(desk_scene_done(scene, "sys", "approve text en {one}", TRUE));
    make_doubtful(scene, "one");
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_RELEASING);
    g_assert_true(desk_scene_says(scene, "sys", "show text en {one}", "miji release "));
    g_assert_false(desk_scene_says(scene, "games", "show text en {one}", "miji release "));
    g_free(desk_scene_done(scene, "sys", "release text en {one} again=yes", TRUE));
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_HELD);
    make_doubtful(scene, "one");
    g_free(desk_scene_done(scene, "sys", "release text en {one} done=yes", TRUE));
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_RELEASED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/desk-vote/approve", test_approve);
    g_test_add_func("/review/desk-vote/own-mail", test_own_mail);
    g_test_add_func("/review/desk-vote/recipients-may-not", test_recipients_may_not);
    g_test_add_func("/review/desk-vote/deadline", test_deadline);
    g_test_add_func("/review/desk-vote/clock", test_clock);
    g_test_add_func("/review/desk-vote/as", test_as);
    g_test_add_func("/review/desk-vote/as-bounds", test_as_bounds);
    g_test_add_func("/review/desk-vote/refuse", test_refuse);
    g_test_add_func("/review/desk-vote/note", test_note);
    g_test_add_func("/review/desk-vote/release", test_release);
    return g_test_run();
}
