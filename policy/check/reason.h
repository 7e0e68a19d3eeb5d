/*
 * reason: why, as a value with a stable id and place. The table of semantics.md section 8 is reason.def,
 * written once: default, SMTP code, texts in two languages, who is told.
 */
#ifndef POLICY_CHECK_REASON_H
#define POLICY_CHECK_REASON_H

#include "policy/autoptr.h"
#include "policy/label/label.h"
#include "policy/zone/outcome.h"

/* What a reason means when nothing is configured. */
enum reason_default {
    REASON_REFUSE,
    REASON_HOLD,        /* first queue; refuse where there is none */
    REASON_UNDECIDABLE, /* as the `undecidable` block says for cause and level */
    REASON_DEFER,       /* F: transient */
    REASON_RECORD,      /* changes nothing */
};

/* Disclosure: s = told sender gets this text with address and level; n = without them; o = outsiders and all
 * hear the neutral text. */
enum reason_told { TOLD_SENDER, TOLD_NO_DETAIL, TOLD_NEUTRAL };

enum reason_id {
#define REASON(id, name, fallback, smtp, dsn, told, outside, en, zh) REASON_##id,
#include "policy/check/reason.def"
#undef REASON
    REASON_COUNT
};

struct reason_row {
    const char *name; /* not-cleared */
    enum reason_default fallback;
    guint smtp;      /* 550 */
    const char *dsn; /* 5.7.1 */
    enum reason_told told;
    gboolean told_outside; /* S3 hears this text, too ("S3 too") */
    const char *en, *zh;   /* place-holders {0} address, {1} level, {2} a further value */
};
const struct reason_row *reason_row(enum reason_id id);
const char *reason_name(enum reason_id id);

/* How an answer may end. */
enum check_answer { CHECK_PERMIT, CHECK_DENY, CHECK_UNKNOWN_TRANSIENT, CHECK_UNKNOWN_PERSISTENT };

/* The checks of semantics.md section 5; the order is the order of precedence in replies. */
enum check_id {
    CHECK_ENVELOPE = 1,
    CHECK_ZONE_ORIGIN,
    CHECK_SENDER,
    CHECK_LABEL_STATE,
    CHECK_ORIGINATE,
    CHECK_RETURN_PATH,
    CHECK_INSPECTION,
    CHECK_ATTACHMENT,
    CHECK_THREAD,
    CHECK_VISIBLE,
    CHECK_RECIPIENT,
    CHECK_ZONE_RECIPIENT,
    CHECK_RULES,
};
const char *check_name(enum check_id id);                          /* "zone-of-origin": for logs and JSON */
const char *check_title(enum check_id id, enum language language); /* for people */

/* One reason as found: which check, what answer, about whom and what. Owned by the decision. */
struct reason {
    enum reason_id id;
    enum check_id check;
    enum check_answer answer;
    gint cause;                           /* enum finding_cause for `undecidable`; 0 none */
    char *address;                        /* whom it is about, printable; NULL */
    char *level;                          /* label as people read it; NULL */
    char *level_ascii;                    /* the same for SMTP; NULL */
    char *detail, *detail_en, *detail_zh; /* {2}: the same in both languages, or in each; NULL */
    guint part;                           /* 0 none */
    /* what the configuration says for it, borrowed strings; UNSET: the reason's default */
    struct outcome outcome;
};
void reason_free(struct reason *reason);
DEFINE_AUTOPTR(reason, reason_free)

/* The sentence for people who may know all of it (explain, officers, told senders in a notice), with address,
 * level and detail filled in; new. */
char *reason_text(const struct reason *reason, enum language language);

#endif
