/*
 * The pages of the desk, in both languages. A .in has two lines: who asks (an account, see
 * tests/support/desk_scene.h) and the request, as it comes on the control socket. Every line of a page has at
 * most 80 cells. The .out begins with "yes" or "no": whether it was done.
 */
#include "tests/support/desk_scene.h"

#include <string.h>

#include "milter/decide/page.h"
#include "milter/store/archive.h"
#include "tests/support/golden.h"

static void ask(struct desk_scene *scene, const char *account, const char *line)
{
    gboolean ok;
    g_autofree char *answer = desk_scene_ask(scene, account, line, NULL, &ok);

    if (!ok)
        g_error("%s: %s", line, answer);
}

/* A mail of a program of this host above the lowest level: refused, and a copy kept. */
static void keep_copy(struct desk_scene *scene)
{
    static const char octets[] = "Subject: x\r\n\r\n机密★\r\n";
    struct world *world = scene->world;

    world_new_message(world);
    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    world->session.client_name = g_strdup("localhost");
    world_from(world, "backup@agency.gov.cn");
    world_field(world, "From", "backup@agency.gov.cn");
    world_field(world, "X-Classification", "机密");
    world_to(world, "an@agency.gov.cn");
    desk_scene_keep(scene, "kept", octets, sizeof octets - 1);
}

/* Copies are called copy1, copy2 … in pages. */
static void name_copies(struct desk_scene *scene)
{
    static const struct archive_filter all = {.limit = 100};
    g_autoptr(GPtrArray) copies = store_archive_list(scene->store, scene->world->schemes, &all, NULL);

    for (guint i = 0; copies != NULL && i < copies->len; i++) {
        const struct archive_copy *copy = g_ptr_array_index(copies, i);
        g_hash_table_insert(scene->ids, g_strdup_printf("copy%u", i + 1), g_strdup(copy->id));
    }
}

static struct desk_scene *make_scene(void)
{
    struct desk_scene *scene = desk_scene_new();

    desk_scene_conflict(scene, "one", "bo@agency.gov.cn", "an@agency.gov.cn gao@agency.gov.cn");
    desk_scene_conflict(scene, "cai", "cai@agency.gov.cn", "an@agency.gov.cn");
    desk_scene_invalid(scene, "two");
    desk_scene_unread(scene, "none");
    desk_scene_conflict(scene, "over", "cai@agency.gov.cn", "gao@agency.gov.cn");
    keep_copy(scene);
    name_copies(scene);
    ask(scene, "sys", "note text en {one} 附件为公开资料，可以放行；但须先由财务处确认其中的数字已经公布");
    ask(scene, "sys", "approve text en {cai} note=checked%20with%20the%20author");
    ask(scene, "sys", "refuse text en {over} note=send%20it%20by%20courier");
    return scene;
}

static void expect_narrow(const char *page)
{
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        if (page_cells(*line) > 80)
            g_test_message("%s", *line);
        g_assert_cmpuint(page_cells(*line), <=, 80);
    }
}

static char *make(const char *name, const char *input, gsize length, gpointer data)
{
    g_auto(GStrv) lines = g_strsplit(input, "\n", -1);
    gboolean ok;
    g_autofree char *answer = desk_scene_ask(data, lines[0], lines[1], NULL, &ok);
    g_autofree char *steady = desk_scene_steady(data, answer);

    if (strstr(lines[1], " json ") == NULL)
        expect_narrow(steady);
    return g_strconcat(ok ? "yes\n" : "no\n", steady, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_autoptr(desk_scene) scene = make_scene();
    golden_add("tests/golden/desk", make, scene);
    return g_test_run();
}
