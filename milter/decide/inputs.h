/*
 * inputs: everything that decide may look at: decide(snapshot, session, envelope, facts, people, memory,
 * past, now) → decision (semantics.md 1). No other input: no clock, no network, no disk, no random number.
 * All borrowed for the call.
 */
#ifndef MILTER_DECIDE_INPUTS_H
#define MILTER_DECIDE_INPUTS_H

#include "policy/autoptr.h"
#include "milter/conf/snapshot.h"
#include "policy/person/address.h"
#include "policy/person/directory.h"
#include "rules/facts.h"

struct envelope_recipient {
    struct address *address;
    char *rcpt_addr, *rcpt_host, *rcpt_mailer; /* Postfix's macros; NULL */
    char *notify, *orcpt;                      /* DSN parameters as given; NULL */
};

struct envelope {
    struct address *sender;
    char *parameters;      /* ESMTP parameters of MAIL as given ("RET=HDRS BODY=8BITMIME"); NULL */
    gboolean brackets;     /* the MAIL argument had angle brackets (local submission has none) */
    GPtrArray *recipients; /* struct envelope_recipient * in order */
    gboolean too_many;     /* more than the limit: the rest was not kept */
    char *queue_id;        /* NULL when not known */
};
struct envelope *envelope_new(void);
void envelope_free(struct envelope *envelope);
DEFINE_AUTOPTR(envelope, envelope_free)
struct envelope_recipient *envelope_add(struct envelope *envelope, const char *given);
/* MAIL's argument as given, with or without brackets, and its parameters (NULL none). */
void envelope_set_sender(struct envelope *envelope, const char *given, const char *parameters);

/* Why there may be no facts. */
enum facts_state {
    FACTS_HERE,
    FACTS_NONE_TRANSIENT,  /* a reader died or ran out of time: the first time */
    FACTS_NONE_PERSISTENT, /* … again on the same digest */
    FACTS_NONE_BUSY,       /* no reader was free in time: transient */
};

struct past;
struct approvals;

struct inputs {
    const struct snapshot *snapshot;
    const struct session *session;
    const struct envelope *envelope;
    const struct facts *facts; /* NULL unless FACTS_HERE */
    enum facts_state facts_state;
    gboolean too_large; /* the message is above `limits message size`: not inspected */
    /* every address, login and certificate of inputs_ask has been asked; answers may be UNAVAILABLE */
    const struct directory_query *people;
    const struct past *past;           /* what was decided for the same identity keys; NULL: nothing */
    const struct approvals *approvals; /* a recheck at release: what its slips have answered; NULL */
    gboolean clock_doubtful; /* the wall clock stands 5 min before the newest audit record (semantics.md 1):
                                what is bound to a time cannot be told now */
    gint64 now;              /* seconds since the epoch, taken once at end of message */
    gboolean explain; /* make the notes of check lines, which only decision_explain and decision_json print */
};

/* Adds to the query every question that decide will want answered for this session and sender (call at MAIL)
 * and recipient (at RCPT): one place that knows, for daemon, explain and tests. */
void inputs_ask_sender(struct directory_query *query, const struct snapshot *snapshot,
                       const struct session *session, const struct envelope *envelope);
void inputs_ask_recipient(struct directory_query *query, const struct snapshot *snapshot,
                          const struct envelope_recipient *recipient);
/* … and of the fields, once they are known: an author's address with a tag may be somebody else's as it
 * stands. */
void inputs_ask_authors(struct directory_query *query, const struct snapshot *snapshot,
                        const struct session *session, const struct facts *facts);

/*
 * What stands before the recipient in the identity key (semantics.md 7.4): class, login or zone of the
 * client, MAIL FROM; new string, parts divided by line ends. It asks the same questions as decide, so people
 * must be answered. One inputs with one facts state has one identity.
 */
char *inputs_identity(const struct inputs *inputs);

/* An address form that Postfix may rewrite after the filter (semantics.md 4.2): refuses the whole message. %
 * and ! matter with an inside domain only; the null address is strange as a recipient. */
gboolean inputs_is_strange(const struct snapshot *snapshot, const struct address *address);

/* Whether the authors with a tag are few enough to have been looked up. */
gboolean inputs_tagged_authors_asked(const struct snapshot *snapshot, const struct facts *facts);

/* A mailbox of a field as an address; NULL if a NUL makes it none. New. */
struct address *inputs_mailbox(const struct fact_mailbox *mailbox);

/* Who is behind an address: the exact one, then the one without its tag (4.1). */
struct person_answer inputs_person(const struct inputs *inputs, const struct address *address);

#endif
