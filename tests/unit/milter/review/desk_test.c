/* The commands of the control socket: who may ask, what is listed and shown, what is recorded. */
#include <string.h>
#include <time.h>

#include "milter/store/attempt.h"
#include "milter/store/database.h"
#include "tests/support/desk_scene.h"
#include "tests/support/inspecting.h"
#include "tests/support/json_check.h"

/* ---- who */

static void test_strangers(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_no(scene, "sync", "held text en",
                  "the directory does not know you (uid 4), so nothing is allowed");
    desk_scene_recorded(scene, 1, "uid 4 turned-away - held: unknown\n");
    g_hash_table_add(scene->world->down, g_strdup("bin"));
    desk_scene_no(scene, "bin", "held text en",
                  "the directory cannot say now what you (uid 2) may do; try again later");
    g_hash_table_remove_all(scene->world->down);
    g_ptr_array_add(scene->world->conf->roles[ROLE_AUDITOR], who_new(WHO_ADDRESS, "an@agency.gov.cn"));
    desk_scene_no(
        scene, "bin", "approve text en {one}",
        "you have two roles, which are for different persons; nothing is allowed until one is taken away");
    desk_scene_recorded(scene, 1, "an@agency.gov.cn turned-away - approve: not-reviewer\n");
    g_assert_cmpint(desk_scene_state(scene, "one"), ==, HOLD_HELD);
    desk_scene_no(scene, "news", "held text en",
                  "this is for reviewers of a queue, administrators, officers and auditors");
    /* who may not know of a hold hears what he would hear if there were none */
    desk_scene_no(scene, "news", "show text en {one}",
                  "there is no hold onexxxxxxxxxxxxxxxxxxxxxxxx; `miji held` "
                  "lists those that wait");
    desk_scene_recorded(scene, 1,
                        "gu@agency.gov.cn turned-away onexxxxxxxxxxxxxxxxxxxxxxxx show: not-reviewer\n");
    desk_scene_no(scene, "bin", "reload text en", "unknown word");
}

/* ---- held */

static guint count_of(struct desk_scene *scene, const char *account, const char *line)
{
    g_autofree char *answer = desk_scene_done(scene, account, line, TRUE);
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
    desk_scene_no(scene, "bin", "held text en queue=none", "there is no queue none");
    desk_scene_no(scene, "bin", "held text en since=soon",
                  "\"soon\" is no time: write 24h, 7d, 2026-06-01 or \"2026-06-01 12:00\"");
    desk_scene_no(scene, "bin", "held text en all=yes more",
                  "cannot understand \"more\"; see `miji help held`");
    g_free(desk_scene_done(scene, "sys", "refuse text en {one}", TRUE));
    g_assert_cmpuint(count_of(scene, "bin", "held json en"), ==, 1);
    g_assert_cmpuint(count_of(scene, "bin", "held json en all=yes"), ==, 2);
    /* reasons in words for who is cleared, by their names otherwise */
    g_assert_true(desk_scene_says(scene, "daemon", "held text en", "label-invalid: "));
    g_assert_false(desk_scene_says(scene, "bin", "held text en", "label-invalid: "));
    g_assert_true(desk_scene_says(scene, "games", "held text en", "label-invalid\n"));
    desk_scene_recorded(scene, 1, "shen@agency.gov.cn view - held\n");
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
        g_free(desk_scene_done(scene, "bin", line, TRUE));
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
    desk_scene_recorded(scene, 1, "an@agency.gov.cn view onexxxxxxxxxxxxxxxxxxxxxxxx raw\n");
    g_autofree char *headers = desk_scene_done(scene, "sys", "show text en {one/8} view=headers", TRUE);
    g_assert_cmpstr(headers, ==, "From: bo@agency.gov.cn\nSubject: =?UTF-8?B?5LiJ5a2j5bqm?=\n");
    for (guint i = 0; i < G_N_ELEMENTS(views); i++) {
        g_autofree char *line = g_strdup_printf("show text en {one} view=%s", views[i]);
        g_autofree char *record =
            g_strdup_printf("you@agency.gov.cn turned-away onexxxxxxxxxxxxxxxxxxxxxxxx show: not-reviewer\n");

        desk_scene_no(scene, "man", line,
                      "its content is for reviewers of queue \"labels\" and for officers");
        desk_scene_recorded(scene, 1, record);
        desk_scene_no(scene, "games", line,
                      "its content is for reviewers of queue \"labels\" and for officers");
        desk_scene_no(scene, "root", line,
                      "its content is for reviewers of queue \"labels\" and for officers");
    }
    desk_scene_no(scene, "bin", "show text en {one} view=all",
                  "cannot understand \"all\"; see `miji help show`");
    desk_scene_no(scene, "bin", "show text en", "something is missing behind show; see `miji help show`");
    desk_scene_no(scene, "bin", "show text en nothing9",
                  "there is no hold nothing9; `miji held` lists those that wait");
    g_assert_true(desk_scene_says(scene, "bin", "show text en MIJI-ref001", "label-conflict"));
}

