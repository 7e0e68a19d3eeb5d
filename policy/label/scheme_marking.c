/* scheme_marking: the statements `marking …`: where a scheme's labels are read. */
#include "policy/label/limits.h"
#include "policy/label/mark.h"
#include "policy/label/scheme_parts.h"
#include "policy/label/template.h"

#include <string.h>

static const char FIELD_NAME[] = "field";

/* ---------------------------------------------------------------- shared with scheme_write.c */
gboolean check_field_name(struct reader *reader, const struct item *item, const char *name)
{
    gboolean is_name = *name != '\0';
    for (const char *p = name; *p != '\0' && is_name; p++)
        is_name = g_ascii_isgraph(*p) && *p != ':';
    if (!is_name)
        diagnostic_help(
            reader_fail(reader, DIAG_FIELD, item->span, message_make(MSG_BAD_FIELD_NAME, name, NULL)),
            message_make(MSG_BAD_FIELD_NAME_HELP, NULL));
    return is_name;
}

gboolean read_format(struct reader *reader, enum marking_format *format, guint *first, guint *end)
{
    static const struct {
        const char *word;
        enum marking_format format;
    } formats[] = {
        {"epms", FORMAT_EPMS},           {"sio", FORMAT_SIO},
        {"msip", FORMAT_MSIP},           {"xml-label", FORMAT_XML_LABEL},
        {"key-value", FORMAT_KEY_VALUE},
    };
    *format = FORMAT_PLAIN;
    *first = *end = reader->next;
    if (!reader_keyword(reader, KW_FORMAT) || reader_keyword(reader, KW_PLAIN))
        return !reader->broken;
    const struct item *word = reader_word(reader, MSG_A_FORMAT);
    if (word == NULL)
        return FALSE;
    *end = reader->next;
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_ascii_strcasecmp(word->text, formats[i].word) == 0) {
            *format = formats[i].format;
            return TRUE;
        }
    }
    diagnostic_help(
        reader_fail(reader, DIAG_EXPECTED, word->span, message_make(MSG_NOT_A_FORMAT, word->text, NULL)),
        message_make(MSG_CHOICES, "plain, epms, sio, msip, xml-label, key-value", NULL));
    return FALSE;
}

/* Where a piece of the item's text stands in the file; the whole item if it is written with escapes. */
static struct span span_within(const struct item *item, const char *piece)
{
    g_autofree char *written = span_text(item->span);
    const char *at = strstr(written, piece);
    if (at == NULL)
        return item->span;
    return (struct span){item->span.source, item->span.offset + (guint32)(at - written),
                         (guint32)strlen(piece)};
}

static guint place_named(const char *name)
{
    if (name == NULL)
        return 0;
    return g_str_equal(name, "level")        ? TEMPLATE_LEVEL
           : g_str_equal(name, "duration")   ? TEMPLATE_DURATION
           : g_str_equal(name, "categories") ? TEMPLATE_CATEGORIES
                                             : 0;
}

static const char *places_text(guint places)
{
    return places == TEMPLATE_LEVEL ? "{level}" : "{level} {duration} {categories}";
}

static gboolean fail_template(struct reader *reader, struct span span, struct message message, guint places)
{
    diagnostic_help(reader_fail(reader, DIAG_TEMPLATE, span, message),
                    message_make(MSG_TEMPLATE_PLACES, places_text(places), NULL));
    return FALSE;
}

gboolean check_template(struct reader *reader, const struct item *item, guint places)
{
    g_autoptr(GPtrArray) pieces = template_parse(item->text);
    guint levels = 0;
    for (guint i = 0; i < pieces->len; i++) {
        const struct template_piece *piece = g_ptr_array_index(pieces, i);
        if (!piece->is_place)
            continue;
        guint place = place_named(piece->text);
        levels += place == TEMPLATE_LEVEL;
        if (place & places)
            continue;
        if (piece->text == NULL)
            return fail_template(reader, item->span, message_make(MSG_TEMPLATE_UNCLOSED, NULL), places);
        g_autofree char *written = g_strdup_printf("{%s}", piece->text);
        return fail_template(reader, span_within(item, written),
                             message_make(MSG_TEMPLATE_PLACE, written, NULL), places);
    }
    if (levels != 1)
        return fail_template(reader, item->span,
                             message_make(levels == 0 ? MSG_TEMPLATE_NO_LEVEL : MSG_TEMPLATE_LEVELS, NULL),
                             places);
    return TRUE;
}

/* ---------------------------------------------------------------- fields */
void read_marking_field(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    guint format_first, format_end;
    enum marking_format format;
    g_autoptr(GPtrArray) names = read_texts(reader, MSG_A_FIELD_NAME);
    if (names == NULL || !read_format(reader, &format, &format_first, &format_end))
        return;
    for (guint i = 0; i < names->len && !reader->broken; i++) {
        const struct item *item = g_ptr_array_index(names, i);
        if (!check_field_name(reader, item, item->text))
            return;
        struct marking_field *field = g_new0(struct marking_field, 1);
        field->name = g_strdup(item->text);
        field->format = format;
        g_ptr_array_add(reading->scheme->fields, field);
        struct given given = {FIELD_NAME, NULL, field, g_ascii_strdown(item->text, -1), item->span};
        give_name(reading, reader, given, item->text, MSG_DUPLICATE);
    }
    statement_ends(reader);
    if (format != FORMAT_PLAIN)
        not_yet(reader, format_first, format_end);
}

