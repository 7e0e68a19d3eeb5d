#include "tests/support/json_check.h"

#include <string.h>

/* Each takes what it names from *p; FALSE if it is not there, and then *p may stand behind the end of the
 * text. */
static gboolean take_value(const char **p);

static void skip_blanks(const char **p)
{
    *p += strspn(*p, " \t\r\n");
}

static gboolean take_string(const char **p)
{
    if (*(*p)++ != '"')
        return FALSE;
    for (; **p != '"'; ++*p) {
        if ((guchar) * *p < ' ')
            return FALSE;
        if (**p == '\\' && strchr("\"\\/bfnrtu", *++*p) == NULL)
            return FALSE;
        if (**p == '\0')
            return FALSE;
    }
    ++*p;
    return TRUE;
}

static gboolean take_word(const char **p, const char *word)
{
    gboolean there = g_str_has_prefix(*p, word);

    if (there)
        *p += strlen(word);
    return there;
}

static gboolean take_number(const char **p)
{
    char *end;

    g_ascii_strtod(*p, &end);
    if (end == *p)
        return FALSE;
    *p = end;
    return TRUE;
}

static gboolean take_member(const char **p, gboolean named)
{
    skip_blanks(p);
    if (named) {
        if (!take_string(p))
            return FALSE;
        skip_blanks(p);
        if (*(*p)++ != ':')
            return FALSE;
    }
    return take_value(p);
}

static gboolean take_members(const char **p, char close)
{
    ++*p;
    skip_blanks(p);
    if (**p == close) {
        ++*p;
        return TRUE;
    }
    while (take_member(p, close == '}')) {
        char next = *(*p)++;
        if (next == close)
            return TRUE;
        if (next != ',')
            return FALSE;
    }
    return FALSE;
}

static gboolean take_value(const char **p)
{
    gboolean taken;

    skip_blanks(p);
    if (**p == '{')
        taken = take_members(p, '}');
    else if (**p == '[')
        taken = take_members(p, ']');
    else if (**p == '"')
        taken = take_string(p);
    else
        taken = take_word(p, "true") || take_word(p, "false") || take_word(p, "null") || take_number(p);
    if (taken)
        skip_blanks(p);
    return taken;
}

gboolean json_is_valid(const char *text)
{
    return g_utf8_validate(text, -1, NULL) && take_value(&text) && *text == '\0';
}
