/*
 * Attack surface: any mail that anybody in the world sends: header, address lists, encoded-words, MIME
 * structure, transfer encodings, charsets, HTML, lines; all that a worker does with it, in this process.
 * Beyond not crashing: the answer is one that facts_read takes, twice the same.
 */
#include "milter/inspect/reader.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/facts_touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer *answer, *again;
    static struct inspect_limits limits;
    const GByteArray *flat, *other;

    if (answer == NULL) {
        g_assert_true(inspect_prepare());
        answer = answer_new();
        again = answer_new();
        inspect_limits_init(&limits);
    }
    inspect_message(data, size, &limits, answer);
    flat = answer_finish(answer, size);
    g_autoptr(facts) facts = facts_read(flat->data, flat->len, NULL);
    g_assert_nonnull(facts);
    facts_touch(facts);
    inspect_message(data, size, &limits, again);
    other = answer_finish(again, size);
    g_assert_cmpmem(flat->data, flat->len, other->data, other->len);
    return 0;
}
