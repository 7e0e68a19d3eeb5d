/*
 * archive: copies as presented, kept durably before the answer (semantics.md 12). Unique by archive and
 * digest; who got it is joined by envelope, inside the sealed record.
 */
#ifndef MILTER_STORE_ARCHIVE_H
#define MILTER_STORE_ARCHIVE_H

#include "milter/store/hold.h"

struct archive_copy {
    gint64 number;
    char *id; /* as a hold's */
    char *archive;
    gint64 at_ms, keep_until_ms;
    char *reference, *display, *label_text;
    struct label_set *label; /* as in struct hold */
    guint64 size;
    char *sender;          /* from the sealed record; canonical; "?" when that is damaged */
    GPtrArray *recipients; /* char *, canonical, from the sealed record: Bcc included */
    char *outcome;         /* "deliver", "hold", "released"… as far as known */
};
void archive_copy_free(struct archive_copy *copy);
DEFINE_AUTOPTR(archive_copy, archive_copy_free)

struct archive_filter {
    const char *archive;       /* NULL: any */
    gint64 since_ms, until_ms; /* 0: open */
    guint limit;
};
GPtrArray *store_archive_list(struct store *store, const struct schemes *schemes,
                              const struct archive_filter *filter, GError **error);
struct archive_copy *store_archive_find(struct store *store, const struct schemes *schemes, const char *name,
                                        GError **error);
guint8 *store_archive_contents(struct store *store, const struct archive_copy *copy, gsize *length,
                               GError **error);

#endif
