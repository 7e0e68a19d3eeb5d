#include "milter/store/schema.h"

#include "milter/store/store.h"

/*
 * Times are milliseconds since the epoch. Numbers are rowids. `sealed` octets are seal.h's. Labels stand
 * twice: as people read them, and in a form that today's schemes can read again (label_record.h).
 */
static const char tables[] =
    /* "secret": that for keyed hashes (K), wrapped by the store key once there is one; "key mark": by which
     * that key is recognised; "settled": changed to be sure of the log after a commit that failed */
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    /* older store keys, each wrapped by the next */
    "CREATE TABLE keyring (key_mark BLOB PRIMARY KEY, wrapped_by BLOB NOT NULL, wrapped BLOB NOT NULL)"
    " WITHOUT ROWID;"

    /* one message as presented: in the row up to 256 KB, else in a file of that name */
    "CREATE TABLE content (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, size INTEGER NOT NULL,"
    " key_mark BLOB NOT NULL, wrapped_key BLOB NOT NULL, sealed BLOB, file TEXT);"
    "CREATE UNIQUE INDEX content_file ON content (file) WHERE file IS NOT NULL;"

    /* kind: 0 hold, 1 refused copy; record: sealed session and envelope; about: identity without recipient. A
     * number is never used again: journal and archive name it when the hold is gone */
    "CREATE TABLE hold (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " kind INTEGER NOT NULL, at_ms INTEGER NOT NULL, reference TEXT NOT NULL, queue_id TEXT, class INTEGER "
    "NOT NULL, login TEXT,"
    " sender TEXT NOT NULL, zone TEXT NOT NULL, person TEXT, owner_address TEXT, authors TEXT NOT NULL,"
    " size INTEGER NOT NULL, digest BLOB NOT NULL, about BLOB NOT NULL, content INTEGER NOT NULL,"
    " record BLOB NOT NULL, display TEXT, label TEXT, system_high INTEGER NOT NULL, courtesy INTEGER NOT "
    "NULL,"
    " answered INTEGER NOT NULL DEFAULT 0, seen_again INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT "
    "NULL,"
    " snapshot_hash TEXT NOT NULL, closed_ms INTEGER);"
    "CREATE INDEX hold_reference ON hold (reference);"
    "CREATE INDEX hold_about ON hold (about);"
    "CREATE INDEX hold_content ON hold (content);"
    "CREATE INDEX hold_open ON hold (at_ms) WHERE closed_ms IS NULL;"
    "CREATE INDEX hold_closed ON hold (closed_ms) WHERE closed_ms IS NOT NULL;"

    /* state: enum hold_state; key: identity key of the recipient; reasons: a record */
    "CREATE TABLE hold_recipient (hold INTEGER NOT NULL, position INTEGER NOT NULL, canonical TEXT NOT NULL,"
    " key BLOB NOT NULL, state INTEGER NOT NULL, via_later INTEGER NOT NULL DEFAULT 0,"
    " changed_ms INTEGER NOT NULL, queue_id TEXT, leading TEXT NOT NULL, reasons BLOB NOT NULL,"
    " PRIMARY KEY (hold, position)) WITHOUT ROWID;"
    "CREATE INDEX hold_recipient_key ON hold_recipient (key);"
    "CREATE INDEX hold_recipient_canonical ON hold_recipient (canonical);"
    "CREATE INDEX hold_recipient_queue_id ON hold_recipient (queue_id) WHERE queue_id IS NOT NULL;"

    "CREATE TABLE slip (number INTEGER PRIMARY KEY, hold INTEGER NOT NULL, queue TEXT NOT NULL,"
    " version INTEGER NOT NULL DEFAULT 1, approved_ms INTEGER, failing INTEGER NOT NULL DEFAULT 0,"
    " trouble TEXT, stated TEXT, deadline_ms INTEGER NOT NULL, next_try_ms INTEGER,"
    " passed_us INTEGER);" /* monotonic time of the first look after the deadline */
    "CREATE INDEX slip_hold ON slip (hold);"
    "CREATE INDEX slip_due ON slip (next_try_ms) WHERE next_try_ms IS NOT NULL;"
    "CREATE TABLE vote (number INTEGER PRIMARY KEY, hold INTEGER NOT NULL, slip INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, person TEXT NOT NULL, what TEXT NOT NULL, label TEXT, note TEXT,"
    " digest BLOB NOT NULL, snapshot_hash TEXT NOT NULL);"
    "CREATE INDEX vote_hold ON vote (hold);"

    "CREATE TABLE attempt (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL,"
    " hold INTEGER, notice INTEGER, at_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, queue_id TEXT,"
    " digest BLOB NOT NULL, given TEXT NOT NULL, canonical TEXT NOT NULL);"
    "CREATE INDEX attempt_open ON attempt (number) WHERE state < 3;"
    "CREATE INDEX attempt_hold ON attempt (hold) WHERE hold IS NOT NULL;"

    /* identity keys that were answered 4xx; own_since_ms: the defer clock, null while it does not run */
    "CREATE TABLE deferred (key BLOB PRIMARY KEY, first_ms INTEGER NOT NULL, own_since_ms INTEGER,"
    " last_ms INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX deferred_last ON deferred (last_ms);"

    /* state: 0 waits, 1 sent, 2 given up or in a digest */
    "CREATE TABLE notice (number INTEGER PRIMARY KEY, about BLOB NOT NULL, kind INTEGER NOT NULL,"
    " addressee TEXT NOT NULL, reference TEXT NOT NULL, is_failure INTEGER NOT NULL, text BLOB,"
    " created_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, why TEXT,"
    " state INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER, queue_id TEXT, UNIQUE (about, kind));"
    "CREATE INDEX notice_due ON notice (next_ms) WHERE state = 0;"
    "CREATE INDEX notice_sent ON notice (addressee, ended_ms) WHERE state = 1;"

    "CREATE TABLE archive_copy (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, archive TEXT NOT NULL,"
    " digest BLOB NOT NULL, at_ms INTEGER NOT NULL, keep_until_ms INTEGER NOT NULL, reference TEXT NOT NULL,"
    " display TEXT, label TEXT, system_high INTEGER NOT NULL, size INTEGER NOT NULL, content INTEGER NOT "
    "NULL,"
    " UNIQUE (archive, digest));"
    "CREATE INDEX archive_copy_at ON archive_copy (at_ms);"
    "CREATE INDEX archive_copy_content ON archive_copy (content);"
    /* who sent it to whom: one row for each set of recipients; record is sealed: Bcc stands nowhere else;
     * about: keyed hash of identity and recipients */
    "CREATE TABLE archive_envelope (copy INTEGER NOT NULL, about BLOB NOT NULL, at_ms INTEGER NOT NULL,"
    " reference TEXT NOT NULL, outcome TEXT NOT NULL, hold INTEGER, record BLOB NOT NULL,"
    " PRIMARY KEY (copy, about)) WITHOUT ROWID;"
    "CREATE INDEX archive_envelope_hold ON archive_envelope (hold) WHERE hold IS NOT NULL;"

    "CREATE TABLE journal (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, reference TEXT NOT NULL,"
    " queue_id TEXT, message_id TEXT, sender TEXT NOT NULL, class INTEGER NOT NULL, zone TEXT NOT NULL,"
    " label TEXT, act INTEGER NOT NULL, hold INTEGER, generation INTEGER NOT NULL, snapshot_hash TEXT NOT "
    "NULL,"
    " about BLOB NOT NULL, count INTEGER NOT NULL DEFAULT 1, last_ms INTEGER NOT NULL);"
    "CREATE INDEX journal_reference ON journal (reference);"
    "CREATE INDEX journal_queue_id ON journal (queue_id);"
    "CREATE INDEX journal_message_id ON journal (message_id);"
    "CREATE INDEX journal_sender ON journal (sender);"
    "CREATE INDEX journal_hold ON journal (hold) WHERE hold IS NOT NULL;"
    "CREATE INDEX journal_again ON journal (about) WHERE act <> 0;" /* all but what was accepted */
    "CREATE TABLE journal_recipient (journal INTEGER NOT NULL, position INTEGER NOT NULL,"
    " canonical TEXT NOT NULL, verdict INTEGER NOT NULL, fate INTEGER NOT NULL, reason TEXT,"
    " PRIMARY KEY (journal, position)) WITHOUT ROWID;"
    "CREATE INDEX journal_recipient_canonical ON journal_recipient (canonical);"

    /* none is ever removed, so numbers only rise */
    "CREATE TABLE audit (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL,"
    " who TEXT NOT NULL, object TEXT, detail TEXT);"
    "CREATE INDEX audit_object ON audit (object);"
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit"
    " BEGIN SELECT raise(ABORT, 'audit records are only ever added'); END;"
    "CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit"
    " BEGIN SELECT raise(ABORT, 'audit records are only ever added'); END;";

