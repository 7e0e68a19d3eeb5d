#include "policy/label/mark_table.h"

#include <string.h>

#include "policy/label/template.h"

#define STAR "★"

static gboolean is_wide(char octet)
{
    return (guchar)octet >= 0x80;
}

char *mark_key(const char *name)
{
    char *key = fold_string(name, FOLD_MARK);
    char *to = key;
    for (const char *from = key; *from != '\0'; from++)
        if (!(*from == ' ' && from > key && is_wide(from[-1]) && is_wide(from[1])))
            *to++ = *from;
    *to = '\0';
    return key;
}

/* ---------------------------------------------------------------- compiling */
static struct mark_string string_of(const char *text)
{
    char *key = mark_key(text);
    return (struct mark_string){key, strlen(key)};
}

static void string_clear(gpointer data)
{
    g_free(((struct mark_string *)data)->text);
}

static void name_clear(gpointer data)
{
    g_free(((struct mark_name *)data)->key.text);
}

static void form_clear(gpointer data)
{
    struct mark_form *form = data;
    g_free(form->before.text);
    g_free(form->after.text);
}

static gint by_length(gconstpointer a, gconstpointer b)
{
    gsize one = ((const struct mark_name *)a)->key.length, other = ((const struct mark_name *)b)->key.length;
    return one < other ? 1 : one > other ? -1 : 0;
}

static void add_name(GArray *names, const char *text, const struct level *level)
{
    struct mark_name name = {string_of(text), level};
    g_array_append_val(names, name);
}

static GArray *compile_names(const struct scheme *scheme)
{
    GArray *names = g_array_new(FALSE, FALSE, sizeof(struct mark_name));
    g_array_set_clear_func(names, name_clear);
    for (guint i = 0; i < scheme->levels->len; i++) {
        const struct level *level = g_ptr_array_index(scheme->levels, i);
        add_name(names, level->name, level);
        for (guint j = 0; level->also != NULL && j < level->also->len; j++)
            add_name(names, g_ptr_array_index(level->also, j), level);
    }
    g_array_sort(names, by_length);
    return names;
}

static GArray *compile_strings(const GPtrArray *texts)
{
    GArray *strings = g_array_new(FALSE, FALSE, sizeof(struct mark_string));
    g_array_set_clear_func(strings, string_clear);
    for (guint i = 0; i < texts->len; i++) {
        struct mark_string string = string_of(g_ptr_array_index(texts, i));
        g_array_append_val(strings, string);
    }
    return strings;
}

static GArray *compile_forms(const GPtrArray *templates)
{
    GArray *forms = g_array_new(FALSE, FALSE, sizeof(struct mark_form));
    g_array_set_clear_func(forms, form_clear);
    for (guint i = 0; i < templates->len; i++) {
        g_autofree char *before = NULL, *after = NULL;
        if (!template_split(g_ptr_array_index(templates, i), &before, &after))
            continue; /* scheme_read has reported it */
        struct mark_form form = {string_of(before), string_of(after)};
        g_array_append_val(forms, form);
    }
    return forms;
}

static void reader_free(gpointer data)
{
    struct mark_reader *reader = data;
    g_array_unref(reader->names);
    g_array_unref(reader->signs);
    g_array_unref(reader->excepts);
    g_array_unref(reader->subject_forms);
    g_array_unref(reader->file_name_forms);
    g_free(reader);
}

static void add_beginning(struct mark_table *table, const struct mark_string *string)
{
    if (string->length == 0)
        return;
    struct mark_beginning beginning = {g_utf8_get_char(string->text), 0};
    const char *second = g_utf8_next_char(string->text);
    if (g_unichar_isalnum(g_utf8_get_char(second))) /* before others a space may stand */
        beginning.second = g_utf8_get_char(second);
    g_array_append_val(table->beginnings, beginning);
}

static void add_beginnings(struct mark_table *table, const struct mark_reader *reader)
{
    for (guint i = 0; i < reader->names->len; i++)
        add_beginning(table, &g_array_index(reader->names, struct mark_name, i).key);
    for (guint i = 0; i < reader->subject_forms->len; i++)
        add_beginning(table, &g_array_index(reader->subject_forms, struct mark_form, i).before);
}

