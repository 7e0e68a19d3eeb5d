#include "tests/cases/case_file.h"

#include <string.h>

struct reading {
    const char *path;
    guint line;
    struct case_file *file;
    struct case_mail *mail; /* the one being read; NULL before the first */
};

static void wrong(const struct reading *reading, const char *what)
{
    g_error("%s:%u: %s", reading->path, reading->line, what);
}

static void recipient_free(gpointer data)
{
    struct case_recipient *recipient = data;

    g_free(recipient->given);
    g_free(recipient->host);
    g_free(recipient->addr);
    g_free(recipient->notify);
    g_free(recipient);
}

static void expectation_free(gpointer data)
{
    struct case_expectation *expectation = data;

    g_free(expectation->address);
    g_free(expectation->verdict);
    g_free(expectation->reason);
    g_free(expectation->fate);
    g_free(expectation->queue);
    g_free(expectation);
}

static void past_entry_free(gpointer data)
{
    struct case_past *past = data;

    g_free(past->address);
    g_free(past->state);
    g_free(past->moment);
    g_free(past);
}

static void mail_free(gpointer data)
{
    struct case_mail *mail = data;

    g_free(mail->title);
    g_free(mail->as);
    session_clear(&mail->session);
    g_free(mail->from);
    g_free(mail->parameters);
    g_ptr_array_unref(mail->persons);
    g_ptr_array_unref(mail->past);
    g_ptr_array_unref(mail->to);
    g_string_free(mail->message, TRUE);
    g_ptr_array_unref(mail->down);
    g_free(mail->now);
    g_ptr_array_unref(mail->expect);
    g_ptr_array_unref(mail->recorded);
    g_ptr_array_unref(mail->archives);
    g_free(mail->label);
    g_free(mail->class);
    g_free(mail->zone);
    g_free(mail->act);
    g_free(mail->reply);
    g_free(mail);
}

/* A new message over the session of the one before. */
static void begin_mail(struct reading *reading, const char *title)
{
    struct case_mail *mail = g_new0(struct case_mail, 1);
    const struct case_mail *before = reading->mail;

    mail->title = g_strdup(title);
    mail->to = g_ptr_array_new_with_free_func(recipient_free);
    mail->message = g_string_new(NULL);
    mail->down = g_ptr_array_new_with_free_func(g_free);
    mail->expect = g_ptr_array_new_with_free_func(expectation_free);
    mail->recorded = g_ptr_array_new_with_free_func(g_free);
    mail->archives = g_ptr_array_new_with_free_func(g_free);
    mail->persons = g_ptr_array_new_with_free_func(g_free);
    mail->past = g_ptr_array_new_with_free_func(past_entry_free);
    if (before != NULL) {
        mail->session.role = before->session.role;
        mail->session.client = before->session.client;
        mail->session.tls = before->session.tls;
        mail->session.login = g_strdup(before->session.login);
        mail->session.cert_subject = g_strdup(before->session.cert_subject);
    }
    g_ptr_array_add(reading->file->mails, mail);
    reading->mail = mail;
}

static gpointer recipient_copy(gconstpointer data, gpointer unused)
{
    const struct case_recipient *recipient = data;
    struct case_recipient *copy = g_new0(struct case_recipient, 1);

    copy->given = g_strdup(recipient->given);
    copy->host = g_strdup(recipient->host);
    copy->addr = g_strdup(recipient->addr);
    copy->notify = g_strdup(recipient->notify);
    return copy;
}

/* The message before, once more. */
static void begin_again(struct reading *reading, const char *title, gboolean recheck)
{
    const struct case_mail *before = reading->mail;
    struct case_mail *mail;

    if (before == NULL)
        wrong(reading, "there is no mail before");
    begin_mail(reading, title);
    mail = reading->mail;
    mail->recheck = recheck;
    mail->from = g_strdup(before->from);
    mail->parameters = g_strdup(before->parameters);
    g_string_append_len(mail->message, before->message->str, (gssize)before->message->len);
    g_ptr_array_unref(mail->to);
    mail->to = g_ptr_array_copy(before->to, (GCopyFunc)recipient_copy, NULL);
    g_ptr_array_set_free_func(mail->to, recipient_free);
}

