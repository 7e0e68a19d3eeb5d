/*
 * decision: what is to happen with one message: a verdict for each recipient with all reasons, the act for
 * the whole message, the reply. A value: decide has no side effects and the same inputs give the same
 * decision, byte for byte (semantics.md 13.8). Daemon, explain, rule tests and simulation share it. Owned by
 * the caller; holds no borrowed strings but those of the snapshot.
 */
#ifndef MILTER_DECIDE_DECISION_H
#define MILTER_DECIDE_DECISION_H

#include "policy/autoptr.h"
#include "milter/conf/review.h"
#include "milter/decide/inputs.h"
#include "milter/decide/past.h"
#include "policy/check/reason.h"
#include "policy/label/effective.h"

enum verdict { VERDICT_DELIVER, VERDICT_HOLD, VERDICT_DEFER, VERDICT_REFUSE }; /* rising strictness */
const char *verdict_name(enum verdict verdict, enum language language);        /* deliver 投递 … */

enum sender_class {
    SENDER_PERSON, /* S1 */
    SENDER_PEER,   /* S2 */
    SENDER_DEVICE, /* SD */
    SENDER_OUTSIDE /* S3 */
};
const char *sender_class_name(enum sender_class class); /* "person", "peer", "device", "outside" */

/* What the connection and the directory say of the sender (semantics.md section 3). */
struct decided_sender {
    enum sender_class class;
    const struct zone *zone;     /* of origin */
    const struct person *person; /* S1: who is logged in; borrowed from the query */
    const struct person *post;   /* whose clearance From asks for; today always the person */
    gboolean told;               /* S1 or S2 with a MAIL FROM that is not null */
    const struct level *device_level;
    const struct scheme *device_scheme;
};

/* One answer of one check, kept for explain, permit included. */
struct check_line {
    enum check_id check;
    enum check_answer answer;
    gint reason;             /* enum reason_id, or -1 */
    char *note_en, *note_zh; /* what was compared: "secret of <bo@…> ≥ 机密", for explain; NULL */
};

/* What becomes of one recipient when the act is carried out (semantics.md 7.2, 13.10). */
enum fate {
    FATE_STAYS,    /* left on the message, which is accepted */
    FATE_HELD,     /* kept in a hold (a new one, or the one that past names), taken off the message */
    FATE_REFUSED,  /* taken off and told, or the whole message is answered 5xx */
    FATE_DEFERRED, /* the whole message is answered 4xx */
    FATE_SETTLED,  /* past has taken care of it: taken off, nobody is told */
    FATE_KEPT      /* refused on the local socket: discarded, a copy is kept for the officers */
};
const char *fate_name(enum fate fate); /* "held" */

struct decided_recipient {
    const struct envelope_recipient *first; /* the first RCPT of this canonical address */
    GPtrArray *forms; /* const struct envelope_recipient *: each given form, deleted exactly as it came */
    const struct zone *zone;
    const struct person *person; /* or NULL */
    enum answer_state person_state;
    enum verdict verdict; /* of today; DELIVER when settled */
    /* where it is held: verdict HOLD, or REFUSE where `outside mixed hold refused` keeps it; NULL; borrowed
     */
    const char *queue;
    /* Under REFUSE and DEFER that of everybody, but for those of whom past takes care: they stay SETTLED, or
     * HELD in the hold that is open. An open hold ends when the verdict of today is carried out: STAYS
     * releases it, verdict REFUSE with REFUSED or KEPT refuses it (7.4). */
    enum fate fate;
    const struct past_entry *past; /* never NULL; borrowed from the inputs, or constant */
    GPtrArray *reasons; /* struct reason *, all of them, message reasons included, in order of precedence */
    const struct reason *leading; /* the first among those of the verdict's strictness; NULL for deliver */
    GArray *checks;               /* struct check_line: checks 10–13; message checks are in the decision */
};

