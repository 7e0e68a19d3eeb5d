#include "milter/review/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define VERSION "v1"
#define KEY_BYTES 32
#define MAC_BYTES 32
#define ID_MAX 64

/* ---------------------------------------------------------------- the digest */

/* End of the field that begins at `at`: behind the line end of its last line (RFC 5322 2.2.3). */
static gsize field_end(const guint8 *octets, gsize length, gsize at)
{
    do {
        const guint8 *newline = memchr(octets + at, '\n', length - at);
        at = newline != NULL ? (gsize)(newline - octets) + 1 : length;
    } while (at < length && (octets[at] == ' ' || octets[at] == '\t'));
    return at;
}

static gboolean is_header_end(const guint8 *octets, gsize length, gsize at)
{
    return at >= length || octets[at] == '\n' ||
           (octets[at] == '\r' && at + 1 < length && octets[at + 1] == '\n');
}

static gboolean is_token_field(const guint8 *octets, gsize length)
{
    const gsize name = strlen(TOKEN_FIELD);

    if (length <= name || g_ascii_strncasecmp((const char *)octets, TOKEN_FIELD, name) != 0)
        return FALSE;
    for (gsize i = name; i < length; i++)
        if (octets[i] != ' ' && octets[i] != '\t')
            return octets[i] == ':';
    return FALSE;
}

gboolean token_find_field(const guint8 *octets, gsize length, gsize *start, gsize *end)
{
    for (gsize at = *start; !is_header_end(octets, length, at); at = *end) {
        *end = field_end(octets, length, at);
        if (is_token_field(octets + at, *end - at)) {
            *start = at;
            return TRUE;
        }
    }
    *start = *end = length;
    return FALSE;
}

void token_digest(const void *octets, gsize length, guint8 digest[32])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    const guint8 *all = octets;
    gsize kept = 0, start = 0, end = 0, size = 32;

    while (token_find_field(all, length, &start, &end)) {
        g_checksum_update(sum, all + kept, (gssize)(start - kept));
        kept = start = end;
    }
    g_checksum_update(sum, all + kept, (gssize)(length - kept));
    g_checksum_get_digest(sum, digest, &size);
}

/* ---------------------------------------------------------------- the token */

/* Lengths in front, so that no two lists of recipients read alike. */
static void add_text(GByteArray *said, const char *text)
{
    guint32 length = GUINT32_TO_BE((guint32)strlen(text));

    g_byte_array_append(said, (const guint8 *)&length, sizeof length);
    g_byte_array_append(said, (const guint8 *)text, (guint)strlen(text));
}

static void mac_of(const guint8 *key, const struct attempt *attempt, const guint8 digest[32],
                   const GPtrArray *given, guint8 mac[MAC_BYTES])
{
    g_autoptr(GByteArray) said = g_byte_array_new();
    guint64 expires = GUINT64_TO_BE((guint64)attempt->expires_ms);
    unsigned int length = MAC_BYTES;

    add_text(said, "miji release " VERSION); /* the store's secret has other uses */
    add_text(said, attempt->id);
    g_byte_array_append(said, digest, 32);
    g_byte_array_append(said, (const guint8 *)&expires, sizeof expires);
    for (guint i = 0; i < given->len; i++)
        add_text(said, g_ptr_array_index(given, i));
    HMAC(EVP_sha256(), key, KEY_BYTES, said->data, said->len, mac, &length);
}

static char *hex(const guint8 *octets, gsize length)
{
    GString *out = g_string_sized_new(2 * length);

    for (gsize i = 0; i < length; i++)
        g_string_append_printf(out, "%02x", octets[i]);
    return g_string_free(out, FALSE);
}

char *token_make(const guint8 *key, const struct attempt *attempt)
{
    guint8 mac[MAC_BYTES];

    mac_of(key, attempt, attempt->digest, attempt->recipients, mac);
    g_autofree char *text = hex(mac, sizeof mac);
    return g_strdup_printf(VERSION " %s %" G_GINT64_FORMAT " %s", attempt->id, attempt->expires_ms, text);
}

static gboolean consists_of(const char *text, const char *characters, gsize least, gsize most)
{
    gsize length = strspn(text, characters);

    return text[length] == '\0' && length >= least && length <= most;
}

/* The four words; NULL when they are not what token_make writes. */
static char **words_of(const char *token)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    g_auto(GStrv) words = strlen(token) < 256 ? g_strsplit(token, " ", 5) : NULL;

    if (words == NULL || g_strv_length(words) != 4 || strcmp(words[0], VERSION) != 0 ||
        !consists_of(words[1], letters, 1, ID_MAX) || !consists_of(words[2], "0123456789", 1, 18) ||
        !consists_of(words[3], "0123456789abcdef", 2 * MAC_BYTES, 2 * MAC_BYTES))
        return NULL;
    return g_steal_pointer(&words);
}

char *token_attempt(const char *token)
{
    g_auto(GStrv) words = words_of(token);

    return words != NULL ? g_strdup(words[1]) : NULL;
}

gboolean token_is_good(const guint8 *key, const struct attempt *attempt, const char *token,
                       const guint8 digest[32], const GPtrArray *given, gint64 now_ms)
{
    g_auto(GStrv) words = words_of(token);
    guint8 mac[MAC_BYTES];

    if (words == NULL || strcmp(words[1], attempt->id) != 0 ||
        g_ascii_strtoll(words[2], NULL, 10) != attempt->expires_ms || now_ms >= attempt->expires_ms ||
        CRYPTO_memcmp(digest, attempt->digest, 32) != 0)
        return FALSE;
    mac_of(key, attempt, digest, given, mac);
    g_autofree char *expected = hex(mac, sizeof mac);
    return CRYPTO_memcmp(expected, words[3], 2 * MAC_BYTES) == 0;
}
