/* archive_row: the archive copies that one message makes (semantics.md 12): unique by archive and digest, who
 * sent it to whom in rows of their own. To the digest of 7.4, which leaves fields out, that of all octets is
 * added: else a second message could hide in such a field behind the copy of the first. */
#include "milter/store/keeping.h"

#include "milter/store/limits.h"
#include "milter/store/raise.h"
#include "policy/label/label_record.h"

/* The end of one label; a term begins with the message, and what does not tell its end has none. */
static gint64 end_of(const struct label *label, gint64 now_ms)
{
    switch (label->duration.kind) {
    case DURATION_TERM:
        return MIN(now_ms + MIN(label->duration.term_seconds, ARCHIVE_FOREVER_MS / 1000) * 1000,
                   ARCHIVE_FOREVER_MS);
    case DURATION_UNTIL:
        return MIN(label->duration.until, ARCHIVE_FOREVER_MS / 1000) * 1000;
    case DURATION_EVENT:
    case DURATION_FOREVER:
        return ARCHIVE_FOREVER_MS;
    case DURATION_NONE:
        break;
    }
    return now_ms;
}

static gint64 keep_until(const struct archive *archive, const struct decision *decision, gint64 now_ms)
{
    gint64 until_ms = MIN(now_ms + archive->keep_ms, ARCHIVE_FOREVER_MS);

    if (!archive->for_label || decision->label == NULL)
        return until_ms;
    for (guint i = 0; i < decision->label->effective->labels->len; i++) {
        const struct label *label = g_ptr_array_index(decision->label->effective->labels, i);
        until_ms = MAX(until_ms, end_of(label, now_ms));
    }
    return until_ms;
}

/* What makes a copy unique. */
static void copy_key(const struct keeping *keeping, guint8 key[32])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize size = 32;

    g_checksum_update(sum, keeping->message->digest, 32);
    g_checksum_update(sum, content_digest(keeping->content), 32);
    g_checksum_get_digest(sum, key, &size);
}

static gboolean insert_copy(struct keeping *keeping, struct database *database, const struct archive *archive,
                            GError **error)
{
    static const char sql[] =
        "INSERT INTO archive_copy (id, archive, digest, at_ms, keep_until_ms, reference, display, label,"
        " system_high, size, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    const struct decision *decision = keeping->decision;
    g_autofree char *id = store_new_id();
    g_autofree char *label = decision->label != NULL ? label_set_record(decision->label->effective) : NULL;
    gint64 content = keeping_content(keeping, database, error);
    guint8 key[32];

    copy_key(keeping, key);
    return content != 0 &&
           database_run(database, error, sql,
                        "ttbii"
                        "tttii"
                        "i",
                        id, archive->name, key, (gsize)32, keeping->now_ms,
                        keep_until(archive, decision, keeping->now_ms), decision->reference,
                        keeping->journal->label, label, (gint64)(decision->system_high || label == NULL),
                        (gint64)keeping->message->length, content);
}

static const char *outcome_of(const struct decision *decision)
{
    gboolean stays = FALSE;

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->fate == FATE_HELD)
            return "held";
        stays |= recipient->fate == FATE_STAYS;
    }
    return stays ? "deliver" : "refuse";
}

/* The same to the same once more tells nothing new, unless it is delivered now. */
static gboolean join_envelope(struct keeping *keeping, struct database *database, gint64 copy, GError **error)
{
    static const char sql[] =
        "INSERT INTO archive_envelope (copy, about, at_ms, reference, outcome, hold, record)"
        " VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7)"
        " ON CONFLICT (copy, about) DO UPDATE SET outcome = excluded.outcome WHERE excluded.outcome = "
        "'deliver'";

    return database_run(database, error, sql, "ibittib", copy, keeping->envelope, (gsize)IDENTITY_BYTES,
                        keeping->now_ms, keeping->decision->reference, outcome_of(keeping->decision),
                        keeping->journal->hold, keeping->archive_record->data,
                        (gsize)keeping->archive_record->len);
}

static gboolean keep_one(struct keeping *keeping, struct database *database, const struct archive *archive,
                         GError **error)
{
    static const char known[] = "SELECT number FROM archive_copy WHERE archive = ?1 AND digest = ?2";
    static const char longer[] = "UPDATE archive_copy SET keep_until_ms = max(keep_until_ms, ?2)"
                                 " WHERE number = ?1";
    guint8 key[32];

    copy_key(keeping, key);
    gint64 copy = database_integer(database, 0, known, "tb", archive->name, key, (gsize)32);

    if (copy == 0) {
        if (!insert_copy(keeping, database, archive, error))
            return FALSE;
        copy = database_last_number(database);
    } else if (!database_run(database, error, longer, "ii", copy,
                             keep_until(archive, keeping->decision, keeping->now_ms)) ||
               !raise_label(keeping->store, database, RAISED_COPY, copy, keeping->decision, error)) {
        return FALSE;
    }
    return join_envelope(keeping, database, copy, error);
}

gboolean keep_archives(struct keeping *keeping, struct database *database, GError **error)
{
    const GPtrArray *archives = keeping->decision->archives;

    if (!job_step("keep.archives", error))
        return FALSE;
    for (guint i = 0; keeping->archive_record != NULL && i < archives->len; i++)
        if (!keep_one(keeping, database, g_ptr_array_index(archives, i), error))
            return FALSE;
    return TRUE;
}