/* ---------------------------------------------------------------- session and envelope */
static void set_once(struct reading *reading, char **slot, const char *value)
{
    if (*slot != NULL)
        wrong(reading, "given twice");
    *slot = g_strdup(value);
}

static void set_optional(char **slot, const char *value)
{
    g_free(*slot);
    *slot = strcmp(value, "-") == 0 ? NULL : g_strdup(value);
}

static gboolean take_session(struct reading *reading, const char *word, const char *value)
{
    struct session *session = &reading->mail->session;

    if (strcmp(word, "client") == 0) {
        session->client = ip_parse(value);
        session->role = ROLE_SMTP;
    } else if (strcmp(word, "login") == 0) {
        set_optional(&session->login, value);
    } else if (strcmp(word, "certificate") == 0) {
        set_optional(&session->cert_subject, value);
    } else if (strcmp(word, "tls") == 0) {
        g_autofree char *version = g_strconcat("TLSv", value, NULL);
        session->tls = strcmp(value, "-") == 0 ? 0 : session_tls_version(version);
    } else if (strcmp(word, "local") == 0) {
        session->role = ROLE_LOCAL;
    } else {
        return FALSE;
    }
    return TRUE;
}

static void take_to(struct reading *reading, const char *value)
{
    struct case_recipient *recipient = g_new0(struct case_recipient, 1);
    g_auto(GStrv) words = g_strsplit(value, " ", -1);

    recipient->given = g_strdup(words[0]);
    for (guint i = 1; words[i] != NULL; i++) {
        if (g_str_has_prefix(words[i], "host="))
            recipient->host = g_strdup(words[i] + strlen("host="));
        else if (g_str_has_prefix(words[i], "addr="))
            recipient->addr = g_strdup(words[i] + strlen("addr="));
        else if (g_str_has_prefix(words[i], "notify="))
            recipient->notify = g_strdup(words[i] + strlen("notify="));
        else
            wrong(reading, "expected host=, addr= or notify= after the recipient");
    }
    g_ptr_array_add(reading->mail->to, recipient);
}

/* Values as in the file's order. */
static enum facts_state reader_state(const struct reading *reading, const char *value)
{
    if (strcmp(value, "died") == 0)
        return FACTS_NONE_TRANSIENT;
    if (strcmp(value, "died-again") == 0)
        return FACTS_NONE_PERSISTENT;
    if (strcmp(value, "busy") != 0)
        wrong(reading, "expected died, died-again or busy after reader");
    return FACTS_NONE_BUSY;
}

static void take_past(struct reading *reading, const char *value)
{
    struct case_past *past = g_new0(struct case_past, 1);
    g_auto(GStrv) words = g_strsplit(value, " ", 3);

    if (g_strv_length(words) < 2)
        wrong(reading, "expected an address and a state after past");
    past->address = g_strdup(words[0]);
    past->state = g_strdup(words[1]);
    past->moment = g_strdup(words[2]);
    g_ptr_array_add(reading->mail->past, past);
}

/* What is known beside the message. */
static gboolean take_circumstance(struct reading *reading, const char *word, const char *value)
{
    struct case_mail *mail = reading->mail;

    if (strcmp(word, "past") == 0)
        take_past(reading, value);
    else if (strcmp(word, "person") == 0)
        g_ptr_array_add(mail->persons, g_strdup(value));
    else if (strcmp(word, "clock") == 0 && strcmp(value, "doubtful") == 0)
        mail->clock_doubtful = TRUE;
    else if (strcmp(word, "as") == 0 && mail->recheck)
        set_once(reading, &mail->as, value);
    else if (strcmp(word, "down") == 0)
        g_ptr_array_add(mail->down, g_strdup(value));
    else if (strcmp(word, "now") == 0)
        set_once(reading, &mail->now, value);
    else if (strcmp(word, "reader") == 0)
        mail->reader = reader_state(reading, value);
    else
        return FALSE;
    return TRUE;
}

