/*
 * log_file: how SQLite's write-ahead log reaches the disk: in one write for each commit. SQLite itself writes
 * every page of 4 KB in two calls, sixty for a message of 50 KB, which is a fifth of all that keeping it
 * costs. What is written one behind the other is gathered, and goes out before anything that could tell the
 * difference: a sync, a read, a look at the length, the end. Only the log: the database itself is left to
 * SQLite. Internal to database.c.
 */
#ifndef MILTER_STORE_LOG_FILE_H
#define MILTER_STORE_LOG_FILE_H

/* The name for sqlite3_open_v2; registers it the first time. NULL: cannot be had. Any thread. */
const char *log_file_vfs(void);

#endif
