/* How miji-inspect is started: what it is told, and what it is not. */
#include "milter/inspect/launch.h"

#include <string.h>

#include "milter/inspect/reader.h"
#include "tests/support/inspecting.h"

static void test_arguments(void)
{
    const char *good[] = {
        "miji-inspect", "control=3", "text_size_bytes=1", "unpacked_bytes=2", "memory_bytes=3", "parts=4",
        "depth=5",      "helpers=6", "time_ms=7",         "cpu_ms=8",         "nobody"};
    const int count = G_N_ELEMENTS(good);
    struct inspect_limits limits;
    const char *user;
    int control_fd;

    g_assert_true(launch_read_arguments(count, (char **)good, &control_fd, &limits, &user));
    g_assert_cmpint(control_fd, ==, 3);
    g_assert_cmpuint(limits.memory_bytes, ==, 3);
    g_assert_cmpuint(limits.helpers, ==, 6);
    g_assert_cmpint(limits.cpu_ms, ==, 8);
    g_assert_cmpstr(user, ==, "nobody");
    g_assert_false(launch_read_arguments(count - 1, (char **)good, &control_fd, &limits, &user));
    for (int i = 1; i < count - 1; i++) {
        static const char *const wrong[] = {
            "", "x", "parts", "parts=", "parts=-1", "parts=1x", "helpers=0", "helpers=1025"};
        for (gsize k = 0; k < G_N_ELEMENTS(wrong); k++) {
            const char *bad[G_N_ELEMENTS(good)];
            memcpy(bad, good, sizeof good);
            bad[i] = wrong[k];
            g_assert_false(launch_read_arguments(count, (char **)bad, &control_fd, &limits, &user));
        }
    }
}

static void test_environment(void)
{
    g_autofree char *file = NULL, *text = NULL;
    struct setting setting;
    gsize length = 0;

    g_setenv("MIJI_TEST_SECRET", "of the service", TRUE);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    setting_begin(&setting, 1);
    setting_only_worker(&setting);
    file = g_strdup_printf("/proc/%d/environ", (int)setting.parent);
    g_assert_true(g_file_get_contents(file, &text, &length, NULL));
    g_assert_nonnull(memmem(text, length, "LC_ALL=C.UTF-8", 14));
    g_assert_null(memmem(text, length, "MIJI_TEST_SECRET", 16));
    g_assert_null(memmem(text, length, "of the service", 14));
    expect_well(&setting);
    setting_end(&setting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/launch/arguments", test_arguments);
    g_test_add_func("/inspect/launch/environment", test_environment);
    return g_test_run();
}
