#include "rules/facts.h"

#include <string.h>

#include "policy/text/character.h"
#include "rules/facts_layout.h"

/* The octets of an answer while they are read. Whoever wrote them may have been taken over: nothing in them
 * is believed. */
struct flat {
    const guint8 *tables; /* behind the head */
    const char *buffer;   /* our copy of the bytes */
    guint32 buffer_length;
};

static GQuark facts_error(void)
{
    return g_quark_from_static_string("miji-facts-error");
}

/* What a string may be. */
enum text_kind {
    ANY_OCTETS,
    UTF8_TEXT,  /* valid, no NUL */
    ASCII_WORD, /* printable, may be empty */
    FIELD_NAME, /* RFC 5322 3.6.8: printable, no blank, no colon, not empty */
};

static gboolean text_is(enum text_kind kind, const char *data, gsize length)
{
    gboolean is_ascii = kind == ASCII_WORD || kind == FIELD_NAME;

    if (kind == ANY_OCTETS)
        return TRUE;
    if (kind == FIELD_NAME && length == 0)
        return FALSE;
    for (gsize at = 0; is_ascii && at < length; at++) {
        if (data[at] < (kind == FIELD_NAME ? '!' : ' ') || data[at] > '~' ||
            (kind == FIELD_NAME && data[at] == ':'))
            return FALSE;
    }
    return is_ascii || character_all_valid(data, length);
}

/* Sets *bytes to a string of the buffer; FALSE if it is not inside, too long, without its NUL, or not of the
 * kind. */
static gboolean take_bytes(const struct flat *flat, struct flat_bytes from, enum text_kind kind, gsize most,
                           struct bytes *bytes)
{
    if (from.length > most || from.length >= flat->buffer_length ||
        from.offset >= flat->buffer_length - from.length)
        return FALSE;
    bytes->data = flat->buffer + from.offset;
    bytes->length = from.length;
    return bytes->data[bytes->length] == '\0' && text_is(kind, bytes->data, bytes->length);
}

static gboolean take_field(const struct flat *flat, const struct flat_field *from, struct fact_field *field)
{
    field->flags = from->flags;
    return (from->flags & ~FIELD_FLAGS_ALL) == 0 &&
           take_bytes(flat, from->name, FIELD_NAME, FLAT_NAME_BYTES, &field->name) &&
           take_bytes(flat, from->raw, ANY_OCTETS, FACTS_FIELD_BYTES, &field->raw) &&
           take_bytes(flat, from->decoded, UTF8_TEXT, FACTS_FIELD_BYTES, &field->decoded);
}

const char *mailbox_field_name(enum mailbox_field field)
{
    switch (field) {
    case MAILBOX_FROM:
        return "From";
    case MAILBOX_SENDER:
        return "Sender";
    case MAILBOX_RESENT_FROM:
        return "Resent-From";
    case MAILBOX_RESENT_SENDER:
        return "Resent-Sender";
    }
    g_assert_not_reached();
}

static gboolean take_mailbox(const struct flat *flat, const struct flat_mailbox *from,
                             const struct facts *facts, struct fact_mailbox *mailbox)
{
    if (from->field > MAILBOX_RESENT_SENDER || from->field_index >= facts->field_count)
        return FALSE;
    mailbox->field = from->field;
    mailbox->field_index = from->field_index;
    if (g_ascii_strcasecmp(facts->fields[from->field_index].name.data, mailbox_field_name(mailbox->field)) !=
        0)
        return FALSE;
    return from->address.length > 0 &&
           take_bytes(flat, from->address, UTF8_TEXT, FLAT_NAME_BYTES, &mailbox->address);
}

