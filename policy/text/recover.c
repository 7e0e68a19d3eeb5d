#include "policy/text/recover.h"

#include "policy/text/character.h"
#include "policy/text/keyword.h"

/* What begins a statement at top level. Sure ones begin nothing else; the others are also statements of some
 * block, and count only when they are not indented more than the block's own statement. */
static const struct {
    enum keyword keyword;
    gboolean sure;
} top[] = {
    {KW_RULE, TRUE},           {KW_WORDS, TRUE},
    {KW_LIST, TRUE},           {KW_EXPECT, TRUE},
    {KW_PATTERN, FALSE},       {KW_INCLUDE, TRUE},
    {KW_LISTEN, TRUE},         {KW_CONTROL, TRUE},
    {KW_METRICS, TRUE},        {KW_STATE, TRUE},
    {KW_RUN_AS, TRUE},         {KW_KEY_FILE, TRUE},
    {KW_KEY_CREDENTIAL, TRUE}, {KW_STORE, TRUE},
    {KW_TIME_ZONE, TRUE},      {KW_LOG, TRUE},
    {KW_SCHEME, TRUE},         {KW_RULES, TRUE},
    {KW_DIRECTORY, FALSE},     {KW_ZONE, TRUE},
    {KW_SENDER_IS, TRUE},      {KW_DEVICE, TRUE},
    {KW_UNLABELLED, FALSE},    {KW_UNDECIDABLE, TRUE},
    {KW_QUEUE, TRUE},          {KW_ARCHIVE, FALSE},
    {KW_ROLE, TRUE},           {KW_NOTICES, TRUE},
    {KW_LIMITS, TRUE},         {KW_SANDBOX, TRUE},
    {KW_HOOK, TRUE},           {KW_LEVEL, FALSE},
    {KW_COMBINATION, TRUE},    {KW_CATEGORY_SET, TRUE},
    {KW_MARKING_FIELD, TRUE},  {KW_MARKING_SUBJECT, TRUE},
    {KW_MARKING_FIRST, TRUE},  {KW_MARKING_LAST, TRUE},
    {KW_WRITE_FIELD, TRUE},    {KW_WRITE_SUBJECT, TRUE},
    {KW_REGRADE_FIELD, TRUE},  {KW_EQUIVALENT_SCHEME, TRUE},
};

/* The clauses of a rule that no condition can begin with: 发件人 and 收件人 begin tests too. */
static const enum keyword clauses[] = {KW_RULE,    KW_WORDS, KW_LIST, KW_EXPECT, KW_WHEN, KW_UNLESS,
                                       KW_BECAUSE, KW_WATCH, KW_FOR,  KW_ACTIVE, KW_THEN};

static guint32 column(struct span span)
{
    return source_position(span.source, span.offset).column;
}

static gboolean begins_clause(const char *word)
{
    for (guint n = 0; n < G_N_ELEMENTS(clauses); n++)
        if (keyword_is_word(clauses[n], word))
            return TRUE;
    return FALSE;
}

guint recover_in_paren(const struct tokens *tokens, guint start, guint from, guint to)
{
    guint32 indent = column(tokens_at(tokens, start)->span);

    for (guint n = from; n < to; n++) {
        const struct token *token = tokens_at(tokens, n);
        if (!token->first || token->kind != TOKEN_WORD)
            continue;
        if (begins_clause(token->text) || column(token->span) <= indent)
            return n;
    }
    return to;
}

/* Does the statement begin a line? */
static gboolean begins_line(const struct statement *statement)
{
    const struct source *source = statement->span.source;
    guint32 length;
    guint step;
    const char *p = source_line(source, source_position(source, statement->span.offset).line, &length);
    const char *begin = source->text + statement->span.offset;

    for (; p < begin; p += step)
        if (!character_is_blank(character_read(p, begin, &step)))
            return FALSE;
    return TRUE;
}

static gboolean begins_top_level(const struct statement *statement, guint32 indent)
{
    gboolean outdented = column(statement->span) <= indent;

    if (!begins_line(statement))
        return FALSE;
    for (guint n = 0; n < G_N_ELEMENTS(top); n++)
        if ((top[n].sure || outdented) && keyword_match(top[n].keyword, statement, 0) > 0)
            return TRUE;
    return FALSE;
}

guint recover_in_block(const struct statement *opener)
{
    const GPtrArray *statements = opener->block->statements;
    guint32 indent = column(opener->span);

    for (guint n = 0; n < statements->len; n++)
        if (begins_top_level(g_ptr_array_index(statements, n), indent))
            return n;
    return statements->len;
}
