#include "policy/label/label_record.h"

#include <string.h>

#include "policy/label/limits.h"

/*
 * SCHEME/LEVEL[;=SET=VALUE,VALUE…][;!][;<SECONDS] and " " between labels: ! is nobody, < the end. Marks of
 * this form, control characters and blanks in names are %XX.
 */
#define MARKS "%/;=,!< "

/* ---------------------------------------------------------------- writing */
static void write_name(GString *text, const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if ((guchar)*at < ' ' || *at == 0x7f || strchr(MARKS, *at) != NULL)
            g_string_append_printf(text, "%%%02X", (guint)(guchar)*at);
        else
            g_string_append_c(text, *at);
    }
}

static void write_values(GString *text, const struct category_set *set, const GPtrArray *values)
{
    g_string_append(text, ";=");
    write_name(text, set->name);
    for (guint i = 0; i < values->len; i++) {
        g_string_append_c(text, i == 0 ? '=' : ',');
        write_name(text, g_ptr_array_index(values, i));
    }
}

static void write_label(GString *text, const struct label *label)
{
    write_name(text, label->scheme->name);
    g_string_append_c(text, '/');
    write_name(text, label->level->name);
    for (guint i = 0; i < label->scheme->sets->len; i++)
        if (label->values[i] != NULL)
            write_values(text, g_ptr_array_index(label->scheme->sets, i), label->values[i]);
    if (label->nobody)
        g_string_append(text, ";!");
    if (label->duration.kind == DURATION_UNTIL)
        g_string_append_printf(text, ";<%" G_GINT64_FORMAT, label->duration.until);
}

char *label_set_record(const struct label_set *set)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < set->labels->len; i++) {
        if (i > 0)
            g_string_append_c(text, ' ');
        write_label(text, g_ptr_array_index(set->labels, i));
    }
    return g_string_free(text, FALSE);
}

/* ---------------------------------------------------------------- reading */
/* The name as it was, new; NULL when an escape is broken or it is no UTF-8. */
static char *read_name(const char *text)
{
    g_autoptr(GString) name = g_string_new(NULL);

    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '%') {
            g_string_append_c(name, *at);
            continue;
        }
        if (!g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2]) || (at[1] == '0' && at[2] == '0'))
            return NULL;
        g_string_append_c(name, (char)(g_ascii_xdigit_value(at[1]) << 4 | g_ascii_xdigit_value(at[2])));
        at += 2;
    }
    return g_utf8_validate(name->str, (gssize)name->len, NULL) ? g_strdup(name->str) : NULL;
}

static gboolean may_have(const struct category_set *set, const char *value)
{
    return *value != '\0' && (set->open || category_set_value(set, value) != NULL);
}

/* SET=VALUE,VALUE or SET alone: used, with no value left. */
static gboolean read_values(struct label *label, const char *text)
{
    g_auto(GStrv) halves = g_strsplit(text, "=", 2);
    g_autofree char *name = halves[0] != NULL ? read_name(halves[0]) : NULL;
    const struct category_set *set = name != NULL ? scheme_set(label->scheme, name) : NULL;

    if (set == NULL || label->values[set->index] != NULL)
        return FALSE;
    label->values[set->index] = g_ptr_array_new_with_free_func(g_free);
    if (halves[1] == NULL)
        return TRUE;
    g_auto(GStrv) values = g_strsplit(halves[1], ",", -1);
    for (guint i = 0; values[i] != NULL; i++) {
        g_autofree char *value = read_name(values[i]);
        if (value == NULL || !may_have(set, value))
            return FALSE;
        label_add_value(label, set, value);
    }
    return values[0] != NULL;
}

static gboolean read_until(struct label *label, const char *text)
{
    gint64 until;

    if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &until, NULL))
        return FALSE;
    label->duration = (struct duration){.kind = DURATION_UNTIL, .until = until};
    return TRUE;
}

static gboolean read_piece(struct label *label, const char *piece)
{
    switch (piece[0]) {
    case '=':
        return read_values(label, piece + 1);
    case '!':
        label->nobody = TRUE;
        return piece[1] == '\0';
    case '<':
        return label->duration.kind == DURATION_NONE && read_until(label, piece + 1);
    }
    return FALSE;
}

/* SCHEME/LEVEL; NULL when one of them is not known. */
static struct label *read_level(const struct schemes *schemes, const char *text)
{
    g_auto(GStrv) names = g_strsplit(text, "/", -1);

    if (g_strv_length(names) != 2)
        return NULL;
    g_autofree char *scheme_name = read_name(names[0]);
    g_autofree char *level_name = read_name(names[1]);
    const struct scheme *scheme = scheme_name != NULL ? schemes_find(schemes, scheme_name) : NULL;
    const struct level *level =
        scheme != NULL && level_name != NULL ? scheme_level_named(scheme, level_name) : NULL;
    return level != NULL ? label_new(scheme, level) : NULL;
}

static struct label *read_label(const struct schemes *schemes, const char *text)
{
    g_auto(GStrv) pieces = g_strsplit(text, ";", -1);
    g_autoptr(label) label = pieces[0] != NULL ? read_level(schemes, pieces[0]) : NULL;

    if (label == NULL)
        return NULL;
    for (guint i = 1; pieces[i] != NULL; i++)
        if (!read_piece(label, pieces[i]))
            return NULL;
    return g_steal_pointer(&label);
}

struct label_set *label_set_recall(const struct schemes *schemes, const char *text)
{
    if (text == NULL || strlen(text) > LABEL_RECORD_MOST_BYTES)
        return NULL;
    g_autoptr(label_set) set = label_set_new();
    g_auto(GStrv) labels = g_strsplit(text, " ", -1);
    for (guint i = 0; labels[i] != NULL; i++) {
        g_autoptr(label) label = read_label(schemes, labels[i]);
        if (label == NULL || label_set_of(set, label->scheme) != NULL)
            return NULL;
        g_ptr_array_add(set->labels, g_steal_pointer(&label));
    }
    return g_steal_pointer(&set);
}
