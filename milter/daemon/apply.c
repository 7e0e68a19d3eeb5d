#include "milter/daemon/apply.h"

#include <string.h>

#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/daemon/edits.h"
#include "milter/review/token.h"

/* libmilter takes a lone % as the beginning of a format (facts 3.11). */
static char *percent_safe(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 8);
    for (; *text; text++) {
        if (*text == '%')
            g_string_append_c(out, '%');
        g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

sfsistat apply_reply(SMFICTX *context, const struct reply *reply)
{
    g_autofree char *code = g_strdup_printf("%u", reply->code);
    g_autofree char *text = percent_safe(reply->text ? reply->text : "");
    gboolean permanent = reply->code >= 500 && reply->code < 600;
    gboolean transient = reply->code >= 400 && reply->code < 500;
    if (!permanent && !transient) {
        log_line(LOG_LEVEL_ERROR, "a reply with code %u was not sent", reply->code);
        return SMFIS_TEMPFAIL;
    }
    if (smfi_setreply(context, code, reply->dsn, text) != MI_SUCCESS) {
        log_line(LOG_LEVEL_ERROR, "libmilter does not take the reply %s %s", code, reply->dsn);
        return SMFIS_TEMPFAIL;
    }
    return permanent ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

static gboolean strip_field(SMFICTX *context, const char *name, guint index)
{
    return !fault_point("apply.chgheader") &&
           smfi_chgheader(context, (char *)name, (int)index, NULL) == MI_SUCCESS;
}

static gboolean carry_out(SMFICTX *context, const struct edit *edit)
{
    switch (edit->kind) {
    case EDIT_SENDER:
        return !fault_point("apply.chgfrom") &&
               smfi_chgfrom(context, (char *)edit->text, edit->parameters) == MI_SUCCESS;
    case EDIT_RECIPIENT:
        return !fault_point("apply.delrcpt") && smfi_delrcpt(context, (char *)edit->text) == MI_SUCCESS;
    case EDIT_FIELD:
        return strip_field(context, edit->text, edit->index);
    }
    return FALSE;
}

static gboolean send_edits(SMFICTX *context, const struct application *application)
{
    g_autoptr(GPtrArray) edits =
        edits_plan(application->decision, application->envelope, application->release_fields);
    if (!edits) {
        log_line(LOG_LEVEL_ERROR, "%s: nobody would be left on the message: it is put off",
                 application->queue_id);
        return FALSE;
    }
    for (guint i = 0; i < edits->len; i++)
        if (!carry_out(context, g_ptr_array_index(edits, i))) {
            log_line(LOG_LEVEL_ERROR, "%s: edit %u of %u cannot be sent: the message is put off",
                     application->queue_id, i + 1, edits->len);
            return FALSE;
        }
    return !fault_point("apply.edited");
}

/* Whose client is gone would not hear the answer, and comes again. */
static gboolean is_there(SMFICTX *context, const struct application *application)
{
    if (!decision_is_recorded(application->decision))
        return TRUE;
    if (!fault_point("apply.before-edits") && smfi_progress(context) == MI_SUCCESS)
        return TRUE;
    log_line(LOG_LEVEL_WARNING, "%s: the client is gone before the answer", application->queue_id);
    return FALSE;
}

sfsistat apply_decision(SMFICTX *context, const struct application *application, gboolean *done)
{
    const struct decision *decision = application->decision;

    *done = FALSE;
    if (!is_there(context, application))
        return SMFIS_TEMPFAIL;
    switch (decision->act) {
    case ACT_ACCEPT:
        *done = send_edits(context, application);
        return *done ? SMFIS_ACCEPT : SMFIS_TEMPFAIL;
    case ACT_REFUSE:
    case ACT_DEFER:
        *done = TRUE;
        return apply_reply(context, &decision->reply);
    case ACT_DISCARD:
        *done = TRUE;
        return SMFIS_DISCARD;
    }
    return SMFIS_TEMPFAIL;
}

gboolean apply_strip(SMFICTX *context, guint count)
{
    for (guint index = count; index > 0; index--)
        if (!strip_field(context, TOKEN_FIELD, index))
            return FALSE;
    return TRUE;
}
