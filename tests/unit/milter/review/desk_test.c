/* The commands of the control socket: who may, what is done, what is recorded, what is said. */
#include "milter/review/desk.h"

#include <string.h>
#include <time.h>

#include "milter/conf/clock.h"
#include "milter/store/attempt.h"
#include "milter/store/outbox.h"
#include "tests/support/desk_scene.h"
#include "tests/support/inspecting.h"
#include "tests/support/json_check.h"

static char *ask(struct desk_scene *scene, const char *account, const char *line, gboolean expected)
{
    gboolean ok;
    char *answer = desk_scene_ask(scene, account, line, NULL, &ok);

    if (ok != expected)
        g_test_message("%s: %s: %s", account, line, answer);
    g_assert_cmpint(ok, ==, expected);
    return answer;
}

/* The answer is that sentence, and no. */
static void expect_no(struct desk_scene *scene, const char *account, const char *line, const char *sentence)
{
    g_autofree char *answer = ask(scene, account, line, FALSE);
    g_autofree char *steady = desk_scene_steady(scene, answer);
    g_autofree char *one_line = g_strdelimit(g_strchomp(g_strdup(steady)), "\n", ' ');

    g_assert_cmpstr(one_line, ==, sentence);
}

static void expect_audit(struct desk_scene *scene, guint last, const char *expected)
{
    g_autofree char *audit = desk_scene_audit(scene, last);

    g_assert_cmpstr(audit, ==, expected);
}

static gboolean says(struct desk_scene *scene, const char *account, const char *line, const char *part)
{
    g_autofree char *answer = ask(scene, account, line, TRUE);

    return strstr(answer, part) != NULL;
}

static enum hold_state state_of(struct desk_scene *scene, const char *name)
{
    g_autoptr(hold) hold = desk_scene_hold(scene, name);

    return hold->state;
}

/* ---- who */

static void test_strangers(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    expect_no(scene, "sync", "held text en",
              "the directory does not know you (uid 4), so nothing is allowed");
    expect_audit(scene, 1, "uid 4 turned-away - held: unknown\n");
    g_hash_table_add(scene->world->down, g_strdup("bin"));
    expect_no(scene, "bin", "held text en",
              "the directory cannot say now what you (uid 2) may do; try again later");
    g_hash_table_remove_all(scene->world->down);
    g_ptr_array_add(scene->world->conf->roles[ROLE_AUDITOR], who_new(WHO_ADDRESS, "an@agency.gov.cn"));
    expect_no(
        scene, "bin", "approve text en {one}",
        "you have two roles, which are for different persons; nothing is allowed until one is taken away");
    expect_audit(scene, 1, "an@agency.gov.cn turned-away - approve: not-reviewer\n");
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_HELD);
    expect_no(scene, "news", "held text en",
              "this is for reviewers of a queue, administrators, officers and auditors");
    /* who may not know of a hold hears what he would hear if there were none */
    expect_no(scene, "news", "show text en {one}",
              "there is no hold onexxxxxxxxxxxxxxxxxxxxxxxx; `miji held` "
              "lists those that wait");
    expect_audit(scene, 1, "gu@agency.gov.cn turned-away onexxxxxxxxxxxxxxxxxxxxxxxx show: not-reviewer\n");
    expect_no(scene, "bin", "reload text en", "unknown word");
}

/* ---- held */

static guint count_of(struct desk_scene *scene, const char *account, const char *line)
{
    g_autofree char *answer = ask(scene, account, line, TRUE);
    guint count = 0;

    g_assert_true(json_is_valid(answer));
    for (const char *at = answer; (at = strstr(at, "\"id\":")) != NULL; at++)
        count++;
    return count;
}