/* ---------------------------------------------------------------- forms */
/* A form needs something before its level: a bare level would be found in the middle of sentences. */
static gboolean check_form(struct reader *reader, const struct item *item)
{
    g_autofree char *before = NULL, *after = NULL;
    if (!check_template(reader, item, TEMPLATE_LEVEL) || !template_split(item->text, &before, &after))
        return FALSE;
    g_autofree char *key = mark_key(before);
    if (*key != '\0')
        return TRUE;
    diagnostic_help(reader_fail(reader, DIAG_TEMPLATE, item->span, message_make(MSG_TEMPLATE_BARE, NULL)),
                    message_make(MSG_TEMPLATE_BARE_HELP, NULL));
    return FALSE;
}

static void read_forms(struct reader *reader, GPtrArray *forms)
{
    g_autoptr(GPtrArray) items = read_texts(reader, MSG_A_FORM);
    for (guint i = 0; items != NULL && i < items->len; i++) {
        const struct item *item = g_ptr_array_index(items, i);
        if (!check_form(reader, item))
            return;
        g_ptr_array_add(forms, g_strdup(item->text));
    }
    statement_ends(reader);
}

void read_marking_subject(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    guint first, end;
    enum marking_format format;
    if (!reader_at(reader, KW_FORMAT)) {
        read_forms(reader, reading->scheme->subject_forms);
        return;
    }
    if (!read_format(reader, &format, &first, &end))
        return;
    if (format != FORMAT_EPMS) {
        struct span span = statement_item(reader->statement, reader->next - 1)->span;
        diagnostic_help(reader_fail(reader, DIAG_EXPECTED, span, message_make(MSG_SUBJECT_FORMAT, NULL)),
                        message_make(MSG_CHOICES, "format epms", NULL));
        return;
    }
    statement_ends(reader);
    not_yet(reader, first, end);
}

void read_marking_file_name(struct reader *reader, gpointer context)
{
    read_forms(reader, ((struct scheme_reading *)context)->scheme->file_name_forms);
}

/* ---------------------------------------------------------------- lines */
static void read_lines(struct reader *reader, guint *lines)
{
    if (reader_number(reader, 1, SCHEME_MAX_LINES, lines) && reader_need(reader, KW_LINES))
        statement_ends(reader);
}

void read_marking_first(struct reader *reader, gpointer context)
{
    read_lines(reader, &((struct scheme_reading *)context)->scheme->first_lines);
}

void read_marking_last(struct reader *reader, gpointer context)
{
    read_lines(reader, &((struct scheme_reading *)context)->scheme->last_lines);
}

/* ---------------------------------------------------------------- signs and exceptions */
void read_marking_duration(struct reader *reader, gpointer context)
{
    GPtrArray *signs = ((struct scheme_reading *)context)->scheme->duration_signs;
    g_autoptr(GPtrArray) items = read_texts(reader, MSG_A_SIGN);
    for (guint i = 0; items != NULL && i < items->len; i++) {
        const struct item *item = g_ptr_array_index(items, i);
        g_autofree char *key = mark_key(item->text);
        gboolean is_sign = *key != '\0' && g_utf8_strlen(key, -1) <= SIGN_MAX_CHARACTERS;
        for (const char *p = key; *p != '\0' && is_sign; p = g_utf8_next_char(p))
            is_sign = !g_unichar_isalnum(g_utf8_get_char(p)) && *p != ' ';
        if (!is_sign) {
            diagnostic_help(reader_fail(reader, DIAG_EXPECTED, item->span,
                                        message_make(MSG_NOT_A_SIGN, item->text, NULL)),
                            message_make(MSG_NOT_A_SIGN_HELP, NULL));
            return;
        }
        g_ptr_array_add(signs, g_strdup(item->text));
    }
    statement_ends(reader);
}

void read_marking_except(struct reader *reader, gpointer context)
{
    GPtrArray *excepts = ((struct scheme_reading *)context)->scheme->except;
    g_autoptr(GPtrArray) items = read_texts(reader, MSG_A_TEXT);
    for (guint i = 0; items != NULL && i < items->len; i++) {
        const struct item *item = g_ptr_array_index(items, i);
        g_autofree char *key = mark_key(item->text);
        if (*key == '\0') {
            reader_fail(reader, DIAG_EXPECTED, item->span, message_make(MSG_EMPTY_TEXT, NULL));
            return;
        }
        g_ptr_array_add(excepts, g_strdup(item->text));
    }
    statement_ends(reader);
}

/* ---------------------------------------------------------------- what comes later */
void read_marking_document_property(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    g_autoptr(GPtrArray) names = read_texts(reader, MSG_A_NAME);
    statement_ends(reader);
    not_yet(reader, 0, words);
}

void read_marking_document_first_page(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    statement_ends(reader);
    not_yet(reader, 0, words);
}

void read_marking_signature(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    if (reader_need(reader, KW_TRUST) && reader_text(reader, MSG_A_FILE) != NULL)
        statement_ends(reader);
    not_yet(reader, 0, words);
}

void read_marking_address(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    const struct item *address = reader_text(reader, MSG_AN_ADDRESS);
    if (address == NULL)
        return;
    const char *at = strchr(address->text, '@');
    if (at == NULL || at == address->text || at[1] == '\0' || strpbrk(address->text, " <>,") != NULL) {
        reader_fail(reader, DIAG_ADDRESS, address->span,
                    message_make(MSG_NOT_AN_ADDRESS, address->text, NULL));
        return;
    }
    if (reader_need(reader, KW_IS) && read_own_level(context, reader) != NULL)
        statement_ends(reader);
    not_yet(reader, 0, words);
}
