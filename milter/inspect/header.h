/*
 * header: the fields at the top of a message, split where the MTA splits them: the block ends at the first
 * empty line; a line that is no field and continues none is counted, passed over, and doubtful. Points into
 * the message and owns only its array.
 */
#ifndef MILTER_INSPECT_HEADER_H
#define MILTER_INSPECT_HEADER_H

#include "rules/facts.h"

struct header_field {
    const char *name;  /* as written, printable ASCII without blanks and colon */
    const char *value; /* behind the colon, with its line ends but the last */
    gsize name_length, value_length;
    guint flags; /* FIELD_CUT, FIELD_CONTROL */
};

struct header {
    GArray *fields; /* struct header_field */
    gsize body;     /* offset of the body */
    guint bad_lines;
    gboolean is_too_large; /* a limit was reached: fields and body are not complete */
    enum finding_id limit; /* which, if so */
};

/* Lines end with LF or CR LF. Reads at most LIMIT_HEADER_LINES and LIMIT_HEADER_BYTES. */
void header_split(struct header *header, const char *data, gsize length);
void header_clear(struct header *header);

/* Length of the name if the line begins with a field's name and a colon (blanks between are let pass: RFC
 * 5322 4.5.8), else 0. */
gsize header_name_length(const char *line, gsize length);

gboolean header_field_is(const struct header_field *field, const char *name);
/* Appends at most `most` octets of the value without line ends. */
void header_unfold(const struct header_field *field, gsize most, GString *out);
/* The value of the last field of that name (the MIME library takes the last, too), unfolded, without blanks
 * around; new string, or NULL. */
char *header_last_value(const struct header *header, const char *name);

#endif