/* The act on the whole message (semantics.md 7.2). */
enum act {
    ACT_ACCEPT,  /* some stay: accept, with the edits */
    ACT_DISCARD, /* 250, nothing is delivered from here: all is held, kept or settled; nothing is edited */
    ACT_REFUSE,  /* 5xx */
    ACT_DEFER,   /* 4xx */
};
const char *act_name(enum act act);

struct reply {
    guint code; /* 250, 451, 550 … */
    char *dsn;  /* "5.7.1" */
    /* ASCII, ends in "[MIJI-xxxxxx]" for 4xx and 5xx; never a CR, LF; '%' doubled by the daemon */
    char *text;
};

/* What proves to the way out that a message is a release (semantics.md 12.4). Anywhere else it is forged. */
#define RELEASE_TOKEN_FIELD "X-Miji-Release"

struct decision {
    struct decided_sender sender;
    struct effective *label; /* NULL with facts = none */
    GPtrArray *claims;       /* struct claim *, owned: label borrows from it */
    GArray *checks;          /* struct check_line: message checks 1–9 */
    GPtrArray *reasons;      /* struct reason *: message reasons */
    GPtrArray *recipients;   /* struct decided_recipient * */
    enum act act;
    gboolean holds;        /* some recipient is FATE_HELD without an open hold: a new hold is made */
    gboolean keeps_copy;   /* FATE_KEPT: contents are kept as refused */
    gboolean tells;        /* N1 is due to the sender (semantics.md 7.2, 9): a held or refused recipient, or a
                              refusal whose text SMTP cannot carry. That a hold is not told of in answer to bulk
                              mail (9.4) is for who writes it */
    gboolean own_trouble;  /* ACT_DEFER by this message's own trouble: the defer clock runs (7.2.4) */
    gboolean headers_only; /* E above L0, or not known: what goes out asks for RET=HDRS (3.7). FALSE if the
                              sender did so already */
    gboolean forged_token; /* RELEASE_TOKEN_FIELD stood in the message: stripped, recorded */
    gboolean system_high;  /* who may look at the contents is asked for system high: E is not known (10.3) */
    GPtrArray *archives;   /* const struct archive *, those that take it; borrowed from the snapshot */
    enum verdict verdict;  /* strictest; who is settled does not count */
    /* of the message, why it is not plainly delivered and what a refusal says; NULL if all stay or are
     * settled */
    const struct reason *leading;
    struct reply reply; /* for the act */
    char *reference;    /* "MIJI-k3x9qa" */
};

/* Must something be on disk before this is answered (semantics.md 7.3, 12)? FALSE for plain deliveries and
 * plain deferrals, whose journal may follow. */
gboolean decision_is_recorded(const struct decision *decision);

/* The decision; never NULL. `reference` is the six characters that the caller drew for this message (they
 * only name it). */
struct decision *decide(const struct inputs *inputs, const char *reference);
void decision_free(struct decision *decision);
DEFINE_AUTOPTR(decision, decision_free)

/*
 * The log line without queue id and times, always these keys in this order, those in [ ] only where there is
 * something to say:
 *
 *     verdict= to=<…>,… [also=<…>,…] label= [reason= check= [told=]] [held=] [settled=] [archive=] act=
 * [reply=] [ref=] [recorded=…,…] from=<…> class= [login="…"] zone="…"
 *
 * to: who has that verdict, also: the others (at most 10 each, then ",+990"). label: E; "-" none, "?"
 * unknown. told: what the sender hears instead of the reason. held, settled: how many are held, and how many
 * past has taken care of; archive: how many archives take it; act: what is done; reply: of a refusal or
 * deferral; ref: where there is a reason. Addresses in <>, names in quotes and last. Never a subject, a body
 * or a text that was found. New string, one line, control characters replaced.
 */
char *decision_log(const struct decision *decision, const struct inputs *inputs);

/* For people: every claim, clearance, check and answer; and the same as one JSON object. New strings. */
char *decision_explain(const struct decision *decision, const struct inputs *inputs, enum language language);
char *decision_json(const struct decision *decision, const struct inputs *inputs, enum language language);

#endif
