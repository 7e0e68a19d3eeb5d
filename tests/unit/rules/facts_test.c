/* facts_read against an answer as it should be, and against what a worker that was taken over might send. */
#include "rules/facts.h"

#include <string.h>

#include "milter/inspect/answer.h"
#include "rules/facts_layout.h"
#include "tests/support/facts_touch.h"

/* One of everything. */
static GByteArray *sample(void)
{
    g_autoptr(answer) answer = answer_new();
    struct part_words mixed = {"multipart/mixed", NULL, NULL}, pdf = {"application/pdf", NULL, "机密.pdf"};
    struct place subject = {.kind = PLACE_SUBJECT}, name = {.kind = PLACE_PART_NAME, .part = 2};
    struct flat_bytes raw = answer_octets(answer, " a\0b ", 5, FACTS_FIELD_BYTES);
    guint index;

    struct flat_field field = {answer_octets(answer, "From", 4, FLAT_NAME_BYTES), raw,
                               answer_slice(answer, raw, 1, 1), FIELD_CONTROL};
    answer_field(answer, &field, &index);
    answer_mailbox(answer, MAILBOX_FROM, index, "bob@example.org");
    answer_part(answer, 0, 0, PART_CONTAINER, &mixed);
    answer_part(answer, 1, 1, PART_ATTACHMENT, &pdf);
    answer_part_size(answer, 2, 12345);
    answer_part_flag(answer, 2, PART_DAMAGED);
    answer_finding(answer, FINDING_BAD_BASE64, 2, "line 3");
    answer_candidate(answer, &subject, "【机密】", strlen("【机密】"));
    answer_candidate(answer, &name, "机密.pdf", strlen("机密.pdf"));
    answer_is_report(answer);
    const GByteArray *flat = answer_finish(answer, 4711);
    return g_byte_array_append(g_byte_array_new(), flat->data, flat->len);
}

static void test_whole(void)
{
    g_autoptr(GByteArray) flat = sample();
    g_autoptr(GError) error = NULL;
    g_autoptr(facts) facts = facts_read(flat->data, flat->len, &error);
    guint at = 0;

    g_assert_no_error(error);
    g_assert_cmpuint(facts->size_bytes, ==, 4711);
    g_assert_true(facts->is_report);
    g_assert_false(facts->bad_from);
    const struct fact_field *from = facts_field(facts, "FROM", &at);
    g_assert_nonnull(from);
    g_assert_cmpmem(from->raw.data, from->raw.length, " a\0b ", 5);
    g_assert_cmpstr(from->name.data, ==, "From");
    g_assert_cmpmem(from->decoded.data, from->decoded.length, "a", 1);
    g_assert_cmpuint(from->flags, ==, FIELD_CONTROL);
    g_assert_null(facts_field(facts, "From", &at));
    g_assert_cmpuint(facts_field_count(facts, "from"), ==, 1);
    g_assert_cmpuint(facts_field_count(facts, "fro"), ==, 0);
    g_assert_cmpuint(facts->mailbox_count, ==, 1);
    g_assert_cmpstr(facts->mailboxes[0].address.data, ==, "bob@example.org");
    g_assert_cmpuint(facts->part_count, ==, 2);
    g_assert_cmpstr(facts->parts[1].name.data, ==, "机密.pdf");
    g_assert_cmpuint(facts->parts[1].size_bytes, ==, 12345);
    g_assert_cmpuint(facts->parts[1].flags, ==, PART_DAMAGED);
    g_assert_cmpuint(facts->candidate_count, ==, 2);
    g_assert_cmpstr(facts->candidates[0].text.data, ==, "【机密】");
    g_assert_cmpint(facts->candidates[1].place.kind, ==, PLACE_PART_NAME);
    g_assert_cmpuint(facts->candidates[1].place.part, ==, 2);
}

static void test_finding_of(void)
{
    g_autoptr(GByteArray) flat = sample();
    g_autoptr(facts) facts = facts_read(flat->data, flat->len, NULL);
    const struct fact_finding *damaged = facts_finding_of(facts, CAUSE_DAMAGED);

    g_assert_nonnull(damaged);
    g_assert_cmpstr(finding_name(damaged->id), ==, "bad-base64");
    g_assert_cmpstr(damaged->detail.data, ==, "line 3");
    g_assert_cmpstr(finding_text(damaged->id, LANGUAGE_EN), ==,
                    "base64 with octets that do not belong there");
    g_assert_null(facts_finding_of(facts, CAUSE_STRUCTURE));
}

