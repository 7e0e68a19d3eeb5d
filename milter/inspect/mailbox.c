#include "milter/inspect/mailbox.h"

#include <string.h>

#include "milter/inspect/limits.h"

#define COMMENT_DEPTH 16

struct scan {
    const char *at, *end;
};

static gboolean at_char(const struct scan *scan, char c)
{
    return scan->at < scan->end && *scan->at == c;
}

/* (…) with nesting and quoted pairs; FALSE if it does not end. */
static gboolean skip_comment(struct scan *scan)
{
    guint depth = 0;

    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == '\\' && scan->at + 1 < scan->end)
            scan->at++;
        else if (*scan->at == '(' && ++depth > COMMENT_DEPTH)
            return FALSE;
        else if (*scan->at == ')' && --depth == 0) {
            scan->at++;
            return TRUE;
        }
    }
    return FALSE;
}

/* Blanks and comments. */
static gboolean skip_cfws(struct scan *scan)
{
    while (scan->at < scan->end) {
        if (*scan->at == ' ' || *scan->at == '\t')
            scan->at++;
        else if (*scan->at != '(')
            break;
        else if (!skip_comment(scan))
            return FALSE;
    }
    return TRUE;
}

/* RFC 5322 3.2.3, RFC 6532 3.2. */
static gboolean is_atext(char c)
{
    return (guchar)c >= 0x80 || g_ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static gboolean read_atom(struct scan *scan, GString *out)
{
    const char *begin = scan->at;

    while (scan->at < scan->end && is_atext(*scan->at))
        scan->at++;
    g_string_append_len(out, begin, scan->at - begin);
    return scan->at > begin;
}

/* Between open and close, both included; quoted pairs count. No control characters. */
static gboolean read_enclosed(struct scan *scan, char close, GString *out)
{
    const char *begin = scan->at++;

    for (; scan->at < scan->end; scan->at++) {
        guchar c = *scan->at;
        if (c == '\\' && scan->at + 1 < scan->end && (guchar)scan->at[1] >= ' ' && scan->at[1] != 0x7f) {
            scan->at++;
        } else if (c == (guchar)close) {
            scan->at++;
            g_string_append_len(out, begin, scan->at - begin);
            return TRUE;
        } else if ((c < ' ' && c != '\t') || c == 0x7f || (close == ']' && c == '[')) {
            return FALSE;
        }
    }
    return FALSE;
}

/* Words with dots between them; CFWS around each. In a local part a word may be quoted. */
static gboolean read_dotted(struct scan *scan, gboolean may_quote, GString *out)
{
    for (;;) {
        if (!skip_cfws(scan))
            return FALSE;
        if (may_quote && at_char(scan, '"') ? !read_enclosed(scan, '"', out) : !read_atom(scan, out))
            return FALSE;
        if (!skip_cfws(scan))
            return FALSE;
        if (!at_char(scan, '.'))
            return TRUE;
        g_string_append_c(out, *scan->at++);
    }
}

static gboolean read_domain(struct scan *scan, GString *out)
{
    if (!skip_cfws(scan))
        return FALSE;
    if (at_char(scan, '['))
        return read_enclosed(scan, ']', out) && skip_cfws(scan);
    return read_dotted(scan, FALSE, out);
}

/* local@domain, and CFWS behind it; new string or NULL. */
static char *read_addr_spec(struct scan *scan)
{
    g_autoptr(GString) out = g_string_new(NULL);

    if (!read_dotted(scan, TRUE, out) || !at_char(scan, '@'))
        return NULL;
    g_string_append_c(out, *scan->at++);
    if (!read_domain(scan, out))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* RFC 5322 4.4: @a,@b: before the address. */
static gboolean skip_route(struct scan *scan)
{
    g_autoptr(GString) ignored = g_string_new(NULL);

    if (!skip_cfws(scan) || !at_char(scan, '@'))
        return scan->at < scan->end;
    while (at_char(scan, '@') || at_char(scan, ',')) {
        if (*scan->at++ == '@' && !read_domain(scan, ignored))
            return FALSE;
        if (!skip_cfws(scan))
            return FALSE;
    }
    return at_char(scan, ':') && scan->at++ < scan->end;
}

/* <addr-spec> and CFWS behind it; new string or NULL. */
static char *read_angle(struct scan *scan)
{
    g_autofree char *address = NULL;

    scan->at++;
    if (!skip_route(scan) || (address = read_addr_spec(scan)) == NULL || !at_char(scan, '>'))
        return NULL;
    scan->at++;
    return skip_cfws(scan) ? g_steal_pointer(&address) : NULL;
}

/* A display name: words, dots, brackets, comments. */
static gboolean skip_phrase(struct scan *scan)
{
    g_autoptr(GString) ignored = g_string_new(NULL);

    while (scan->at < scan->end) {
        if (at_char(scan, '.') || at_char(scan, '[') || at_char(scan, ']'))
            scan->at++;
        else if (at_char(scan, '"') ? !read_enclosed(scan, '"', ignored) : !read_atom(scan, ignored))
            return TRUE;
        if (!skip_cfws(scan))
            return FALSE;
    }
    return TRUE;
}

static gboolean at_element_end(const struct scan *scan)
{
    return scan->at == scan->end || *scan->at == ',' || *scan->at == ';';
}

/* One mailbox, or the name of a group with its colon (then *address stays NULL). */
static gboolean read_element(struct scan *scan, gboolean in_group, gboolean *opens_group, char **address)
{
    struct scan begin = *scan;
    g_autofree char *bare = read_addr_spec(scan);

    if (bare != NULL && at_element_end(scan)) {
        *address = g_steal_pointer(&bare);
        return TRUE;
    }
    if (bare == NULL) {
        *scan = begin;
        if (!skip_phrase(scan))
            return FALSE;
    }
    if (at_char(scan, ':') && bare == NULL && !in_group && scan->at > begin.at) {
        scan->at++;
        *opens_group = TRUE;
        return TRUE;
    }
    if (!at_char(scan, '<') || (*address = read_angle(scan)) == NULL)
        return FALSE;
    /* An address as a display name is what some programs take for the address. */
    return at_element_end(scan) && (bare == NULL || g_ascii_strcasecmp(bare, *address) == 0);
}

gboolean mailboxes_parse(const char *value, gsize length, GPtrArray *addresses)
{
    struct scan scan = {value, value + length};
    gboolean in_group = FALSE;

    if (length > 0 && memchr(value, '\0', length) != NULL)
        return FALSE;
    for (;;) {
        char *address = NULL;
        gboolean opens_group = FALSE;
        if (!skip_cfws(&scan))
            return FALSE;
        if (scan.at == scan.end)
            return !in_group && addresses->len > 0;
        if (at_char(&scan, ',') || (in_group && at_char(&scan, ';'))) {
            in_group = in_group && *scan.at != ';';
            scan.at++;
            continue;
        }
        gboolean is_read = read_element(&scan, in_group, &opens_group, &address);
        if (address != NULL && addresses->len < LIMIT_MAILBOXES)
            g_ptr_array_add(addresses, address);
        else if (address != NULL)
            is_read = (g_free(address), FALSE);
        if (!is_read)
            return FALSE;
        in_group = in_group || opens_group;
    }
}
