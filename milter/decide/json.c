#include "milter/decide/json.h"

struct json json_new(void)
{
    return (struct json){.text = g_string_new(NULL)};
}

char *json_finish(struct json *json)
{
    g_string_append_c(json->text, '\n');
    return g_string_free(g_steal_pointer(&json->text), FALSE);
}

/* Escaped is what has to be (RFC 8259 7), and what a terminal would obey or read in another direction. */
static void append_character(GString *out, gunichar c)
{
    gboolean shown = g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT;

    if (c == '"' || c == '\\')
        g_string_append_printf(out, "\\%c", (char)c);
    else if (shown)
        g_string_append_unichar(out, c);
    else if (c < 0x10000)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
}

static void append_string(GString *out, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    g_string_append_c(out, '"');
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p))
        append_character(out, g_utf8_get_char(p));
    g_string_append_c(out, '"');
}

static void begin(struct json *json, const char *key)
{
    if (json->follows)
        g_string_append_c(json->text, ',');
    json->follows = TRUE;
    if (key == NULL)
        return;
    append_string(json->text, key);
    g_string_append_c(json->text, ':');
}

void json_open(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    g_string_append_c(json->text, bracket);
    json->follows = FALSE;
}

void json_close(struct json *json, char bracket)
{
    g_string_append_c(json->text, bracket);
    json->follows = TRUE;
}

void json_string(struct json *json, const char *key, const char *value_or_null)
{
    begin(json, key);
    if (value_or_null == NULL)
        g_string_append(json->text, "null");
    else
        append_string(json->text, value_or_null);
}

void json_number(struct json *json, const char *key, gint64 value)
{
    begin(json, key);
    g_string_append_printf(json->text, "%" G_GINT64_FORMAT, value);
}

void json_boolean(struct json *json, const char *key, gboolean value)
{
    begin(json, key);
    g_string_append(json->text, value ? "true" : "false");
}
