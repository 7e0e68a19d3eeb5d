/*
 * answer: collects what the reader finds in one message and writes it in the flat form of
 * rules/facts_layout.h.
 *
 * Whatever is put in comes out acceptable to facts_read: words are made printable, texts are cut at a
 * character, arrays stop at their limits (a limit that is reached leaves a finding). One answer serves one
 * message after the other: answer_clear keeps its memory. One thread.
 */
#ifndef MILTER_INSPECT_ANSWER_H
#define MILTER_INSPECT_ANSWER_H

#include "rules/facts.h"
#include "rules/facts_layout.h"

struct answer;

struct answer *answer_new(void);
void answer_free(struct answer *answer);
DEFINE_AUTOPTR(answer, answer_free)
void answer_clear(struct answer *answer);

/* Copies octets, or valid UTF-8 text, into the answer; longer ones are cut (text at a character). NULs in
 * text are left out. */
struct flat_bytes answer_octets(struct answer *answer, const char *data, gsize length, gsize most);
struct flat_bytes answer_text(struct answer *answer, const char *data, gsize length, gsize most);
/* A part of a string that is in the answer already. */
struct flat_bytes answer_slice(struct answer *answer, struct flat_bytes of, gsize from, gsize length);

/* A field of strings that were put in: its name printable and without colon. Sets its index; FALSE if there
 * are too many. */
gboolean answer_field(struct answer *answer, const struct flat_field *field, guint *index);
void answer_field_flag(struct answer *answer, guint index, enum field_flag flag);
void answer_mailbox(struct answer *answer, enum mailbox_field field, guint field_index, const char *address);

/* What a part says of itself; strings may be NULL. */
struct part_words {
    const char *type, *charset; /* made printable */
    const char *name;           /* valid UTF-8 */
};
/* Returns its number; 0 if there are too many. */
guint answer_part(struct answer *answer, guint parent, guint depth, enum part_role role,
                  const struct part_words *words);
void answer_part_size(struct answer *answer, guint number, guint64 size_bytes);
void answer_part_flag(struct answer *answer, guint number, enum part_flag flag);

/* One finding of an id for each part. detail: short, made printable; may be NULL. */
void answer_finding(struct answer *answer, enum finding_id id, guint part, const char *detail);
gboolean answer_has_finding(const struct answer *answer, enum finding_id id);

/* text is valid UTF-8. A candidate that is there already, word for word at the same place, is left out. */
void answer_candidate(struct answer *answer, const struct place *place, const char *text, gsize length);

void answer_bad_from(struct answer *answer);
void answer_is_report(struct answer *answer);

/* The flat form of everything; borrowed until the next change. */
const GByteArray *answer_finish(struct answer *answer, guint64 size_bytes);

#endif
