#include "milter/review/smtp.h"

#include <string.h>

#include "milter/conf/fault.h"
#include "milter/review/limits.h"
#include "milter/review/smtp_wire.h"

#define BLOCK_BYTES (32 * 1024)

/* One message on its way. */
struct errand {
    const struct smtp_message *message;
    struct smtp_result *result;
    struct smtp_wire wire;
    gboolean dsn, eightbit, smtputf8, size; /* what the server offers */
    GByteArray *block;                      /* not yet written */
    gboolean at_line_start;
};

/* ---------------------------------------------------------------- how it ended */

/* Always FALSE. */
static gboolean end(struct errand *errand, enum smtp_end how, guint code, const char *text)
{
    errand->result->end = how;
    errand->result->code = code;
    g_free(errand->result->text);
    errand->result->text = code != 0 ? g_strdup_printf("%u %s", code, text) : g_strdup(text);
    return FALSE;
}

static gboolean end_lost(struct errand *errand, enum smtp_end how)
{
    return end(errand, how, 0, errand->wire.problem != NULL ? errand->wire.problem : "lost");
}

void smtp_result_clear(struct smtp_result *result)
{
    g_free(result->text);
    g_free(result->queue_id);
    *result = (struct smtp_result){0};
}

/* ---------------------------------------------------------------- one command */

/* A reply of the class that is wanted (2, 3), or an end. `about` stands before the reply's text. */
static gboolean expect(struct errand *errand, guint wanted, gint64 timeout_ms, const char *about)
{
    struct smtp_reply reply;
    gboolean good = smtp_wire_reply(&errand->wire, &reply, timeout_ms);

    if (!good) {
        end_lost(errand, SMTP_PUT_OFF);
    } else if (reply.code / 100 != wanted) {
        g_autofree char *text = g_strdup_printf("%s%s%s", reply.text->str, *about ? " to " : "", about);
        good = end(errand, reply.code / 100 == 5 ? SMTP_REFUSED : SMTP_PUT_OFF, reply.code, text);
    }
    smtp_reply_clear(&reply);
    return good;
}

static gboolean command(struct errand *errand, const char *line, guint wanted, const char *about)
{
    g_autofree char *whole = g_strconcat(line, "\r\n", NULL);

    if (!smtp_wire_write(&errand->wire, whole, strlen(whole), LIMIT_SMTP_COMMAND_MS))
        return end_lost(errand, SMTP_PUT_OFF);
    return expect(errand, wanted, LIMIT_SMTP_COMMAND_MS, about);
}

/* ---------------------------------------------------------------- greeting */

static void note_keyword(struct errand *errand, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 2);

    if (words[0] == NULL)
        return;
    errand->dsn |= g_ascii_strcasecmp(words[0], "DSN") == 0;
    errand->eightbit |= g_ascii_strcasecmp(words[0], "8BITMIME") == 0;
    errand->smtputf8 |= g_ascii_strcasecmp(words[0], "SMTPUTF8") == 0;
    errand->size |= g_ascii_strcasecmp(words[0], "SIZE") == 0;
}

/* Until MAIL nothing is the message's fault: whatever the server says, it is tried again. */
static gboolean greet(struct errand *errand)
{
    g_autofree char *hello = g_strdup_printf("EHLO %s\r\n", errand->message->helo);
    struct smtp_reply reply;
    gboolean good = expect(errand, 2, LIMIT_SMTP_COMMAND_MS, "the connection");

    if (!good) {
        errand->result->end = SMTP_PUT_OFF;
        return FALSE;
    }
    if (!smtp_wire_write(&errand->wire, hello, strlen(hello), LIMIT_SMTP_COMMAND_MS))
        return end_lost(errand, SMTP_PUT_OFF);
    good = smtp_wire_reply(&errand->wire, &reply, LIMIT_SMTP_COMMAND_MS);
    if (!good)
        end_lost(errand, SMTP_PUT_OFF);
    else if (reply.code / 100 != 2)
        good = end(errand, SMTP_PUT_OFF, reply.code, reply.text->str);
    for (guint i = 1; good && i < reply.lines->len; i++)
        note_keyword(errand, g_ptr_array_index(reply.lines, i));
    smtp_reply_clear(&reply);
    if (good && fault_point("release.connected"))
        return end(errand, SMTP_PUT_OFF, 0, "fault");
    if (good && errand->message->headers_only && !errand->dsn)
        return end(errand, SMTP_PUT_OFF, 0, "the server offers no DSN, by which bounces are kept short");
    return good;
}

