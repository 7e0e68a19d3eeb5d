/* json_check: whether a text is one JSON value (RFC 8259), for tests of what writes JSON. */
#ifndef TESTS_SUPPORT_JSON_CHECK_H
#define TESTS_SUPPORT_JSON_CHECK_H

#include <glib.h>

gboolean json_is_valid(const char *text);

#endif
