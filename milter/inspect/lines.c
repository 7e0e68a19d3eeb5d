#include "milter/inspect/lines.h"

#include <string.h>

#include "milter/inspect/limits.h"

struct line {
    const char *text;
    gsize length;
    guint number;
};

struct lines {
    struct answer *answer;
    guint number;      /* of the line last seen */
    guint own, quoted; /* candidates given */
    guint block;       /* lines since the quoted block began */
    struct line last[LIMIT_OWN_LINES];
    guint last_count; /* all that went through `last` */
};

struct lines *lines_new(struct answer *answer)
{
    struct lines *lines = g_new0(struct lines, 1);

    lines->answer = answer;
    return lines;
}

static void give(struct lines *lines, enum place_kind kind, const struct line *line)
{
    const struct place place = {.kind = kind, .line = line->number};
    gsize length = line->length;

    if (length > LIMIT_LINE_BYTES) {
        length = LIMIT_LINE_BYTES;
        while (length > 0 && ((guchar)line->text[length] & 0xc0) == 0x80)
            length--;
    }
    answer_candidate(lines->answer, &place, line->text, length);
}

static void take_own(struct lines *lines, const struct line *line)
{
    if (lines->own < LIMIT_OWN_LINES) {
        lines->own++;
        give(lines, PLACE_LINE, line);
        return;
    }
    lines->last[lines->last_count++ % LIMIT_OWN_LINES] = *line;
}

static void take_quoted(struct lines *lines, const struct line *line)
{
    if (lines->block++ >= LIMIT_QUOTED_LINES || lines->quoted >= LIMIT_ALL_QUOTED_LINES)
        return;
    lines->quoted++;
    give(lines, PLACE_QUOTED, line);
}

static void trim(struct line *line)
{
    for (; line->length > 0 && g_ascii_isspace(*line->text); line->text++, line->length--)
        ;
    while (line->length > 0 &&
           (g_ascii_isspace(line->text[line->length - 1]) || line->text[line->length - 1] == '\0'))
        line->length--;
}

/* The first octet decides nearly always, before anything is called: each line is asked for dozens of words.
 */
static gboolean has_prefix(const struct line *line, const char *word)
{
    gsize length;

    if (line->length == 0 || ((line->text[0] ^ word[0]) & ~0x20) != 0)
        return FALSE;
    length = strlen(word);
    return line->length >= length && g_ascii_strncasecmp(line->text, word, length) == 0;
}

static gboolean has_suffix(const struct line *line, const char *word)
{
    gsize length = strlen(word);

    return line->length >= length &&
           g_ascii_strncasecmp(line->text + line->length - length, word, length) == 0;
}

/* "：" or ":", with which every line ends that introduces something. */
static gboolean ends_with_colon(const struct line *line)
{
    return line->length > 0 && (line->text[line->length - 1] == ':' || has_suffix(line, "："));
}

static gboolean is_any(const struct line *line, gboolean (*test)(const struct line *, const char *),
                       const char *const *words)
{
    for (; *words != NULL; words++) {
        if (test(line, *words))
            return TRUE;
    }
    return FALSE;
}

/* "-----Original Message-----": dashes, one of the words, dashes. */
static gboolean is_dashed(struct line line)
{
    static const char *const words[] = {"Original Message",
                                        "Original Appointment",
                                        "Forwarded Message",
                                        "Forwarded by",
                                        "Reply Message",
                                        "原始邮件",
                                        "原邮件",
                                        "原始郵件",
                                        "转发邮件",
                                        "轉寄郵件",
                                        "转发的邮件",
                                        "回复的原邮件",
                                        "邮件原件",
                                        NULL};

    if (!has_prefix(&line, "--"))
        return FALSE;
    for (; line.length > 0 && (*line.text == '-' || *line.text == ' '); line.text++, line.length--)
        ;
    return is_any(&line, has_prefix, words) && has_suffix(&line, "-");
}

/* "On Mon, … Bob <b@x> wrote:", 在 2026年…，张三 写道：, "Begin forwarded message:". */
static gboolean is_introduction(const struct line *line)
{
    static const char *const english[] = {"wrote:", "writes:", NULL};
    static const char *const chinese[] = {"写道：", "写道:", "寫道：", "寫道:", NULL};

    if (has_prefix(line, "Begin forwarded message:") || has_prefix(line, "开始转发的邮件") ||
        has_prefix(line, "下面是被转发的邮件"))
        return TRUE;
    if (!ends_with_colon(line))
        return FALSE;
    if (has_prefix(line, "On ") && is_any(line, has_suffix, english))
        return TRUE;
    if (!is_any(line, has_suffix, chinese))
        return FALSE;
    /* somebody or some day is named: a sentence that ends so is the sender's own */
    return has_prefix(line, "在") || has_prefix(line, "於") || has_prefix(line, "于") ||
           memchr(line->text, '@', line->length) != NULL;
}

static gboolean is_from_line(const struct line *line)
{
    static const char *const words[] = {"From:",   "From：",   "发件人:", "发件人：",  "寄件者:", "寄件者：",
                                        "寄件人:", "寄件人：", "*From:*", "*发件人:*", NULL};

    return is_any(line, has_prefix, words);
}

