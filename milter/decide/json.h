/*
 * json: writes one JSON value (RFC 8259), member by member. Strings are made valid UTF-8 and escaped here.
 * For one thread; owns its text.
 */
#ifndef MILTER_DECIDE_JSON_H
#define MILTER_DECIDE_JSON_H

#include <glib.h>

struct json {
    GString *text;
    gboolean follows; /* something stands before the next member: a comma is due */
};

struct json json_new(void);
char *json_finish(struct json *json); /* new; ends with a line end */

/* key NULL: an element of an array, or the value itself. */
void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *value_or_null);
void json_number(struct json *json, const char *key, gint64 value);
void json_boolean(struct json *json, const char *key, gboolean value);

#endif
