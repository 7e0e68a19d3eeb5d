/*
 * release: the way out of a hold (semantics.md 10, rows 4 to 11; 12.4): recheck, attempt, SMTP to the release
 * listener, and what follows from its answer. The releaser thread does this for what is due; people settle by
 * hand what is in doubt.
 */
#ifndef MILTER_REVIEW_RELEASE_H
#define MILTER_REVIEW_RELEASE_H

#include "milter/review/recheck.h"
#include "milter/review/smtp.h"
#include "milter/store/attempt.h"

/* `miji release ID --again`: what is in doubt is held again and sent at the next look; an approved hold that
 * waits is tried now. who: main address, for the audit. ABSENT: there is nothing to be tried again. */
gboolean release_again(struct review *review, const struct hold *hold, const char *who, GError **error);
/* `miji release ID --done`: what is in doubt has arrived, says who. ABSENT: nothing is in doubt. */
gboolean release_done(struct review *review, const struct hold *hold, const char *who, GError **error);

/* What is sent of a message: pieces in order, some of them the caller's octets. */
struct way_out {
    char *received; /* one field, or "" */
    GArray *pieces; /* struct smtp_piece; [1] is the token's, empty until way_out_set_token */
    char *token;    /* the whole field */
    guint8 digest[32];
};
/* received: whole field with CRLF, "" none; taken over. octets: the message, borrowed until the end; its
 * X-Miji-Release fields are left out, a last line end is added where there is none. */
struct way_out *way_out_new(char *received, const guint8 *octets, gsize length);
void way_out_set_token(struct way_out *way_out, const char *token);
void way_out_free(struct way_out *way_out);
DEFINE_AUTOPTR(way_out, way_out_free)

#endif
