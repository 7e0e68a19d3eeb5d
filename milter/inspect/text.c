#include "milter/inspect/text.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/html.h"
#include "milter/inspect/lines.h"
#include "milter/inspect/readings.h"
#include "policy/text/character.h"

static void damage(struct answer *answer, enum finding_id id, guint part, const char *detail)
{
    answer_finding(answer, id, part, detail);
    answer_part_flag(answer, part, PART_DAMAGED);
}

/* Takes the transfer encoding off. What is not encoded is not copied: *octets and *length then stay. */
static void decode_transfer(const struct own_text *text, GString *decoded, const char **octets, gsize *length,
                            struct answer *answer)
{
    switch (text->encoding) {
    case TRANSFER_PLAIN:
        return;
    case TRANSFER_BASE64:
        transfer_base64(*octets, *length, decoded); /* the part reports what is wrong with it */
        break;
    case TRANSFER_QUOTED_PRINTABLE:
        if (transfer_quoted_printable(*octets, *length, decoded) != 0)
            answer_finding(answer, FINDING_BAD_QP, text->part, NULL);
        break;
    case TRANSFER_UUENCODE:
    case TRANSFER_UNKNOWN:
        damage(answer, FINDING_DAMAGED, text->part, "transfer encoding");
        answer_part_flag(answer, text->part, PART_UNREAD);
        return;
    }
    *octets = decoded->str;
    *length = decoded->len;
}

/* Converts to UTF-8; NULL if it is UTF-8 as it stands. *as_named: it is what it says. */
static GString *convert(const struct own_text *text, const char *octets, gsize length, struct answer *answer,
                        gboolean *as_named)
{
    enum charset_id charset =
        text->charset[0] != '\0' ? charset_find(text->charset, strlen(text->charset)) : CHARSET_ASCII;
    gboolean invalid = FALSE;
    g_autoptr(GString) out = NULL;

    if (charset == CHARSET_UNKNOWN)
        damage(answer, FINDING_UNKNOWN_CHARSET, text->part, text->charset);
    if (charset_keeps_ascii(charset) && octets_are_ascii(octets, length))
        return NULL;
    if (charset == CHARSET_ASCII && text->charset[0] != '\0')
        answer_finding(answer, FINDING_WRONG_CHARSET, text->part, text->charset);
    if (charset == CHARSET_ASCII)
        charset = CHARSET_UTF_8; /* what it is when it is not GB18030 */
    if (charset == CHARSET_UTF_8 && character_all_valid(octets, length))
        return NULL;
    out = g_string_sized_new(length + length / 2);
    *as_named = charset != CHARSET_UNKNOWN && charset_decode_strict(charset, octets, length, out);
    if (*as_named)
        return g_steal_pointer(&out);
    charset_guess(octets, length, out, &invalid);
    if (invalid && charset != CHARSET_UNKNOWN) {
        g_string_truncate(out, 0);
        charset_decode(charset, octets, length, out);
    }
    if (text->charset[0] != '\0' || invalid)
        answer_finding(answer, FINDING_WRONG_CHARSET, text->part, text->charset);
    return g_steal_pointer(&out);
}

/* One run over the texts of a message. */
struct run {
    const struct inspect_limits *limits;
    struct answer *answer;
    struct lines *lines;
    GPtrArray *kept; /* GString *, into which the lines point */
};

static GString *keep(struct run *run, GString *string)
{
    g_ptr_array_add(run->kept, string);
    return string;
}

static void string_free(gpointer string)
{
    g_string_free(string, TRUE);
}

/* The octets behind the transfer encoding. */
static struct bytes octets_of(struct run *run, const struct own_text *text)
{
    struct bytes octets = {text->octets, text->length};

    decode_transfer(text, keep(run, g_string_new(NULL)), &octets.data, &octets.length, run->answer);
    if (octets.length > run->limits->text_size_bytes) {
        answer_finding(run->answer, FINDING_TEXT_TOO_LARGE, text->part, NULL);
        octets.length = run->limits->text_size_bytes;
    }
    return octets;
}

/* The text in UTF-8, HTML as it stands. */
static struct bytes read_text(struct run *run, const struct own_text *text, struct bytes octets,
                              gboolean *as_named)
{
    GString *converted = convert(text, octets.data, octets.length, run->answer, as_named);
    struct bytes utf8 = octets;

    if (converted != NULL)
        utf8 = (struct bytes){keep(run, converted)->str, converted->len};
    if (memchr(utf8.data, '\0', utf8.length) != NULL)
        answer_finding(run->answer, FINDING_BARE_NUL, text->part, NULL);
    return utf8;
}

/* One form of a text, and where its lines begin. */
struct form {
    struct lines_place place;
    struct bytes utf8;  /* set to what HTML was made to */
    gboolean is_second; /* a form of the text was added already */
};

static void add_lines(struct run *run, struct form *form, GString *plain)
{
    form->utf8 = (struct bytes){plain->str, plain->len};
    if (form->is_second)
        lines_return(run->lines, form->place);
    form->is_second = TRUE;
    lines_add(run->lines, plain->str, plain->len);
}

/* HTML as text: whole, and what is seen of it if it hides something, else shown is NULL. Kept by the run. */
struct plain {
    GString *whole, *shown;
};

