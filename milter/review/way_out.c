/* What is sent of a message (release.h): its pieces and their digest, without a copy of the contents. */
#include "milter/review/release.h"

#include <string.h>

#include "milter/review/token.h"

enum { PIECE_RECEIVED, PIECE_TOKEN };

static void add_piece(struct way_out *way_out, const void *octets, gsize length)
{
    struct smtp_piece piece = {octets, length};

    g_array_append_val(way_out->pieces, piece);
}

/* As token_digest: over all pieces but that of the token. */
static void take_digest(struct way_out *way_out)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize size = sizeof way_out->digest;

    for (guint i = 0; i < way_out->pieces->len; i++) {
        const struct smtp_piece *piece = &g_array_index(way_out->pieces, struct smtp_piece, i);
        if (i != PIECE_TOKEN)
            g_checksum_update(sum, piece->octets, (gssize)piece->length);
    }
    g_checksum_get_digest(sum, way_out->digest, &size);
}

struct way_out *way_out_new(char *received, const guint8 *octets, gsize length)
{
    struct way_out *way_out = g_new0(struct way_out, 1);
    gsize kept = 0, start = 0, end = 0;

    way_out->received = received;
    way_out->pieces = g_array_new(FALSE, FALSE, sizeof(struct smtp_piece));
    add_piece(way_out, received, strlen(received));
    add_piece(way_out, "", 0);
    /* A token that somebody forged when the message came: a delivery would have been without it. */
    while (token_find_field(octets, length, &start, &end)) {
        add_piece(way_out, octets + kept, start - kept);
        kept = start = end;
    }
    add_piece(way_out, octets + kept, length - kept);
    if (length == 0 || octets[length - 1] != '\n')
        add_piece(way_out, "\r\n", 2); /* SMTP cannot send the last line without it */
    take_digest(way_out);
    return way_out;
}

void way_out_set_token(struct way_out *way_out, const char *token)
{
    struct smtp_piece *piece = &g_array_index(way_out->pieces, struct smtp_piece, PIECE_TOKEN);

    g_free(way_out->token);
    way_out->token = g_strdup_printf(TOKEN_FIELD ": %s\r\n", token);
    *piece = (struct smtp_piece){way_out->token, strlen(way_out->token)};
}

void way_out_free(struct way_out *way_out)
{
    if (way_out == NULL)
        return;
    g_array_unref(way_out->pieces);
    g_free(way_out->received);
    g_free(way_out->token);
    g_free(way_out);
}