/* Of the file, for file(1) and for us: not any SQLite database is ours. "Miji". */
#define APPLICATION 0x4d696a69

gboolean schema_is_new(struct database *database)
{
    return database_integer(database, -1, "SELECT count(*) FROM sqlite_schema", "") == 0;
}

gboolean schema_prepare(struct database *database, GError **error)
{
    gint64 version = database_integer(database, -1, "PRAGMA user_version", "");
    gint64 application = database_integer(database, -1, "PRAGMA application_id", "");
    g_autofree char *stamp =
        g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION, SCHEMA_VERSION);
    g_autofree char *all = NULL;

    if (version == SCHEMA_VERSION && application == APPLICATION)
        return TRUE;
    if (version != 0 || application != 0 || !schema_is_new(database)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    application == APPLICATION && version > SCHEMA_VERSION
                        ? "%s: has version %" G_GINT64_FORMAT
                          ", this program knows up to %d: it was written by a newer one; start that one, or "
                          "bring back a backup from before"
                        : "%s: is no database of this program, or damaged (version %" G_GINT64_FORMAT
                          ", %d expected): name another \"state\", or bring back a backup",
                    database_path(database), version, SCHEMA_VERSION);
        return FALSE;
    }
    all = g_strconcat("BEGIN IMMEDIATE;", tables, stamp, "COMMIT;", NULL);
    if (database_script(database, all, error))
        return TRUE;
    if (database_in_transaction(database))
        database_script(database, "ROLLBACK;", NULL);
    return FALSE;
}
