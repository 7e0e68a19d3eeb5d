/*
 * claim: what one place of a message says the label is. The inspector finds candidates (raw octets with a
 * place); here they are understood by the schemes in force (semantics.md section 2, items 1 and 2). A
 * candidate may become no claim at all (running text), one or several claims, and a claim may be invalid
 * (cannot be read) or unmapped (readable, but no scheme knows it): both stay claims.
 *
 * Pure functions over immutable schemes. Claims own their strings and labels and borrow schemes.
 */
#ifndef POLICY_LABEL_CLAIM_H
#define POLICY_LABEL_CLAIM_H

#include "policy/label/label.h"

enum place_kind {
    PLACE_FIELD, /* a top-level header field that a scheme reads */
    PLACE_SUBJECT,
    PLACE_LINE,          /* first or last lines of the message's own text */
    PLACE_MARKER,        /* marker recipient */
    PLACE_SIGNATURE,     /* ESS attribute of the outermost signature */
    PLACE_PART_TEXT,     /* contained: first lines of an attachment, nested message's text */
    PLACE_PART_FIELD,    /* contained: nested message's fields and subject */
    PLACE_PART_NAME,     /* contained: file name */
    PLACE_PART_PROPERTY, /* contained: document property */
    PLACE_QUOTED,        /* quoted text, or after a reply separator: never in E */
    PLACE_HISTORY,       /* SIO-Label-History: never a label */
};

/* own: makes or conflicts the message's own label; contained; quoted. */
enum place_class { PLACE_OWN, PLACE_CONTAINED, PLACE_IN_QUOTE, PLACE_PAST };
enum place_class place_class(enum place_kind kind);

struct place {
    enum place_kind kind;
    const char *field; /* PLACE_FIELD, PLACE_PART_FIELD: the field's name as written; else NULL */
    guint part;        /* number of the part (1…) for contained places, 0 the message itself */
    guint line;        /* PLACE_LINE, PLACE_PART_TEXT: from 1 */
};

/* "the field X-Classification", "the subject", "line 3", "attachment 2 (line 1)" for messages to people; new
 * string. ASCII in English. */
char *place_format(const struct place *place, enum language language);

enum claim_state { CLAIM_VALUE, CLAIM_INVALID, CLAIM_UNMAPPED };

struct claim {
    struct place place; /* its field is the claim's own copy */
    enum claim_state state;
    const struct scheme *scheme; /* of INVALID: the first that reads the place; NULL if unknown */
    struct label *label;         /* CLAIM_VALUE */
    struct message fault; /* INVALID: why; UNMAPPED: what; short, for the officer; MSG_NONE for VALUE */
    char *why;            /* the same in English; NULL for VALUE */
    gboolean near; /* a mark not quite in form: joins (raises), but labels nothing and is in no conflict */
    gboolean irregular;        /* outside the legal combinations, reserved sign misused …: counts in full */
    gboolean scheme_ambiguous; /* later schemes declare the marking, too */
    char *raw;                 /* UTF-8, at most 4 KB, for records, never for senders */
};

/* A claim with a value, as a marker recipient makes one; takes the label over, copies the place. */
struct claim *claim_new(const struct place *place, struct label *label);
/* A place that cannot be read, whatever stands there: text is what is known of it; takes the fault over. */
struct claim *claim_new_invalid(const struct place *place, const struct scheme *scheme, struct message fault,
                                const char *text, gsize length);
void claim_free(struct claim *claim);

/*
 * Understands one candidate's text (UTF-8, valid; decoded; not folded) and appends claims (struct claim *) to
 * claims. FIELD     text is the value: the whole value is a mark in the field's format, else
 * invalid/unmapped. A value that is empty is invalid. Format plain takes LEVEL, [LEVEL], LEVEL★TERM,
 * 密级：LEVEL, LEVEL CATEGORY… SUBJECT   marks in the declared forms, ★ and 密级：level anywhere; nothing
 * found: no claim. A form that is nearly right (a bracket not closed at the end, or by another one; the level
 * alone; more letters behind 密级：level) is a claim that is `near`: it may raise, never lower. 【机秘】, a
 * form whose content is no level, is no claim. LINE, PART_TEXT   one line: tiers A, C, D of facts 8.4 (★
 * anywhere in the line, 密级：level, whole line), B if alone on the line. PART_NAME as subject, by the
 * file-name forms. Negations (非密, 已解密), which are those of `marking except`, cancel only the mark that
 * they touch on their own line; a field that is nothing else is no claim. Equal marks of one text are one
 * claim.
 */
void claims_read(const struct schemes *schemes, const struct place *place, const char *text, gsize length,
                 GPtrArray *claims);

/* Whether any scheme reads this field (any case); its first scheme, or NULL. */
const struct scheme *schemes_reading_field(const struct schemes *schemes, const char *field);
/* Level that a recipient address sets as a marker (canonical address), or NULL. */
const struct level *schemes_marker(const struct schemes *schemes, const char *address,
                                   const struct scheme **scheme);

#endif
