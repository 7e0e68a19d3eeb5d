#include "policy/text/diagnostic.h"

#include "policy/text/character.h"
#include "policy/text/excerpt.h"
#include "policy/text/findings.h"
#include "policy/text/limits.h"

#include <string.h>

static const char *severity_word(enum severity severity, enum language language)
{
    switch (severity) {
    case SEVERITY_ERROR:
        return message_text(MSG_WORD_ERROR, language);
    case SEVERITY_WARNING:
        return message_text(MSG_WORD_WARNING, language);
    }
    g_assert_not_reached();
}

/* Full-width punctuation behind Chinese words. */
static const char *colon(enum language language)
{
    return language == LANGUAGE_ZH ? "：" : ": ";
}

/* A sentence in one language, with nothing in it that a terminal would obey. */
static char *sentence(const struct message *message, enum language language)
{
    g_autofree char *text = message_format(message, language);

    return character_visible(text, strlen(text));
}

static void append_place(GString *out, struct span span)
{
    if (span.source == NULL)
        return;
    struct position position = source_position(span.source, span.offset);
    g_autofree char *name = character_visible(span.source->name, strlen(span.source->name));
    g_string_append_printf(out, "%s:%u:%u: ", name, position.line, position.column);
}

static void append_head(GString *out, const struct diagnostic *diagnostic, enum language language)
{
    g_autofree char *text = sentence(&diagnostic->message, language);

    append_place(out, diagnostic->span);
    g_string_append_printf(out, "%s%s%s [%s]\n", severity_word(diagnostic_severity(diagnostic->id), language),
                           colon(language), text, diagnostic_name(diagnostic->id));
}

static void append_text(GString *out, const struct diagnostic *diagnostic, enum language language)
{
    append_head(out, diagnostic, language);
    if (diagnostic->span.source != NULL)
        excerpt_append(out, diagnostic->span);
    for (guint n = 0; n < diagnostic->notes->len; n++) {
        const struct note *note = &g_array_index(diagnostic->notes, struct note, n);
        g_autofree char *text = sentence(&note->message, language);
        g_string_append_printf(out, "  %s%s", message_text(MSG_WORD_NOTE, language), colon(language));
        append_place(out, note->span);
        g_string_append_printf(out, "%s\n", text);
    }
    if (diagnostic->help.id != MSG_NONE) {
        g_autofree char *text = sentence(&diagnostic->help, language);
        g_string_append_printf(out, "  %s%s%s\n", message_text(MSG_WORD_HELP, language), colon(language),
                               text);
    }
}

static void append_json_string(GString *out, const char *text)
{
    g_autofree char *visible = character_visible(text, strlen(text));

    g_string_append_c(out, '"');
    for (const char *p = visible; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        if (*p == '\t')
            g_string_append(out, "\\t");
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

static void append_json_place(GString *out, struct span span)
{
    if (span.source == NULL)
        return;
    struct position position = source_position(span.source, span.offset);
    g_string_append(out, "\"file\":");
    append_json_string(out, span.source->name);
    g_string_append_printf(out, ",\"line\":%u,\"column\":%u,\"length\":%u,", position.line, position.column,
                           character_count(span.source->text + span.offset, span.length));
}

static void append_json_message(GString *out, const char *key, const struct message *message,
                                enum language language)
{
    g_autofree char *text = message_format(message, language);

    g_string_append_printf(out, "\"%s\":", key);
    append_json_string(out, text);
}

static void append_json(GString *out, const struct diagnostic *diagnostic, enum language language)
{
    g_string_append_c(out, '{');
    append_json_place(out, diagnostic->span);
    g_string_append_printf(out, "\"severity\":\"%s\",\"id\":\"%s\",",
                           severity_word(diagnostic_severity(diagnostic->id), LANGUAGE_EN),
                           diagnostic_name(diagnostic->id));
    append_json_message(out, "message", &diagnostic->message, language);
    if (diagnostic->notes->len > 0) {
        g_string_append(out, ",\"notes\":[");
        for (guint n = 0; n < diagnostic->notes->len; n++) {
            const struct note *note = &g_array_index(diagnostic->notes, struct note, n);
            g_string_append(out, n > 0 ? ",{" : "{");
            append_json_place(out, note->span);
            append_json_message(out, "message", &note->message, language);
            g_string_append_c(out, '}');
        }
        g_string_append_c(out, ']');
    }
    if (diagnostic->help.id != MSG_NONE) {
        g_string_append_c(out, ',');
        append_json_message(out, "help", &diagnostic->help, language);
    }
    g_string_append_c(out, '}');
}

/* Says how many errors of a file are not among those shown. */
static void append_rest(GString *out, const struct diagnostics *diagnostics, const struct source *source,
                        enum language language)
{
    const struct tally *tally = g_hash_table_lookup(diagnostics->tallies, source);

    if (tally == NULL || tally->errors <= DIAGNOSTIC_MAX_SHOWN)
        return;
    guint more = tally->errors - DIAGNOSTIC_MAX_SHOWN;
    g_autofree char *number = g_strdup_printf("%u", more);
    struct message message = message_make(more == 1 ? MSG_ONE_MORE_ERROR : MSG_MORE_ERRORS, number, NULL);
    g_autofree char *text = message_format(&message, language);
    if (source != NULL) {
        g_autofree char *name = character_visible(source->name, strlen(source->name));
        g_string_append_printf(out, "%s: ", name);
    }
    g_string_append_printf(out, "%s\n", text);
    message_clear(&message);
}

static char *render_json(const GPtrArray *shown, enum language language)
{
    GString *out = g_string_new("[");

    for (guint n = 0; n < shown->len; n++) {
        g_string_append(out, n > 0 ? ",\n" : "\n");
        append_json(out, g_ptr_array_index(shown, n), language);
    }
    g_string_append(out, shown->len > 0 ? "\n]\n" : "]\n");
    return g_string_free(out, FALSE);
}

char *diagnostics_render(const struct diagnostics *diagnostics, enum diagnostic_form form,
                         enum language language)
{
    g_autoptr(GPtrArray) shown = diagnostics_sorted(diagnostics);

    if (form == DIAGNOSTIC_JSON)
        return render_json(shown, language);
    GString *out = g_string_new(NULL);
    for (guint n = 0; n < shown->len; n++) {
        const struct diagnostic *diagnostic = g_ptr_array_index(shown, n);
        const struct diagnostic *next = n + 1 < shown->len ? g_ptr_array_index(shown, n + 1) : NULL;
        if (form == DIAGNOSTIC_TEXT)
            append_text(out, diagnostic, language);
        else
            append_head(out, diagnostic, language);
        if (next == NULL || next->span.source != diagnostic->span.source)
            append_rest(out, diagnostics, diagnostic->span.source, language);
    }
    return g_string_free(out, FALSE);
}
