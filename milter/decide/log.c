/* log: one message in one line, the same keys in the same order (style.md "Logs"). Never a subject, a body, a
 * matched text or a password. */
#include "milter/decide/names.h"

#include <string.h>

#include "milter/decide/limits.h"

/* An address from outside between < and >: nothing in it can end it, or the line. */
static void append_address(GString *line, const char *address)
{
    g_autofree char *shown = address_printable(address);

    g_strdelimit(shown, " <>\"\\,", '?');
    g_string_append_c(line, '<');
    g_string_append(line, shown);
    g_string_append_c(line, '>');
}

/* Key (with its blank and its =) and a word of ours. */
static void append_word(GString *line, const char *key, const char *word)
{
    g_string_append(line, key);
    g_string_append(line, word);
}

/* A value in quotes: what came from outside, or has a name that people chose. */
static void append_quoted(GString *line, const char *key, const char *value)
{
    g_autofree char *shown = address_printable(value);

    append_word(line, key, "\"");
    for (const char *p = shown; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(line, '\\');
        g_string_append_c(line, *p);
    }
    g_string_append_c(line, '"');
}

/* A label is bare when it is one word ("机密"). */
static void append_label(GString *line, const struct decision *decision)
{
    g_autofree char *label = decision->label != NULL ? label_set_format(decision->label->effective) : NULL;

    if (label == NULL)
        g_string_append(line, " label=?");
    else if (label[0] == '\0')
        g_string_append(line, " label=-");
    else if (strpbrk(label, " \"\\=") != NULL)
        append_quoted(line, " label=", label);
    else
        append_word(line, " label=", label);
}

/* Recipients with the verdict of the line, or the others. */
static void append_recipients(GString *line, const struct decision *decision, const char *key, gboolean same)
{
    guint count = 0;

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if ((recipient->verdict == decision->verdict) != same || count++ >= LOG_ADDRESSES)
            continue;
        if (count == 1)
            g_string_append(line, key);
        else
            g_string_append_c(line, ',');
        append_address(line, recipient->first->address->canonical);
    }
    if (count > LOG_ADDRESSES)
        g_string_append_printf(line, ",+%u", count - LOG_ADDRESSES);
}

/* Behind a refusal of the whole because of some: why those are refused. */
static const struct reason *reason_behind(const struct decision *decision)
{
    if (decision->leading == NULL || decision->leading->id != REASON_MIXED_REFUSAL)
        return decision->leading;
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->verdict == decision->verdict && recipient->leading->check == decision->leading->check)
            return recipient->leading;
    }
    return decision->leading;
}

/* What was seen and let pass: reasons of the message that only count in the record. */
static void append_recorded(GString *line, const struct decision *decision)
{
    guint count = 0;

    for (guint i = 0; i < decision->reasons->len; i++) {
        const struct reason *reason = g_ptr_array_index(decision->reasons, i);
        if (reason->answer == CHECK_PERMIT)
            append_word(line, count++ > 0 ? "," : " recorded=", reason_name(reason->id));
    }
}

static guint count_fate(const struct decision *decision, enum fate fate)
{
    guint count = 0;

    for (guint i = 0; i < decision->recipients->len; i++)
        count += ((const struct decided_recipient *)g_ptr_array_index(decision->recipients, i))->fate == fate;
    return count;
}

static void append_count(GString *line, const char *key, guint count)
{
    if (count > 0)
        g_string_append_printf(line, "%s%u", key, count);
}

/* What is kept, what is done, and the reference under which it is found. */
static void append_act(GString *line, const struct decision *decision)
{
    append_count(line, " held=", count_fate(decision, FATE_HELD));
    append_count(line, " settled=", count_fate(decision, FATE_SETTLED));
    append_count(line, " archive=", decision->archives->len);
    append_word(line, " act=", act_name(decision->act));
    if (decision->act == ACT_REFUSE || decision->act == ACT_DEFER)
        g_string_append_printf(line, " reply=%u", decision->reply.code);
    if (decision->leading != NULL)
        append_word(line, " ref=", decision->reference);
}

static void append_reason(GString *line, const struct decision *decision)
{
    const struct reason *reason = reason_behind(decision);

    if (reason != NULL) {
        append_word(line, " reason=", reason_name(reason->id));
        append_word(line, " check=", check_name(reason->check));
    }
    if (reason != decision->leading)
        append_word(line, " told=", reason_name(decision->leading->id));
    append_act(line, decision);
}

char *decision_log(const struct decision *decision, const struct inputs *inputs)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const struct session *session = inputs->session;

    append_word(line, "verdict=", verdict_name(decision->verdict, LANGUAGE_EN));
    append_recipients(line, decision, " to=", TRUE);
    append_recipients(line, decision, " also=", FALSE);
    append_label(line, decision);
    append_reason(line, decision);
    append_recorded(line, decision);
    g_string_append(line, " from=");
    append_address(line, inputs->envelope->sender->canonical);
    append_word(line, " class=", sender_class_name(decision->sender.class));
    if (session->login != NULL && session->login[0] != '\0')
        append_quoted(line, " login=", session->login);
    append_quoted(line, " zone=", decision->sender.zone->name);
    return g_string_free(g_steal_pointer(&line), FALSE);
}