static void test_held(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_invalid(scene, "two");
    g_assert_cmpuint(count_of(scene, "bin", "held json en"), ==, 2);
    g_assert_cmpuint(count_of(scene, "games", "held json en"), ==, 2);
    g_assert_cmpuint(count_of(scene, "root", "held json en"), ==, 2);
    g_assert_cmpuint(count_of(scene, "lp", "held json en"), ==, 0); /* of another queue */
    g_assert_cmpuint(count_of(scene, "bin", "held json en queue=labels"), ==, 2);
    g_assert_cmpuint(count_of(scene, "bin", "held json en queue=finance"), ==, 0);
    g_assert_cmpuint(count_of(scene, "bin", "held json en since=1h"), ==, 2);
    g_assert_cmpuint(count_of(scene, "bin", "held json en since=2999-01-01"), ==, 0);
    expect_no(scene, "bin", "held text en queue=none", "there is no queue none");
    expect_no(scene, "bin", "held text en since=soon",
              "\"soon\" is no time: write 24h, 7d, 2026-06-01 or \"2026-06-01 12:00\"");
    expect_no(scene, "bin", "held text en all=yes more", "cannot understand \"more\"; see `miji help held`");
    g_free(ask(scene, "sys", "refuse text en {one}", TRUE));
    g_assert_cmpuint(count_of(scene, "bin", "held json en"), ==, 1);
    g_assert_cmpuint(count_of(scene, "bin", "held json en all=yes"), ==, 2);
    /* reasons in words for who is cleared, by their names otherwise */
    g_assert_true(says(scene, "daemon", "held text en", "label-invalid: "));
    g_assert_false(says(scene, "bin", "held text en", "label-invalid: "));
    g_assert_true(says(scene, "games", "held text en", "label-invalid\n"));
    expect_audit(scene, 1, "shen@agency.gov.cn view - held\n");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LISTED_WITHIN_US (1000 * 1000)
#else
#define LISTED_WITHIN_US (100 * 1000)
#endif

static gint64 cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* Processor time of the whole process, since the machine may have other things to do. */
static gint64 best_of(struct desk_scene *scene, const char *line)
{
    gint64 best_us = G_MAXINT64;

    for (guint i = 0; i < 7; i++) {
        gint64 start_us = cpu_us();
        g_free(ask(scene, "bin", line, TRUE));
        best_us = MIN(best_us, cpu_us() - start_us);
    }
    return best_us;
}

/* A thousand holds of many senders, from the question to the page. */
static void test_thousand(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    gint64 text_us, json_us;

    for (guint i = 0; i < 250; i++) {
        g_autofree char *name = g_strdup_printf("s%u", i);
        g_autofree char *from = g_strdup_printf("%s@agency.gov.cn", name);
        world_person(scene->world, name, "机密");
        for (guint j = 0; j < 4; j++)
            desk_scene_conflict(scene, "", from, "an@agency.gov.cn gao@agency.gov.cn");
    }
    g_assert_cmpuint(count_of(scene, "bin", "held json en"), ==, 1000);
    text_us = best_of(scene, "held text zh");
    json_us = best_of(scene, "held json en");
    g_test_message("page %d us, JSON %d us", (int)text_us, (int)json_us);
    g_assert_cmpint(text_us, <=, LISTED_WITHIN_US);
    g_assert_cmpint(json_us, <=, LISTED_WITHIN_US);
}

/* ---- show */

static void test_content(void)
{
    static const char *const views[] = {"headers", "text", "raw"};
    g_autoptr(desk_scene) scene = desk_scene_new();
    gsize length;
    gboolean ok;

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_autofree char *raw = desk_scene_ask(scene, "bin", "show text en {one} view=raw", &length, &ok);
    g_assert_true(ok && g_str_has_prefix(raw, "From: bo@agency.gov.cn\r\nSubject: =?UTF-8?") &&
                  g_str_has_suffix(raw, "\r\n\r\nHello\r\n"));
    expect_audit(scene, 1, "an@agency.gov.cn view onexxxxxxxxxxxxxxxxxxxxxxxx raw\n");
    g_autofree char *headers = ask(scene, "sys", "show text en {one/8} view=headers", TRUE);
    g_assert_cmpstr(headers, ==, "From: bo@agency.gov.cn\nSubject: =?UTF-8?B?5LiJ5a2j5bqm?=\n");
    for (guint i = 0; i < G_N_ELEMENTS(views); i++) {
        g_autofree char *line = g_strdup_printf("show text en {one} view=%s", views[i]);
        g_autofree char *record =
            g_strdup_printf("you@agency.gov.cn turned-away onexxxxxxxxxxxxxxxxxxxxxxxx show: not-reviewer\n");

        expect_no(scene, "man", line, "its content is for reviewers of queue \"labels\" and for officers");
        expect_audit(scene, 1, record);
        expect_no(scene, "games", line, "its content is for reviewers of queue \"labels\" and for officers");
        expect_no(scene, "root", line, "its content is for reviewers of queue \"labels\" and for officers");
    }
    expect_no(scene, "bin", "show text en {one} view=all", "cannot understand \"all\"; see `miji help show`");
    expect_no(scene, "bin", "show text en", "something is missing behind show; see `miji help show`");
    expect_no(scene, "bin", "show text en nothing9",
              "there is no hold nothing9; `miji held` lists those that wait");
    g_assert_true(says(scene, "bin", "show text en MIJI-ref001", "label-conflict"));
}

static void test_not_cleared(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_invalid(scene, "two");
    expect_no(scene, "bin", "show text en {two} view=raw",
              "nobody knows its label, so it is for those who are cleared for everything");
    expect_no(scene, "bin", "approve text en {two}",
              "nobody knows its label, so it is for those who are cleared for everything");
    g_assert_true(says(scene, "daemon", "show text en {two} view=raw", "Hello"));
    world_clear_person(scene->world, world_find(scene->world, "an"), "公开");
    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "gao@agency.gov.cn");
    expect_no(scene, "bin", "show text en {one} view=text", "your clearance does not cover it: 机密");
    g_assert_false(says(scene, "bin", "show json en {one}", "carries differing"));
    g_assert_true(says(scene, "daemon", "show json en {one}", "carries differing"));
}

