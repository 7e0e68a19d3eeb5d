/* Every case of semantics.md 14 that holds today: tests/cases/NN-….case, in one process: message and people →
 * verdicts and reply. */
#include <string.h>

#include "milter/decide/names.h"
#include "milter/inspect/reader.h"
#include "tests/cases/case_world.h"

#define REFERENCE "case42"

static char *path_of(const char *name)
{
    const char *top = g_getenv("MIJI_TOP");

    return g_build_filename(top != NULL ? top : ".", name, NULL);
}

/* What becomes of a recipient unless the case says something else. */
static const char *usual_fate(enum act act)
{
    static const char *const fates[] = {
        [ACT_ACCEPT] = "stays", [ACT_DISCARD] = "held", [ACT_REFUSE] = "refused", [ACT_DEFER] = "deferred"};

    return fates[act];
}

static void assert_recipient(const struct decision *decision, const struct case_expectation *expected)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (strcmp(recipient->first->address->canonical, expected->address) != 0)
            continue;
        g_assert_cmpstr(verdict_name(recipient->verdict, LANGUAGE_EN), ==, expected->verdict);
        g_assert_cmpstr(recipient->leading != NULL ? reason_name(recipient->leading->id) : NULL, ==,
                        expected->reason);
        g_assert_cmpstr(fate_name(recipient->fate), ==,
                        expected->fate != NULL ? expected->fate : usual_fate(decision->act));
        if (expected->queue != NULL)
            g_assert_cmpstr(recipient->queue, ==, expected->queue);
        return;
    }
    g_test_message("%s is no recipient", expected->address);
    g_test_fail();
}

static void assert_recorded(const struct decision *decision, const char *name)
{
    for (guint i = 0; i < decision->reasons->len; i++)
        if (strcmp(reason_name(((const struct reason *)g_ptr_array_index(decision->reasons, i))->id), name) ==
            0)
            return;
    g_test_message("%s is not among the reasons", name);
    g_test_fail();
}

/* What is asked beside the act: nothing but what the case says. */
static void assert_duties(const struct decision *decision, const struct case_mail *mail)
{
    g_autoptr(GString) archives = g_string_new(NULL), expected = g_string_new(NULL);
    gboolean holds = FALSE;

    for (guint i = 0; i < decision->archives->len; i++)
        g_string_append_printf(archives, " %s",
                               ((const struct archive *)g_ptr_array_index(decision->archives, i))->name);
    for (guint i = 0; i < mail->archives->len; i++)
        g_string_append_printf(expected, " %s", (const char *)g_ptr_array_index(mail->archives, i));
    g_assert_cmpstr(archives->str, ==, expected->str);
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        holds = holds || (recipient->fate == FATE_HELD && recipient->past->state != PAST_HELD);
    }
    g_assert_true(decision->holds == holds);
    g_assert_true(decision->tells == mail->tells);
    g_assert_true(decision->own_trouble == mail->own_trouble);
    g_assert_true(decision->headers_only || !mail->bounces_headers);
    g_assert_true(decision->system_high || !mail->system_high);
}

static void assert_label(const struct decision *decision, const char *expected)
{
    g_autofree char *label = decision->label != NULL ? label_set_format(decision->label->effective) : NULL;

    if (expected != NULL)
        g_assert_cmpstr(label == NULL ? "?" : label[0] == '\0' ? "-" : label, ==, expected);
}

/* All of the reply but the reference, which every refusal and deferral must end in. */
static void assert_reply(const struct decision *decision, const char *expected)
{
    static const char tail[] = " [MIJI-" REFERENCE "]";
    g_autofree char *reply =
        g_strdup_printf("%u %s %s", decision->reply.code, decision->reply.dsn, decision->reply.text);

    if (decision->reply.code / 100 != 2) {
        g_assert_true(g_str_has_suffix(reply, tail));
        reply[strlen(reply) - strlen(tail)] = '\0';
    }
    g_assert_cmpstr(reply, ==, expected);
}

static void assert_mail(const struct decision *decision, const struct case_mail *mail)
{
    g_assert_cmpuint(decision->recipients->len, ==, mail->expect->len);
    for (guint i = 0; i < mail->expect->len; i++)
        assert_recipient(decision, g_ptr_array_index(mail->expect, i));
    for (guint i = 0; i < mail->recorded->len; i++)
        assert_recorded(decision, g_ptr_array_index(mail->recorded, i));
    if (mail->class != NULL)
        g_assert_cmpstr(sender_class_name(decision->sender.class), ==, mail->class);
    if (mail->zone != NULL)
        g_assert_cmpstr(decision->sender.zone->name, ==, mail->zone);
    assert_label(decision, mail->label);
    g_assert_cmpstr(act_name(decision->act), ==, mail->act);
    assert_duties(decision, mail);
    assert_reply(decision, mail->reply);
}

/* When a case fails, the explanation is what one looks at. */
static void tell_why(const struct decision *decision, const struct case_inputs *inputs)
{
    g_autofree char *page = decision_explain(decision, &inputs->inputs, LANGUAGE_EN);
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);

    for (guint i = 0; g_test_failed() && lines[i] != NULL; i++)
        g_test_message("%s", lines[i]);
}

static void test_case(gconstpointer path)
{
    g_autoptr(case_file) file = case_file_read(path);
    g_autofree char *top = path_of("");
    g_autofree char *whole = g_canonicalize_filename(top, NULL);
    g_autoptr(case_world) world = case_world_new(file, whole);

    g_autoptr(case_inputs) held_inputs = NULL;
    g_autoptr(decision) held = NULL; /* the last mail that is no recheck; borrows from its inputs */
    for (guint i = 0; i < file->mails->len; i++) {
        const struct case_mail *mail = g_ptr_array_index(file->mails, i);
        g_autoptr(case_inputs) inputs = case_inputs_new(world, mail, held);
        g_autoptr(decision) decision = decide(&inputs->inputs, REFERENCE);

        g_test_message("%s", mail->title);
        assert_mail(decision, mail);
        tell_why(decision, inputs);
        if (mail->recheck)
            continue;
        g_clear_pointer(&held, decision_free);
        g_clear_pointer(&held_inputs, case_inputs_free);
        held = g_steal_pointer(&decision);
        held_inputs = g_steal_pointer(&inputs);
    }
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *case_paths(void)
{
    g_autofree char *folder = path_of("tests/cases");
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) directory = g_dir_open(folder, 0, &error);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    if (directory == NULL)
        g_error("%s", error->message);
    for (const char *name; (name = g_dir_read_name(directory)) != NULL;)
        if (g_str_has_suffix(name, ".case"))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(paths, by_name);
    return paths;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_autoptr(GPtrArray) paths = case_paths();
    int status;

    if (!inspect_prepare())
        g_error("this system cannot convert GB18030 and Big5");
    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *base = g_path_get_basename(g_ptr_array_index(paths, i));
        g_autofree char *test = g_strdup_printf("/case/%.*s", (int)(strlen(base) - strlen(".case")), base);
        g_test_add_data_func(test, g_ptr_array_index(paths, i), test_case);
    }
    status = g_test_run();
    return status;
}
