/* Help texts fit a terminal of 80 columns, in both languages. */
#include "policy/text/message.h"

#include <string.h>

static guint cells_of(const char *line)
{
    guint cells = 0;
    for (const char *p = line; *p; p = g_utf8_next_char(p))
        cells += g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1;
    return cells;
}

static void fits(enum message_id id, enum language language)
{
    g_auto(GStrv) lines = g_strsplit(message_text(id, language), "\n", -1);
    for (char **line = lines; *line; line++)
        if (cells_of(*line) > 80)
            g_test_message("%u cells: %s", cells_of(*line), *line);
    for (char **line = lines; *line; line++)
        g_assert_cmpuint(cells_of(*line), <=, 80);
}

static void test_width(void)
{
    static const enum message_id texts[] = {
        MSG_CLI_USAGE,         MSG_CLI_USAGE_END,     MSG_CLI_CHECK_USAGE,  MSG_CLI_EXPLAIN_USAGE,
        MSG_CLI_STATUS_USAGE,  MSG_CLI_RELOAD_USAGE,  MSG_CLI_DOCTOR_USAGE, MSG_CLI_HELD_USAGE,
        MSG_CLI_SHOW_USAGE,    MSG_CLI_APPROVE_USAGE, MSG_CLI_REFUSE_USAGE, MSG_CLI_NOTE_USAGE,
        MSG_CLI_RELEASE_USAGE, MSG_CLI_TRACE_USAGE,   MSG_CLI_ARCHIVE_USAGE, MSG_CLI_STORE_USAGE,
        MSG_STORE_KEY_COPY,    MSG_STORE_KEY_WRITE,   MSG_STORE_KEY_OWNER};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        fits(texts[i], LANGUAGE_EN);
        fits(texts[i], LANGUAGE_ZH);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/cli/usage-width", test_width);
    return g_test_run();
}