static void test_json(void)
{
    static const char *const lines[] = {
        "show json en {one}",   "show json zh {one} view=reasons", "show json en {one} view=headers",
        "held json zh all=yes", "trace json en an@agency.gov.cn",  "archive json en list"};
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_free(ask(scene, "daemon", "note text en {one} \"quoted\"", TRUE));
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *answer = ask(scene, "daemon", lines[i], TRUE);
        g_test_message("%s", lines[i]);
        g_assert_true(json_is_valid(answer));
    }
}

/* What the inspector reads of it: for who is cleared, and in no other page. */
static void test_inspected(void)
{
    static const char octets[] = "From: =?GBK?B?sNjLyQ==?= <cai@agency.gov.cn>\r\nTo: an@agency.gov.cn\r\n"
                                 "Subject: =?UTF-8?B?5LiJ5a2j5bqm?= \x1b[31m\r\n"
                                 "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
                                 "Content-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n--b--\r\n";
    struct setting setting = {.parent = 0};

    setting_begin(&setting, 1); /* by fork: before the store has its thread */
    g_autoptr(desk_scene) scene = desk_scene_new();
    scene->review.host.inspector = setting.inspector;
    desk_scene_conflict(scene, "", "cai@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_keep(scene, "one", octets, sizeof octets - 1);
    g_autofree char *page = ask(scene, "sys", "show text en {one}", TRUE);
    g_assert_true(strstr(page, "  subject       三季度 ?[31m\n  author        柏松 <cai@agency.gov.cn>\n"
                               "  addressed     an@agency.gov.cn\n  part 2        text/plain, 4\n"
                               "  part 3        a.pdf, application/pdf, 1\n") != NULL);
    g_autofree char *json = ask(scene, "sys", "show json en {one}", TRUE);
    g_assert_true(json_is_valid(json) && strstr(json, "\"subject\":\"三季度 \\u001b[31m\"") != NULL);
    g_assert_false(says(scene, "games", "show text en {one}", "三季度"));
    g_assert_true(says(scene, "games", "show json en {one}", "\"content\":null"));
    setting_end(&setting);
}

/* A message whose every place tries to command a terminal. */
static void test_hostile(void)
{
    static const char octets[] =
        "From: x\x1b[31m\r\nSubject: \x1b]0;title\x07 \xe2\x80\xae\xff\r\nX: \r\n\r\n\x9b"
        "31m\r\n";
    static const char *const lines[] = {"held text en",
                                        "held json en",
                                        "show text en {evil}",
                                        "show text zh {evil} view=reasons",
                                        "show text en {evil} view=headers",
                                        "show json en {evil} view=headers",
                                        "show json en {evil}",
                                        "trace text en an@agency.gov.cn",
                                        "archive text en list"};
    g_autoptr(desk_scene) scene = desk_scene_new();
    struct world *world = scene->world;

    world_new_message(world);
    world_office(world, "bo");
    world->session.helo = g_strdup("\x1b[2J");
    world_from(world, "<bo@agency.gov.cn>");
    world_field(world, "From", "bo@agency.gov.cn");
    world_field(world, "X-Classification", "\x1b]52;c;机秘\x07\xe2\x80\xae");
    world_to(world, "<an@agency.gov.cn>");
    world->envelope->queue_id = g_strdup("\x1b[1m");
    desk_scene_keep(scene, "evil", octets, sizeof octets - 1);
    g_free(ask(scene, "daemon", "note text en {evil} %1b[31mred%e2%80%ae%0asecond", TRUE));
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *answer = ask(scene, "daemon", lines[i], TRUE);
        g_test_message("%s", lines[i]);
        g_assert_true(g_utf8_validate(answer, -1, NULL));
        for (const char *p = answer; *p != '\0'; p = g_utf8_next_char(p)) {
            gunichar c = g_utf8_get_char(p);
            g_assert_true(c == '\n' || (g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT));
        }
    }
    expect_no(scene, "daemon", "show text en %1b[31m",
              "there is no hold ?[31m; `miji held` lists those that wait");
}

