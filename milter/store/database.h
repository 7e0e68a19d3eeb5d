/*
 * database: one SQLite connection and its prepared statements, the only place (with schema.c) that includes
 * sqlite3.h. Statements are text constants, prepared once and kept. A database belongs to one thread at a
 * time. Internal to milter/store.
 */
#ifndef MILTER_STORE_DATABASE_H
#define MILTER_STORE_DATABASE_H

#include "policy/autoptr.h"
#include <glib.h>

/*
 * A connection that met an error of the disk opens itself anew at its next statement outside a transaction,
 * so that it works again when the trouble is over. No sentence of an error names what stood in a statement.
 */
struct database;
/* WAL, synchronous FULL; the file is made (0600) unless read_only, which only reads. */
struct database *database_open(const char *path, gboolean read_only, GError **error);
void database_close(struct database *database);
DEFINE_AUTOPTR(database, database_close)

/*
 * Runs a statement that gives no rows. types: a letter for each value: 't' const char * (NULL is null), 'i'
 * gint64, 'b' const void * and gsize (NULL is null; borrowed for the call), 'n' null. FALSE and error
 * (STORE_ERROR) when it failed; a broken UNIQUE is STORE_ERROR_CHANGED.
 *
 *     database_run(db, error, "UPDATE slip SET version = version + 1 WHERE number = ?1 AND version = ?2",
 * "ii", slip, version) && database_changes(db) == 1
 */
gboolean database_run(struct database *database, GError **error, const char *sql, const char *types, ...);
/* Rows that the last database_run changed. */
gint64 database_changes(struct database *database);
gint64 database_last_number(struct database *database);
/* Several statements without values: schema, pragmas. */
gboolean database_script(struct database *database, const char *sql, GError **error);

/* Is a transaction open? SQLite ends it by itself when the disk is full or broken. */
gboolean database_in_transaction(const struct database *database);
/* Pages that stand in the write-ahead log as of the last commit, and not yet in the database itself. */
guint database_log_pages(const struct database *database);
/* Brings them there as far as no reader is in the way; FALSE when the disk is in trouble. */
gboolean database_checkpoint(struct database *database, GError **error);
const char *database_path(const struct database *database);

/* Rows: begin, next until it is not ROW, always end. Texts and octets are valid until the next call. */
struct rows;
enum rows_answer { ROWS_ROW, ROWS_END, ROWS_FAILED };
struct rows *rows_begin(struct database *database, const char *sql, const char *types, ...);
enum rows_answer rows_next(struct rows *rows, GError **error);
gint64 rows_integer(struct rows *rows, int column);
const char *rows_text(struct rows *rows, int column);                  /* NULL for null */
const void *rows_octets(struct rows *rows, int column, gsize *length); /* NULL for null, and for none */
void rows_end(struct rows *rows);
DEFINE_AUTOPTR(rows, rows_end)
/* The first integer of the first row; fallback when there is none or it failed. */
gint64 database_integer(struct database *database, gint64 fallback, const char *sql, const char *types, ...);

#endif
