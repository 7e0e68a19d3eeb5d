/*
 * part: one leaf of the structure: what its fields say of it, and which findings follow from that.
 */
#ifndef MILTER_INSPECT_PART_H
#define MILTER_INSPECT_PART_H

#include <gmime/gmime.h>

#include "milter/inspect/text.h"

/* A leaf as the structure has it; everything borrowed. */
struct leaf {
    GMimeContentType *type;                                      /* NULL: text/plain */
    GMimeContentDisposition *disposition;                        /* may be NULL */
    const char *type_field, *disposition_field, *encoding_field; /* raw values, may be NULL */
    const char *octets;
    gsize length;
    guint parent, depth;
};

/* Where it stands among the others. */
struct standing {
    gboolean is_own;   /* what a reader of the message sees as its text, if it is text */
    gboolean is_first; /* the first text of the message: it is its text even if it has a file's name */
    gboolean is_form;  /* a form of a multipart/alternative: shown whatever its name and disposition */
    guint alternative;
};

/* Reports it, with its findings; its number, 0 when there are too many. A text of the message is appended to
 * texts. */
guint part_report(const struct leaf *leaf, const struct standing *standing, struct answer *answer,
                  GArray *texts);

/* type/subtype in lower case; new string. */
char *part_type_format(GMimeContentType *type);

#endif
