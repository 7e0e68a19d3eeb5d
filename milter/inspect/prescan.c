#include "milter/inspect/prescan.h"

#include <string.h>

#include "milter/inspect/header.h"
#include "milter/inspect/limits.h"

/* Where the scan is. A block of fields stands behind a line that begins with -- and, in a message, behind the
 * block that says so. */
struct scan {
    gboolean in_fields, names_message, has_digest;
    guint block_lines, all_lines, boundary_lines, multiparts;
    gsize block_bytes;
    gboolean in_content_type;
};

static gboolean contains(const char *line, gsize length, const char *word)
{
    gsize word_length = strlen(word);

    for (gsize at = 0; at + word_length <= length; at++) {
        if (g_ascii_strncasecmp(line + at, word, word_length) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean begins(const char *line, gsize length, const char *word)
{
    return length >= strlen(word) && g_ascii_strncasecmp(line, word, strlen(word)) == 0;
}

/* Content-Type and its continuation lines, wherever they stand: cheaper to count than to know where they
 * count. */
static void look_at_type(struct scan *scan, const char *line, gsize length)
{
    gboolean continues = scan->in_content_type && length > 0 && (line[0] == ' ' || line[0] == '\t');

    scan->in_content_type = continues || begins(line, length, "Content-Type");
    if (!scan->in_content_type)
        return;
    length = MIN(length, 200);
    if (contains(line, length, "multipart/")) {
        scan->multiparts++;
        scan->has_digest = scan->has_digest || contains(line, length, "multipart/digest");
    } else if (contains(line, length, "message/")) {
        scan->names_message = TRUE;
    }
}

static void begin_block(struct scan *scan)
{
    scan->in_fields = TRUE;
    scan->names_message = FALSE;
    scan->block_lines = 0;
    scan->block_bytes = 0;
}

/* A line of a block of fields; the empty one ends it. The library passes over lines that are none, and goes
 * on. */
static void look_at_field(struct scan *scan, const char *line, gsize length)
{
    if (length == 0) {
        scan->in_fields = FALSE;
        if (scan->names_message || scan->has_digest)
            begin_block(scan);
    } else if (line[0] == ' ' || line[0] == '\t' || header_name_length(line, length) > 0) {
        scan->block_lines++;
        scan->all_lines++;
        scan->block_bytes += length;
    }
}

static void check(struct prescan *result, gsize number, gsize most, enum finding_id finding)
{
    if (number <= most || result->is_too_large)
        return;
    result->is_too_large = TRUE;
    result->limit = finding;
}

static gboolean within_limits(const struct scan *scan, struct prescan *result)
{
    check(result, scan->boundary_lines, LIMIT_BOUNDARY_LINES, FINDING_TOO_MANY_BOUNDARY_LINES);
    check(result, scan->multiparts, LIMIT_MULTIPARTS, FINDING_TOO_MANY_PARTS);
    check(result, scan->block_lines, LIMIT_HEADER_LINES, FINDING_TOO_MANY_FIELDS);
    check(result, scan->all_lines, LIMIT_PART_HEADER_LINES, FINDING_TOO_MANY_FIELDS);
    check(result, scan->block_bytes, LIMIT_HEADER_BYTES, FINDING_HEADER_TOO_LARGE);
    return !result->is_too_large;
}

void prescan_body(struct prescan *result, const char *body, gsize length)
{
    struct scan scan = {0};
    const char *end = body + length;

    *result = (struct prescan){.has_nul = memchr(body, '\0', length) != NULL};
    for (const char *line = body; line < end;) {
        const char *newline = memchr(line, '\n', end - line);
        gsize line_length = (newline != NULL ? newline : end) - line;
        if (line_length > 0 && line[line_length - 1] == '\r')
            line_length--;
        gboolean is_boundary = line_length >= 2 && line[0] == '-' && line[1] == '-';
        if (is_boundary) {
            scan.boundary_lines++;
            begin_block(&scan);
        } else if (scan.in_fields) {
            look_at_field(&scan, line, line_length);
        }
        if (scan.in_content_type || (line_length > 0 && (line[0] | 0x20) == 'c'))
            look_at_type(&scan, line, line_length);
        if ((is_boundary || scan.in_fields || scan.in_content_type) && !within_limits(&scan, result))
            return;
        line = newline != NULL ? newline + 1 : end;
    }
}

/* ---------------------------------------------------------------- fields in the body */

static gboolean is_one_of(const char *name, gsize length, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strlen(*names) == length && g_ascii_strncasecmp(*names, name, length) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Fields that programs write and people do not. */
static gboolean is_technical(const char *name, gsize length)
{
    static const char *const names[] = {"MIME-Version",
                                        "Message-Id",
                                        "Received",
                                        "Return-Path",
                                        "References",
                                        "In-Reply-To",
                                        "SIO-Label",
                                        "msip_labels",
                                        "Sensitivity",
                                        "Delivered-To",
                                        "DKIM-Signature",
                                        "Auto-Submitted",
                                        "User-Agent",
                                        "Thread-Index",
                                        "Thread-Topic",
                                        "Authentication-Results",
                                        "Resent-From",
                                        "Resent-Message-Id",
                                        NULL};

    return begins(name, length, "X-") || begins(name, length, "Content-") || begins(name, length, "ARC-") ||
           is_one_of(name, length, names);
}

/* Fields that people write above texts, too. */
static gboolean is_of_memo(const char *name, gsize length)
{
    static const char *const names[] = {"From",   "To",       "Cc",        "Bcc",         "Date",
                                        "Sender", "Reply-To", "Resent-To", "Resent-Date", NULL};

    return is_one_of(name, length, names);
}

/* A scheme may read it, whatever it is called: Classification, Security-Label, Protective-Marking. */
static gboolean may_be_label(const char *name, gsize length)
{
    static const char *const words[] = {"subject", "classif", "label", "marking", "secur", "sensitiv", NULL};

    for (gsize i = 0; words[i] != NULL; i++) {
        if (contains(name, length, words[i]))
            return TRUE;
    }
    return FALSE;
}

/* As header_name_length, but with NULs and other control octets inside, for which the MTA took it for no
 * field. */
static gsize dirty_name_length(const char *line, gsize length)
{
    const char *colon = memchr(line, ':', MIN(length, 80));

    for (gsize at = 0; colon != NULL && line + at < colon; at++) {
        if (line[at] == ' ' || line[at] == '\t')
            return 0;
    }
    return colon != NULL ? colon - line : 0;
}

/* The name as it would be without the octets that do not belong into it. */
static gsize clean_name(const char *line, gsize length, char *name, gsize name_size)
{
    gsize kept = 0;

    for (gsize at = 0; at < length && kept + 1 < name_size; at++) {
        if (line[at] > ' ' && line[at] <= '~')
            name[kept++] = line[at];
    }
    name[kept] = '\0';
    return kept;
}

/* Whether it is the boundary that this Content-Type names. */
static gboolean is_boundary(const char *line, gsize length, const char *type)
{
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    if (length <= 2 || line[0] != '-' || line[1] != '-' || type == NULL)
        return FALSE;
    g_autofree char *boundary = g_strndup(line + 2, length - 2);
    return strlen(boundary) == length - 2 && strstr(type, boundary) != NULL;
}

/* What the first line says of those behind it. */
enum beginning {
    BEGINS_WITH_FIELD,  /* lost from the header, surely */
    BEGINS_WITH_MEMO,   /* a field of mail that people write, too, or a continuation of nothing */
    BEGINS_WITH_REMARK, /* anything */
};

static enum beginning judge_first_line(const char *line, gsize length, char *name, gsize name_size)
{
    gsize dirty = dirty_name_length(line, length), clean = clean_name(line, dirty, name, name_size);

    if (is_technical(name, clean) || g_ascii_strcasecmp(name, "Subject") == 0)
        return BEGINS_WITH_FIELD;
    if (is_of_memo(name, clean)) /* nobody writes control octets */
        return clean < dirty ? BEGINS_WITH_FIELD : BEGINS_WITH_MEMO;
    return line[0] == ' ' || line[0] == '\t' ? BEGINS_WITH_MEMO : BEGINS_WITH_REMARK;
}

/* The length of the line at *next, which is set behind it. */
static gsize take_line(const char **next, const char *end)
{
    const char *line = *next, *newline = memchr(line, '\n', end - line);
    gsize length = (newline != NULL ? newline : end) - line;

    *next = newline != NULL ? newline + 1 : end;
    return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

/* Whether all lines up to an empty one are fields or continuations, and one of them should not be here. */
static gboolean has_lost_field(const char *next, const char *end, enum beginning beginning, char *name,
                               gsize name_size)
{
    gboolean is_found = FALSE;

    for (guint lines = 1; next < end && lines < LIMIT_MISPLACED_LINES; lines++) {
        const char *line = next;
        gsize length = take_line(&next, end), name_length;
        if (length == 0)
            break;
        if (line[0] == ' ' || line[0] == '\t')
            continue;
        name_length = header_name_length(line, length);
        if (name_length == 0)
            return FALSE;
        if (!is_found && (is_technical(line, name_length) ||
                          (beginning == BEGINS_WITH_MEMO && may_be_label(line, name_length)))) {
            clean_name(line, name_length, name, name_size);
            is_found = TRUE;
        }
    }
    return is_found;
}

gboolean body_begins_with_fields(const char *body, gsize length, const char *type, char *name,
                                 gsize name_size)
{
    const char *end = body + length, *next = body;
    gsize first = length > 0 ? take_line(&next, end) : 0;
    gboolean is_message = type != NULL && g_ascii_strncasecmp(type, "message/", 8) == 0;
    enum beginning beginning;

    if (first == 0 || is_boundary(body, first, type) || (is_message && header_name_length(body, first) > 0))
        return FALSE;
    beginning = judge_first_line(body, first, name, name_size);
    return beginning == BEGINS_WITH_FIELD || has_lost_field(next, end, beginning, name, name_size);
}
