/*
 * outbox: notices that wait to be sent (semantics.md 9). A notice is stored in the transaction of what it
 * tells, unique by message and kind, and sent by the way out until Postfix has it.
 */
#ifndef MILTER_STORE_OUTBOX_H
#define MILTER_STORE_OUTBOX_H

#include "milter/store/store.h"

enum notice_kind { NOTICE_OUTCOME /* N1 */, NOTICE_END /* N2 */, NOTICE_DIGEST };
const char *notice_kind_name(enum notice_kind kind); /* "outcome" */

struct notice {
    enum notice_kind kind;
    char *addressee; /* one address, for RCPT */
    char *reference; /* of the message that it tells of */
    char *text;      /* the whole message, CRLF, at most 8 KiB */
    gsize length;
    char *about; /* what makes it unique together with kind; NULL: it is one of its own. N1 and N2 that come
                    with a message or an end are unique by message, or by end and addressee, without it */
    gboolean is_failure; /* a DSN: goes out whatever the hour's bound is */
};
void notice_free(struct notice *notice);

struct outbox_entry {
    gint64 number;
    struct notice notice;
    guint tries;
    gint64 created_ms, next_ms;
};
void outbox_entry_free(struct outbox_entry *entry);
DEFINE_AUTOPTR(outbox_entry, outbox_entry_free)

/* Due at now_ms, oldest first, at most limit; none of which an attempt is open. */
GPtrArray *store_outbox_due(struct store *store, gint64 now_ms, guint limit, GError **error);
/* Sent to this addressee since then (for the bound of 30 an hour). */
guint store_outbox_sent(struct store *store, const char *addressee, gint64 since_ms);
/* These end an open attempt for it as well. */
gboolean store_outbox_sent_one(struct store *store, gint64 number, const char *queue_id, GError **error);
/* Try again at next_ms; why for `miji status`. */
gboolean store_outbox_failed(struct store *store, gint64 number, const char *why, gint64 next_ms,
                             GError **error);
/* Given up: never sent, recorded. */
gboolean store_outbox_drop(struct store *store, gint64 number, const char *why, GError **error);
/* A notice of its own. instead (may be NULL): numbers (gint64) of those that it lists: dropped in the same
 * step. */
gboolean store_outbox_add(struct store *store, const struct notice *notice, const GArray *instead,
                          GError **error);

#endif