static gboolean is_other_field_line(const struct line *line)
{
    static const char *const words[] = {
        "Sent:",  "Date:",  "To:",    "Subject:", "Cc:",     "发送时间", "发送日期", "日期:",    "日期：",
        "时间:",  "时间：", "收件人", "主题:",    "主题：",  "抄送",     "寄件日期", "传送日期", "傳送日期",
        "收件者", "主旨",   "副本",   "日期",     "*Sent:*", "*Date:*",  "*To:*",    NULL};

    return is_any(line, has_prefix, words);
}

/* Octets of the line end at `at`; 0 if none is there. Programs show a bare CR, VT, FF, U+0085, U+2028 and
 * U+2029 as line ends, too. */
static gsize line_end(const guchar *at, gsize left)
{
    if (*at == '\r' && left > 1 && at[1] == '\n')
        return 2;
    if (*at == '\n' || *at == '\r' || *at == '\v' || *at == '\f')
        return 1;
    if (*at == 0xc2 && left > 1 && at[1] == 0x85)
        return 2;
    return *at == 0xe2 && left > 2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9) ? 3 : 0;
}

/* So many octets that are surely no line end: printable ASCII, by words. */
static gsize plain_run(const char *text, gsize length)
{
    gsize at = 0;

    for (guint64 word; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        if (((word | (word - G_GUINT64_CONSTANT(0x2020202020202020))) &
             G_GUINT64_CONSTANT(0x8080808080808080)) != 0)
            break;
    }
    return at;
}

/* How every line end begins. */
static const gboolean begins_line_end[256] = {
    ['\n'] = TRUE, ['\v'] = TRUE, ['\f'] = TRUE, ['\r'] = TRUE, [0xc2] = TRUE, [0xe2] = TRUE};

/* The line that begins at text, trimmed; *next is behind its end. */
static struct line line_at(const char *text, const char *end, const char **next)
{
    struct line line = {.text = text};
    gsize ended = 0;

    while (text < end) {
        text += plain_run(text, end - text);
        while (text < end && !begins_line_end[(guchar)*text])
            text++;
        if (text < end && (ended = line_end((const guchar *)text, end - text)) > 0)
            break;
        text += text < end;
    }
    line.length = text - line.text;
    *next = text + ended;
    trim(&line);
    return line;
}

/* From: with two more fields in the lines that follow it. */
static gboolean is_field_block(const struct line *line, const char *next, const char *end)
{
    guint fields = 0;

    if (!is_from_line(line))
        return FALSE;
    for (guint n = 0; n < 6 && next < end; n++) {
        struct line other = line_at(next, end, &next);
        fields += is_other_field_line(&other);
    }
    return fields >= 2;
}

/* A block of fields with nothing before it is the head of a memo, and the sender's own. */
static gboolean is_separator(const struct line *line, const char *next, const char *end, gboolean has_line)
{
    gboolean may_be = (guchar)line->text[0] >= 0x80 || strchr("-OoBbFf*", line->text[0]) != NULL;

    if (line->length > 400 || !may_be)
        return FALSE;
    if (is_dashed(*line) || is_introduction(line) || (has_line && is_field_block(line, next, end)))
        return TRUE;
    if (!has_prefix(line, "On ") || next >= end)
        return FALSE;
    /* "On Mon, 23 Nov 2026, somebody" and "<a@b> wrote:" on the next line */
    struct line second = line_at(next, end, &next);
    return second.length < 200 && has_suffix(&second, "wrote:");
}

/* Takes the > and blanks off; FALSE if there are none. */
static gboolean unquote(struct line *line)
{
    gboolean is_quoted = FALSE;

    while (line->length > 0 && *line->text == '>') {
        line->text++;
        line->length--;
        is_quoted = TRUE;
        trim(line);
    }
    return is_quoted;
}

void lines_add(struct lines *lines, const char *text, gsize length)
{
    const char *end = text + length;
    gboolean in_reply = FALSE, was_quoted = FALSE, has_line = FALSE, is_next = TRUE;

    while (text < end) {
        struct line line = line_at(text, end, &text);
        lines->number += is_next;
        line.number = lines->number;
        is_next = text[-1] == '\n'; /* other ends count nothing: no line gets a higher number by them */
        gboolean is_quoted = unquote(&line);
        if (line.length == 0)
            continue;
        if (is_separator(&line, text, end, has_line)) {
            in_reply = in_reply || !is_quoted;
            lines->block = 0;
        } else if (is_quoted && !was_quoted && !in_reply) {
            lines->block = 0;
        }
        has_line = TRUE;
        if (is_quoted || in_reply)
            take_quoted(lines, &line);
        else
            take_own(lines, &line);
        was_quoted = is_quoted;
    }
}

static void give_last(struct lines *lines)
{
    guint count = MIN(lines->last_count, LIMIT_OWN_LINES);

    for (guint i = lines->last_count - count; i < lines->last_count; i++)
        give(lines, PLACE_LINE, &lines->last[i % LIMIT_OWN_LINES]);
    lines->last_count = 0;
}

struct lines_place lines_here(const struct lines *lines)
{
    return (struct lines_place){lines->number, lines->own};
}

void lines_return(struct lines *lines, struct lines_place place)
{
    give_last(lines);
    lines->number = place.number;
    lines->own = place.own;
}

void lines_finish(struct lines *lines)
{
    give_last(lines);
    g_free(lines);
}
