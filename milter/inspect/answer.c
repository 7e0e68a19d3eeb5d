#include "milter/inspect/answer.h"

#include <string.h>

struct answer {
#define FLAT_TABLE(records, count, type, most) GArray *records;
    FLAT_TABLES
#undef FLAT_TABLE
    GByteArray *buffer;
    GByteArray *flat; /* of answer_finish */
    guint32 flags;
    guint32 highest_line; /* of the candidates */
};

struct answer *answer_new(void)
{
    struct answer *answer = g_new0(struct answer, 1);

#define FLAT_TABLE(records, count, type, most) answer->records = g_array_new(FALSE, TRUE, sizeof(type));
    FLAT_TABLES
#undef FLAT_TABLE
    answer->buffer = g_byte_array_new();
    answer->flat = g_byte_array_new();
    answer_clear(answer);
    return answer;
}

void answer_free(struct answer *answer)
{
    if (answer == NULL)
        return;
#define FLAT_TABLE(records, count, type, most) g_array_unref(answer->records);
    FLAT_TABLES
#undef FLAT_TABLE
    g_byte_array_unref(answer->buffer);
    g_byte_array_unref(answer->flat);
    g_free(answer);
}

void answer_clear(struct answer *answer)
{
#define FLAT_TABLE(records, count, type, most) g_array_set_size(answer->records, 0);
    FLAT_TABLES
#undef FLAT_TABLE
    g_byte_array_set_size(answer->buffer, 0);
    g_byte_array_append(answer->buffer, (const guint8 *)"", 1); /* {0, 0} is the empty string */
    answer->flags = 0;
    answer->highest_line = 0;
}

struct flat_bytes answer_octets(struct answer *answer, const char *data, gsize length, gsize most)
{
    struct flat_bytes bytes = {answer->buffer->len, MIN(length, most)};

    if (bytes.length == 0)
        return (struct flat_bytes){0, 0};
    g_byte_array_set_size(answer->buffer, bytes.offset + bytes.length + 1);
    memcpy(answer->buffer->data + bytes.offset, data, bytes.length);
    answer->buffer->data[bytes.offset + bytes.length] = '\0';
    return bytes;
}

