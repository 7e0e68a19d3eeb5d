/*
 * Attack surface: the value of a header field as anybody writes it, in every reading; and the address list in
 * it. Beyond not crashing: what comes out is UTF-8, and plain text without = comes out as it was.
 */
#include "milter/inspect/encoded_word.h"

#include <stdint.h>
#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean is_open;
    const char *value = size > 0 ? (const char *)data : "";
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);

    is_open = is_open || charset_open_all();
    g_assert_true(is_open);
    for (enum reading reading = READING_DECLARED; reading < READING_COUNT; reading++) {
        g_string_truncate(out, 0);
        encoded_word_decode(value, size, reading, out);
        for (gsize at = 0; at < out->len; at++) {
            if (out->str[at] == '\0')
                out->str[at] = ' ';
        }
        g_assert_true(g_utf8_validate_len(out->str, out->len, NULL));
        if (memchr(value, '=', size) == NULL && octets_are_ascii(value, size))
            g_assert_cmpuint(out->len, ==, size);
    }
    mailboxes_parse(out->str, out->len, addresses);
    for (guint i = 0; i < addresses->len; i++)
        g_assert_nonnull(strchr(addresses->pdata[i], '@'));
    return 0;
}