static void set_triggers(struct mark_table *table, const GArray *forms, guint8 trigger)
{
    for (guint i = 0; i < forms->len; i++)
        table->trigger[(guchar)g_array_index(forms, struct mark_form, i).before.text[0]] |= trigger;
}

static void add_reader(struct mark_table *table, const struct scheme *scheme)
{
    struct mark_reader *reader = g_new0(struct mark_reader, 1);
    reader->scheme = scheme;
    reader->names = compile_names(scheme);
    reader->signs = compile_strings(scheme->duration_signs);
    reader->excepts = compile_strings(scheme->except);
    reader->subject_forms = compile_forms(scheme->subject_forms);
    reader->file_name_forms = compile_forms(scheme->file_name_forms);
    for (guint i = 0; i < reader->signs->len; i++) {
        const struct mark_string *sign = &g_array_index(reader->signs, struct mark_string, i);
        table->trigger[(guchar)sign->text[0]] |= TRIGGER_SIGN;
        reader->asterisk |= g_str_equal(sign->text, STAR);
    }
    if (reader->asterisk)
        table->trigger['*'] |= TRIGGER_SIGN;
    set_triggers(table, reader->subject_forms, TRIGGER_SUBJECT_FORM);
    set_triggers(table, reader->file_name_forms, TRIGGER_FILE_NAME_FORM);
    add_beginnings(table, reader);
    g_ptr_array_add(table->readers, reader);
}

static void set_quiet(struct mark_table *table)
{
    for (guint octet = 0; octet < G_N_ELEMENTS(table->quiet); octet++)
        table->quiet[octet] = (table->trigger[octet] & LINE_TRIGGERS) == 0 &&
                              (octet < 0xC0 || (octet >= 0xE4 && octet <= 0xE9));
}

struct mark_table *mark_table_new(const GPtrArray *schemes)
{
    struct mark_table *table = g_new0(struct mark_table, 1);
    table->readers = g_ptr_array_new_with_free_func(reader_free);
    table->beginnings = g_array_new(FALSE, FALSE, sizeof(struct mark_beginning));
    for (guint i = 0; i < schemes->len; i++)
        add_reader(table, g_ptr_array_index(schemes, i));
    table->trigger[':'] |= TRIGGER_COLON;
    table->trigger[0] = 0; /* of an empty text, which scheme_read refuses */
    set_quiet(table);
    return table;
}

void mark_table_free(struct mark_table *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->readers);
    g_array_unref(table->beginnings);
    g_free(table);
}

/* ---------------------------------------------------------------- matching */
/* Between these octets of a key a space of the text is passed over: the end and the beginning of two
 * characters outside ASCII. */
static gboolean may_stretch(const struct mark_string *key, gsize at)
{
    return at > 0 && at < key->length && is_wide(key->text[at - 1]) && (guchar)key->text[at] >= 0xC0;
}

gsize mark_match(const struct folded *text, gsize at, const struct mark_string *key)
{
    for (gsize i = 0; i < key->length; i++) {
        if (at < text->length && text->text[at] == ' ' && may_stretch(key, i))
            at++;
        if (at >= text->length || text->text[at] != key->text[i])
            return NO_MATCH;
        at++;
    }
    return at;
}

gsize mark_match_back(const struct folded *text, gsize end, const struct mark_string *key)
{
    for (gsize i = key->length; i > 0; i--) {
        if (end > 0 && text->text[end - 1] == ' ' && may_stretch(key, i))
            end--;
        if (end == 0 || text->text[end - 1] != key->text[i - 1])
            return NO_MATCH;
        end--;
    }
    return end;
}

const struct mark_reader *mark_table_reader(const struct mark_table *table, const struct scheme *scheme)
{
    for (guint i = 0; i < table->readers->len; i++) {
        const struct mark_reader *reader = g_ptr_array_index(table->readers, i);
        if (reader->scheme == scheme)
            return reader;
    }
    return NULL;
}

gboolean mark_table_is_except(const struct mark_table *table, const struct scheme *scheme,
                              const struct folded *text)
{
    const struct mark_reader *reader = mark_table_reader(table, scheme);
    for (guint i = 0; reader != NULL && i < reader->excepts->len; i++)
        if (mark_match(text, 0, &g_array_index(reader->excepts, struct mark_string, i)) == text->length)
            return TRUE;
    return FALSE;
}
