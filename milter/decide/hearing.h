/*
 * hearing: one message while it is being decided: the inputs, what has been found so far, and the decision
 * that grows. Only decide and its checks use it; it lives for one call on one thread and owns nothing but
 * what it says.
 */
#ifndef MILTER_DECIDE_HEARING_H
#define MILTER_DECIDE_HEARING_H

#include "milter/decide/decision.h"
#include "milter/decide/explain_text.h"

/* What is known of E (semantics.md 2.13, 5): all of it, a lower bound only, or nothing. */
enum certainty { E_KNOWN, E_AT_LEAST, E_UNKNOWN_NOW, E_UNKNOWN_EVER };

/* What stands between the session and a sender who is known. */
enum sender_doubt {
    SENDER_CLEAR,
    SENDER_REFUSED,      /* no entry, several entries, or a login is missing: sender_reason */
    SENDER_UNAVAILABLE,  /* logged in, but the directory cannot say now who that is */
    SENDER_UNDETERMINED, /* a certificate about which the directory cannot be asked now: not even the class is
                            sure */
};

/* E against somebody or something. */
struct dominance {
    enum check_answer answer;
    const struct label *above; /* DENY: the first label at fault; borrowed from E */
    gboolean unclear;          /* UNKNOWN because the clearance is recorded in conflict or cannot be read
                                  (clearance-ambiguous) */
    gboolean untimely; /* UNKNOWN because it holds for a time and the clock is in doubt (clock-doubtful) */
};

/* What one zone says to E as the zone of a recipient, asked once for all recipients of the zone. */
struct zone_answer {
    const struct zone *zone;
    struct dominance dominance;
    gboolean unproven; /* it asks for protection on the way out that nobody proves */
};

struct hearing {
    const struct inputs *inputs;
    struct decision *decision;
    struct check_line lines[CHECK_RULES + 1]; /* of the message checks */

    enum sender_doubt sender_doubt;
    enum reason_id sender_reason;
    gboolean relayed;            /* through a declared relay */
    const struct device *device; /* SD by a `device` line */

    gboolean automatic; /* nobody labels it: device, program, or a report of a login with null sender (2.9) */
    gboolean header_doubtful;           /* nothing may be called missing */
    const char *repeated_field;         /* a field that a scheme reads and that stands there twice; NULL */
    const struct fact_finding *excused; /* encryption of the whole message that the zone of origin lets count
                                           as labelled; NULL */
    gboolean general_trouble;           /* what puts somebody off is not this message's own trouble (7.2.4) */
    enum certainty certainty;
    gint doubt; /* enum reason_id for which E is not known; -1 */

    struct label *lowest; /* L0; owned */
    GArray *zones;        /* struct zone_answer; owned */
};

/* "MIJI-k3x9qa": what replies and notices end in and `miji trace` finds. */
#define REFERENCE_PREFIX "MIJI-"

/* "2026-06-01" of seconds since the epoch, in the time zone of the configuration. New; NULL: no such date. */
char *hearing_date(const struct hearing *hearing, gint64 at_s);
/* The schemes' home, for short. */
const struct scheme *hearing_home(const struct hearing *hearing);
/* E as far as it is known; NULL: nothing is. */
const struct label_set *hearing_known(const struct hearing *hearing);

/* The configuration has a key, so that contents can be kept; and a way out, so that somebody can be told and
 * a hold be released. It demands both where it has a queue. */
gboolean hearing_can_keep(const struct hearing *hearing);
gboolean hearing_can_tell(const struct hearing *hearing);

/* An approved slip has answered the reason for this recipient, or for everybody on the message: it weighs
 * nothing, and what is known of E is then all that there is (10.4). */
gboolean hearing_has_answer(const struct hearing *hearing, const char *canonical,
                            const struct reason *reason);
gboolean hearing_has_answer_for_all(const struct hearing *hearing, const struct reason *reason);

/* Sets a line; message checks in hearing->lines, others in the recipient's. */
void line_set(struct check_line *line, enum check_id check, enum check_answer answer, gint reason);
/* A note for explain, in both languages; arguments are strings, the list ends with NULL. Does nothing unless
 * inputs->explain. */
void line_note(const struct hearing *hearing, struct check_line *line, enum explain_id id,
               ...) G_GNUC_NULL_TERMINATED;

/* A new reason in a list of reasons, behind those of the same or an earlier check. Borrowed, to be filled in.
 */
struct reason *reasons_add(GPtrArray *reasons, enum reason_id id, enum check_id check,
                           enum check_answer answer);
/* A new reason of a message check that also sets the check's line: a denial or unknown stays when something
 * milder follows in the same check. */
struct reason *hearing_find(struct hearing *hearing, enum reason_id id, enum check_id check,
                            enum check_answer answer);
/* The level a reason is about. */
void reason_set_label(struct reason *reason, const struct label *label);
/* A value {2} that is the same in both languages. */
void reason_set_detail(struct reason *reason, const char *detail);

/* A part as {2}; 0 is the header, or the message as a whole. */
void reason_set_part(struct reason *reason, guint part);

/* The configuration lets a finding pass that is only recorded. */
gboolean lets_pass(const struct outcome *outcome);

/* What a dominance check answers when what is known of E is dominated: permit, or unknown when there may be
 * more. */
enum check_answer hearing_dominated(const struct hearing *hearing);

#endif
