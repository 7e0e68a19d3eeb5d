/*
 * facts_layout: the flat form in which facts leave the sandboxed worker: one head, five arrays of fixed
 * records, then the bytes that they point into. milter/inspect/answer.c writes it, facts_read checks and
 * takes it; nobody else needs it. Native byte order: both ends are one build on one host.
 *
 * Every string is {offset, length} into the bytes, with a NUL behind it; strings may overlap. The total
 * length is exactly head + arrays + bytes.
 */
#ifndef RULES_FACTS_LAYOUT_H
#define RULES_FACTS_LAYOUT_H

#include <glib.h>

#define FLAT_MAGIC 0x4a494d31u /* raise the last digit with every change of the records */

/* The largest answer that is looked at at all, and the longest strings. */
#define FLAT_MAX_BYTES (64u << 20)
#define FLAT_NAME_BYTES 1000 /* a field's name, an address, a file name */
#define FLAT_WORD_BYTES 200  /* type, charset, detail of a finding: printable ASCII */

enum flat_flag { FLAT_BAD_FROM = 1 << 0, FLAT_IS_REPORT = 1 << 1 };

struct flat_bytes {
    guint32 offset, length;
};
struct flat_field {
    struct flat_bytes name, raw, decoded;
    guint32 flags;
};
struct flat_mailbox {
    guint32 field, field_index;
    struct flat_bytes address;
};
struct flat_part {
    guint32 number, parent, depth, role;
    struct flat_bytes type, charset, name;
    guint64 size_bytes;
    guint32 flags, unused;
};
struct flat_finding {
    guint32 id, part;
    struct flat_bytes detail;
};
struct flat_candidate {
    guint32 kind, part, line;
    struct flat_bytes field; /* length 0: none */
    struct flat_bytes text;
};

/* The arrays in their order: FLAT_TABLE(records, count, record type, most records). */
#define FLAT_TABLES                                                  \
    FLAT_TABLE(fields, field_count, struct flat_field, 4096)         \
    FLAT_TABLE(mailboxes, mailbox_count, struct flat_mailbox, 65536) \
    FLAT_TABLE(parts, part_count, struct flat_part, 20000)           \
    FLAT_TABLE(findings, finding_count, struct flat_finding, 4096)   \
    FLAT_TABLE(candidates, candidate_count, struct flat_candidate, 8192)

struct flat_head {
    guint32 magic, flags;
    guint64 size_bytes;
#define FLAT_TABLE(records, count, type, most) guint32 count;
    FLAT_TABLES
#undef FLAT_TABLE
    guint32 buffer_length;
};

#endif