/* ---- votes */

static void test_approve(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    expect_no(scene, "bin", "approve text en {one}", "you are a recipient of it; somebody else decides");
    expect_no(scene, "lp", "approve text en {one}",
              "there is no hold onexxxxxxxxxxxxxxxxxxxxxxxx; `miji held` lists those that wait");
    expect_no(scene, "man", "approve text en {one}",
              "only reviewers of queue \"labels\" decide, and you are none");
    expect_no(scene, "sys", "approve text en {one} as=绝密",
              "its label is known (机密); --as is only for what nobody can read");
    g_assert_false(scene->review.woken);
    g_autofree char *yes = ask(scene, "sys", "approve text en {one/8} note=fine", TRUE);
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
    expect_no(scene, "daemon", "approve text en {one}", "it is approved already, by hei@agency.gov.cn");
    g_free(ask(scene, "daemon", "refuse text en {one}", TRUE)); /* before it is gone, one refusal is enough */
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_REFUSED);
    expect_no(scene, "sys", "approve text en {one}", "it is refused: nothing is left to decide");
    expect_no(scene, "sys", "refuse text en {one}", "it is refused: nothing is left to decide");
}

static void test_own_mail(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    expect_no(scene, "mail", "approve text en {one}", "nobody decides on own mail");
    expect_no(scene, "mail", "refuse text en {one}", "nobody decides on own mail");
    expect_audit(scene, 1, "bo@agency.gov.cn turned-away onexxxxxxxxxxxxxxxxxxxxxxxx refuse: own-mail\n");
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_HELD);
}

/* `recipients may vote no`: also those who have the message already. */
static void test_recipients_may_not(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    struct world *world = scene->world;

    reviewing_queue(world, "labels")->recipients_may_vote = FALSE;
    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_free(ask(scene, "sys", "approve text en {one}", TRUE));
    desk_scene_conflict(scene, "two", "cai@agency.gov.cn", "an@agency.gov.cn hei@agency.gov.cn");
    expect_no(scene, "sys", "approve text en {two}", "you are a recipient of it; somebody else decides");
}

