#include "milter/cli/doctor.h"

#include "milter/decide/page.h"

#define COLUMN 6

static void finding_free(gpointer data)
{
    struct doctor_finding *finding = data;
    message_clear(&finding->what);
    message_clear(&finding->remedy);
    g_free(finding);
}

struct examination *examination_new(const struct snapshot *snapshot, const struct postfix *postfix,
                                    gboolean host)
{
    struct examination *e = g_new0(struct examination, 1);
    e->snapshot = snapshot;
    e->postfix = postfix;
    e->host = host;
    e->findings = g_ptr_array_new_with_free_func(finding_free);
    return e;
}

void examination_free(struct examination *e)
{
    if (!e)
        return;
    g_ptr_array_unref(e->findings);
    g_free(e);
}

void examination_find(struct examination *e, enum doctor_level level, const char *id, struct message what,
                      struct message remedy)
{
    struct doctor_finding *finding = g_new0(struct doctor_finding, 1);
    *finding = (struct doctor_finding){level, id, what, remedy};
    g_ptr_array_add(e->findings, finding);
}

gboolean examination_failed(const struct examination *e)
{
    for (guint i = 0; i < e->findings->len; i++)
        if (((struct doctor_finding *)g_ptr_array_index(e->findings, i))->level == DOCTOR_FAIL)
            return TRUE;
    return FALSE;
}

static char *as_text(const struct examination *e, enum language language)
{
    static const enum message_id words[] = {MSG_DOC_GOOD, MSG_DOC_NOTE, MSG_DOC_WARNING, MSG_DOC_FAIL};
    struct page page = page_new();
    guint counts[4] = {0};
    for (guint i = 0; i < e->findings->len; i++) {
        const struct doctor_finding *finding = g_ptr_array_index(e->findings, i);
        counts[finding->level]++;
        g_autofree char *what = message_format(&finding->what, language);
        page_field(&page, 0, COLUMN, message_text(words[finding->level], language), what);
        if (finding->remedy.id == MSG_NONE)
            continue;
        g_autofree char *remedy = message_format(&finding->remedy, language);
        page_field(&page, 0, COLUMN, "", remedy);
    }
    g_autofree char *fails = g_strdup_printf("%u", counts[DOCTOR_FAIL]);
    g_autofree char *warnings = g_strdup_printf("%u", counts[DOCTOR_WARNING]);
    g_autofree char *notes = g_strdup_printf("%u", counts[DOCTOR_NOTE]);
    struct message summary = message_make(MSG_DOC_SUMMARY, fails, warnings, notes, NULL);
    g_autofree char *last = message_format(&summary, language);
    message_clear(&summary);
    page_blank(&page);
    page_field(&page, 0, 0, "", last);
    return page_finish(&page);
}

static void json_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_printf(out, "\\%c", *p);
        else if ((guchar)*p < 0x20)
            g_string_append_printf(out, "\\u%04x", *p);
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

static char *as_json(const struct examination *e, enum language language)
{
    static const char *const words[] = {"ok", "note", "warning", "fail"};
    GString *out = g_string_new("[");
    for (guint i = 0; i < e->findings->len; i++) {
        const struct doctor_finding *finding = g_ptr_array_index(e->findings, i);
        g_autofree char *what = message_format(&finding->what, language);
        g_autofree char *remedy = message_format(&finding->remedy, language);
        g_string_append_printf(out, "%s\n  {\"id\": \"%s\", \"level\": \"%s\", \"what\": ", i ? "," : "",
                               finding->id, words[finding->level]);
        json_string(out, what);
        g_string_append(out, ", \"remedy\": ");
        json_string(out, remedy);
        g_string_append_c(out, '}');
    }
    g_string_append(out, "\n]\n");
    return g_string_free(out, FALSE);
}

char *examination_render(const struct examination *e, gboolean json, enum language language)
{
    return json ? as_json(e, language) : as_text(e, language);
}