/* ---------------------------------------------------------------- envelope */

/* What came in by one SMTP line can go out in one; anything else did not come so. */
static gboolean is_sayable(const char *text, gboolean blanks)
{
    if (strlen(text) > LIMIT_SMTP_WORD)
        return FALSE;
    for (const char *p = text; *p != '\0'; p++)
        if ((guchar)*p < ' ' || *p == 0x7f || (*p == ' ' && !blanks))
            return FALSE;
    return TRUE;
}

static gboolean is_ascii(const struct smtp_message *message)
{
    gboolean ascii = g_str_is_ascii(message->sender);

    for (guint i = 0; i < message->recipient_count; i++)
        ascii = ascii && g_str_is_ascii(message->recipients[i].path);
    return ascii;
}

static guint64 size_of(const struct smtp_message *message)
{
    guint64 size = 0;

    for (guint i = 0; i < message->piece_count; i++)
        size += message->pieces[i].length;
    return size;
}

/* Of the sender's parameters those that are the message's, and that the server takes. */
static gboolean is_passed_on(const struct errand *errand, const char *word)
{
    if (g_ascii_strncasecmp(word, "RET=", 4) == 0)
        return errand->dsn && !errand->message->headers_only;
    return (errand->dsn && g_ascii_strncasecmp(word, "ENVID=", 6) == 0) ||
           (errand->eightbit && g_ascii_strncasecmp(word, "BODY=", 5) == 0);
}

/* FALSE: one of them cannot be said; how long the others were (AUTH, SIZE) does not matter. */
static gboolean add_given(const struct errand *errand, GString *line)
{
    g_auto(GStrv) words = g_strsplit(errand->message->parameters ? errand->message->parameters : "", " ", -1);
    gboolean utf8 = errand->smtputf8 && !is_ascii(errand->message);

    for (char **word = words; *word != NULL; word++) {
        utf8 |= errand->smtputf8 && g_ascii_strcasecmp(*word, "SMTPUTF8") == 0;
        if (!is_passed_on(errand, *word))
            continue;
        if (!is_sayable(*word, FALSE))
            return FALSE;
        g_string_append_printf(line, " %s", *word);
    }
    if (errand->message->headers_only)
        g_string_append(line, " RET=HDRS");
    if (utf8)
        g_string_append(line, " SMTPUTF8");
    return TRUE;
}

static gboolean say_sender(struct errand *errand)
{
    const struct smtp_message *message = errand->message;
    g_autoptr(GString) line = g_string_new("MAIL FROM:");

    g_string_append(line, message->sender);
    if (errand->size)
        g_string_append_printf(line, " SIZE=%" G_GUINT64_FORMAT, size_of(message));
    if (!is_sayable(message->sender, TRUE) || !add_given(errand, line))
        return end(errand, SMTP_REFUSED, 0, "the sender cannot be said in SMTP");
    return command(errand, line->str, 2, "MAIL");
}

static gboolean say_recipient(struct errand *errand, const struct smtp_recipient *recipient)
{
    if (!is_sayable(recipient->path, TRUE) ||
        (recipient->notify != NULL && !is_sayable(recipient->notify, FALSE)) ||
        (recipient->orcpt != NULL && !is_sayable(recipient->orcpt, FALSE)))
        return end(errand, SMTP_REFUSED, 0, "a recipient cannot be said in SMTP");
    GString *line = g_string_new("RCPT TO:");
    g_string_append(line, recipient->path);
    if (errand->dsn && recipient->notify != NULL)
        g_string_append_printf(line, " NOTIFY=%s", recipient->notify);
    if (errand->dsn && recipient->orcpt != NULL)
        g_string_append_printf(line, " ORCPT=%s", recipient->orcpt);
    gboolean good = command(errand, line->str, 2, recipient->path);
    g_string_free(line, TRUE);
    return good;
}

