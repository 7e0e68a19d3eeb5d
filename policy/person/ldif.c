#include "policy/person/ldif.h"

#include <string.h>

#include "policy/person/dn.h"
#include "policy/person/limits.h"

struct ldif {
    const char *name;
    const char *next, *end;
    guint line; /* of the logical line at hand: where it begins */
    guint lines_read;
    GString *text;       /* the logical line, unfolded */
    struct entry *entry; /* that is being read; NULL between two */
    guint entry_lines;
    gboolean versioned;
    GPtrArray *entries;
    GHashTable *names; /* DN, folded; borrowed from nobody */
    GError **error;
};

static gboolean fail(struct ldif *ldif, const char *problem)
{
    g_set_error(ldif->error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE, "%s:%u: %s", ldif->name, ldif->line,
                problem);
    return FALSE;
}

static void release_entry(gpointer entry)
{
    entry_free(entry);
}

/* ---- lines */

/* The octets of one line of the text without its end; FALSE at the end of the text. */
static gboolean take_line(struct ldif *ldif, const char **start, gsize *length)
{
    const char *newline;

    if (ldif->next == ldif->end)
        return FALSE;
    *start = ldif->next;
    newline = memchr(ldif->next, '\n', (gsize)(ldif->end - ldif->next));
    *length = (gsize)((newline != NULL ? newline : ldif->end) - ldif->next);
    ldif->next = newline != NULL ? newline + 1 : ldif->end;
    ldif->lines_read++;
    if (*length > 0 && (*start)[*length - 1] == '\r')
        --*length;
    return TRUE;
}

/* The next logical line: lines that begin with a space go on with the one before (RFC 2849, note 2). An empty
 * one ends an entry. */
static gboolean take_logical_line(struct ldif *ldif)
{
    const char *start;
    gsize length;

    if (!take_line(ldif, &start, &length))
        return FALSE;
    ldif->line = ldif->lines_read;
    g_string_truncate(ldif->text, 0);
    g_string_append_len(ldif->text, start, (gssize)length);
    while (length > 0 && ldif->next < ldif->end && *ldif->next == ' ' &&
           ldif->text->len <= LDIF_MAX_LINE_BYTES) {
        take_line(ldif, &start, &length);
        g_string_append_len(ldif->text, start + 1, (gssize)length - 1);
    }
    return TRUE;
}

/* ---- values */

static gboolean is_base64(const char *text, gsize length)
{
    gsize padding = 0;

    if (length % 4 != 0)
        return FALSE;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    for (gsize i = 0; i < length - padding; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/')
            return FALSE;
    return TRUE;
}

/* What stands behind "name:"; new, with its length; NULL and error if it cannot be read. */
static char *take_value(struct ldif *ldif, const char *text, gsize *length)
{
    gboolean encoded = text[0] == ':';
    gsize size;

    if (text[0] == '<') {
        fail(ldif, "values from a URL are not read");
        return NULL;
    }
    text += encoded;
    text += strspn(text, " ");
    size = strlen(text);
    if (!encoded) {
        *length = size;
        return g_strdup(text);
    }
    while (size > 0 && text[size - 1] == ' ')
        size--;
    if (!is_base64(text, size)) {
        fail(ldif, "the value is no base64");
        return NULL;
    }
    if (size == 0) {
        *length = 0;
        return g_strdup("");
    }
    g_autofree char *exact = g_strndup(text, size);
    return (char *)g_base64_decode(exact, length);
}

/* ---- entries */

static gboolean begin_entry(struct ldif *ldif, const char *value, gsize length)
{
    g_autofree char *folded = NULL;

    if (!g_utf8_validate_len(value, length, NULL) || !dn_is_valid(value))
        return fail(ldif, "this is no distinguished name");
    folded = g_utf8_casefold(value, -1);
    if (!g_hash_table_add(ldif->names, g_steal_pointer(&folded)))
        return fail(ldif, "an entry of this name stands above");
    ldif->entry = entry_new(value);
    ldif->entry_lines = 0;
    return TRUE;
}

/* "version: 1" may stand once, before everything else. */
static gboolean read_outside(struct ldif *ldif, const char *name, const char *value, gsize length)
{
    if (g_ascii_strcasecmp(name, "dn") == 0)
        return begin_entry(ldif, value, length);
    if (g_ascii_strcasecmp(name, "version") != 0 || ldif->versioned || ldif->entries->len > 0)
        return fail(ldif, "an entry begins with dn:");
    ldif->versioned = TRUE;
    return strcmp(value, "1") == 0 || fail(ldif, "this version of LDIF is not read, only version 1");
}

static gboolean read_inside(struct ldif *ldif, const char *name, const char *value, gsize length)
{
    if (g_ascii_strcasecmp(name, "dn") == 0)
        return fail(ldif, "dn: stands inside an entry; an empty line is missing before it");
    if (g_ascii_strcasecmp(name, "changetype") == 0 || g_ascii_strcasecmp(name, "control") == 0)
        return fail(ldif, "the file has changes of entries, not entries");
    if (++ldif->entry_lines > LDIF_MAX_ENTRY_LINES)
        return fail(ldif, "the entry has too many lines");
    entry_add(ldif->entry, name, value, length);
    return TRUE;
}

static void end_entry(struct ldif *ldif)
{
    if (ldif->entry != NULL)
        g_ptr_array_add(ldif->entries, g_steal_pointer(&ldif->entry));
}

static gboolean read_line(struct ldif *ldif)
{
    char *text = ldif->text->str, *colon;
    g_autofree char *value = NULL;
    gsize length = 0;

    if (ldif->text->len == 0) {
        end_entry(ldif);
        return TRUE;
    }
    if (ldif->text->len > LDIF_MAX_LINE_BYTES)
        return fail(ldif, "the line is too long");
    if (strlen(text) != ldif->text->len)
        return fail(ldif, "the line has a NUL octet");
    if (text[0] == '#')
        return TRUE;
    if (text[0] == ' ')
        return fail(ldif, "a continued line stands behind nothing that it continues");
    colon = strchr(text, ':');
    if (colon == NULL)
        return fail(ldif, "expected ATTRIBUTE: value");
    *colon = '\0';
    if (!filter_is_attribute(text))
        return fail(ldif, "this is no name of an attribute");
    value = take_value(ldif, colon + 1, &length);
    if (value == NULL)
        return FALSE;
    return ldif->entry == NULL ? read_outside(ldif, text, value, length)
                               : read_inside(ldif, text, value, length);
}

GPtrArray *ldif_parse(const char *name, const char *text, gsize length, GError **error)
{
    struct ldif ldif = {.name = name, .next = text, .end = text + length, .error = error};
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(release_entry);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    gboolean good = TRUE;

    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        ldif.next += 3;
    ldif.entries = entries;
    ldif.names = names;
    ldif.text = line;
    while (good && take_logical_line(&ldif))
        good = read_line(&ldif);
    if (good)
        end_entry(&ldif);
    entry_free(ldif.entry);
    return good ? g_steal_pointer(&entries) : NULL;
}
