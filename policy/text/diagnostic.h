/*
 * diagnostic: what is wrong in a text that a person wrote, where, and what to do. The form is style.md
 * section 3:
 *
 *     20-personal-data.rules:31:22: error: there is no queue "personal" [unknown-queue]
 *        31 |     then     hold in "personal"
 *           |                      ^~~~~~~~~~
 *       help: did you mean "personal data"?
 *
 * A struct diagnostics collects all of a run, at most 20 errors a file are printed, in file order. One
 * renderer serves terminal, one-line log and JSON. Not for several threads at once; owns its strings, borrows
 * the sources.
 */
#ifndef POLICY_TEXT_DIAGNOSTIC_H
#define POLICY_TEXT_DIAGNOSTIC_H

#include "policy/autoptr.h"
#include "policy/text/message.h"
#include "policy/text/source.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* Stable ids in brackets; diagnostic.def: DIAGNOSTIC(C_NAME, "id", severity). */
enum diagnostic_id {
#define DIAGNOSTIC(id, name, severity) DIAG_##id,
#include "policy/text/diagnostic.def"
#undef DIAGNOSTIC
    DIAG_COUNT
};

const char *diagnostic_name(enum diagnostic_id id);
enum severity diagnostic_severity(enum diagnostic_id id);

struct diagnostic; /* one entry; opaque, freed with its list */
struct diagnostics;

struct diagnostics *diagnostics_new(struct sources *sources);
void diagnostics_free(struct diagnostics *diagnostics);
DEFINE_AUTOPTR(diagnostics, diagnostics_free)

/* Reports id at span; takes the message over. The result is borrowed and only serves to add help and notes.
 */
struct diagnostic *diagnostics_report(struct diagnostics *diagnostics, enum diagnostic_id id,
                                      struct span span, struct message message);
/* One thing to do; at most one per diagnostic. */
void diagnostic_help(struct diagnostic *diagnostic, struct message help);
/* A second place ("the other one is here"). */
void diagnostic_note(struct diagnostic *diagnostic, struct span span, struct message note);

/* The sources whose places are reported; borrowed. */
struct sources *diagnostics_sources(const struct diagnostics *diagnostics);
/* How many of one id were reported, those included that are not printed. */
guint diagnostics_count(const struct diagnostics *diagnostics, enum diagnostic_id id);

guint diagnostics_errors(const struct diagnostics *diagnostics);
guint diagnostics_warnings(const struct diagnostics *diagnostics);

/* The only renderer. TEXT: the form above, hidden characters as ·, two cells for a wide character in the
 * caret line, control characters never pass. LINE: one line each, for logs: name:line:col: severity: message
 * [id]. JSON: one array. New string. */
enum diagnostic_form { DIAGNOSTIC_TEXT, DIAGNOSTIC_LINE, DIAGNOSTIC_JSON };
char *diagnostics_render(const struct diagnostics *diagnostics, enum diagnostic_form form,
                         enum language language);

/* The nearest of candidates (NULL-terminated) to word: edit distance with a swap of neighbours as one, at
 * most a third of the length in characters (at least 1), ties to equal length (language.md 2). Borrowed, or
 * NULL. */
const char *nearest_name(const char *word, const char *const *candidates);

#endif