static gboolean say_envelope(struct errand *errand)
{
    gboolean good = say_sender(errand);

    for (guint i = 0; good && i < errand->message->recipient_count; i++) {
        good = say_recipient(errand, &errand->message->recipients[i]);
        errand->result->recipient = good ? -1 : (gint)i;
    }
    if (!good && errand->result->code != 0)
        /* All or nothing; the reply that counts is the one that was heard before. */
        smtp_wire_write(&errand->wire, "RSET\r\n", 6, LIMIT_SMTP_COMMAND_MS);
    return good;
}

/* ---------------------------------------------------------------- message */

static gboolean flush(struct errand *errand)
{
    gboolean good =
        smtp_wire_write(&errand->wire, errand->block->data, errand->block->len, LIMIT_SMTP_BLOCK_MS);

    g_byte_array_set_size(errand->block, 0);
    return good || end_lost(errand, SMTP_PUT_OFF);
}

/* RFC 5321 4.5.2. A bare line feed begins a line as well: servers there are that end the message at
 * LF . CRLF. */
static gboolean say_octets(struct errand *errand, const guint8 *octets, gsize length)
{
    while (length > 0) {
        const guint8 *newline = memchr(octets, '\n', length);
        gsize line = newline != NULL ? (gsize)(newline - octets) + 1 : length;
        if (errand->at_line_start && octets[0] == '.')
            g_byte_array_append(errand->block, (const guint8 *)".", 1);
        gsize taken = MIN(line, BLOCK_BYTES);
        g_byte_array_append(errand->block, octets, (guint)taken);
        errand->at_line_start = octets[taken - 1] == '\n';
        octets += taken;
        length -= taken;
        if (errand->block->len >= BLOCK_BYTES && !flush(errand))
            return FALSE;
    }
    return TRUE;
}

static void note_queue_id(struct smtp_result *result, const char *text)
{
    static const char said[] = "queued as ", letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                         "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *at = strstr(text, said);
    gsize length = at != NULL ? strspn(at + strlen(said), letters) : 0;

    if (length > 0)
        result->queue_id = g_strndup(at + strlen(said), length);
}

static gboolean say_end(struct errand *errand)
{
    struct smtp_reply reply = {0};

    /* From here on the server may have it. */
    gboolean good = smtp_wire_write(&errand->wire, ".\r\n", 3, LIMIT_SMTP_BLOCK_MS) &&
                    !fault_point("release.dotted") &&
                    smtp_wire_reply(&errand->wire, &reply, LIMIT_SMTP_END_MS);
    if (!good) {
        end_lost(errand, SMTP_UNKNOWN);
    } else if (reply.code / 100 == 2) {
        end(errand, SMTP_TAKEN, reply.code, reply.text->str);
        note_queue_id(errand->result, reply.text->str);
    } else {
        good = end(errand, reply.code / 100 == 5 ? SMTP_REFUSED : SMTP_PUT_OFF, reply.code, reply.text->str);
    }
    smtp_reply_clear(&reply);
    return good;
}

static gboolean say_message(struct errand *errand)
{
    gboolean good = command(errand, "DATA", 3, "DATA");

    errand->at_line_start = TRUE;
    for (guint i = 0; good && i < errand->message->piece_count; i++)
        good = say_octets(errand, errand->message->pieces[i].octets, errand->message->pieces[i].length);
    if (good && !errand->at_line_start)
        good = say_octets(errand, (const guint8 *)"\r\n", 2);
    return good && flush(errand) && say_end(errand);
}

void smtp_send(const struct smtp_message *message, struct smtp_result *result)
{
    struct errand errand = {.message = message, .result = result};

    *result = (struct smtp_result){.text = g_strdup(""), .recipient = -1};
    if (!smtp_wire_open(&errand.wire, message->through, message->stop)) {
        end_lost(&errand, SMTP_PUT_OFF);
        smtp_wire_close(&errand.wire);
        return;
    }
    errand.block = g_byte_array_sized_new(2 * BLOCK_BYTES);
    if (greet(&errand) && say_envelope(&errand) && say_message(&errand))
        smtp_wire_write(&errand.wire, "QUIT\r\n", 6, LIMIT_SMTP_SLICE_MS);
    g_byte_array_unref(errand.block);
    smtp_wire_close(&errand.wire);
}

char *smtp_path(const char *given)
{
    return given[0] == '<' ? g_strdup(given) : g_strdup_printf("<%s>", given);
}