static void test_deadline(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    reviewing_queue(scene->world, "labels")->deadline_ms = 60000;
    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    clock_advance(61000);
    expect_no(scene, "sys", "approve text en {one}",
              "its deadline was 2026-06-01 12:00; nothing is released behind it");
    g_free(ask(scene, "sys", "refuse text en {one}", TRUE));
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
    g_free(ask(scene, "sys", "held text en", TRUE));
    clock_advance(-3600 * 1000);
    expect_no(scene, "sys", "show text en {one} view=raw", sentence);
    expect_no(scene, "sys", "approve text en {one}", sentence);
    expect_no(scene, "daemon", "archive text en show {one}",
              "there is no archive copy "
              "onexxxxxxxxxxxxxxxxxxxxxxxx; `miji archive list` "
              "lists them");
    g_assert_false(says(scene, "sys", "show text en {one}", "carries differing"));
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_HELD);
}

/* ---- approve --as */

static void test_as(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_unread(scene, "none");
    expect_no(scene, "daemon", "approve text en {none}",
              "nobody knows its label: say what it is with --as LEVEL");
    expect_no(scene, "daemon", "approve text en {none} as=机秘",
              "\"机秘\" is no label: clearance:1:1: error: no scheme has a level 机秘 [unknown-level]");
    expect_no(scene, "daemon", "approve text en {none} as=机密%20until%202099-01-01", "a label has no dates");
    expect_no(scene, "daemon", "approve text en {none} as=绝密%20知悉范围%20一处",
              "you are not cleared for \"绝密 知悉范围 一处\" yourself");
    g_assert_true(says(scene, "daemon", "show text en {none}", "--as LEVEL"));
    g_autofree char *yes = ask(scene, "daemon", "approve text en {none} as=机密%20专项%20密码", TRUE);
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
    expect_no(scene, "daemon", "approve text en {two} as=内部",
              "\"内部\" is below what is known of it: 秘密");
    g_assert_cmpint(state_of(scene, "two"), ==, HOLD_HELD);
    g_free(ask(scene, "daemon", "approve text en {two} as=秘密", TRUE));
    desk_scene_invalid(scene, "three"); /* what is known will do */
    g_free(ask(scene, "daemon", "approve text en {three}", TRUE));
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
    g_autofree char *said = ask(scene, "sys", "refuse text en {one} note=not%20this%20way", TRUE);
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
    g_free(ask(scene, "mail", "note text en {one} look%0aat%1bit", TRUE)); /* also who may not vote */
    g_autoptr(hold) hold = desk_scene_hold(scene, "one");
    const struct hold_vote *vote = g_ptr_array_index(hold->votes, 0);
    g_assert_cmpstr(vote->note, ==, "look at it");
    g_assert_true(says(scene, "sys", "show text en {one}", "look at it"));
    g_assert_false(says(scene, "games", "show text en {one}", "look at it"));
    expect_no(scene, "sys", "note text en {one}", "something is missing behind note; see `miji help note`");
    expect_no(scene, "sys", "note text en {one} %20%0a",
              "something is missing behind note; see `miji help note`");
    long_line = g_strdup_printf("note text en {one} %s", many);
    expect_no(scene, "sys", long_line, "a note has at most 500 characters");
    expect_no(scene, "games", "note text en {one} hello",
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
    expect_no(scene, "sys", "release text en {one}",
              "say --again (send it once more) or --done (it has arrived)");
    expect_no(scene, "sys", "release text en {one} again=yes done=yes",
              "say --again (send it once more) or --done (it has arrived)");
    expect_no(scene, "man", "release text en {one} again=yes", "only officers may do this");
    expect_no(scene, "sys", "release text en {one} done=yes",
              "no release of it is in doubt, and none waits to be tried again");
    g_free(ask(scene, "sys", "approve text en {one}", TRUE));
    make_doubtful(scene, "one");
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_RELEASING);
    g_assert_true(says(scene, "sys", "show text en {one}", "miji release "));
    g_assert_false(says(scene, "games", "show text en {one}", "miji release "));
    g_free(ask(scene, "sys", "release text en {one} again=yes", TRUE));
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_HELD);
    make_doubtful(scene, "one");
    g_free(ask(scene, "sys", "release text en {one} done=yes", TRUE));
    g_assert_cmpint(state_of(scene, "one"), ==, HOLD_RELEASED);
}

/* ---- trace, archive */

