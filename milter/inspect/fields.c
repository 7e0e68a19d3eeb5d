#include "milter/inspect/fields.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/encoded_word.h"
#include "milter/inspect/limits.h"
#include "milter/inspect/mailbox.h"

/* So many octets of a value are decoded: encoded-words are longer than their text. */
#define DECODED_FROM_BYTES (4 * FACTS_FIELD_BYTES)

static void remove_nuls(GString *text)
{
    gsize kept = 0;

    if (memchr(text->str, '\0', text->len) == NULL)
        return;
    for (gsize at = 0; at < text->len; at++) {
        if (text->str[at] != '\0')
            text->str[kept++] = text->str[at];
    }
    g_string_truncate(text, kept);
}

void text_decode_unlabelled(const char *value, gsize length, GString *out)
{
    encoded_word_decode(value, length, READING_DECLARED, out);
    remove_nuls(out);
}

static void trim(const char **text, gsize *length)
{
    for (; *length > 0 && (**text == ' ' || **text == '\t'); ++*text, --*length)
        ;
    for (; *length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'); --*length)
        ;
}

/* U+202A–202E, U+2066–2069: the subject may show other words than it has (facts 9.4). */
static gboolean has_bidi_control(const char *text, gsize length)
{
    for (gsize at = 0; at + 2 < length; at++) {
        const guchar *c = (const guchar *)text + at;
        if (c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
                             (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)))
            return TRUE;
    }
    return FALSE;
}

/* Every reading that somebody's client may show. */
static void report_subject(const char *value, gsize length, guint flags, struct answer *answer)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const struct place place = {.kind = PLACE_SUBJECT};

    for (enum reading reading = READING_DECLARED; reading < READING_COUNT; reading++) {
        if (reading == READING_STRICT && (flags & READING_LENIENT) == 0)
            continue;
        if (reading > READING_STRICT && (flags & READING_DOUBTFUL) == 0)
            break;
        g_string_truncate(text, 0);
        encoded_word_decode(value, length, reading, text);
        const char *trimmed = text->str;
        gsize trimmed_length = text->len;
        trim(&trimmed, &trimmed_length);
        if (trimmed_length > 0)
            answer_candidate(answer, &place, trimmed, trimmed_length);
        if (has_bidi_control(trimmed, trimmed_length))
            answer_finding(answer, FINDING_BIDI_IN_SUBJECT, 0, NULL);
    }
    if ((flags & READING_UNKNOWN_CHARSET) != 0)
        answer_finding(answer, FINDING_UNKNOWN_CHARSET, 0, "Subject");
    if ((flags & READING_INVALID) != 0)
        answer_finding(answer, FINDING_WRONG_CHARSET, 0, "Subject");
}

/* Which of the fields that name people it is; FALSE for all others. */
static gboolean is_people_field(const struct header_field *field, enum mailbox_field *kind)
{
    static const struct {
        const char *name;
        enum mailbox_field kind;
    } table[] = {
        {"From", MAILBOX_FROM},
        {"Sender", MAILBOX_SENDER},
        {"Resent-From", MAILBOX_RESENT_FROM},
        {"Resent-Sender", MAILBOX_RESENT_SENDER},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (header_field_is(field, table[i].name)) {
            *kind = table[i].kind;
            return TRUE;
        }
    }
    return FALSE;
}

/* Raw octets of a display name are made UTF-8 first: in GBK and Big5 a second octet may be an @, [ or
 * \ (facts 9.2). */
static void report_mailboxes(const struct header_field *field, enum mailbox_field kind, guint index,
                             struct answer *answer)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) raw = g_string_new(NULL), value = g_string_new(NULL);
    gboolean is_read = field->value_length < LIMIT_MAILBOX_BYTES;

    header_unfold(field, LIMIT_MAILBOX_BYTES, raw);
    charset_guess(raw->str, raw->len, value, NULL);
    is_read = mailboxes_parse(value->str, value->len, addresses) && is_read;
    for (guint i = 0; i < addresses->len; i++) {
        if (strstr(addresses->pdata[i], "\xef\xbf\xbd") != NULL ||
            strlen(addresses->pdata[i]) > FLAT_NAME_BYTES)
            is_read = FALSE; /* not the address that was written */
        else
            answer_mailbox(answer, kind, index, addresses->pdata[i]);
    }
    if (is_read)
        return;
    if (kind == MAILBOX_FROM)
        answer_bad_from(answer);
    else
        answer_finding(answer, FINDING_MALFORMED, 0,
                       (const char *[]){"From", "Sender", "Resent-From", "Resent-Sender"}[kind]);
}