/* FALSE: it cannot be read. */
static gboolean make_plain(struct run *run, struct bytes html, struct plain *plain)
{
    g_autoptr(GString) clean = g_string_new_len(html.data, html.length);
    gboolean hides, is_read;

    octets_remove_nuls(clean);
    *plain = (struct plain){keep(run, g_string_sized_new(clean->len / 2)), NULL};
    is_read = html_to_text(clean->str, clean->len, HTML_WHOLE, plain->whole, &hides);
    if (hides) {
        plain->shown = keep(run, g_string_sized_new(plain->whole->len));
        html_to_text(clean->str, clean->len, HTML_SHOWN, plain->shown, NULL);
    }
    return is_read;
}

static gboolean add_html(struct run *run, struct form *form)
{
    struct plain plain;
    gboolean is_read = make_plain(run, form->utf8, &plain);

    if (plain.shown != NULL)
        add_lines(run, form, plain.shown);
    add_lines(run, form, plain.whole);
    return is_read;
}

/* skipped: the name of a charset in which it was read already, or "". */
static void add_readings(struct run *run, struct form *form, const GString *masked, const char *skipped)
{
    struct bytes octets = form->utf8;

    if (masked != NULL)
        octets = (struct bytes){masked->str, masked->len};
    for (guint which = 0; which < READING_CHARSETS; which++) {
        if (!reading_is_of(which, skipped))
            add_lines(run, form, keep(run, reading_make(which, octets, masked != NULL)));
    }
}

/* Whatever it is called. A wrong reading has no marks in it. */
static void add_other_readings(struct run *run, const struct own_text *text, struct form *form,
                               const char *skipped)
{
    struct plain plain;

    if (!text->is_html) {
        add_readings(run, form, NULL, skipped);
        return;
    }
    g_autoptr(GString) masked = g_string_new(NULL);
    octets_mask(form->utf8, masked);
    make_plain(run, (struct bytes){masked->str, masked->len}, &plain);
    if (plain.shown != NULL)
        add_readings(run, form, plain.shown, skipped);
    add_readings(run, form, plain.whole, skipped);
}

/* OpenPGP in the text itself (RFC 9580 6.2): nobody but its recipient can read it. */
static gboolean is_armoured(const char *text, gsize length)
{
    static const char mark[] = "-----BEGIN PGP MESSAGE-----";
    const char *found = memmem(text, MIN(length, 1 << 20), mark, strlen(mark));

    return found != NULL && (found == text || found[-1] == '\n');
}

static void report_text(struct run *run, const struct own_text *text, struct lines_place place)
{
    struct bytes octets = octets_of(run, text);
    gboolean as_named = FALSE;
    struct form form = {place, read_text(run, text, octets, &as_named), FALSE};
    gboolean is_converted = form.utf8.data != octets.data; /* else it was UTF-8, which has one reading */

    if (!text->is_html)
        lines_add(run->lines, form.utf8.data, form.utf8.length);
    else if (!add_html(run, &form)) {
        damage(run->answer, FINDING_DAMAGED, text->part, "html");
        answer_part_flag(run->answer, text->part, PART_UNREAD);
    }
    if (is_converted && !octets_have_one_reading(text->charset, octets)) {
        struct form other = {place, octets, TRUE};
        add_other_readings(run, text, &other, as_named ? text->charset : "");
    }
    if (is_armoured(form.utf8.data, form.utf8.length)) {
        answer_finding(run->answer, FINDING_ENCRYPTED, text->part, "OpenPGP");
        answer_part_flag(run->answer, text->part, PART_ENCRYPTED);
    }
}

void texts_report(const GArray *texts, const struct inspect_limits *limits, struct answer *answer)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(string_free);
    struct run run = {limits, answer, lines_new(answer), kept};
    struct lines_place place = lines_here(run.lines);
    guint alternative = 0;

    for (guint i = 0; i < texts->len; i++) {
        const struct own_text *text = &g_array_index(texts, struct own_text, i);
        if (text->alternative != 0 && text->alternative == alternative)
            lines_return(run.lines, place);
        else
            place = lines_here(run.lines);
        alternative = text->alternative;
        report_text(&run, text, place);
    }
    lines_finish(run.lines);
}

static void write_one(struct run *run, const struct own_text *text, GString *out)
{
    gboolean as_named = FALSE;
    struct bytes utf8 = read_text(run, text, octets_of(run, text), &as_named);
    struct plain plain;

    if (!text->is_html)
        g_string_append_len(out, utf8.data, (gssize)utf8.length);
    else if (make_plain(run, utf8, &plain))
        g_string_append_len(out, plain.whole->str, (gssize)plain.whole->len);
    else
        g_string_append_len(out, utf8.data,
                            (gssize)utf8.length); /* no HTML that anybody can read: as it is */
    if (out->len > 0 && out->str[out->len - 1] != '\n')
        g_string_append_c(out, '\n');
}

void texts_write(const GArray *texts, const struct inspect_limits *limits, struct answer *answer,
                 GString *out)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(string_free);
    struct run run = {limits, answer, NULL, kept};

    for (guint i = 0; i < texts->len; i++) {
        const struct own_text *text = &g_array_index(texts, struct own_text, i);

        if (texts->len > 1)
            g_string_append_printf(out, "%s[%s%u]\n", i > 0 ? "\n" : "", text->is_html ? "html " : "",
                                   text->part);
        write_one(&run, text, out);
        g_ptr_array_set_size(kept, 0);
    }
}
