/* trace: what happened to a message: the journal, with what holds and releases added (semantics.md 12). */
#ifndef MILTER_STORE_TRACE_H
#define MILTER_STORE_TRACE_H

#include "milter/store/store.h"

struct trace_recipient {
    char *canonical;
    char *verdict;  /* deliver, refuse, hold, defer, then held … released, as it is now */
    char *reason;   /* id; NULL */
    char *queue_id; /* under which it was released; NULL */
    gint64 changed_ms;
};
struct trace_line {
    gint64 at_ms;
    char *reference, *queue_id, *message_id, *sender, *class, *zone, *label, *act, *hold; /* NULL: none */
    guint count;           /* times it came (deferrals, seen again) */
    GPtrArray *recipients; /* struct trace_recipient * */
};
void trace_line_free(struct trace_line *line);

/* what: an address (sender or recipient), a Message-ID with or without brackets, a reference with or without
 * "MIJI-", a queue id, or a hold's id. Newest last, at most limit. Asks that what is still in memory be
 * written first. */
GPtrArray *store_trace(struct store *store, const char *what, guint limit, GError **error);

#endif
