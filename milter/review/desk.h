/*
 * desk: what the commands of the control socket do: look at holds, vote, trace, archive. Each asks who it is,
 * acts, leaves an audit record, and gives a page or JSON in the asker's language. The daemon's control socket
 * calls desk_serve for every request that is not its own (status, reload).
 */
#ifndef MILTER_REVIEW_DESK_H
#define MILTER_REVIEW_DESK_H

#include "milter/conf/control.h"
#include "milter/review/review.h"

/* The answer's body goes to `answer`, octets as they are (show --raw, archive export). TRUE: done; FALSE: the
 * text says why not. An unknown word gives FALSE and *known FALSE. */
gboolean desk_serve(struct review *review, guint uid, const struct control_request *request, GString *answer,
                    gboolean *known);

#endif
