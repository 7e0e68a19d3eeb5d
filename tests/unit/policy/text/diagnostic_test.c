#include "policy/text/diagnostic.h"

#include "policy/text/limits.h"
#include "policy/text/tree.h"

#include <string.h>

struct run {
    struct sources *sources;
    struct diagnostics *diagnostics;
};

static void up(struct run *run, gconstpointer data)
{
    run->sources = sources_new();
    run->diagnostics = diagnostics_new(run->sources);
}

static void down(struct run *run, gconstpointer data)
{
    diagnostics_free(run->diagnostics);
    sources_unref(run->sources);
}

static const struct source *add(struct run *run, const char *name, const char *text)
{
    return sources_add(run->sources, name, text, strlen(text));
}

static struct diagnostic *report(struct run *run, enum diagnostic_id id, const struct source *source,
                                 guint32 offset, guint32 length)
{
    return diagnostics_report(run->diagnostics, id, (struct span){source, offset, length},
                              message_make(MSG_DELETE_IT, NULL));
}

static void check(struct run *run, enum diagnostic_form form, enum language language, const char *wanted)
{
    g_autofree char *made = diagnostics_render(run->diagnostics, form, language);

    g_assert_cmpstr(made, ==, wanted);
}

static void table(void)
{
    for (guint a = 0; a < DIAG_COUNT; a++)
        for (guint b = a + 1; b < DIAG_COUNT; b++)
            g_assert_cmpstr(diagnostic_name(a), !=, diagnostic_name(b));
    g_assert_cmpstr(diagnostic_name(DIAG_UNKNOWN_QUEUE), ==, "unknown-queue");
    g_assert_cmpint(diagnostic_severity(DIAG_UNKNOWN_QUEUE), ==, SEVERITY_ERROR);
    g_assert_cmpint(diagnostic_severity(DIAG_EMPTY_INCLUDE), ==, SEVERITY_WARNING);
}

static void nothing(struct run *run, gconstpointer data)
{
    check(run, DIAGNOSTIC_TEXT, LANGUAGE_EN, "");
    check(run, DIAGNOSTIC_LINE, LANGUAGE_EN, "");
    check(run, DIAGNOSTIC_JSON, LANGUAGE_EN, "[]\n");
    g_assert_cmpuint(diagnostics_errors(run->diagnostics), ==, 0);
}

/* By file in the order of loading, then by place; findings of no file first. */
static void order(struct run *run, gconstpointer data)
{
    const struct source *a = add(run, "a", "one\ntwo\n");
    const struct source *b = add(run, "b", "three\n");

    report(run, DIAG_DATE, b, 0, 5);
    report(run, DIAG_UNUSED, a, 4, 3);
    report(run, DIAG_RANGE, a, 0, 3);
    report(run, DIAG_TYPE, a, 0, 3);
    report(run, DIAG_NO_FILE, NULL, 0, 0);
    check(run, DIAGNOSTIC_LINE, LANGUAGE_EN,
          "error: delete it [no-file]\n"
          "a:1:1: error: delete it [range]\n"
          "a:1:1: error: delete it [type]\n"
          "a:2:1: warning: delete it [unused]\n"
          "b:1:1: error: delete it [date]\n");
    g_assert_cmpuint(diagnostics_errors(run->diagnostics), ==, 4);
    g_assert_cmpuint(diagnostics_warnings(run->diagnostics), ==, 1);
}

