#include "policy/text/reader.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"

#include <string.h>

/* So many statements are offered all together when an unknown one has no neighbour. */
#define FEW 8
/* No keyword has more words. */
#define MAX_WORDS 6

/* One reading of a block. */
struct reading {
    const struct statement_kind *kinds;
    guint count;                    /* of kinds */
    const struct statement **given; /* by kind: where it was given first */
    const struct statement *bad;    /* the last one, when something was wrong with it */
    enum message_id what;
    struct diagnostics *diagnostics;
    gpointer context;
};

static guint32 column(const struct statement *statement)
{
    return source_position(statement->span.source, statement->span.offset).column;
}

static guint32 line(const struct statement *statement)
{
    return source_position(statement->span.source, statement->span.offset).line;
}

/* A line that merely goes on with a statement in which an error was found is no statement of its own. */
static gboolean continues_bad(const struct reading *reading, const struct statement *statement)
{
    const struct statement *bad = reading->bad;

    return bad != NULL && bad->span.source == statement->span.source && line(statement) > line(bad) &&
           column(statement) > column(bad);
}

/* The first words of a statement as one string; NULL when it begins with fewer. */
static char *leading_words(const struct statement *statement, guint words)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint n = 0; n < words; n++) {
        const struct item *item = n < statement->items->len ? statement_item(statement, n) : NULL;
        if (item == NULL || item->kind != ITEM_WORD)
            return NULL;
        g_string_append_printf(out, "%s%s", n > 0 ? " " : "", item->text);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static guint word_count(const char *keyword)
{
    guint count = 1;

    for (; *keyword != '\0'; keyword++)
        count += *keyword == ' ';
    return count;
}

/* The keywords of the block's statements, in the language of the word; ends with NULL. Borrowed strings. */
static GPtrArray *names_of(const struct reading *reading, const char *word)
{
    gboolean is_chinese = (guchar)word[0] >= 0x80;
    GPtrArray *names = g_ptr_array_new();

    for (guint n = 0; n < reading->count; n++) {
        const char *chinese = keyword_chinese(reading->kinds[n].keyword);
        const char *english = keyword_english(reading->kinds[n].keyword);
        g_ptr_array_add(names, (gpointer)(is_chinese && chinese[0] != '\0' ? chinese : english));
    }
    g_ptr_array_add(names, NULL);
    return names;
}

/* Keywords of as many words are compared with as many words of the statement. */
static const char *nearest_keyword(const struct statement *statement, const GPtrArray *names)
{
    const char *nearest = NULL;

    for (guint words = 1; words <= MAX_WORDS && nearest == NULL; words++) {
        g_autofree char *written = leading_words(statement, words);
        g_autoptr(GPtrArray) same = g_ptr_array_new();
        for (guint n = 0; n + 1 < names->len; n++)
            if (word_count(names->pdata[n]) == words)
                g_ptr_array_add(same, names->pdata[n]);
        g_ptr_array_add(same, NULL);
        if (written != NULL)
            nearest = nearest_name(written, (const char *const *)same->pdata);
    }
    return nearest;
}

/* "a, b, c" of the keywords that begin with the word, or of all when there are few; NULL if there is nothing
 * to offer. */
static char *choices(const char *word, const GPtrArray *names)
{
    g_autoptr(GString) begun = g_string_new(NULL);
    g_autoptr(GString) all = g_string_new(NULL);
    gsize length = strlen(word);

    for (guint n = 0; n + 1 < names->len; n++) {
        const char *name = names->pdata[n];
        g_string_append_printf(all, "%s%s", all->len > 0 ? ", " : "", name);
        if (g_ascii_strncasecmp(name, word, length) == 0 && name[length] == ' ')
            g_string_append_printf(begun, "%s%s", begun->len > 0 ? ", " : "", name);
    }
    if (begun->len > 0)
        return g_string_free(g_steal_pointer(&begun), FALSE);
    if (all->len > 0 && names->len - 1 <= FEW)
        return g_string_free(g_steal_pointer(&all), FALSE);
    return NULL;
}

static void offer(const struct reading *reading, const struct statement *statement,
                  struct diagnostic *diagnostic)
{
    const char *word = statement_item(statement, 0)->text;
    g_autoptr(GPtrArray) names = names_of(reading, word);
    g_autofree char *cut = keyword_cut(word, NULL);
    const char *nearest = nearest_keyword(statement, names);
    g_autofree char *possible = choices(word, names);

    if (cut != NULL)
        diagnostic_help(diagnostic, message_make(MSG_WRITE_APART, cut, NULL));
    else if (nearest != NULL)
        diagnostic_help(diagnostic, message_make(MSG_DID_YOU_MEAN, nearest, NULL));
    else if (possible != NULL)
        diagnostic_help(diagnostic, message_make(MSG_CHOICES, possible, NULL));
}

static void report_unknown(const struct reading *reading, const struct statement *statement)
{
    const struct item *item = statement_item(statement, 0);

    if (item->kind != ITEM_WORD) {
        g_autofree char *what = message_arg_with(MSG_A_STATEMENT_OF, message_arg(reading->what));
        g_autofree char *found = item_describe(item);
        diagnostics_report(reading->diagnostics, DIAG_EXPECTED, item->span,
                           message_make(MSG_EXPECTED_FIRST, what, found, NULL));
        return;
    }
    g_autofree char *word = character_shorten(item->text, DIAGNOSTIC_MAX_ARG);
    offer(reading, statement,
          diagnostics_report(reading->diagnostics, DIAG_UNKNOWN_STATEMENT, item->span,
                             message_make(MSG_UNKNOWN_STATEMENT, word, message_arg(reading->what), NULL)));
}

/* The kind of a statement and the number of items of its keyword; count if it is none of them. */
static guint find_kind(const struct reading *reading, const struct statement *statement, guint *items)
{
    guint best = reading->count;

    *items = 0;
    for (guint n = 0; n < reading->count; n++) {
        guint matched = keyword_match(reading->kinds[n].keyword, statement, 0);
        if (matched > *items) {
            best = n;
            *items = matched;
        }
    }
    return best;
}

static struct span keyword_span(const struct statement *statement, guint items)
{
    return span_join(statement_item(statement, 0)->span, statement_item(statement, items - 1)->span);
}

static void report_duplicate(const struct reading *reading, const struct statement *statement, guint kind,
                             guint items)
{
    struct span span = keyword_span(statement, items);
    g_autofree char *words = leading_words(statement, items);
    struct diagnostic *diagnostic = diagnostics_report(reading->diagnostics, DIAG_DUPLICATE, span,
                                                       message_make(MSG_DUPLICATE, words, NULL));

    diagnostic_note(diagnostic, statement_item(reading->given[kind], 0)->span,
                    message_make(MSG_FIRST_GIVEN_HERE, NULL));
}

/* FALSE when something about the statement was, or had been, reported. */
static gboolean read_statement(struct reading *reading, const struct statement *statement)
{
    guint items;
    guint kind = find_kind(reading, statement, &items);

    if (kind == reading->count) {
        if (!statement->bad && !continues_bad(reading, statement))
            report_unknown(reading, statement);
        return FALSE;
    }
    if (reading->kinds[kind].once && reading->given[kind] != NULL) {
        report_duplicate(reading, statement, kind, items);
        return FALSE;
    }
    if (reading->given[kind] == NULL)
        reading->given[kind] = statement;
    struct reader reader = reader_start(statement, reading->diagnostics);
    reader.next = items;
    reading->kinds[kind].read(&reader, reading->context);
    return !reader.broken;
}

void block_read(const struct block *block, const struct statement_kind *kinds, enum message_id what,
                struct diagnostics *diagnostics, gpointer context)
{
    struct reading reading = {.kinds = kinds, .what = what, .diagnostics = diagnostics, .context = context};
    gboolean is_file = block->open.length == 0;

    while (kinds[reading.count].keyword != KW_COUNT)
        reading.count++;
    reading.given = g_new0(const struct statement *, reading.count + 1);
    for (guint n = 0; n < block->statements->len; n++) {
        const struct statement *statement = block_statement(block, n);
        if (is_file && keyword_match(KW_INCLUDE, statement, 0) > 0)
            continue;
        if (read_statement(&reading, statement))
            reading.bad = NULL;
        else if (reading.bad == NULL || !continues_bad(&reading, statement))
            reading.bad = statement;
    }
    g_free(reading.given);
}