static void test_finding_names_are_unique(void)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint id = 0; id < FINDING_COUNT; id++)
        g_assert_true(g_hash_table_add(names, (gpointer)finding_name(id)));
}

static void test_truncated(void)
{
    g_autoptr(GByteArray) flat = sample();

    for (gsize length = 0; length < flat->len; length++) {
        g_autoptr(GError) error = NULL;
        g_autofree guint8 *copy = g_memdup2(flat->data, length);
        g_assert_null(facts_read(copy, length, &error));
        g_assert_nonnull(error);
    }
}

/* Any octet of the answer replaced: refused, or still inside its bounds. */
static void test_any_octet(void)
{
    static const guint8 values[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    g_autoptr(GByteArray) flat = sample();
    guint refused = 0;

    for (gsize at = 0; at < flat->len; at++) {
        for (gsize v = 0; v < G_N_ELEMENTS(values); v++) {
            g_autofree guint8 *copy = g_memdup2(flat->data, flat->len);
            copy[at] = values[v];
            g_autoptr(facts) facts = facts_read(copy, flat->len, NULL);
            if (facts != NULL)
                facts_touch(facts);
            else
                refused++;
        }
    }
    g_assert_cmpuint(refused, >, flat->len); /* most of it is offsets, counts and enums */
}

static gsize table_offset(const GByteArray *flat, guint table)
{
    struct flat_head head;
    gsize at = sizeof head;
    guint n = 0;

    memcpy(&head, flat->data, sizeof head);
#define FLAT_TABLE(records, count, type, most) \
    if (n++ < table)                           \
        at += head.count * sizeof(type);
    FLAT_TABLES
#undef FLAT_TABLE
    return at;
}

enum table { FIELDS, MAILBOXES, PARTS, FINDINGS, CANDIDATES };
#define AT(type, member) offsetof(struct type, member)
#define SECOND(type, member) (sizeof(struct type) + offsetof(struct type, member))

/* One 32-bit number replaced: each of these must be refused. */
static void test_each_lie(void)
{
    static const struct {
        enum table table;
        gsize offset;
        guint32 value;
        const char *what;
    } lies[] = {
        {FIELDS, AT(flat_field, name.offset), 0xffffffff, "field"},
        {FIELDS, AT(flat_field, name.length), 0, "field"},
        {FIELDS, AT(flat_field, raw.length), 0xffffffff, "field"},
        {FIELDS, AT(flat_field, raw.length), 0x7fffffff, "field"},
        {FIELDS, AT(flat_field, decoded.length), 4, "field"}, /* a NUL inside */
        {FIELDS, AT(flat_field, flags), 0x20, "field"},
        {MAILBOXES, AT(flat_mailbox, field), 4, "mailbox"},
        {MAILBOXES, AT(flat_mailbox, field), 1, "mailbox"}, /* the field is From, not Sender */
        {MAILBOXES, AT(flat_mailbox, field_index), 1, "mailbox"},
        {MAILBOXES, AT(flat_mailbox, address.length), 0, "mailbox"},
        {PARTS, AT(flat_part, number), 2, "part"},
        {PARTS, AT(flat_part, parent), 1, "part"},
        {PARTS, SECOND(flat_part, parent), 2, "part"},
        {PARTS, AT(flat_part, role), PART_ATTACHMENT, "part"}, /* which has a child */
        {PARTS, AT(flat_part, role), 4, "part"},
        {PARTS, AT(flat_part, depth), 1, "part"},
        {PARTS, SECOND(flat_part, depth), 3, "part"},
        {PARTS, AT(flat_part, flags), 8, "part"},
        {FINDINGS, AT(flat_finding, id), FINDING_COUNT, "finding"},
        {FINDINGS, AT(flat_finding, part), 3, "finding"},
        {CANDIDATES, AT(flat_candidate, kind), PLACE_FIELD, "candidate"},
        {CANDIDATES, AT(flat_candidate, kind), PLACE_MARKER, "candidate"},
        {CANDIDATES, AT(flat_candidate, kind), PLACE_HISTORY + 1, "candidate"},
        {CANDIDATES, AT(flat_candidate, kind), PLACE_PART_FIELD, "candidate"}, /* without a field's name */
        {CANDIDATES, AT(flat_candidate, part), 3, "candidate"},
        {CANDIDATES, AT(flat_candidate, field.length), 3, "candidate"},
        {CANDIDATES, AT(flat_candidate, text.length), 2, "candidate"}, /* cuts a character, no NUL behind */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autoptr(GByteArray) flat = sample();
        g_autoptr(GError) error = NULL;
        g_autofree char *expected = g_strdup_printf("an answer whose %s is out of bounds", lies[i].what);
        memcpy(flat->data + table_offset(flat, lies[i].table) + lies[i].offset, &lies[i].value,
               sizeof lies[i].value);
        g_assert_null(facts_read(flat->data, flat->len, &error));
        g_assert_nonnull(error);
        g_assert_cmpstr(error->message, ==, expected);
    }
}

/* Counts that promise more than there is, or so much that their sizes would wrap. */
static void test_head(void)
{
    static const struct {
        gsize offset;
        guint32 value;
    } lies[] = {
        {offsetof(struct flat_head, magic), 1},
        {offsetof(struct flat_head, flags), 4},
        {offsetof(struct flat_head, field_count), 0},
        {offsetof(struct flat_head, field_count), 2},
        {offsetof(struct flat_head, field_count), 0xffffffff},
        {offsetof(struct flat_head, part_count), 0x80000000},
        {offsetof(struct flat_head, candidate_count), 8193},
        {offsetof(struct flat_head, buffer_length), 0},
        {offsetof(struct flat_head, buffer_length), 0xffffffff},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autoptr(GByteArray) flat = sample();
        g_autoptr(GError) error = NULL;
        memcpy(flat->data + lies[i].offset, &lies[i].value, sizeof lies[i].value);
        g_assert_null(facts_read(flat->data, flat->len, &error));
        g_assert_nonnull(error);
    }
}

/* What answer_* is given by a hostile mail comes out acceptable all the same. */
static void test_answer_cleans(void)
{
    g_autoptr(answer) answer = answer_new();
    g_autofree char *wide = g_strnfill(3 * FACTS_FIELD_BYTES, 'x');
    struct part_words words = {"text/\xff\x01", "gb\n2312", "机"};
    struct place subject = {.kind = PLACE_SUBJECT};

    memcpy(wide + FACTS_FIELD_BYTES - 1, "机", 3);
    answer_candidate(answer, &subject, wide, 3 * FACTS_FIELD_BYTES);
    answer_candidate(answer, &subject, "a\0b", 3);
    answer_candidate(answer, &subject, "ab", 2); /* is there already */
    answer_part(answer, 0, 0, PART_TEXT, &words);
    for (guint i = 0; i < 10000; i++)
        answer_finding(answer, FINDING_MALFORMED, 0, "x");
    const GByteArray *flat = answer_finish(answer, 1);
    g_autoptr(facts) facts = facts_read(flat->data, flat->len, NULL);
    g_assert_nonnull(facts);
    g_assert_cmpuint(facts->candidate_count, ==, 2);
    g_assert_cmpuint(facts->candidates[0].text.length, ==, FACTS_FIELD_BYTES - 1);
    g_assert_cmpstr(facts->candidates[1].text.data, ==, "ab");
    g_assert_cmpstr(facts->parts[0].type.data, ==, "text/??");
    g_assert_cmpstr(facts->parts[0].charset.data, ==, "gb?2312");
    g_assert_cmpuint(facts->finding_count, ==, 2); /* the candidate was cut, and many of the other */
    g_assert_cmpint(facts->findings[0].id, ==, FINDING_TEXT_TOO_LARGE);

    answer_clear(answer);
    flat = answer_finish(answer, 0);
    g_autoptr(facts) empty = facts_read(flat->data, flat->len, NULL);
    g_assert_nonnull(empty);
    g_assert_cmpuint(empty->candidate_count + empty->part_count + empty->finding_count + empty->field_count,
                     ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/rules/facts/whole", test_whole);
    g_test_add_func("/rules/facts/finding-of", test_finding_of);
    g_test_add_func("/rules/facts/finding-names-are-unique", test_finding_names_are_unique);
    g_test_add_func("/rules/facts/truncated", test_truncated);
    g_test_add_func("/rules/facts/any-octet", test_any_octet);
    g_test_add_func("/rules/facts/each-lie", test_each_lie);
    g_test_add_func("/rules/facts/head", test_head);
    g_test_add_func("/rules/facts/answer-cleans", test_answer_cleans);
    return g_test_run();
}