static void test_not_cleared(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_invalid(scene, "two");
    desk_scene_no(scene, "bin", "show text en {two} view=raw",
                  "nobody knows its label, so it is for those who are cleared for everything");
    desk_scene_no(scene, "bin", "approve text en {two}",
                  "nobody knows its label, so it is for those who are cleared for everything");
    g_assert_true(desk_scene_says(scene, "daemon", "show text en {two} view=raw", "Hello"));
    world_clear_person(scene->world, world_find(scene->world, "an"), "公开");
    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "gao@agency.gov.cn");
    desk_scene_no(scene, "bin", "show text en {one} view=text", "your clearance does not cover it: 机密");
    g_assert_false(desk_scene_says(scene, "bin", "show json en {one}", "carries differing"));
    g_assert_true(desk_scene_says(scene, "daemon", "show json en {one}", "carries differing"));
}

static void test_json(void)
{
    static const char *const lines[] = {
        "show json en {one}",   "show json zh {one} view=reasons", "show json en {one} view=headers",
        "held json zh all=yes", "trace json en an@agency.gov.cn",  "archive json en list"};
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_free(desk_scene_done(scene, "daemon", "note text en {one} \"quoted\"", TRUE));
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *answer = desk_scene_done(scene, "daemon", lines[i], TRUE);
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
    g_autofree char *page = desk_scene_done(scene, "sys", "show text en {one}", TRUE);
    g_assert_true(strstr(page, "  subject       三季度 ?[31m\n  author        柏松 <cai@agency.gov.cn>\n"
                               "  To field      an@agency.gov.cn\n  part 2        text/plain, 4 octets\n"
                               "  part 3        a.pdf, application/pdf, 1 octets\n") != NULL);
    g_autofree char *json = desk_scene_done(scene, "sys", "show json en {one}", TRUE);
    g_assert_true(json_is_valid(json) && strstr(json, "\"subject\":\"三季度 \\u001b[31m\"") != NULL);
    g_assert_false(desk_scene_says(scene, "games", "show text en {one}", "三季度"));
    g_assert_true(desk_scene_says(scene, "games", "show json en {one}", "\"content\":null"));
    setting_end(&setting);
}

/* The beginning of several ids is not "no hold": who may list holds is told to write more, nobody else. */
static void test_beginning_of_several(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();
    g_autofree char *path = NULL;
    struct database *database;

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_conflict(scene, "two", "cai@agency.gov.cn", "an@agency.gov.cn");
    path = g_build_filename(scene->folder, "store.db", NULL);
    database = database_open(path, FALSE, NULL);
    g_assert_true(database_script(database, "UPDATE hold SET id = 'zzzz' || substr(id, 5)", NULL));
    database_close(database);
    desk_scene_no(scene, "sys", "approve text en zzzz",
                  "zzzz stands for several; write more of the id");
    desk_scene_no(scene, "games", "show text zh zzzz", "zzzz 对应多封邮件，请多写几位编号");
    desk_scene_no(scene, "news", "show text en zzzz",
                  "there is no hold zzzz; `miji held` lists those that wait");
    g_assert_true(desk_scene_says(scene, "man", "trace text en zzzz", "held as"));
}

