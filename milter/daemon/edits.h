/*
 * edits: what is changed of a message that is accepted (semantics.md 7.3.3): the sender's parameters, the
 * recipients that do not stay, the fields that are stripped; nothing else, in this order. A plan, made of the
 * decision before anything is sent: apply.c carries it out. Pure; it knows nothing of libmilter.
 */
#ifndef MILTER_DAEMON_EDITS_H
#define MILTER_DAEMON_EDITS_H

#include "milter/decide/decision.h"

enum edit_kind {
    EDIT_SENDER,    /* text: MAIL's address as given; parameters: what stands behind it from now on */
    EDIT_RECIPIENT, /* text: RCPT's address exactly as given, which is removed (4.2) */
    EDIT_FIELD,     /* text: name of a field, index: which one of that name, from 1; it is removed */
};
struct edit {
    enum edit_kind kind;
    const char *text; /* borrowed from the envelope, or constant */
    char *parameters; /* EDIT_SENDER; else NULL */
    guint index;
};

/*
 * The edits of a decision whose act is ACT_ACCEPT; release_fields: how many X-Miji-Release fields stood in
 * the message. struct edit *, valid as long as the decision's inputs. NULL when nobody would be left on the
 * message, or somebody who stays would go with somebody who does not: Postfix answers 250 to a message
 * without recipients and drops it (7.2.1), so such a decision must not be carried out.
 */
GPtrArray *edits_plan(const struct decision *decision, const struct envelope *envelope, guint release_fields);

#endif
