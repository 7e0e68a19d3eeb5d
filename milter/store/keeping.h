/*
 * keeping: the one transaction of a message (semantics.md 7.3) while it is made: what is prepared on the
 * caller's thread, and what the job finds. Shared by keep.c, keep_hold.c, archive_row.c. Internal to
 * milter/store.
 */
#ifndef MILTER_STORE_KEEPING_H
#define MILTER_STORE_KEEPING_H

#include "milter/store/content.h"
#include "milter/store/job.h"
#include "milter/store/journal.h"
#include "milter/store/standing.h"

struct keeping {
    struct store *store;
    const struct store_message *message;
    const struct inputs *inputs;
    const struct decision *decision;
    gint64 now_ms;
    guint8 about[IDENTITY_BYTES];    /* key of the message */
    guint8 envelope[IDENTITY_BYTES]; /* key of the message to these recipients */
    guint8 told[IDENTITY_BYTES];     /* key of the message and what became of whom: of its notices */
    guint8 (*keys)[IDENTITY_BYTES];  /* of each decided recipient */
    struct content *content;         /* sealed; NULL: nothing is to be kept */
    GByteArray *record;              /* sealed session and envelope of the hold or kept copy; NULL none */
    GByteArray *archive_record;      /* the same of all recipients; NULL none */
    char *hold_id;                   /* of the hold or copy, if one is made */
    struct journal_entry *journal;
    /* what the job finds and makes */
    struct standing *standings; /* of each decided recipient */
    gint64 content_number;      /* 0: the row was not needed so far */
    gint64 hold;                /* new hold or kept copy; 0 none */
};

/* The row of the contents, once. 0 and error. */
gint64 keeping_content(struct keeping *keeping, struct database *database, GError **error);

/* Holds: a new one, a kept copy of a refusal, older ones that end or are seen again. */
gboolean keep_holds(struct keeping *keeping, struct database *database, GError **error);
/* Archive copies. */
gboolean keep_archives(struct keeping *keeping, struct database *database, GError **error);

#endif
