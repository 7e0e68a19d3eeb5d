/*
 * stream: sealed octets made without milter/store/seal.c, from what its header says of them: chunks of
 * AES-256-GCM around octets that need not be compressed ones. For tests and the fuzz target, which has no
 * test library.
 */
#ifndef TESTS_SUPPORT_STREAM_H
#define TESTS_SUPPORT_STREAM_H

#include <glib.h>
#include <openssl/evp.h>
#include <string.h>

/* packed: what stands in the chunks, at least one octet. New. */
static inline GByteArray *stream_seal(const guint8 key[32], const char *what, const void *packed,
                                      gsize length)
{
    GByteArray *out = g_byte_array_new();
    g_autofree char *bound = g_strconcat("miji seal 1 ", what, NULL);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    guint8 nonce[12] = {0}, tag[16], chunk[65536];
    int done = 0;

    for (gsize at = 0, piece; at < length; at += piece) {
        piece = MIN(length - at, sizeof chunk);
        nonce[11] = at + piece == length;
        guint32 number = GUINT32_TO_BE((guint32)(at / sizeof chunk));
        memcpy(nonce + 7, &number, 4);
        EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce);
        EVP_EncryptUpdate(cipher, NULL, &done, (const guint8 *)bound, (int)strlen(bound));
        EVP_EncryptUpdate(cipher, chunk, &done, (const guint8 *)packed + at, (int)piece);
        EVP_EncryptFinal_ex(cipher, chunk + done, &done);
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, tag);
        g_byte_array_append(out, chunk, (guint)piece);
        g_byte_array_append(out, tag, sizeof tag);
    }
    EVP_CIPHER_CTX_free(cipher);
    return out;
}

#endif
