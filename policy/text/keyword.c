#include "policy/text/keyword.h"

#include <pthread.h>
#include <string.h>

static const struct {
    const char *english, *chinese;
} table[KW_COUNT] = {
#define KEYWORD(id, english, chinese) [KW_##id] = {english, chinese},
#include "policy/text/keyword.def"
#undef KEYWORD
};

/* Words of the Chinese language that are no keywords, but may be glued to some. */
static const char *const units[] = {"秒", "分钟", "小时", "天", "周", "年", NULL};

/* Longer words are not cut: the help would be longer than the line. */
#define CUT_MAX_OCTETS 240

const char *keyword_english(enum keyword keyword)
{
    g_assert(keyword < KW_COUNT);
    return table[keyword].english;
}

/* The first twin of each keyword, made when one is first asked for. pthread_once, since clearances are read
 * in threads and the thread sanitizer cannot see GLib's. */
static char first_twin[KW_COUNT][48];

static void fill_first_twins(void)
{
    for (guint n = 0; n < KW_COUNT; n++)
        g_snprintf(first_twin[n], sizeof first_twin[n], "%.*s", (int)strcspn(table[n].chinese, "|"),
                   table[n].chinese);
}

const char *keyword_chinese(enum keyword keyword)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;

    g_assert(keyword < KW_COUNT);
    pthread_once(&filled, fill_first_twins);
    return first_twin[keyword];
}

/* The next word of a keyword's spelling, up to a blank or '|'; *length 0 at its end. */
static const char *word_next(const char *p, gsize *length)
{
    p += *p == ' ';
    *length = strcspn(p, " |");
    return p;
}

static gboolean word_is(const char *word, const char *wanted, gsize length)
{
    return g_ascii_strncasecmp(word, wanted, length) == 0 && word[length] == '\0';
}

/* How many items spell this one twin; *end behind it. */
static guint twin_match(const char *twin, const struct statement *statement, guint first, const char **end)
{
    guint count = 0;
    gboolean fits = TRUE;
    gsize length;

    for (const char *word = word_next(twin, &length); length > 0;
         word = word_next(word + length, &length), count++) {
        const struct item *item = NULL;
        if (first + count < statement->items->len)
            item = statement_item(statement, first + count);
        fits = fits && item != NULL && item->kind == ITEM_WORD && word_is(item->text, word, length);
        *end = word + length;
    }
    return fits ? count : 0;
}

guint keyword_match(enum keyword keyword, const struct statement *statement, guint first)
{
    const char *end = table[keyword].english;
    guint count = twin_match(table[keyword].english, statement, first, &end);

    for (end = table[keyword].chinese; count == 0 && *end != '\0';) {
        count = twin_match(end, statement, first, &end);
        end += *end == '|';
    }
    return count;
}

gboolean keyword_is_word(enum keyword keyword, const char *word)
{
    gsize length;

    g_assert(keyword < KW_COUNT);
    word_next(table[keyword].english, &length);
    if (word_is(word, table[keyword].english, length))
        return TRUE;
    for (const char *twin = table[keyword].chinese; *twin != '\0';) {
        word_next(twin, &length);
        if (word_is(word, twin, length))
            return TRUE;
        twin += strcspn(twin, "|");
        twin += *twin == '|';
    }
    return FALSE;
}

gboolean keyword_begins_with(const char *word)
{
    for (guint n = 0; n < KW_COUNT; n++)
        if (keyword_is_word(n, word))
            return TRUE;
    return FALSE;
}

/* ---- cutting Chinese words that were written together */

static gsize longer(gsize best, const char *p, const char *piece, gsize length)
{
    return length > best && strncmp(p, piece, length) == 0 ? length : best;
}

/* Octets of the longest word of any Chinese keyword that p begins with; 0. */
static gsize keyword_prefix(const char *p)
{
    gsize best = 0, length;

    for (guint n = 0; n < KW_COUNT; n++)
        for (const char *word = table[n].chinese; *word != '\0'; word += length) {
            word += *word == ' ' || *word == '|';
            length = strcspn(word, " |");
            best = longer(best, p, word, length);
        }
    return best;
}

static gsize list_prefix(gsize best, const char *p, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        best = longer(best, p, *list, strlen(*list));
    return best;
}

/* A number with what may stand in one. */
static gsize number_prefix(const char *p)
{
    return g_ascii_isdigit(*p) ? strspn(p, "0123456789.:-%") : 0;
}

char *keyword_cut(const char *word, const char *const *more)
{
    g_autoptr(GString) out = g_string_new(NULL);
    guint pieces = 0;

    if (strlen(word) > CUT_MAX_OCTETS)
        return NULL;
    for (const char *p = word; *p != '\0'; pieces++) {
        gsize length = list_prefix(list_prefix(keyword_prefix(p), p, more), p, units);
        if (length == 0)
            length = number_prefix(p);
        if (length == 0)
            return NULL;
        g_string_append_printf(out, "%s%.*s", pieces > 0 ? " " : "", (int)length, p);
        p += length;
    }
    return pieces > 1 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