/* A part's parent stands before it, contains parts, and is one step less deep: so the parts are a tree. */
static gboolean take_part(const struct flat *flat, const struct flat_part *from, const struct facts *facts,
                          guint index, struct fact_part *part)
{
    if (from->number != index + 1 || from->parent > index || from->role > PART_MESSAGE ||
        (from->flags & ~PART_FLAGS_ALL) != 0)
        return FALSE;
    if (from->parent == 0 ? from->depth != 0 : from->depth != facts->parts[from->parent - 1].depth + 1)
        return FALSE;
    if (from->parent != 0 && facts->parts[from->parent - 1].role != PART_CONTAINER &&
        facts->parts[from->parent - 1].role != PART_MESSAGE)
        return FALSE;
    part->number = from->number;
    part->parent = from->parent;
    part->depth = from->depth;
    part->role = from->role;
    part->size_bytes = from->size_bytes;
    part->flags = from->flags;
    return take_bytes(flat, from->type, ASCII_WORD, FLAT_WORD_BYTES, &part->type) &&
           take_bytes(flat, from->charset, ASCII_WORD, FLAT_WORD_BYTES, &part->charset) &&
           take_bytes(flat, from->name, UTF8_TEXT, FLAT_NAME_BYTES, &part->name);
}

static gboolean take_finding(const struct flat *flat, const struct flat_finding *from,
                             const struct facts *facts, struct fact_finding *finding)
{
    if (from->id >= FINDING_COUNT || from->part > facts->part_count)
        return FALSE;
    finding->id = from->id;
    finding->part = from->part;
    return take_bytes(flat, from->detail, ASCII_WORD, FLAT_WORD_BYTES, &finding->detail);
}

static gboolean is_kind_of_worker(guint32 kind)
{
    if (kind > PLACE_HISTORY)
        return FALSE;
    switch ((enum place_kind)kind) {
    case PLACE_SUBJECT:
    case PLACE_LINE:
    case PLACE_SIGNATURE:
    case PLACE_PART_TEXT:
    case PLACE_PART_FIELD:
    case PLACE_PART_NAME:
    case PLACE_PART_PROPERTY:
    case PLACE_QUOTED:
    case PLACE_HISTORY:
        return TRUE;
    case PLACE_FIELD:  /* the fields themselves are there */
    case PLACE_MARKER: /* of the envelope, which no worker sees */
        return FALSE;
    }
    return FALSE;
}

static gboolean take_candidate(const struct flat *flat, const struct flat_candidate *from,
                               const struct facts *facts, struct fact_candidate *candidate)
{
    struct bytes field;

    if (!is_kind_of_worker(from->kind) || from->part > facts->part_count)
        return FALSE;
    candidate->place.kind = from->kind;
    candidate->place.part = from->part;
    candidate->place.line = from->line;
    candidate->place.field = NULL;
    if (from->field.length > 0) {
        if (!take_bytes(flat, from->field, FIELD_NAME, FLAT_NAME_BYTES, &field))
            return FALSE;
        candidate->place.field = field.data;
    }
    return (candidate->place.field != NULL) == (candidate->place.kind == PLACE_PART_FIELD) &&
           take_bytes(flat, from->text, UTF8_TEXT, FACTS_FIELD_BYTES, &candidate->text);
}

/* Takes the arrays one by one; the name of the first that is wrong, or NULL. */
static const char *take_tables(struct flat *flat, struct facts *facts)
{
    const guint8 *at = flat->tables;

    facts->fields = g_new0(struct fact_field, facts->field_count);
    facts->mailboxes = g_new0(struct fact_mailbox, facts->mailbox_count);
    facts->parts = g_new0(struct fact_part, facts->part_count);
    facts->findings = g_new0(struct fact_finding, facts->finding_count);
    facts->candidates = g_new0(struct fact_candidate, facts->candidate_count);

    /* Copied out one by one: the octets may stand at any address. */
#define TAKE(record_type, count, what, call)                              \
    for (guint i = 0; i < facts->count; i++, at += sizeof(record_type)) { \
        record_type record;                                               \
        memcpy(&record, at, sizeof record);                               \
        if (!(call))                                                      \
            return what;                                                  \
    }
    TAKE(struct flat_field, field_count, "field", take_field(flat, &record, &facts->fields[i]))
    TAKE(struct flat_mailbox, mailbox_count, "mailbox",
         take_mailbox(flat, &record, facts, &facts->mailboxes[i]))
    TAKE(struct flat_part, part_count, "part", take_part(flat, &record, facts, i, &facts->parts[i]))
    TAKE(struct flat_finding, finding_count, "finding",
         take_finding(flat, &record, facts, &facts->findings[i]))
    TAKE(struct flat_candidate, candidate_count, "candidate",
         take_candidate(flat, &record, facts, &facts->candidates[i]))
#undef TAKE
    return NULL;
}

