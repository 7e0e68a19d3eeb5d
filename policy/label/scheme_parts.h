/*
 * scheme_parts: what the files that read a scheme share (scheme_read.c and its parts). Not for other modules.
 */
#ifndef POLICY_LABEL_SCHEME_PARTS_H
#define POLICY_LABEL_SCHEME_PARTS_H

#include "policy/label/scheme.h"

struct scheme *scheme_new(void);
void scheme_free(struct scheme *scheme);
void level_free(struct level *level);
void category_value_free(struct category_value *value);
void category_set_free(struct category_set *set);
void combination_free(struct combination *combination);

/* Takes the scheme over, behind those that are there. */
void schemes_add(struct schemes *schemes, struct scheme *scheme);

/* Adds "did you mean …?", or all names when they are few, to the report of a level that none of the schemes has. */
void level_unknown_help(struct diagnostic *diagnostic, const GPtrArray *schemes, const char *text);

#endif