static void notes_and_help(struct run *run, gconstpointer data)
{
    const struct source *a = add(run, "a", "one 机密 two\n");
    struct diagnostic *diagnostic = report(run, DIAG_DUPLICATE, a, 4, 6);

    diagnostic_note(diagnostic, (struct span){a, 0, 3}, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    diagnostic_note(diagnostic, (struct span){NULL, 0, 0}, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    diagnostic_help(diagnostic, message_make(MSG_DELETE_IT, NULL));
    diagnostic_help(diagnostic, message_make(MSG_WRITE_THIS, "x", NULL)); /* the second one counts */
    check(run, DIAGNOSTIC_TEXT, LANGUAGE_EN,
          "a:1:5: error: delete it [duplicate]\n"
          "    1 | one 机密 two\n"
          "      |     ^~~~\n"
          "  note: a:1:1: it was first given here\n"
          "  note: it was first given here\n"
          "  help: write x\n");
    check(run, DIAGNOSTIC_TEXT, LANGUAGE_ZH,
          "a:1:5: 错误：请将其删除 [duplicate]\n"
          "    1 | one 机密 two\n"
          "      |     ^~~~\n"
          "  参见：a:1:1: 首次出现于此\n"
          "  参见：首次出现于此\n"
          "  建议：请写作 x\n");
}

/* A span over several lines is marked to the end of its first; one behind the last line at its end. */
static void odd_spans(struct run *run, gconstpointer data)
{
    const struct source *a = add(run, "a", "rule {\n  x\n}");

    report(run, DIAG_RANGE, a, 5, 7);
    report(run, DIAG_RANGE, a, 6, 0);
    report(run, DIAG_RANGE, a, 12, 9);
    check(run, DIAGNOSTIC_TEXT, LANGUAGE_EN,
          "a:1:6: error: delete it [range]\n"
          "    1 | rule {\n"
          "      |      ^\n"
          "a:1:7: error: delete it [range]\n"
          "    1 | rule {\n"
          "      |       ^\n"
          "a:3:2: error: delete it [range]\n"
          "    3 | }\n"
          "      |  ^\n");
}

/* Names and arguments come from outside: nothing in them moves a cursor or fakes a line. */
static void hostile_names(struct run *run, gconstpointer data)
{
    const struct source *a = add(run, "a\n\x1B[1m\xFF\".rules", "x\x1B[2Jy\n");

    diagnostics_report(run->diagnostics, DIAG_NO_FILE, (struct span){a, 0, 1},
                       message_make(MSG_WRITE_THIS, "b\nc: error: \xE2\x80\xAE\"\\\x01", NULL));
    check(run, DIAGNOSTIC_TEXT, LANGUAGE_EN,
          "a··[1m\xEF\xBF\xBD\".rules:1:1: error: write b·c: error: ·\"\\· [no-file]\n"
          "    1 | x·[2Jy\n"
          "      | ^\n");
    check(run, DIAGNOSTIC_JSON, LANGUAGE_EN,
          "[\n{\"file\":\"a··[1m\xEF\xBF\xBD\\\".rules\",\"line\":1,\"column\":1,\"length\":1,\"severity\":"
          "\"error\","
          "\"id\":\"no-file\",\"message\":\"write b·c: error: ·\\\"\\\\·\"}\n]\n");
}

static guint count_lines(const char *text)
{
    guint lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

/* Twenty errors of a file are shown, those that stand first, however many there are and whenever they came.
 */
static void many(struct run *run, gconstpointer data)
{
    g_autofree char *text = g_strnfill(5000, '\n');
    const struct source *a = add(run, "a", text);
    const struct source *b = add(run, "b", "x");

    for (guint32 n = 150; n > 0; n--)
        report(run, DIAG_RANGE, a, n, 0);
    for (guint32 n = 0; n < 30; n++)
        report(run, DIAG_UNUSED, b, 0, 1);
    for (guint32 n = 0; n < 4000; n++)
        diagnostic_help(report(run, DIAG_RANGE, a, n, 0), message_make(MSG_DELETE_IT, NULL));
    g_autofree char *made = diagnostics_render(run->diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_assert_cmpuint(count_lines(made), ==, DIAGNOSTIC_MAX_SHOWN + 1 + DIAGNOSTIC_MAX_SHOWN);
    g_assert_true(g_str_has_prefix(made, "a:1:1: error"));
    g_assert_nonnull(strstr(made, "\na: 4130 more errors in this file are not shown\nb:1:1: warning"));
    g_assert_cmpuint(diagnostics_errors(run->diagnostics), ==, 4150);
}

/* Any octets: each has its errors, none is long, and the renderer ends. */
static void parsing_is_linear(struct run *run, gconstpointer data)
{
    static const char *const pieces[] = {"(\n", "a (\n",        "a {\n", "\"\n", "“",
                                         "/",   "a (\n  when ", "}",     "\xFF", "\\u{"};

    for (guint n = 0; n < G_N_ELEMENTS(pieces); n++) {
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < 300 * 1000)
            g_string_append(text, pieces[n]);
        gint64 start = g_get_monotonic_time();
        g_autoptr(block) block = tree_parse(add(run, pieces[n], text->str), run->diagnostics);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC);
        g_assert_nonnull(block);
    }
    g_autofree char *made = diagnostics_render(run->diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_ZH);
    g_assert_true(g_utf8_validate(made, -1, NULL));
    g_assert_cmpuint(strlen(made), <, 300 * 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/text/diagnostic/table", table);
    g_test_add("/text/diagnostic/nothing", struct run, NULL, up, nothing, down);
    g_test_add("/text/diagnostic/order", struct run, NULL, up, order, down);
    g_test_add("/text/diagnostic/notes-and-help", struct run, NULL, up, notes_and_help, down);
    g_test_add("/text/diagnostic/odd-spans", struct run, NULL, up, odd_spans, down);
    g_test_add("/text/diagnostic/hostile-names", struct run, NULL, up, hostile_names, down);
    g_test_add("/text/diagnostic/many", struct run, NULL, up, many, down);
    g_test_add("/text/diagnostic/parsing-is-linear", struct run, NULL, up, parsing_is_linear, down);
    return g_test_run();
}
