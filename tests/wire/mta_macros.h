/*
 * What Postfix 3.7 knows at each stage and tells as macros (smtpd_milter.c, cleanup_milter.c): its default
 * lists, or those that the filter asked for. Part of the client in mta.h; not for tests.
 */
#ifndef TESTS_WIRE_MTA_MACROS_H
#define TESTS_WIRE_MTA_MACROS_H

#include "tests/wire/mta_message.h"

/* The session and the message in it, as far as it has come. */
struct mta_state {
    struct mta_client client; /* texts are owned */
    bool is_tls;              /* the second HELO was said */
    char *sender;             /* canonical, without brackets; NULL outside a message */
    char *recipient;          /* the last one */
    char *queue_id;           /* NULL until the first recipient was taken */
    char *coming_queue_id;    /* the one it will have */
    bool is_content;          /* after DATA: cleanup(8) speaks, which knows less */
    unsigned messages;
};

struct mta_state *mta_state_new(const struct mta_client *client);
void mta_state_free(void *state);

/* Begins and ends a message: MAIL; after the reply, or an abort. `sender` without brackets. */
void mta_state_begin(struct mta_state *state, const char *sender, const char *queue_id);
void mta_state_end(struct mta_state *state);

/* The macros before `event`: name, value, … NULL. Free with g_strfreev. */
char **mta_state_macros(const struct mta_state *state, const struct mta_terms *terms, char event);

/* "<B@X.test> NOTIFY=NEVER" → "b@x.test", the form of {mail_addr} and {rcpt_addr}. Caller frees. */
char *mta_canonical_address(const char *argument);

#endif
