/*
 * template: texts with places, as scheme files have them: "【{level}】", "X-Classification:
 * {level}{duration}". "{{" is a brace.
 *
 * Pure; any thread.
 */
#ifndef POLICY_LABEL_TEMPLATE_H
#define POLICY_LABEL_TEMPLATE_H

#include <glib.h>

struct template_piece {
    gboolean is_place;
    char *text; /* the literal text, or the name of the place; NULL for a place that is not closed */
};

/* The pieces in order, empty literals left out: struct template_piece *, owned by the array. */
GPtrArray *template_parse(const char *text);

/* What stands before and after the only place of a template; new strings. FALSE if it has not exactly one
 * place. */
gboolean template_split(const char *text, char **before, char **after);

#endif