/* Whether head and length agree, before any memory is asked for. */
static const char *check_head(const struct flat_head *head, gsize length)
{
    guint64 total = sizeof *head;

    if (head->magic != FLAT_MAGIC)
        return "magic";
    if ((head->flags & ~(guint32)(FLAT_BAD_FROM | FLAT_IS_REPORT)) != 0)
        return "flags";
#define FLAT_TABLE(records, count, type, most) \
    if (head->count > most)                    \
        return #count;                         \
    total += (guint64)head->count * sizeof(type);
    FLAT_TABLES
#undef FLAT_TABLE
    total += head->buffer_length;
    return head->buffer_length == 0 || total != length ? "length" : NULL;
}

struct facts *facts_read(const void *octets, gsize length, GError **error)
{
    g_autoptr(facts) facts = NULL;
    struct flat_head head;
    struct flat flat;
    const char *wrong;

    if (length < sizeof head || length > FLAT_MAX_BYTES) {
        g_set_error(error, facts_error(), 0, "an answer of %" G_GSIZE_FORMAT " octets", length);
        return NULL;
    }
    memcpy(&head, octets, sizeof head);
    wrong = check_head(&head, length);
    if (wrong == NULL) {
        facts = g_new0(struct facts, 1);
        facts->size_bytes = head.size_bytes;
        facts->bad_from = (head.flags & FLAT_BAD_FROM) != 0;
        facts->is_report = (head.flags & FLAT_IS_REPORT) != 0;
#define FLAT_TABLE(records, count, type, most) facts->count = head.count;
        FLAT_TABLES
#undef FLAT_TABLE
        facts->buffer = g_memdup2((const guint8 *)octets + length - head.buffer_length, head.buffer_length);
        flat = (struct flat){(const guint8 *)octets + sizeof head, facts->buffer, head.buffer_length};
        wrong = take_tables(&flat, facts);
    }
    if (wrong != NULL) {
        g_set_error(error, facts_error(), 0, "an answer whose %s is out of bounds", wrong);
        return NULL;
    }
    return g_steal_pointer(&facts);
}

void facts_free(struct facts *facts)
{
    if (facts == NULL)
        return;
    g_free(facts->fields);
    g_free(facts->mailboxes);
    g_free(facts->parts);
    g_free(facts->findings);
    g_free(facts->candidates);
    g_free(facts->buffer);
    g_free(facts);
}

const struct fact_field *facts_field(const struct facts *facts, const char *name, guint *at)
{
    for (; *at < facts->field_count; ++*at) {
        if (g_ascii_strcasecmp(facts->fields[*at].name.data, name) == 0)
            return &facts->fields[(*at)++];
    }
    return NULL;
}

const struct fact_finding *facts_finding_of(const struct facts *facts, enum finding_cause cause)
{
    for (guint i = 0; i < facts->finding_count; i++) {
        if (finding_cause(facts->findings[i].id) == cause)
            return &facts->findings[i];
    }
    return NULL;
}

guint facts_field_count(const struct facts *facts, const char *name)
{
    guint count = 0;

    for (guint at = 0; facts_field(facts, name, &at) != NULL;)
        count++;
    return count;
}
