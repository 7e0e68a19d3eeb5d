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

static void append_string(GString *out, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    g_string_append_c(out, '"');
    for (const char *p = valid; *p != '\0'; p++) {
        guchar c = (guchar)*p;
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_c(out, *p);
    }
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
