/* limits: everything in the store that mail, or time, could make large, on one screen. */
#ifndef MILTER_STORE_LIMITS_H
#define MILTER_STORE_LIMITS_H

/* ---- the database */
#define LIMIT_BUSY_MS 2000              /* for a lock that another program holds; then: unavailable */
#define LIMIT_STATEMENTS 400            /* kept prepared, for each connection */
#define LIMIT_CACHE_KB 8192             /* pages in memory, for each of the two connections */
#define LIMIT_LOG_BYTES (64 << 20)      /* what is kept of the write-ahead log's file once it was larger */
#define LOG_GATHERED_BYTES (120 << 10)  /* of the log, written at once; SQLite takes less than 128 KB */
#define LIMIT_CHECK_BYTES (256LL << 20) /* a larger database: not every page is read at the start */

/* ---- the writer */
#define LIMIT_BATCH_JOBS 64    /* of waiting callers in one transaction */
#define LIMIT_LATER_JOBS 20000 /* not waited for, in memory; one more is dropped and counted */
#define LIMIT_LATER_BATCH 500  /* of them in one transaction: callers wait for its end */
#define LATER_JOBS_DUE 100     /* so many do not wait for their second */
#define LATER_MS 1000
#define CHECKPOINT_PAGES 1000  /* so many pages of the log go to the database when nothing is to be done */
#define CHECKPOINT_IDLE_MS 200 /* … for so long */
#define CHECKPOINT_PAGES_BUSY 8000 /* … although there is something to be done: 32 MB */

/* ---- rows */
#define LIMIT_RECORD_BYTES (32 << 20) /* of session and envelope, of reasons, when read back */
#define LIMIT_RECORD_REASONS 1000     /* of one recipient, kept with a hold */
#define LIMIT_AUTHORS_BYTES 32768     /* of addresses in From, kept with a hold */
#define LIMIT_MESSAGE_ID_BYTES 998    /* RFC 5322 2.1.1: no line is longer */
#define AUDIT_RECIPIENTS 50           /* named in one record; the rest is a number */
#define DEFAULT_DEADLINE_MS ((gint64)72 * 3600 * 1000) /* of a queue that the configuration does not name */
#define DEFAULT_REMEMBER_MS ((gint64)7 * 86400 * 1000) /* … attempts, where there is no configuration */
#define ARCHIVE_FOREVER_MS G_GINT64_CONSTANT(253402300799000) /* end of 9999: no end is known */

/* ---- what is sealed (LIMIT_RECORD_BYTES at most, but contents) */
#define LIMIT_SPARE_ENGINES 8         /* contexts of compression and cipher that are kept for the next */
#define ENGINE_ROOM_BYTES (260 << 10) /* of each: as much as contents in a row may take */
#define SEAL_COMPRESSION 1            /* zstd's level: more costs more time than it saves of the disk's */

/* ---- identity keys in memory (32 to 64 octets each); with more of them the database is asked each time */
#define LIMIT_ATTEMPTS (1 << 20)

/* ---- contents */
#define LIMIT_CONTENT_BYTES (1LL << 30)
#define CONTENT_PIECE_BYTES (128 * 1024) /* read, sealed and written at a time */

/* ---- what store_tidy does in one transaction: callers wait for its end */
#define TIDY_HOLDS 100
#define TIDY_ATTEMPTS 1000

#endif
