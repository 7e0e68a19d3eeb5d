/*
 * facts: everything that the inspector found in one message, and the only way in which rules and decide see
 * mail.
 *
 * Made by the sandboxed worker as flat arrays, checked offset by offset by facts_read; owned by the message;
 * immutable. Strings point into one buffer, are NUL-terminated there, and may hold NULs before their length
 * (mail bytes are pointer + length). `facts == NULL` means that the inspector died or ran out of time
 * (semantics.md 1). Any thread may read.
 */
#ifndef RULES_FACTS_H
#define RULES_FACTS_H

#include "policy/autoptr.h"
#include "policy/label/claim.h"

struct bytes {
    const char *data; /* never NULL; a NUL follows */
    gsize length;
};

/* One top-level field, in order of the message. */
enum field_flag {
    FIELD_CUT = 1 << 0,           /* 59,000 octets or more: the MTA may have cut it */
    FIELD_CONTROL = 1 << 1,       /* control octets or NUL inside */
    FIELD_UNDECODABLE = 1 << 2,   /* charset unknown or octets not valid in it: decoded is a best effort */
    FIELD_SHORTENED = 1 << 3,     /* value longer than FACTS_FIELD_BYTES: only its beginning is here */
    FIELD_BAD_MAILBOXES = 1 << 4, /* Sender, Resent-…: not all people in it can be read, so it may name
                                     anybody (From: bad_from) */
};
#define FIELD_FLAGS_ALL \
    (FIELD_CUT | FIELD_CONTROL | FIELD_UNDECODABLE | FIELD_SHORTENED | FIELD_BAD_MAILBOXES)
#define FACTS_FIELD_BYTES 4096

struct fact_field {
    struct bytes name;    /* as written */
    struct bytes raw;     /* value unfolded, octets as received */
    struct bytes decoded; /* UTF-8, encoded-words decoded (RFC 2047, our joiner), unfolded, blanks trimmed */
    guint flags;
};

/* A mailbox in a field that names people (RFC 5322 3.4, 3.6.2, 3.6.6). */
enum mailbox_field { MAILBOX_FROM, MAILBOX_SENDER, MAILBOX_RESENT_FROM, MAILBOX_RESENT_SENDER };
const char *mailbox_field_name(enum mailbox_field field);
struct fact_mailbox {
    enum mailbox_field field;
    /* which field of the message it is in; tells several From fields apart, and the topmost Resent block */
    guint field_index;
    struct bytes address; /* addr-spec as written, without brackets and comments */
};

enum part_role { PART_CONTAINER, PART_TEXT, PART_ATTACHMENT, PART_MESSAGE };
enum part_flag { PART_ENCRYPTED = 1 << 0, PART_DAMAGED = 1 << 1, PART_UNREAD = 1 << 2 };
#define PART_FLAGS_ALL (PART_ENCRYPTED | PART_DAMAGED | PART_UNREAD)
struct fact_part {
    guint number; /* 1… in order of appearance; containers count, too */
    guint parent; /* 0: the message itself */
    guint depth;
    enum part_role role;
    struct bytes type; /* declared, lower case: text/plain */
    struct bytes charset;
    struct bytes name;  /* file name, UTF-8; "" none */
    guint64 size_bytes; /* decoded */
    guint flags;
};

/* Findings have stable ids in finding.def: FINDING(C_NAME, "id", cause, en, zh); cause decides which reason
 * and `undecidable` line it is. */
enum finding_cause {
    CAUSE_NONE,
    CAUSE_DIRECTORY,
    CAUSE_OVERLOAD,
    CAUSE_ENCRYPTED,
    CAUSE_DAMAGED,
    CAUSE_LIMIT,
    CAUSE_LABEL,
    CAUSE_STRUCTURE
};
enum finding_id {
#define FINDING(id, name, cause, en, zh) FINDING_##id,
#include "rules/finding.def"
#undef FINDING
    FINDING_COUNT
};
struct fact_finding {
    enum finding_id id;
    guint part;          /* 0: the header or the message as a whole */
    struct bytes detail; /* short ASCII, for records: the limit, the field's name */
};
const char *finding_name(enum finding_id id);
enum finding_cause finding_cause(enum finding_id id);
/* What it is, for people, without its detail. */
const char *finding_text(enum finding_id id, enum language language);

/* A place where a label may stand, before any scheme has looked at it. */
struct fact_candidate {
    struct place place; /* place.field points into the facts */
    struct bytes text;  /* UTF-8, at most FACTS_FIELD_BYTES */
};

struct facts {
    guint8 digest[32];  /* SHA-256 of semantics.md 7.4, taken by the daemon over the spool */
    guint64 size_bytes; /* as received */
    struct fact_field *fields;
    guint field_count;
    struct fact_mailbox *mailboxes;
    guint mailbox_count;
    struct fact_part *parts;
    guint part_count;
    struct fact_finding *findings;
    guint finding_count;
    struct fact_candidate *candidates;
    /* subject readings, first and last own lines, quoted lines, names of files; fields are above */
    guint candidate_count;
    gboolean bad_from;  /* a From field that cannot be read as mailboxes (from-invalid) */
    gboolean is_report; /* multipart/report */
    char *buffer;       /* owns all bytes */
};

/* Reads the worker's answer (format: milter/inspect/answer.h writes it with the same table). Takes a copy.
 * NULL and error when any offset, count or enum is out of bounds: such an answer counts as a dead inspector.
 */
struct facts *facts_read(const void *octets, gsize length, GError **error);
void facts_free(struct facts *facts);
DEFINE_AUTOPTR(facts, facts_free)

/* First field of that name (any case) from index *at on; *at is then behind it. NULL at the end. */
const struct fact_field *facts_field(const struct facts *facts, const char *name, guint *at);
/* The first finding of a cause, or NULL. */
const struct fact_finding *facts_finding_of(const struct facts *facts, enum finding_cause cause);
/* How many mailboxes/fields of one kind. */
guint facts_field_count(const struct facts *facts, const char *name);

#endif
