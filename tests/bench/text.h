/*
 * Messages for measurements: text mixed of Chinese and English, the same in every run.
 */
#ifndef TESTS_BENCH_TEXT_H
#define TESTS_BENCH_TEXT_H

#include <glib.h>

/* About `bytes` of text in lines of at most 76 bytes, UTF-8, CRLF; not below 100 bytes. Caller frees. */
char *bench_text(gsize bytes);

/* The eleven fields of message `number`, as mta_message.h takes them; free with g_strfreev. */
char **bench_fields(const char *from, const char *to, guint number);

#endif