static gboolean take_input(struct reading *reading, const char *word, const char *value)
{
    struct case_mail *mail = reading->mail;

    if (strcmp(word, "from") == 0)
        set_once(reading, &mail->from, value);
    else if (strcmp(word, "to") == 0)
        take_to(reading, value);
    else if (strcmp(word, "parameters") == 0)
        set_once(reading, &mail->parameters, value);
    else
        return take_circumstance(reading, word, value) || take_session(reading, word, value);
    return TRUE;
}

/* ---------------------------------------------------------------- what is expected */
static void take_expect(struct reading *reading, const char *value)
{
    struct case_expectation *expectation = g_new0(struct case_expectation, 1);
    g_auto(GStrv) words = g_strsplit(value, " ", 3);

    if (g_strv_length(words) < 2)
        wrong(reading, "expected an address and a verdict");
    expectation->address = g_strdup(words[0]);
    expectation->verdict = g_strdup(words[1]);
    expectation->reason = g_strdup(words[2]);
    g_ptr_array_add(reading->mail->expect, expectation);
}

/* "ADDRESS VALUE" about somebody who is expected above. */
static void take_about(struct reading *reading, const char *value, gboolean is_queue)
{
    g_auto(GStrv) words = g_strsplit(value, " ", 2);

    for (guint i = 0; words[0] != NULL && words[1] != NULL && i < reading->mail->expect->len; i++) {
        struct case_expectation *expectation = g_ptr_array_index(reading->mail->expect, i);
        if (strcmp(expectation->address, words[0]) != 0)
            continue;
        set_once(reading, is_queue ? &expectation->queue : &expectation->fate, words[1]);
        return;
    }
    wrong(reading, "expected an address of which something is expected, and a word");
}

/* What the decision asks beside its act. */
static gboolean take_duty(struct reading *reading, const char *word, const char *value)
{
    struct case_mail *mail = reading->mail;

    if (strcmp(word, "archive") == 0)
        g_ptr_array_add(mail->archives, g_strdup(value));
    else if (strcmp(word, "tells") == 0 && value[0] == '\0')
        mail->tells = TRUE;
    else if (strcmp(word, "bounces") == 0 && strcmp(value, "headers") == 0)
        mail->bounces_headers = TRUE;
    else if (strcmp(word, "viewers") == 0 && strcmp(value, "system high") == 0)
        mail->system_high = TRUE;
    else if (strcmp(word, "trouble") == 0 && strcmp(value, "own") == 0)
        mail->own_trouble = TRUE;
    else
        return FALSE;
    return TRUE;
}

static gboolean take_outcome(struct reading *reading, const char *word, const char *value)
{
    struct case_mail *mail = reading->mail;

    if (strcmp(word, "expect") == 0) {
        take_expect(reading, value);
    } else if (strcmp(word, "fate") == 0) {
        take_about(reading, value, FALSE);
    } else if (strcmp(word, "queue") == 0) {
        take_about(reading, value, TRUE);
    } else if (strcmp(word, "recorded") == 0) {
        g_ptr_array_add(mail->recorded, g_strdup(value));
    } else if (strcmp(word, "label") == 0) {
        set_once(reading, &mail->label, value);
    } else if (strcmp(word, "class") == 0) {
        set_once(reading, &mail->class, value);
    } else if (strcmp(word, "zone") == 0) {
        set_once(reading, &mail->zone, value);
    } else if (strcmp(word, "act") == 0) {
        set_once(reading, &mail->act, value);
    } else if (strcmp(word, "reply") == 0) {
        set_once(reading, &mail->reply, value);
    } else {
        return take_duty(reading, word, value);
    }
    return TRUE;
}

