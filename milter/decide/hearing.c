#include "milter/decide/hearing.h"

#include <stdarg.h>

char *hearing_date(const struct hearing *hearing, gint64 at_s)
{
    const struct conf *conf = hearing->inputs->snapshot->conf;
    g_autoptr(GTimeZone) host = g_time_zone_new_local();
    GTimeZone *zone = conf != NULL && conf->time_zone != NULL ? conf->time_zone : host;
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_s);
    g_autoptr(GDateTime) local = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;

    return local != NULL ? g_date_time_format(local, "%Y-%m-%d") : NULL;
}

const struct scheme *hearing_home(const struct hearing *hearing)
{
    return schemes_home(hearing->inputs->snapshot->schemes);
}

const struct label_set *hearing_known(const struct hearing *hearing)
{
    return hearing->decision->label != NULL ? hearing->decision->label->effective : NULL;
}

gboolean hearing_can_keep(const struct hearing *hearing)
{
    const struct conf *conf = hearing->inputs->snapshot->conf;

    /* A credential has a path only where systemd starts Miji: explain has none. */
    return conf != NULL && (conf->key_file != NULL || conf->key_credential != NULL);
}

gboolean hearing_can_tell(const struct hearing *hearing)
{
    const struct conf *conf = hearing->inputs->snapshot->conf;

    return conf != NULL && conf->release_through != NULL;
}

gboolean hearing_has_answer(const struct hearing *hearing, const char *canonical, const struct reason *reason)
{
    /* Where nothing was read, an approval says what the label is, or says nothing. */
    return hearing->inputs->approvals != NULL && hearing_known(hearing) != NULL &&
           reason_may_be_waived(reason) && approvals_has(hearing->inputs->approvals, canonical, reason);
}

gboolean hearing_has_answer_for_all(const struct hearing *hearing, const struct reason *reason)
{
    const GPtrArray *recipients = hearing->inputs->envelope->recipients;

    for (guint i = 0; i < recipients->len; i++) {
        const struct envelope_recipient *recipient = g_ptr_array_index(recipients, i);
        if (!hearing_has_answer(hearing, recipient->address->canonical, reason))
            return FALSE;
    }
    return recipients->len > 0;
}

void line_set(struct check_line *line, enum check_id check, enum check_answer answer, gint reason)
{
    line->check = check;
    line->answer = answer;
    line->reason = reason;
}

#define NOTE_MAX_ARGS 4

void line_note(const struct hearing *hearing, struct check_line *line, enum explain_id id, ...)
{
    const char *args[NOTE_MAX_ARGS + 1] = {NULL};
    va_list list;

    if (!hearing->inputs->explain)
        return;
    va_start(list, id);
    for (guint i = 0; i < NOTE_MAX_ARGS && (args[i] = va_arg(list, const char *)) != NULL; i++)
        ;
    va_end(list);
    g_free(line->note_en);
    g_free(line->note_zh);
    line->note_en = message_fill(explain_text(id, LANGUAGE_EN), args, LANGUAGE_EN);
    line->note_zh = message_fill(explain_text(id, LANGUAGE_ZH), args, LANGUAGE_ZH);
}

struct reason *reasons_add(GPtrArray *reasons, enum reason_id id, enum check_id check,
                           enum check_answer answer)
{
    struct reason *reason = g_new0(struct reason, 1);
    guint at = reasons->len;

    reason->id = id;
    reason->check = check;
    reason->answer = answer;
    while (at > 0 && ((struct reason *)g_ptr_array_index(reasons, at - 1))->check > check)
        at--;
    g_ptr_array_insert(reasons, (gint)at, reason);
    return reason;
}

/* For one check deny beats unknown, unknown beats permit; which kind of unknown matters no more than that it
 * is one. */
static guint weight(enum check_answer answer)
{
    switch (answer) {
    case CHECK_PERMIT:
        return 0;
    case CHECK_UNKNOWN_TRANSIENT:
        return 1;
    case CHECK_UNKNOWN_PERSISTENT:
        return 2;
    case CHECK_DENY:
        return 3;
    }
    return 3;
}

struct reason *hearing_find(struct hearing *hearing, enum reason_id id, enum check_id check,
                            enum check_answer answer)
{
    struct check_line *line = &hearing->lines[check];

    if (weight(answer) > weight(line->answer))
        line_set(line, check, answer, (gint)id);
    else if (line->reason < 0 && weight(answer) == weight(line->answer))
        line->reason = (gint)id;
    return reasons_add(hearing->decision->reasons, id, check, answer);
}

void reason_set_label(struct reason *reason, const struct label *label)
{
    reason->level = label_format(label);
    reason->level_ascii = label_format_ascii(label);
}

void reason_set_detail(struct reason *reason, const char *detail)
{
    reason->detail = g_strdup(detail);
}

void reason_set_part(struct reason *reason, guint part)
{
    reason->part = part;
    if (part > 0) {
        reason->detail = g_strdup_printf("%u", part);
        return;
    }
    reason->detail_en = g_strdup("0 (the message itself)");
    reason->detail_zh = g_strdup("0 (邮件本身)");
}

gboolean lets_pass(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_RECORD || outcome->kind == OUTCOME_DELIVER;
}

enum check_answer hearing_dominated(const struct hearing *hearing)
{
    switch (hearing->certainty) {
    case E_KNOWN:
        return CHECK_PERMIT;
    case E_UNKNOWN_NOW:
        return CHECK_UNKNOWN_TRANSIENT;
    case E_AT_LEAST:
    case E_UNKNOWN_EVER:
        return CHECK_UNKNOWN_PERSISTENT;
    }
    return CHECK_UNKNOWN_PERSISTENT;
}
