/*
 * Attack surface: the answer of a worker that a mail has taken over: any octets, given to facts_read in the
 * daemon. Beyond not crashing: what is accepted points inside, its texts are UTF-8, its parts are a tree.
 */
#include "rules/facts.h"

#include <stdint.h>
#include <string.h>

#include "rules/facts_layout.h"
#include "tests/support/facts_touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct facts *facts)
{
    for (guint i = 0; i < facts->field_count; i++)
        g_assert_true(
            g_utf8_validate_len(facts->fields[i].decoded.data, facts->fields[i].decoded.length, NULL));
    for (guint i = 0; i < facts->candidate_count; i++) {
        const struct fact_candidate *candidate = &facts->candidates[i];
        g_assert_true(g_utf8_validate_len(candidate->text.data, candidate->text.length, NULL));
        g_assert_cmpuint(candidate->place.part, <=, facts->part_count);
    }
    for (guint i = 0; i < facts->part_count; i++) {
        g_assert_cmpuint(facts->parts[i].number, ==, i + 1);
        g_assert_cmpuint(facts->parts[i].parent, <=, i);
    }
}

static void read_it(const uint8_t *data, size_t size)
{
    g_autoptr(facts) facts = facts_read(data, size, NULL);

    if (facts == NULL)
        return;
    check(facts);
    facts_touch(facts);
    for (guint cause = CAUSE_NONE; cause <= CAUSE_STRUCTURE; cause++)
        facts_finding_of(facts, cause);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flat_head head;

    read_it(data, size);
    /* Once more with a head whose lengths agree, which a fuzzer finds late. */
    if (size < sizeof head)
        return 0;
    g_autofree uint8_t *copy = g_memdup2(data, size);
    guint64 tables = 0;
    memcpy(&head, copy, sizeof head);
    head.magic = FLAT_MAGIC;
    head.flags &= 3;
#define FLAT_TABLE(records, count, type, most) \
    head.count %= 4;                           \
    tables += head.count * sizeof(type);
    FLAT_TABLES
#undef FLAT_TABLE
    if (sizeof head + tables >= size)
        return 0;
    head.buffer_length = size - sizeof head - tables;
    memcpy(copy, &head, sizeof head);
    copy[size - 1] = '\0';
    read_it(copy, size);
    return 0;
}