/* ---------------------------------------------------------------- lines */
/* "|+ 150000 x": the line before goes on. */
static void lengthen(struct reading *reading, const char *value)
{
    GString *message = reading->mail->message;
    g_auto(GStrv) words = g_strsplit(value, " ", 2);
    guint64 count = g_ascii_strtoull(words[0], NULL, 10);

    if (message->len < 2 || words[1] == NULL || count == 0)
        wrong(reading, "expected a number and a text after |+, behind a line of the message");
    g_string_truncate(message, message->len - 2);
    while (count-- > 0)
        g_string_append(message, words[1]);
    g_string_append(message, "\r\n");
}

static gboolean take_message(struct reading *reading, const char *line)
{
    if (line[0] != '|')
        return FALSE;
    if (line[1] == '+')
        lengthen(reading, line + strlen("|+ "));
    else
        g_string_append_printf(reading->mail->message, "%s\r\n", line[1] == ' ' ? line + 2 : line + 1);
    return TRUE;
}

static gboolean take_head(struct reading *reading, const char *word, const char *value)
{
    if (strcmp(word, "mail") == 0)
        begin_mail(reading, value);
    else if (strcmp(word, "again") == 0 || strcmp(word, "recheck") == 0)
        begin_again(reading, value, strcmp(word, "recheck") == 0);
    else if (strcmp(word, "conf") == 0)
        g_string_append_printf(reading->file->conf, "%s\n", value);
    else if (strcmp(word, "choices") == 0 && strcmp(value, "own") == 0)
        reading->file->own_choices = TRUE;
    else if (strcmp(word, "person") == 0 && reading->mail == NULL)
        g_ptr_array_add(reading->file->persons, g_strdup(value));
    else
        return FALSE;
    return TRUE;
}

static void take_line(struct reading *reading, char *line)
{
    g_auto(GStrv) words = NULL;
    const char *value;

    if (reading->mail != NULL && take_message(reading, line))
        return;
    if (g_strstrip(line)[0] == '\0' || line[0] == '#')
        return;
    words = g_strsplit(line, " ", 2);
    value = words[1] != NULL ? g_strstrip(words[1]) : "";
    if (take_head(reading, words[0], value))
        return;
    if (reading->mail == NULL)
        wrong(reading, "expected conf, choices own, person or mail");
    if (!take_input(reading, words[0], value) && !take_outcome(reading, words[0], value))
        wrong(reading, "not a line of a case");
}

/* A case that expects nothing tests nothing. */
static void check_whole(struct reading *reading)
{
    if (reading->file->mails->len == 0)
        wrong(reading, "no mail");
    for (guint i = 0; i < reading->file->mails->len; i++) {
        const struct case_mail *mail = g_ptr_array_index(reading->file->mails, i);
        if (mail->from == NULL || mail->act == NULL || mail->reply == NULL ||
            (mail->to->len > 0 && mail->expect->len == 0))
            wrong(reading, "every mail needs from, expect, act and reply");
    }
}

struct case_file *case_file_read(const char *path)
{
    struct case_file *file = g_new0(struct case_file, 1);
    struct reading reading = {.path = path, .file = file};
    g_autofree char *text = NULL, *base = g_path_get_basename(path);
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error))
        g_error("%s", error->message);
    file->name = g_strndup(base, strlen(base) - strlen(".case"));
    file->conf = g_string_new(NULL);
    file->persons = g_ptr_array_new_with_free_func(g_free);
    file->mails = g_ptr_array_new_with_free_func(mail_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (; lines[reading.line] != NULL; reading.line++)
        take_line(&reading, lines[reading.line]);
    check_whole(&reading);
    return file;
}

void case_file_free(struct case_file *file)
{
    if (file == NULL)
        return;
    g_free(file->name);
    g_string_free(file->conf, TRUE);
    g_ptr_array_unref(file->persons);
    g_ptr_array_unref(file->mails);
    g_free(file);
}
