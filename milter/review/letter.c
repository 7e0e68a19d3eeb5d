#include "milter/review/letter.h"

#include <string.h>

#include "milter/decide/reply_text.h"
#include "milter/review/dsn.h"
#include "milter/review/limits.h"
#include "milter/review/mime.h"

#define NOBODY_KNOWN "localhost.localdomain"
#define RULER "----------------------------------------"
#define UNIQUE_CHARACTERS 20
#define DIAGNOSTIC_BYTES 300

char *notice_text(enum notice_text id, enum language language, const char *const *args)
{
    static const char *const texts[NOTICE_TEXT_COUNT][2] = {
#define NOTICE(id, en, zh) [NOTICE_##id] = {en, zh},
#include "milter/review/notice.def"
#undef NOTICE
    };
    static const char *const none[] = {NULL};

    g_assert(id < NOTICE_TEXT_COUNT);
    return message_fill(texts[id][language == LANGUAGE_ZH], args != NULL ? args : none, language);
}

/* ---------------------------------------------------------------- making */
static void recipient_free(gpointer data)
{
    struct letter_recipient *recipient = data;

    g_free(recipient->address);
    g_free(recipient->original);
    g_free(recipient->sentences[0]);
    g_free(recipient->sentences[1]);
    g_free(recipient->status);
    g_free(recipient->diagnostic);
    g_free(recipient);
}

static void section_free(gpointer data)
{
    struct letter_section *section = data;

    g_free(section->note);
    g_ptr_array_unref(section->recipients);
    g_free(section);
}

struct letter *letter_new(const struct snapshot *snapshot, const char *addressee, gint64 now_s)
{
    struct letter *letter = g_new0(struct letter, 1);

    letter->snapshot = snapshot;
    letter->addressee = address_printable(addressee);
    letter->now_s = now_s;
    letter->sections = g_ptr_array_new_with_free_func(section_free);
    for (guint i = 0; i < 2; i++)
        letter->lines[i] = g_ptr_array_new_with_free_func(g_free);
    return letter;
}

void letter_free(struct letter *letter)
{
    if (letter == NULL)
        return;
    for (guint i = 0; i < 2; i++) {
        g_free(letter->subject[i]);
        g_ptr_array_unref(letter->lines[i]);
    }
    g_free(letter->addressee);
    g_free(letter->reference);
    g_free(letter->unique);
    g_free(letter->sender);
    g_free(letter->label);
    g_free(letter->title);
    g_free(letter->envelope_id);
    g_ptr_array_unref(letter->sections);
    g_free(letter);
}

void letter_set_subject(struct letter *letter, enum notice_text id, const char *number)
{
    const char *args[] = {number, NULL};

    for (enum language language = LANGUAGE_EN; language <= LANGUAGE_ZH; language++) {
        g_free(letter->subject[language]);
        letter->subject[language] = notice_text(id, language, args);
    }
}

struct letter_section *letter_add_section(struct letter *letter, enum notice_text head,
                                          enum notice_text advice, gboolean is_failure)
{
    struct letter_section *section = g_new0(struct letter_section, 1);

    section->head = head;
    section->advice = advice;
    section->is_failure = is_failure;
    section->recipients = g_ptr_array_new_with_free_func(recipient_free);
    g_ptr_array_add(letter->sections, section);
    return section;
}

struct letter_recipient *letter_add_recipient(struct letter_section *section, const char *given)
{
    struct letter_recipient *recipient = g_new0(struct letter_recipient, 1);
    gsize length = strlen(given);
    gboolean bracketed = length >= 2 && given[0] == '<' && given[length - 1] == '>';
    g_autofree char *bare = bracketed ? g_strndup(given + 1, length - 2) : g_strdup(given);

    recipient->address = address_printable(bare);
    g_ptr_array_add(section->recipients, recipient);
    return recipient;
}

void letter_diagnose(struct letter_recipient *recipient, const char *status, const char *english,
                     const char *reference)
{
    g_autofree char *ascii = reply_text_ascii(english, DIAGNOSTIC_BYTES);

    recipient->status = g_strdup(status);
    recipient->diagnostic = g_strdup_printf("550 %s %s [%s]", status, ascii, reference);
}

gboolean letter_is_failure(const struct letter *letter)
{
    for (guint i = 0; i < letter->sections->len; i++)
        if (((const struct letter_section *)g_ptr_array_index(letter->sections, i))->is_failure)
            return TRUE;
    return FALSE;
}

/* ---------------------------------------------------------------- whence */
static const char *inside_domain(const struct zones *zones)
{
    for (guint i = 0; i < zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(zones->list, i);
        for (guint k = 0; zone->inside && zone->recipients != NULL && k < zone->recipients->len; k++) {
            const char *pattern = g_ptr_array_index(zone->recipients, k);
            const char *at = strrchr(pattern, '@');
            return at != NULL ? at + 1 : g_str_has_prefix(pattern, "*.") ? pattern + 2 : pattern;
        }
    }
    return NOBODY_KNOWN; /* no configuration without a domain inside loads */
}

