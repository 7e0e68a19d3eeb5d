/*
 * journal: a row for each message and each of its recipients, for trace (semantics.md 12). Internal to
 * milter/store.
 */
#ifndef MILTER_STORE_JOURNAL_H
#define MILTER_STORE_JOURNAL_H

#include "milter/store/store_private.h"

struct journal_recipient {
    char *canonical;
    enum verdict verdict;
    enum fate fate;
    const char *reason; /* static; NULL */
};

struct journal_entry {
    gint64 at_ms;
    char *reference, *queue_id, *message_id, *sender, *zone, *label,
        *snapshot_hash; /* may be NULL but sender */
    enum sender_class class;
    enum act act;
    guint generation;
    guint8 about[IDENTITY_BYTES];
    gint64 hold;        /* of its held recipients; 0 none */
    gboolean is_again;  /* nothing is new in it: all recipients are held already, or taken care of */
    GArray *recipients; /* struct journal_recipient */
};

/* Copies what is needed; NULL-safe free. about: key of the message. */
struct journal_entry *journal_entry_new(const struct store_message *message,
                                        const guint8 about[IDENTITY_BYTES]);
void journal_entry_free(struct journal_entry *entry);
DEFINE_AUTOPTR(journal_entry, journal_entry_free)

/* In a job: the rows; what came before and says the same is counted. *first (may be NULL): no deferral of
 * this message is known so far. */
gboolean journal_write(struct database *database, const struct journal_entry *entry, gboolean *first,
                       GError **error);

/* The Message-ID as it is asked for, without brackets; NULL if there is none. New. */
char *journal_message_id(const struct facts *facts);

#endif