static void report_field(const struct header_field *field, GString *raw, GString *decoded,
                         struct answer *answer)
{
    gboolean is_subject = header_field_is(field, "Subject");
    struct flat_bytes raw_bytes, decoded_bytes;
    enum mailbox_field kind;
    guint flags = field->flags, index;

    g_string_truncate(raw, 0);
    header_unfold(field, DECODED_FROM_BYTES, raw);
    const char *value = raw->str;
    gsize length = raw->len;
    trim(&value, &length);
    raw_bytes = answer_octets(answer, raw->str, raw->len, FACTS_FIELD_BYTES);
    if (octets_are_ascii(value, length) && strstr(value, "=?") == NULL && (flags & FIELD_CONTROL) == 0 &&
        raw->len <= FACTS_FIELD_BYTES) {
        decoded_bytes = answer_slice(answer, raw_bytes, value - raw->str, length);
        if (is_subject && length > 0)
            report_subject(value, length, 0, answer);
    } else {
        g_string_truncate(decoded, 0);
        guint reading_flags = encoded_word_decode(value, length, READING_DECLARED, decoded);
        if ((reading_flags & (READING_UNKNOWN_CHARSET | READING_INVALID)) != 0)
            flags |= FIELD_UNDECODABLE;
        if (memchr(decoded->str, '\0', decoded->len) != NULL)
            flags |= FIELD_CONTROL;
        if (is_subject)
            report_subject(value, length, reading_flags, answer);
        const char *text = decoded->str;
        gsize text_length = decoded->len;
        trim(&text, &text_length);
        flags |= text_length > FACTS_FIELD_BYTES ? FIELD_SHORTENED : 0;
        decoded_bytes = answer_text(answer, text, text_length, FACTS_FIELD_BYTES);
    }
    if (raw->len > FACTS_FIELD_BYTES)
        flags |= FIELD_SHORTENED;
    if (answer_field(answer, field->name, field->name_length, raw_bytes, decoded_bytes, flags, &index) &&
        is_people_field(field, &kind))
        report_mailboxes(field, kind, index, answer);
}

/* What keeps anybody from calling a label missing, and fields that must be single. */
static void report_doubts(const struct header *header, struct answer *answer)
{
    guint content_types = 0;

    for (guint i = 0; i < header->fields->len; i++) {
        const struct header_field *field = &g_array_index(header->fields, struct header_field, i);
        g_autofree char *name = g_strndup(field->name, MIN(field->name_length, 60));
        if ((field->flags & FIELD_CONTROL) != 0)
            answer_finding(answer, FINDING_NUL_IN_HEADER, 0, name);
        if ((field->flags & FIELD_CUT) != 0)
            answer_finding(answer, FINDING_FIELD_CUT, 0, name);
        content_types += header_field_is(field, "Content-Type");
    }
    if (content_types > 1)
        answer_finding(answer, FINDING_DUPLICATE_CONTENT_TYPE, 0, NULL);
    if (header->bad_lines > 0)
        answer_finding(answer, FINDING_BAD_FIELD, 0, NULL);
    if (header->is_too_large)
        answer_finding(answer, header->limit, 0, "header");
}

void fields_report(const struct header *header, struct answer *answer)
{
    g_autoptr(GString) raw = g_string_sized_new(512), decoded = g_string_sized_new(512);

    for (guint i = 0; i < header->fields->len; i++)
        report_field(&g_array_index(header->fields, struct header_field, i), raw, decoded, answer);
    report_doubts(header, answer);
}
