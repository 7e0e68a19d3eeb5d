#include "milter/inspect/header.h"

#include <string.h>

#include "milter/inspect/limits.h"
#include "rules/facts_layout.h"

gsize header_name_length(const char *line, gsize length)
{
    gsize at = 0, name;

    while (at < length && line[at] > ' ' && line[at] <= '~' && line[at] != ':')
        at++;
    name = at;
    while (at < length && (line[at] == ' ' || line[at] == '\t'))
        at++;
    return at < length && line[at] == ':' && name <= FLAT_NAME_BYTES ? name : 0;
}

/* C0 and DEL but tab, escape (ISO-2022) and line ends. */
static gboolean has_control(const char *octets, gsize length)
{
    for (gsize at = 0; at < length; at++) {
        guchar octet = octets[at];
        if (octet >= ' ' && octet != 0x7f)
            continue;
        if (octet == '\t' || octet == '\n' || octet == 0x1b ||
            (octet == '\r' && at + 1 < length && octets[at + 1] == '\n'))
            continue;
        return TRUE;
    }
    return FALSE;
}

static void add_field(struct header *header, const char *line, gsize line_length, gsize name_length)
{
    const char *colon = memchr(line + name_length, ':', line_length - name_length);
    struct header_field field = {.name = line, .name_length = name_length, .value = colon + 1};

    field.value_length = line + line_length - field.value;
    g_array_append_val(header->fields, field);
}

/* A line more of the last field; FALSE if there is none. */
static gboolean continue_field(struct header *header, const char *end)
{
    struct header_field *field;

    if (header->fields->len == 0)
        return FALSE;
    field = &g_array_index(header->fields, struct header_field, header->fields->len - 1);
    field->value_length = end - field->value;
    return TRUE;
}

static void judge_fields(struct header *header)
{
    for (guint i = 0; i < header->fields->len; i++) {
        struct header_field *field = &g_array_index(header->fields, struct header_field, i);
        field->flags |= field->value_length >= LIMIT_FIELD_CUT ? FIELD_CUT : 0;
        field->flags |= has_control(field->value, field->value_length) ? FIELD_CONTROL : 0;
    }
}

/* Whether one more line may be read. */
static gboolean within_limits(struct header *header, guint lines, gsize bytes)
{
    if (lines <= LIMIT_HEADER_LINES && bytes <= LIMIT_HEADER_BYTES)
        return TRUE;
    header->is_too_large = TRUE;
    header->limit = lines > LIMIT_HEADER_LINES ? FINDING_TOO_MANY_FIELDS : FINDING_HEADER_TOO_LARGE;
    return FALSE;
}

void header_split(struct header *header, const char *data, gsize length)
{
    gsize at = 0;
    guint lines = 0;
    gboolean continues = FALSE; /* a blank at the beginning continues a field */

    *header = (struct header){.fields = g_array_sized_new(FALSE, TRUE, sizeof(struct header_field), 32)};
    while (at < length) {
        const char *line = data + at, *newline = memchr(line, '\n', MIN(length - at, LIMIT_HEADER_BYTES + 1));
        gsize next = newline != NULL ? (gsize)(newline + 1 - data) : length;
        gsize line_length = (newline != NULL ? newline : data + length) - line, name_length;
        if (line_length > 0 && line[line_length - 1] == '\r')
            line_length--;
        if (line_length == 0) {
            at = next;
            break;
        }
        if (!within_limits(header, ++lines, next))
            break;
        if (line[0] == ' ' || line[0] == '\t') {
            continues = continues && continue_field(header, line + line_length);
            header->bad_lines += !continues;
        } else if ((name_length = header_name_length(line, line_length)) > 0) {
            add_field(header, line, line_length, name_length);
            continues = TRUE;
        } else {
            continues = FALSE;
            header->bad_lines += !(at == 0 && line_length > 5 &&
                                   memcmp(line, "From ", 5) == 0); /* a mailbox's separator is no harm */
        }
        at = next;
    }
    header->body = at;
    judge_fields(header);
}

void header_clear(struct header *header)
{
    g_clear_pointer(&header->fields, g_array_unref);
}

gboolean header_field_is(const struct header_field *field, const char *name)
{
    return strlen(name) == field->name_length &&
           g_ascii_strncasecmp(field->name, name, field->name_length) == 0;
}

void header_unfold(const struct header_field *field, gsize most, GString *out)
{
    gsize begin = out->len;

    for (gsize at = 0; at < field->value_length && out->len - begin < most;) {
        const char *line = field->value + at, *newline = memchr(line, '\n', field->value_length - at);
        gsize line_length = newline != NULL ? (gsize)(newline - line) : field->value_length - at;
        at += line_length + 1;
        if (newline != NULL && line_length > 0 && line[line_length - 1] == '\r')
            line_length--;
        g_string_append_len(out, line, MIN(line_length, most - (out->len - begin)));
    }
}

char *header_last_value(const struct header *header, const char *name)
{
    for (guint i = header->fields->len; i-- > 0;) {
        const struct header_field *field = &g_array_index(header->fields, struct header_field, i);
        if (header_field_is(field, name)) {
            GString *value = g_string_new(NULL);
            header_unfold(field, G_MAXSIZE, value);
            return g_strstrip(g_string_free(value, FALSE));
        }
    }
    return NULL;
}