/* What keeps an approved one, in words, and what may be done about it. */
static void test_stuck(void)
{
    static const struct {
        const char *trouble, *said;
    } rows[] = {
        {"recheck-failed not-cleared",
         "  problem       the check before release did not pass (not-cleared)\n"},
        {"recheck-failed unreadable", "  problem       what was kept of it cannot be read\n"},
        {"recheck-put-off directory-unavailable",
         "  problem       the check before release cannot be made now\n"
         "                (directory-unavailable)\n"},
        {"release-failed 554 5.7.1 no", "  problem       Postfix refused it (554 5.7.1 no)\n"},
        {"put-off 451 4.3.0 later", "  problem       Postfix has not taken it yet (451 4.3.0 later)\n"},
    };
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_free(desk_scene_done(scene, "sys", "approve text en {one}", TRUE));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(hold) hold = desk_scene_hold(scene, "one");
        g_assert_true(store_hold_waits(scene->store, hold, rows[i].trouble, 0, NULL));
        g_assert_true(desk_scene_says(scene, "sys", "show text en {one}", rows[i].said));
    }
    g_assert_true(desk_scene_says(scene, "sys", "held text en", "approved, waits for release: Postfix"));
    g_assert_true(desk_scene_says(scene, "sys", "show text en {one}", " --note \"…\" ends it\n"));
    g_assert_true(desk_scene_says(scene, "sys", "show text en {one}", " --again tries it now\n"));
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
    g_free(desk_scene_done(scene, "daemon", "note text en {evil} %1b[31mred%e2%80%ae%0asecond", TRUE));
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *answer = desk_scene_done(scene, "daemon", lines[i], TRUE);
        g_test_message("%s", lines[i]);
        g_assert_true(g_utf8_validate(answer, -1, NULL));
        for (const char *p = answer; *p != '\0'; p = g_utf8_next_char(p)) {
            gunichar c = g_utf8_get_char(p);
            g_assert_true(c == '\n' || (g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT));
        }
    }
    desk_scene_no(scene, "daemon", "show text en %1b[31m",
                  "there is no hold ?[31m; `miji held` lists those that wait");
}

/* ---- trace, archive */

static void test_trace(void)
{
    g_autoptr(desk_scene) scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "cai@agency.gov.cn", "an@agency.gov.cn");
    g_assert_true(desk_scene_says(scene, "games", "trace text en an@agency.gov.cn", "MIJI-ref001"));
    desk_scene_recorded(scene, 1, "shen@agency.gov.cn view an@agency.gov.cn trace\n");
    g_assert_true(desk_scene_says(scene, "root", "trace text en MIJI-ref001", "label-conflict"));
    desk_scene_no(scene, "games", "trace text en who@x.cn", "nothing is known of who@x.cn");
    desk_scene_no(scene, "games", "trace text en",
                  "something is missing behind trace; see `miji help trace`");
    desk_scene_no(scene, "lp", "trace text en an@agency.gov.cn",
                  "only administrators, officers and auditors may do this");
}

static char *first_copy(struct desk_scene *scene)
{
    g_autofree char *list = desk_scene_done(scene, "daemon", "archive json en list", TRUE);
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
    g_assert_true(desk_scene_says(scene, "sys", "archive text en list archive=default", "cai@agency.gov.cn"));
    g_assert_true(desk_scene_says(scene, "sys", "archive text en list until=2000-01-01", "no copies"));
    g_assert_true(desk_scene_says(scene, "sys", "archive text en show {copy/8}", "<an@agency.gov.cn>"));
    g_autofree char *octets = desk_scene_ask(scene, "sys", "archive text en export {copy}", &length, &ok);
    g_assert_true(ok && g_str_has_suffix(octets, "\r\n\r\nHello\r\n"));
    desk_scene_recorded(scene, 1, "hei@agency.gov.cn export copyxxxxxxxxxxxxxxxxxxxxxxx default\n");
    world_clear_person(scene->world, world_find(scene->world, "hei"), "公开");
    g_assert_true(desk_scene_says(scene, "sys", "archive text en list", "1 more are above your clearance"));
    desk_scene_no(scene, "sys", "archive text en export {copy}", "your clearance does not cover it: 机密");
    desk_scene_recorded(scene, 1, "hei@agency.gov.cn turned-away - archive: not-cleared\n");
    desk_scene_no(scene, "games", "archive text en list", "only officers may do this");
    desk_scene_no(scene, "root", "archive text en export {copy}", "only officers may do this");
    desk_scene_no(scene, "daemon", "archive text en list archive=none", "there is no archive none");
    desk_scene_no(scene, "daemon", "archive text en burn {copy}",
                  "cannot understand \"burn\"; see `miji help archive`");
    desk_scene_no(scene, "daemon", "archive text en",
                  "something is missing behind archive; see `miji help archive`");
    desk_scene_no(scene, "daemon", "archive text en show nothing9",
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
    g_test_add_func("/review/desk/beginning-of-several", test_beginning_of_several);
    g_test_add_func("/review/desk/stuck", test_stuck);
    g_test_add_func("/review/desk/hostile", test_hostile);
    g_test_add_func("/review/desk/trace", test_trace);
    g_test_add_func("/review/desk/archive", test_archive);
    return g_test_run();
}
