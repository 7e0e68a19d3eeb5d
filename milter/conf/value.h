/*
 * value: the values that several statements of miji.conf have in common. Internal to milter/conf; see
 * reading.h.
 *
 * Each takes items from the reader, reports what is wrong there and answers FALSE or NULL; on a broken reader
 * it does nothing.
 */
#ifndef MILTER_CONF_VALUE_H
#define MILTER_CONF_VALUE_H

#include "milter/conf/reading.h"

/* Nothing more, and no block. */
gboolean value_end(struct reader *reader);
/* What has been taken of the statement: its keyword, when asked at once. */
struct span value_taken(const struct reader *reader);
/* What has been taken since item `first` was the next one. */
struct span value_since(const struct reader *reader, guint first);
/* [not-available-yet] for what stands at the span, with a help (MSG_NONE: to take it out); as value_end
 * before that, or not. */
void value_not_yet(struct reader *reader, struct span what, enum message_id help);
void value_end_not_yet(struct reader *reader, struct span what, enum message_id help);

/* A level of any scheme. Both NULL, and TRUE, when the schemes could not be read. */
gboolean value_level(const struct reading *reading, struct reader *reader, const struct scheme **scheme,
                     const struct level **level);

enum outcome_allowed {
    ALLOW_DEFER = 1 << 0,
    ALLOW_DELIVER = 1 << 1,
    ALLOW_RECORD = 1 << 2,
    ALLOW_TREAT_AS = 1 << 3,
};
/* refuse [TEXT] and hold in TEXT, and what else is allowed. A queue that is not written is [unknown-queue];
 * deliver where it is not allowed is [open-door]. *place (may be NULL) is the span of the outcome. */
gboolean value_outcome(const struct reading *reading, struct reader *reader, guint allowed,
                       struct outcome *outcome, struct span *place);
/* Warns [defer-for-ever] of an outcome that puts off what asking again does not change. */
void value_warn_defer(struct reader *reader, const struct outcome *outcome, struct span place);
/* The name of a queue in quotes; [unknown-queue] if it is not written. */
const struct item *value_queue(const struct reading *reading, struct reader *reader);
/* The name of a block in quotes, with its block, and nothing more; [duplicate] if another block of `names`
 * has it. */
const struct item *value_block_name(struct reader *reader, GHashTable *names, enum message_id what);

/* The address of a person, or behind `members of` the DN or address of a group, added to people
 * (struct who *). */
gboolean value_person(struct reader *reader, enum message_id what, GPtrArray *people);
gboolean value_members(struct reader *reader, GPtrArray *people);

/* "a", "b": texts of at most 80 characters; *names is made if NULL. */
gboolean value_names(struct reader *reader, enum message_id what, GPtrArray **names);
/* 10.0.0.0/8, fd00::/32: *networks is made if NULL. */
gboolean value_networks(struct reader *reader, GArray **networks);
gboolean value_network(struct reader *reader, struct network *network);
/* One address with a domain, canonical; new. */
char *value_address(struct reader *reader);
/* A path in quotes, seen from the file in which it stands; new. *place (may be NULL) is its span. */
char *value_path(struct reader *reader, enum message_id what, struct span *place);
char *path_from(const struct source *source, const char *path);

/* "did you mean" for a name, or all names when there are few. */
void value_suggest(struct diagnostic *diagnostic, const char *name, GHashTable *names);

/* Takes the new string over and frees the old one. */
void value_set(char **string, char *value);

/* As reader_size and reader_time read them; new. */
char *size_format(guint64 bytes);
char *time_format(gint64 seconds);

/* Numbers and times with bounds, [range] outside of them. */
gboolean value_size(struct reader *reader, guint64 minimum, guint64 maximum, guint64 *bytes);
gboolean value_time(struct reader *reader, gint64 minimum_s, gint64 maximum_s, gint64 *milliseconds);

#endif
