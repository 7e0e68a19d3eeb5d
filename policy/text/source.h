/*
 * source: the text of one file that a person wrote, with its name and a line table.
 *
 * A source is made once, never changed, and owned by a struct sources, which everything that keeps a span
 * holds alive (tree, diagnostics, snapshot). Spans are borrowed pointers into it. Immutable after loading:
 * any thread may read. Loading fails with a diagnostic's worth of words in GError (no-file, unsafe-file,
 * encoding is found later, by the lexer, at its byte).
 */
#ifndef POLICY_TEXT_SOURCE_H
#define POLICY_TEXT_SOURCE_H

#include "policy/autoptr.h"
#include "policy/text/message.h"

#include <glib.h>

struct source {
    char *name;          /* as it is printed: the path that the user gave, or "<rule>" in tests */
    char *text;          /* octets as read, BOM skipped, followed by a NUL that does not count */
    guint32 length;      /* octets */
    guint32 *line_start; /* offset of each line's first octet */
    guint32 line_count;
    guint32 order; /* of loading in its set, from 0 */
};

/* Octets offset … offset+length of one source. length 0 points between two characters (end of line). */
struct span {
    const struct source *source;
    guint32 offset, length;
};

/* Where a span begins, as people count: both from 1; column counts characters, not octets. */
struct position {
    guint32 line, column;
};

/* Who may own a file of configuration. */
enum source_trust {
    SOURCE_ANY,  /* samples, tests */
    SOURCE_SAFE, /* owner root or the reader, not writable by others (language.md 2, [unsafe-file]) */
};

/* The sources of one run; reference counted so that trees and diagnostics may outlive the loading. */
struct sources;
struct sources *sources_new(void);
struct sources *sources_ref(struct sources *sources);
void sources_unref(struct sources *sources);
DEFINE_AUTOPTR(sources, sources_unref)

#define SOURCE_ERROR source_error_quark()
GQuark source_error_quark(void);
enum source_error { SOURCE_ERROR_NO_FILE, SOURCE_ERROR_UNSAFE, SOURCE_ERROR_TOO_LARGE };

/* Limits of language.md 1. */
#define SOURCE_MAX_BYTES (1024 * 1024)

/* Reads path into the set. Borrowed result; NULL and error when it cannot be read, is larger than
 * SOURCE_MAX_BYTES, is no regular file, or trust is not met. The same path twice gives the same source. */
const struct source *sources_load(struct sources *sources, const char *path, enum source_trust trust,
                                  GError **error);

/* Why a file could not be loaded, in both languages; message and help are owned. */
struct source_failure {
    enum source_error code;
    struct message message, help; /* help may be MSG_NONE */
};
void source_failure_clear(struct source_failure *failure);

/* sources_load for who reports through diagnostics (include.h). */
const struct source *sources_open(struct sources *sources, const char *path, enum source_trust trust,
                                  struct source_failure *failure);

/* Adds a copy of text from memory, below 1 GB, under a name. Borrowed result, never NULL. */
const struct source *sources_add(struct sources *sources, const char *name, const char *text, gsize length);

/* Calls visit for each source in the order of loading (the content hash of a snapshot is made of them). */
void sources_foreach(const struct sources *sources, void (*visit)(const struct source *, gpointer),
                     gpointer data);

/* Line and column of an offset (clamped to the end of the text). */
struct position source_position(const struct source *source, guint32 offset);

/* Text of line number (from 1) without its line end; length in octets through *length. Borrowed, not
 * terminated. */
const char *source_line(const struct source *source, guint32 line, guint32 *length);

/* The octets of a span as a new string; NULs cannot occur (the lexer refuses them). */
char *span_text(struct span span);

/* From the first octet of a to the last of b; both in one source, a not after b. */
struct span span_join(struct span a, struct span b);

#endif
