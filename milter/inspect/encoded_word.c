#include "milter/inspect/encoded_word.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/transfer.h"

/* What is being put together. */
struct joiner {
    enum reading reading;
    GString *out;
    GString *octets;         /* of the words so far that are not converted yet */
    enum charset_id charset; /* of them */
    guint flags;
};

/* One =?charset?encoding?text?= */
struct word {
    const char *charset, *text, *end; /* end: behind ?= */
    gsize charset_length, text_length;
    gboolean is_base64, has_blank;
};

static enum charset_id forced_charset(enum reading reading)
{
    switch (reading) {
    case READING_UTF_8:
        return CHARSET_UTF_8;
    case READING_GB18030:
        return CHARSET_GB18030;
    case READING_BIG5:
        return CHARSET_BIG5;
    case READING_DECLARED:
    case READING_STRICT:
    case READING_COUNT:
        break;
    }
    return CHARSET_UNKNOWN;
}

/* Octets that were given a charset (or UNKNOWN: none, or one that nobody knows) become text. */
static void convert(struct joiner *joiner, enum charset_id charset, const char *octets, gsize length)
{
    enum charset_id forced = forced_charset(joiner->reading);
    gboolean is_ascii = octets_are_ascii(octets, length), invalid;

    if (is_ascii && charset_keeps_ascii(charset)) {
        g_string_append_len(joiner->out, octets, length);
        return;
    }
    if (!is_ascii && forced != CHARSET_UNKNOWN && charset_decode_strict(forced, octets, length, joiner->out))
        return;
    if (charset != CHARSET_UNKNOWN && charset_decode_strict(charset, octets, length, joiner->out)) {
        joiner->flags |= charset == CHARSET_UTF_8 || is_ascii ? 0 : READING_DOUBTFUL;
        return;
    }
    gsize before = joiner->out->len;
    enum charset_id guessed = charset_guess(octets, length, joiner->out, &invalid);
    if (invalid && charset != CHARSET_UNKNOWN) { /* nobody's octets: then as they are called */
        g_string_truncate(joiner->out, before);
        charset_decode(charset, octets, length, joiner->out);
    }
    joiner->flags |= invalid || charset != CHARSET_UNKNOWN ? READING_INVALID : 0;
    joiner->flags |= guessed == CHARSET_UTF_8 ? 0 : READING_DOUBTFUL;
}

/* Converts the words that wait. */
static void flush(struct joiner *joiner)
{
    if (joiner->octets->len > 0)
        convert(joiner, joiner->charset, joiner->octets->str, joiner->octets->len);
    g_string_truncate(joiner->octets, 0);
}

/* Text between words: octets with no label at all. */
static void add_plain(struct joiner *joiner, const char *octets, gsize length)
{
    flush(joiner);
    convert(joiner, CHARSET_UNKNOWN, octets, length);
}

/* RFC 2047 4.2, and raw blanks, which some senders leave in; = without two hex digits stays. */
static void decode_q(const char *text, gsize length, GString *out)
{
    for (gsize at = 0; at < length; at++) {
        char c = text[at] == '_' ? ' ' : text[at];
        if (c == '=' && length - at > 2 && g_ascii_isxdigit(text[at + 1]) && g_ascii_isxdigit(text[at + 2])) {
            c = (char)(g_ascii_xdigit_value(text[at + 1]) << 4 | g_ascii_xdigit_value(text[at + 2]));
            at += 2;
        }
        g_string_append_c(out, c);
    }
}

static void add_word(struct joiner *joiner, const struct word *word)
{
    enum charset_id charset = charset_find(word->charset, word->charset_length);

    if (charset == CHARSET_UNKNOWN)
        joiner->flags |= READING_UNKNOWN_CHARSET;
    if (charset != joiner->charset || (charset != CHARSET_UNKNOWN && charset_is_stateful(charset)))
        flush(joiner);
    joiner->charset = charset;
    if (word->is_base64)
        transfer_base64(word->text, word->text_length, joiner->octets);
    else
        decode_q(word->text, word->text_length, joiner->octets);
}

/* Whether a word begins here; FALSE for anything that no client would decode. */
static gboolean read_word(const char *at, const char *end, struct word *word)
{
    const char *mark, *close;

    if (end - at < 8 || at[0] != '=' || at[1] != '?')
        return FALSE;
    word->charset = at + 2;
    mark = memchr(word->charset, '?', MIN(end - word->charset, 64));
    if (mark == NULL || mark == word->charset || end - mark < 5 || mark[2] != '?' ||
        strchr("bBqQ", mark[1]) == NULL || mark[1] == '\0')
        return FALSE;
    word->charset_length = mark - word->charset;
    for (const char *c = word->charset; c < mark; c++) {
        if (*c <= ' ' || *c > '~')
            return FALSE;
    }
    word->is_base64 = g_ascii_tolower(mark[1]) == 'b';
    word->text = mark + 3;
    close = g_strstr_len(word->text, end - word->text, "?=");
    if (close == NULL)
        return FALSE;
    word->text_length = close - word->text;
    word->end = close + 2;
    word->has_blank = memchr(word->text, ' ', word->text_length) != NULL ||
                      memchr(word->text, '\t', word->text_length) != NULL;
    return TRUE;
}

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether RFC 2047 section 5 would have it read: no blanks inside, blanks (or a comment's edge) around. */
static gboolean is_strict(const char *value, const char *end, const char *at, const struct word *word)
{
    gboolean before = at == value || is_blank(at[-1]) || at[-1] == '(';
    gboolean behind = word->end == end || is_blank(*word->end) || *word->end == ')';

    return before && behind && !word->has_blank && word->end - at <= 75;
}

guint encoded_word_decode(const char *value, gsize length, enum reading reading, GString *out)
{
    g_autoptr(GString) octets = g_string_new(NULL);
    struct joiner joiner = {.reading = reading, .out = out, .octets = octets, .charset = CHARSET_UNKNOWN};
    const char *end = value + length, *plain = value, *at = value;
    gboolean behind_word = FALSE;
    struct word word;

    while (at < end && (at = memchr(at, '=', end - at)) != NULL) {
        gboolean is_word = read_word(at, end, &word), strict = is_word && is_strict(value, end, at, &word);
        if (is_word && !strict)
            joiner.flags |= READING_LENIENT;
        if (!is_word || (reading == READING_STRICT && !strict)) {
            at++;
            continue;
        }
        gsize gap = at - plain, blanks = 0;
        while (blanks < gap && is_blank(plain[blanks]))
            blanks++;
        if (!behind_word || blanks < gap) /* blanks between two words are not there (RFC 2047 6.2) */
            add_plain(&joiner, plain, gap);
        add_word(&joiner, &word);
        behind_word = TRUE;
        plain = at = word.end;
    }
    add_plain(&joiner, plain, end - plain);
    return joiner.flags;
}
