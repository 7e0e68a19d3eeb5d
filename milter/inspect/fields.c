#include "milter/inspect/fields.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/encoded_word.h"
#include "milter/inspect/limits.h"
#include "milter/inspect/mailbox.h"

/* So many octets of a value are decoded: encoded-words are longer than their text. */
#define DECODED_FROM_BYTES (4 * FACTS_FIELD_BYTES)

void text_decode_unlabelled(const char *value, gsize length, GString *out)
{
    encoded_word_decode(value, length, READING_DECLARED, out);
    octets_remove_nuls(out);
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

/* Every reading that somebody's client may show. Returns the flags of the declared one; *has_bidi: one of
 * them turns the direction of text. */
static guint report_readings(const char *value, gsize length, const struct place *place,
                             struct answer *answer, gboolean *has_bidi)
{
    g_autoptr(GString) text = g_string_new(NULL);
    guint flags = 0;

    *has_bidi = FALSE;
    for (enum reading reading = READING_DECLARED; reading < READING_COUNT; reading++) {
        if (reading == READING_STRICT && (flags & READING_LENIENT) == 0)
            continue;
        if (reading > READING_STRICT && (flags & READING_DOUBTFUL) == 0)
            break;
        g_string_truncate(text, 0);
        guint reading_flags = encoded_word_decode(value, length, reading, text);
        flags |= reading == READING_DECLARED ? reading_flags : 0;
        const char *trimmed = text->str;
        gsize trimmed_length = text->len;
        trim(&trimmed, &trimmed_length);
        if (trimmed_length > 0)
            answer_candidate(answer, place, trimmed, trimmed_length);
        *has_bidi = *has_bidi || has_bidi_control(trimmed, trimmed_length);
    }
    return flags;
}

void text_report_readings(const char *value, gsize length, const struct place *place, struct answer *answer)
{
    gboolean has_bidi;

    report_readings(value, length, place, answer, &has_bidi);
}

static void report_subject(const char *value, gsize length, struct answer *answer)
{
    const struct place place = {.kind = PLACE_SUBJECT};
    gboolean has_bidi;
    guint flags = report_readings(value, length, &place, answer, &has_bidi);

    if (has_bidi)
        answer_finding(answer, FINDING_BIDI_IN_SUBJECT, 0, NULL);
    if ((flags & READING_UNKNOWN_CHARSET) != 0)
        answer_finding(answer, FINDING_UNKNOWN_CHARSET, 0, "Subject");
    if ((flags & READING_INVALID) != 0)
        answer_finding(answer, FINDING_WRONG_CHARSET, 0, "Subject");
}

/* Which of the fields that name people it is; FALSE for all others. */
static gboolean is_people_field(const struct header_field *field, enum mailbox_field *kind)
{
    for (*kind = MAILBOX_FROM; *kind <= MAILBOX_RESENT_SENDER; ++*kind) {
        if (header_field_is(field, mailbox_field_name(*kind)))
            return TRUE;
    }
    return FALSE;
}

/* Raw octets of a display name are made UTF-8 first: in GBK and Big5 a second octet may be an @, [ or
 * \ (facts 9.2). FALSE if there may be others than those that were reported. */
static gboolean report_mailboxes(const struct header_field *field, enum mailbox_field kind, guint index,
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
    return is_read;
}

/* Buffers that serve one field after the other. */
struct scratch {
    GString *raw, *decoded;
};

/* A value that reads the same in every way: most of them. */
static gboolean is_plain(const struct header_field *field, const GString *raw)
{
    return (field->flags & FIELD_CONTROL) == 0 && raw->len <= FACTS_FIELD_BYTES &&
           octets_are_ascii(raw->str, raw->len) && strstr(raw->str, "=?") == NULL;
}

/* The value in UTF-8, put into the answer; sets flags of the field, and of its reading. */
static struct flat_bytes decode_value(const char *value, gsize length, struct scratch *scratch,
                                      struct flat_field *flat, struct answer *answer)
{
    guint reading = encoded_word_decode(value, length, READING_DECLARED, scratch->decoded);
    const char *text = scratch->decoded->str;
    gsize text_length = scratch->decoded->len;

    if ((reading & (READING_UNKNOWN_CHARSET | READING_INVALID)) != 0)
        flat->flags |= FIELD_UNDECODABLE;
    if (memchr(text, '\0', text_length) != NULL)
        flat->flags |= FIELD_CONTROL;
    trim(&text, &text_length);
    if (text_length > FACTS_FIELD_BYTES)
        flat->flags |= FIELD_SHORTENED;
    return answer_text(answer, text, text_length, FACTS_FIELD_BYTES);
}

static void report_field(const struct header_field *field, struct scratch *scratch, struct answer *answer)
{
    struct flat_field flat = {.flags = field->flags};
    enum mailbox_field kind;
    guint index;

    g_string_truncate(scratch->raw, 0);
    g_string_truncate(scratch->decoded, 0);
    header_unfold(field, DECODED_FROM_BYTES, scratch->raw);
    const char *value = scratch->raw->str;
    gsize length = scratch->raw->len;
    trim(&value, &length);
    flat.name = answer_octets(answer, field->name, field->name_length, FLAT_NAME_BYTES);
    flat.raw = answer_octets(answer, scratch->raw->str, scratch->raw->len, FACTS_FIELD_BYTES);
    if (scratch->raw->len > FACTS_FIELD_BYTES)
        flat.flags |= FIELD_SHORTENED;
    if (is_plain(field, scratch->raw))
        flat.decoded = answer_slice(answer, flat.raw, value - scratch->raw->str, length);
    else
        flat.decoded = decode_value(value, length, scratch, &flat, answer);
    if (header_field_is(field, "Subject")) {
        report_subject(value, length, answer);
        if (scratch->raw->len >= DECODED_FROM_BYTES)
            answer_finding(answer, FINDING_TEXT_TOO_LARGE, 0, "Subject");
    }
    if (!answer_field(answer, &flat, &index) || !is_people_field(field, &kind) ||
        report_mailboxes(field, kind, index, answer))
        return;
    if (kind == MAILBOX_FROM)
        answer_bad_from(answer);
    else
        answer_field_flag(answer, index, FIELD_BAD_MAILBOXES);
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
    struct scratch scratch = {g_string_sized_new(512), g_string_sized_new(512)};

    for (guint i = 0; i < header->fields->len; i++)
        report_field(&g_array_index(header->fields, struct header_field, i), &scratch, answer);
    g_string_free(scratch.raw, TRUE);
    g_string_free(scratch.decoded, TRUE);
    report_doubts(header, answer);
}