char *letter_from(const struct snapshot *snapshot)
{
    if (snapshot->conf->notices.from != NULL)
        return g_strdup(snapshot->conf->notices.from);
    return g_strconcat("miji@", inside_domain(snapshot->zones), NULL);
}

/* ---------------------------------------------------------------- the text */
/* The languages in the order of the configuration; both where it says nothing. */
static guint languages_of(const struct letter *letter, enum language languages[2])
{
    const struct notices *notices = &letter->snapshot->conf->notices;

    if (notices->language_count == 0) {
        languages[0] = LANGUAGE_ZH;
        languages[1] = LANGUAGE_EN;
        return 2;
    }
    languages[0] = notices->languages[0];
    languages[1] = notices->languages[1];
    return notices->language_count;
}

static void append_line(GString *out, enum notice_text id, enum language language, const char *arg)
{
    const char *args[] = {arg, NULL};
    g_autofree char *line = notice_text(id, language, args);

    g_string_append_printf(out, "%s\n", line);
}

/* One sentence with all whom it is about: those that name their recipient stand alone. */
static void append_group(GString *out, const GPtrArray *recipients, guint first, guint shown,
                         enum language language)
{
    const struct letter_recipient *one = g_ptr_array_index(recipients, first);
    const char *sentence = one->sentences[language];

    if (sentence != NULL && strstr(sentence, one->address) != NULL) {
        g_string_append_printf(out, "  - %s\n", sentence);
        return;
    }
    for (guint i = 0; i < shown; i++) {
        const struct letter_recipient *other = g_ptr_array_index(recipients, i);
        if (g_strcmp0(other->sentences[language], sentence) != 0)
            continue;
        if (i < first)
            return; /* said with that one */
        g_string_append_printf(out, "  - %s\n", other->address);
    }
    if (sentence != NULL)
        g_string_append_printf(out, "    %s\n", sentence);
}

static void append_section(GString *out, const struct letter_section *section, guint shown,
                           enum language language)
{
    g_autofree char *more = g_strdup_printf("%u", section->recipients->len - shown);

    append_line(out, section->head, language, NULL);
    for (guint i = 0; i < shown; i++)
        append_group(out, section->recipients, i, shown, language);
    if (shown < section->recipients->len) {
        g_string_append(out, "  - ");
        append_line(out, NOTICE_MORE_RECIPIENTS, language, more);
    }
    if (section->note != NULL)
        append_line(out, NOTICE_NOTE, language, section->note);
    append_line(out, section->advice, language, NULL);
    g_string_append_c(out, '\n');
}

static void append_language(GString *out, const struct letter *letter, guint shown, enum language language)
{
    for (guint i = 0; i < letter->lines[language]->len; i++)
        g_string_append_printf(out, "%s\n", (const char *)g_ptr_array_index(letter->lines[language], i));
    if (letter->lines[language]->len > 0)
        g_string_append_c(out, '\n');
    for (guint i = 0; i < letter->sections->len; i++) {
        const struct letter_section *section = g_ptr_array_index(letter->sections, i);
        guint here = MIN(shown, section->recipients->len);
        append_section(out, section, here, language);
        shown -= here;
    }
}

/* "参考号 / Reference: MIJI-k3x9qa", once for all languages. */
static void append_fact(GString *out, const struct letter *letter, enum notice_text id, const char *value)
{
    enum language languages[2];
    guint count = languages_of(letter, languages);

    if (value == NULL || value[0] == '\0')
        return;
    for (guint i = 0; i < count; i++) {
        g_autofree char *name = notice_text(id, languages[i], NULL);
        g_string_append_printf(out, "%s%s", i > 0 ? " / " : "", name);
    }
    g_autofree char *line = mime_line(value, NOTICE_VALUE_CHARACTERS);
    g_string_append_printf(out, ": %s\n", line);
}

static char *moment(gint64 seconds, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
    g_autoptr(GDateTime) there = utc == NULL    ? NULL
                                 : zone != NULL ? g_date_time_to_timezone(utc, zone)
                                                : g_date_time_to_local(utc);

    return there != NULL ? g_date_time_format(there, "%Y-%m-%d %H:%M:%S %z") : NULL;
}

