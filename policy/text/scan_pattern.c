#include "policy/text/scan.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"

#include <string.h>

/* The closing slash on this line, p behind the opening one; NULL. */
static const char *find_slash(const char *p, const char *line_end)
{
    for (; p < line_end; p++) {
        if (*p == '/')
            return p;
        if (*p == '\\' && p + 1 < line_end)
            p++;
    }
    return NULL;
}

/* The end of the word at p. */
static const char *word_end(const struct scan *scan, const char *p)
{
    guint length;

    while (p < scan->end && !scan_ends_word(character_read(p, scan->end, &length)))
        p += length;
    return p;
}

/* The flags in the order i m s; NULL when there are others, or one twice. */
static const char *flags_find(const char *p, const char *end)
{
    static const char *const sets[] = {"", "i", "m", "im", "s", "is", "ms", "ims"};
    static const char letters[] = "ims";
    guint set = 0;

    for (; p < end; p++) {
        const char *letter = *p != '\0' ? strchr(letters, *p) : NULL;
        if (letter == NULL || (set & 1u << (letter - letters)) != 0)
            return NULL;
        set |= 1u << (letter - letters);
    }
    return sets[set];
}

/* "/var/lib" rather than "/(a|b)": letters, digits and what file names have. */
static gboolean looks_like_path(const char *p, const char *end)
{
    if (p == end)
        return FALSE;
    for (; p < end; p++)
        if ((guchar)*p < 0x80 && !g_ascii_isalnum(*p) && strchr("./_-*%+", *p) == NULL)
            return FALSE;
    return TRUE;
}

static void keep_text(struct token *token, const char *from, const char *to)
{
    GString *text = g_string_new(NULL);
    guint length;

    for (const char *p = from; p < to; p += length) {
        gunichar c = character_read(p, to, &length);
        if (character_is_sound(c))
            g_string_append_len(text, p, length);
        token->bad |= c == CHARACTER_INVALID || character_is_control(c);
    }
    token->text = g_string_free(text, FALSE);
}

static void check_length(struct scan *scan, struct token *token)
{
    guint characters = character_count(token->text, strlen(token->text));

    if (characters <= TEXT_MAX_CHARACTERS)
        return;
    g_autofree char *limit = g_strdup_printf("%d", TEXT_MAX_CHARACTERS);
    g_autofree char *found = g_strdup_printf("%u", characters);
    diagnostics_report(scan->diagnostics, DIAG_RANGE, token->span,
                       message_make(MSG_PATTERN_TOO_LONG, limit, found, NULL));
}

void scan_pattern(struct scan *scan, struct token *token)
{
    const char *open = scan->p;
    const char *line_end = scan_line_end(scan, open);
    const char *slash = find_slash(open + 1, line_end);
    const char *word = word_end(scan, open + 1);

    token->kind = TOKEN_REGEX;
    token->flags = "";
    if (slash != NULL) {
        scan->p = word_end(scan, slash + 1);
        token->flags = flags_find(slash + 1, scan->p);
        if (token->flags == NULL) {
            token->flags = "";
            token->fault = ITEM_FLAGS;
        }
        keep_text(token, open + 1, slash);
    } else {
        /* A pattern takes the rest of the line; a path must not swallow the brace behind it. */
        scan->p = looks_like_path(open + 1, word) ? word : line_end;
        token->fault = ITEM_UNCLOSED;
        keep_text(token, open + 1, scan->p);
    }
    token->span = scan_span(scan, open, (gsize)(scan->p - open));
    if (token->fault == ITEM_SOUND)
        check_length(scan, token);
}