static void test_trace(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_assert_true(says(scene, "games", "trace text en an@agency.gov.cn", "MIJI-ref001"));
    expect_audit(scene, 1, "shen@agency.gov.cn view an@agency.gov.cn trace\n");
    g_assert_true(says(scene, "root", "trace text en MIJI-ref001", "label-conflict"));
    expect_no(scene, "games", "trace text en who@x.cn", "nothing is known of who@x.cn");
    expect_no(scene, "games", "trace text en", "something is missing behind trace; see `miji help trace`");
    expect_no(scene, "lp", "trace text en an@agency.gov.cn",
              "only administrators, officers and auditors may do this");
}

static char *first_copy(struct desk_scene *scene)
{
    g_autofree char *list = ask(scene, "daemon", "archive json en list", TRUE);
    const char *id = strstr(list, "\"id\":\"");

    g_assert_nonnull(id);
    return id != NULL ? g_strndup(id + 6, strcspn(id + 6, "\"")) : g_strdup("");
}

static void test_archive(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    gsize length;
    gboolean ok;

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_hash_table_insert(scene->ids, g_strdup("copy"), first_copy(scene));
    g_assert_true(says(scene, "sys", "archive text en list archive=default", "cai@agency.gov.cn"));
    g_assert_true(says(scene, "sys", "archive text en list until=2000-01-01", "no copies"));
    g_assert_true(says(scene, "sys", "archive text en show {copy/8}", "<an@agency.gov.cn>"));
    g_autofree char *octets = desk_scene_ask(scene, "sys", "archive text en export {copy}", &length, &ok);
    g_assert_true(ok && g_str_has_suffix(octets, "\r\n\r\nHello\r\n"));
    expect_audit(scene, 1, "hei@agency.gov.cn export copyxxxxxxxxxxxxxxxxxxxxxxx default\n");
    world_clear_person(scene->world, world_find(scene->world, "hei"), "公开");
    g_assert_true(says(scene, "sys", "archive text en list", "1 more are above your clearance"));
    expect_no(scene, "sys", "archive text en export {copy}", "your clearance does not cover it: 机密");
    expect_audit(scene, 1, "hei@agency.gov.cn turned-away - archive: not-cleared\n");
    expect_no(scene, "games", "archive text en list", "only officers may do this");
    expect_no(scene, "root", "archive text en export {copy}", "only officers may do this");
    expect_no(scene, "daemon", "archive text en list archive=none", "there is no archive none");
    expect_no(scene, "daemon", "archive text en burn {copy}",
              "cannot understand \"burn\"; see `miji help archive`");
    expect_no(scene, "daemon", "archive text en",
              "something is missing behind archive; see `miji help archive`");
    expect_no(scene, "daemon", "archive text en show nothing9",
              "there is no archive copy nothing9; `miji archive list` lists them");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/desk/strangers", test_strangers);
    g_test_add_func("/review/desk/held", test_held);
    g_test_add_func("/review/desk/thousand", test_thousand);
    g_test_add_func("/review/desk/content", test_content);
    g_test_add_func("/review/desk/not-cleared", test_not_cleared);
    g_test_add_func("/review/desk/json", test_json);
    g_test_add_func("/review/desk/inspected", test_inspected);
    g_test_add_func("/review/desk/hostile", test_hostile);
    g_test_add_func("/review/desk/approve", test_approve);
    g_test_add_func("/review/desk/own-mail", test_own_mail);
    g_test_add_func("/review/desk/recipients-may-not", test_recipients_may_not);
    g_test_add_func("/review/desk/deadline", test_deadline);
    g_test_add_func("/review/desk/clock", test_clock);
    g_test_add_func("/review/desk/as", test_as);
    g_test_add_func("/review/desk/as-bounds", test_as_bounds);
    g_test_add_func("/review/desk/refuse", test_refuse);
    g_test_add_func("/review/desk/note", test_note);
    g_test_add_func("/review/desk/release", test_release);
    g_test_add_func("/review/desk/trace", test_trace);
    g_test_add_func("/review/desk/archive", test_archive);
    return g_test_run();
}