static char *text_of(const struct letter *letter, guint shown)
{
    const struct conf *conf = letter->snapshot->conf;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *sent = letter->sent_s != 0 ? moment(letter->sent_s, conf->time_zone) : NULL;
    enum language languages[2];
    guint count = languages_of(letter, languages);

    for (guint i = 0; i < count; i++) {
        append_language(out, letter, shown, languages[i]);
        g_string_append(out, RULER "\n");
    }
    append_fact(out, letter, NOTICE_REFERENCE, letter->reference);
    append_fact(out, letter, NOTICE_SENT, sent);
    append_fact(out, letter, NOTICE_SENDER, letter->sender);
    append_fact(out, letter, NOTICE_LABEL, letter->label);
    append_fact(out, letter, NOTICE_TITLE, letter->title);
    append_fact(out, letter, NOTICE_CONTACT, conf->notices.contact);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---------------------------------------------------------------- the message */
static void append_subject(GString *out, const struct letter *letter)
{
    g_autoptr(GString) subject = g_string_new(NULL);
    enum language languages[2];
    guint count = languages_of(letter, languages);

    for (guint i = 0; i < count; i++)
        g_string_append_printf(subject, "%s%s", i > 0 ? " / " : "", letter->subject[languages[i]]);
    if (letter->reference != NULL)
        g_string_append_printf(subject, " [%s]", letter->reference);
    mime_text_field(out, "Subject", subject->str);
}

/* RFC 6532 addresses cannot stand in a field of ASCII; whom it is for, the envelope says. */
static void append_to(GString *out, const char *addressee)
{
    g_autofree char *value = NULL;

    for (const char *p = addressee; *p != '\0' && value == NULL; p++)
        if (*p <= ' ' || *p > '~')
            value = g_strdup("undisclosed-recipients:;");
    if (value == NULL)
        value = g_strconcat("<", addressee, ">", NULL);
    mime_field(out, "To", value);
}

/* The lowest level in the first plain field that the home scheme reads. */
static void append_label(GString *out, const struct letter *letter)
{
    const struct scheme *home = schemes_home(letter->snapshot->schemes);

    for (guint i = 0; i < home->fields->len; i++) {
        const struct marking_field *field = g_ptr_array_index(home->fields, i);
        if (field->format != FORMAT_PLAIN)
            continue;
        mime_text_field(out, field->name, scheme_lowest(home)->name);
        return;
    }
}

static char *unique_of(const struct letter *letter)
{
    g_autofree char *all =
        g_strdup_printf("%s %s %" G_GINT64_FORMAT, letter->unique, letter->addressee, letter->now_s);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);

    sum[UNIQUE_CHARACTERS] = '\0';
    return sum;
}

static void append_header(GString *out, const struct letter *letter, const char *unique)
{
    g_autofree char *from = letter_from(letter->snapshot);
    const char *at = strrchr(from, '@');
    g_autofree char *id = g_strdup_printf("<%s@miji.%s>", unique, at != NULL ? at + 1 : NOBODY_KNOWN);
    g_autofree char *mailbox = g_strconcat("Miji <", from, ">", NULL);
    g_autofree char *date = mime_date(letter->now_s, letter->snapshot->conf->time_zone);

    mime_field(out, "Date", date);
    mime_field(out, "From", mailbox);
    append_to(out, letter->addressee);
    append_subject(out, letter);
    mime_field(out, "Message-ID", id);
    mime_field(out, "Auto-Submitted", "auto-generated");
    append_label(out, letter);
    mime_field(out, "MIME-Version", "1.0");
}

static GString *write_whole(const struct letter *letter, guint shown)
{
    GString *out = g_string_new(NULL);
    g_autofree char *unique = unique_of(letter), *text = text_of(letter, shown);

    append_header(out, letter, unique);
    if (!letter_is_failure(letter)) {
        mime_text_part(out, text);
        return out;
    }
    /* "=_" stands neither in base64 nor in a field of ours. */
    g_autofree char *boundary = g_strdup_printf("=_%s", unique);
    g_autofree char *type =
        g_strdup_printf("multipart/report; report-type=delivery-status; boundary=\"%s\"", boundary);
    mime_field(out, "Content-Type", type);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
    mime_text_part(out, text);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
    dsn_part(out, letter, shown);
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
    return out;
}

char *letter_write(const struct letter *letter, gsize *length)
{
    guint shown = NOTICE_ADDRESSES;
    GString *out = write_whole(letter, shown);

    /* So many fewer addresses until it fits; one always does (limits.h). */
    while (out->len > NOTICE_BYTES && shown > 1) {
        shown -= 1 + shown / 10;
        g_string_free(out, TRUE);
        out = write_whole(letter, shown);
    }
    *length = out->len;
    return g_string_free(out, FALSE);
}

struct notice *letter_notice(const struct letter *letter, enum notice_kind kind, const char *addressee,
                             const char *about)
{
    struct notice *notice = g_new0(struct notice, 1);

    notice->kind = kind;
    notice->addressee = g_strdup(addressee);
    notice->reference = g_strdup(letter->reference != NULL ? letter->reference : "-"); /* a digest */
    notice->about = g_strdup(about);
    notice->is_failure = letter_is_failure(letter);
    notice->text = letter_write(letter, &notice->length);
    return notice;
}