/* The longest beginning of at most `most` octets that ends at a character. */
static gsize cut_at_character(const char *text, gsize length, gsize most)
{
    if (length <= most)
        return length;
    while (most > 0 && ((guchar)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

struct flat_bytes answer_text(struct answer *answer, const char *data, gsize length, gsize most)
{
    struct flat_bytes bytes;
    char *begin;
    gsize kept = 0;

    length = cut_at_character(data, length, most);
    bytes = answer_octets(answer, data, length, length);
    if (memchr(data, '\0', length) == NULL)
        return bytes;
    begin = (char *)answer->buffer->data + bytes.offset;
    for (gsize at = 0; at < length; at++) {
        if (begin[at] != '\0')
            begin[kept++] = begin[at];
    }
    begin[kept] = '\0';
    bytes.length = kept;
    return bytes;
}

struct flat_bytes answer_slice(struct answer *answer, struct flat_bytes of, gsize from, gsize length)
{
    g_assert(from <= of.length && length <= of.length - from);
    if (length == 0)
        return (struct flat_bytes){0, 0};
    if (from + length == of.length)
        return (struct flat_bytes){of.offset + from, length};
    /* Copied: there is no NUL behind it. */
    g_autofree char *copy = g_memdup2(answer->buffer->data + of.offset + from, length);
    return answer_octets(answer, copy, length, length);
}

/* Printable ASCII; everything else becomes a question mark. */
static struct flat_bytes put_word(struct answer *answer, const char *word)
{
    struct flat_bytes bytes;

    if (word == NULL)
        return (struct flat_bytes){0, 0};
    bytes = answer_octets(answer, word, strlen(word), FLAT_WORD_BYTES);
    for (guint at = bytes.offset; at < bytes.offset + bytes.length; at++) {
        if (answer->buffer->data[at] < ' ' || answer->buffer->data[at] > '~')
            answer->buffer->data[at] = '?';
    }
    return bytes;
}

/* Appends a record unless the array is full. */
static gboolean append(GArray *records, gconstpointer record, guint most)
{
    if (records->len >= most)
        return FALSE;
    g_array_append_vals(records, record, 1);
    return TRUE;
}

#define FLAT_TABLE(records, count, type, most) MOST_##records = most,
enum { FLAT_TABLES };
#undef FLAT_TABLE

gboolean answer_field(struct answer *answer, const struct flat_field *field, guint *index)
{
    *index = answer->fields->len;
    return append(answer->fields, field, MOST_fields);
}

void answer_field_flag(struct answer *answer, guint index, enum field_flag flag)
{
    g_array_index(answer->fields, struct flat_field, index).flags |= flag;
}

void answer_mailbox(struct answer *answer, enum mailbox_field field, guint field_index, const char *address)
{
    struct flat_mailbox mailbox = {field, field_index,
                                   answer_text(answer, address, strlen(address), FLAT_NAME_BYTES)};

    if (!append(answer->mailboxes, &mailbox, MOST_mailboxes))
        answer_finding(answer, FINDING_TOO_MANY_FIELDS, 0, "mailboxes");
}

guint answer_part(struct answer *answer, guint parent, guint depth, enum part_role role,
                  const struct part_words *words)
{
    const char *name = words->name != NULL ? words->name : "";
    struct flat_part part = {
        .number = answer->parts->len + 1, .parent = parent, .depth = depth, .role = role};

    part.type = put_word(answer, words->type);
    part.charset = put_word(answer, words->charset);
    part.name = answer_text(answer, name, strlen(name), FLAT_NAME_BYTES);
    return append(answer->parts, &part, MOST_parts) ? part.number : 0;
}

void answer_part_size(struct answer *answer, guint number, guint64 size_bytes)
{
    g_array_index(answer->parts, struct flat_part, number - 1).size_bytes = size_bytes;
}

void answer_part_flag(struct answer *answer, guint number, enum part_flag flag)
{
    g_array_index(answer->parts, struct flat_part, number - 1).flags |= flag;
}

/* Findings of one id that are kept: an attacker who breaks two thousand parts in the same way has said it all
 * after some. */
#define FINDINGS_OF_ONE_ID 64

/* Candidates with which a new one is compared. */
#define CANDIDATES_COMPARED 512

void answer_finding(struct answer *answer, enum finding_id id, guint part, const char *detail)
{
    struct flat_finding finding = {id, part, {0, 0}};
    guint same = 0;

    for (guint i = 0; i < answer->findings->len; i++) {
        const struct flat_finding *other = &g_array_index(answer->findings, struct flat_finding, i);
        if (other->id != (guint32)id)
            continue;
        if (other->part == part || ++same >= FINDINGS_OF_ONE_ID)
            return;
    }
    finding.detail = put_word(answer, detail);
    append(answer->findings, &finding, MOST_findings);
}

gboolean answer_has_finding(const struct answer *answer, enum finding_id id)
{
    for (guint i = 0; i < answer->findings->len; i++) {
        if (g_array_index(answer->findings, struct flat_finding, i).id == (guint32)id)
            return TRUE;
    }
    return FALSE;
}

/* Is it there, among the last ones? Forms of a text have most lines in common. */
static gboolean has_candidate(const struct answer *answer, const struct flat_candidate *candidate,
                              const char *text, gsize length)
{
    if (candidate->line > answer->highest_line)
        return FALSE;
    for (guint i = answer->candidates->len, n = 0; i-- > 0 && n < CANDIDATES_COMPARED; n++) {
        const struct flat_candidate *other = &g_array_index(answer->candidates, struct flat_candidate, i);
        if (other->kind == candidate->kind && other->part == candidate->part &&
            other->line == candidate->line && other->text.length == length &&
            memcmp(answer->buffer->data + other->text.offset, text, length) == 0)
            return TRUE;
    }
    return FALSE;
}

void answer_candidate(struct answer *answer, const struct place *place, const char *text, gsize length)
{
    struct flat_candidate candidate = {.kind = place->kind, .part = place->part, .line = place->line};

    if (length > FACTS_FIELD_BYTES)
        answer_finding(answer, FINDING_TEXT_TOO_LARGE, place->part, "candidate");
    length = cut_at_character(text, length, FACTS_FIELD_BYTES);
    if (has_candidate(answer, &candidate, text, length))
        return;
    candidate.text = answer_text(answer, text, length, FACTS_FIELD_BYTES);
    answer->highest_line = MAX(answer->highest_line, candidate.line);
    if (place->field != NULL)
        candidate.field = answer_octets(answer, place->field, strlen(place->field), FLAT_NAME_BYTES);
    if (!append(answer->candidates, &candidate, MOST_candidates))
        answer_finding(answer, FINDING_TEXT_TOO_LARGE, place->part, "candidates");
}

void answer_bad_from(struct answer *answer)
{
    answer->flags |= FLAT_BAD_FROM;
}

void answer_is_report(struct answer *answer)
{
    answer->flags |= FLAT_IS_REPORT;
}

const GByteArray *answer_finish(struct answer *answer, guint64 size_bytes)
{
    struct flat_head head = {.magic = FLAT_MAGIC, .flags = answer->flags, .size_bytes = size_bytes};

#define FLAT_TABLE(records, count, type, most) head.count = answer->records->len;
    FLAT_TABLES
#undef FLAT_TABLE
    head.buffer_length = answer->buffer->len;
    g_byte_array_set_size(answer->flat, 0);
    g_byte_array_append(answer->flat, (const guint8 *)&head, sizeof head);
#define FLAT_TABLE(records, count, type, most)                               \
    g_byte_array_append(answer->flat, (const guint8 *)answer->records->data, \
                        answer->records->len * sizeof(type));
    FLAT_TABLES
#undef FLAT_TABLE
    g_byte_array_append(answer->flat, answer->buffer->data, answer->buffer->len);
    return answer->flat;
}
