#include "milter/conf/print.h"

#include <string.h>

#include "milter/conf/value.h"
#include "policy/text/character.h"

/* Whatever may come from a text goes back into one; octets that are no UTF-8 (of the path of the
 * configuration) stay as they are. */
void print_text(GString *out, const char *text)
{
    const char *end = text + strlen(text);
    guint length;

    g_string_append_c(out, '"');
    for (const char *p = text; p < end; p += length) {
        gunichar c = character_read(p, end, &length);
        if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\t')
            g_string_append(out, "\\t");
        else if (c != CHARACTER_INVALID && character_is_hidden(c))
            g_string_append_printf(out, "\\u{%04X}", c);
        else
            g_string_append_printf(out, "%s%.*s", c == '\\' || c == '"' ? "\\" : "", (int)length, p);
    }
    g_string_append_c(out, '"');
}

void print_named(GString *out, const char *keyword, const char *text)
{
    if (text == NULL)
        return;
    g_string_append_printf(out, "%s ", keyword);
    print_text(out, text);
    g_string_append_c(out, '\n');
}

void print_time(GString *out, const char *keyword, gint64 milliseconds)
{
    g_autofree char *text = time_format(milliseconds / 1000);

    g_string_append_printf(out, "%s %s\n", keyword, text);
}

void print_texts(GString *out, const char *keyword, const GPtrArray *texts)
{
    if (texts == NULL)
        return;
    g_string_append(out, keyword);
    for (guint i = 0; i < texts->len; i++) {
        g_string_append(out, i > 0 ? ", " : " ");
        print_text(out, g_ptr_array_index(texts, i));
    }
    g_string_append_c(out, '\n');
}

void print_networks(GString *out, const char *keyword, const GArray *networks)
{
    if (networks == NULL)
        return;
    g_string_append(out, keyword);
    for (guint i = 0; i < networks->len; i++) {
        g_autofree char *text = network_format(&g_array_index(networks, struct network, i));
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : " ", text);
    }
    g_string_append_c(out, '\n');
}

/* May it stand without quotes? Letters of any script and the signs of language.md section 1, no colon at the
 * end. */
static gboolean is_bare(const char *word)
{
    gboolean bare = g_ascii_isalpha(word[0]) && !g_str_has_suffix(word, ":");

    for (const char *p = word; bare && *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        bare = c < 0x80 ? g_ascii_isalnum((char)c) || strchr(".-_@*/:=+", (int)c) != NULL
                        : g_unichar_type(c) == G_UNICODE_OTHER_LETTER;
    }
    return bare;
}

void print_level(GString *out, const struct scheme *scheme, const struct level *level)
{
    g_autofree char *name = g_strdup_printf("%s/%s", scheme->name, level->name);

    if (is_bare(name))
        g_string_append(out, name);
    else
        print_text(out, name);
}

void print_outcome(GString *out, const struct outcome *outcome, const char *unset)
{
    switch (outcome->kind) {
    case OUTCOME_UNSET:
        g_string_append(out, unset);
        break;
    case OUTCOME_REFUSE:
        g_string_append(out, "refuse");
        if (outcome->text != NULL) {
            g_string_append_c(out, ' ');
            print_text(out, outcome->text);
        }
        break;
    case OUTCOME_HOLD:
        g_string_append(out, "hold in ");
        print_text(out, outcome->queue);
        break;
    case OUTCOME_DEFER:
        g_string_append(out, "defer");
        break;
    case OUTCOME_DELIVER:
        g_string_append(out, "deliver");
        break;
    case OUTCOME_TREAT_AS:
        g_string_append(out, "treat as ");
        print_level(out, outcome->scheme, outcome->level);
        break;
    case OUTCOME_RECORD:
        g_string_append(out, "record");
        break;
    }
}

char *hold_unwritten(const struct policy *policy)
{
    GString *out = g_string_new(NULL);

    if (policy->queues->len == 0)
        return g_string_free(g_string_append(out, "refuse"), FALSE);
    g_string_append(out, "hold in ");
    print_text(out, g_ptr_array_index(policy->queues, 0));
    return g_string_free(out, FALSE);
}
