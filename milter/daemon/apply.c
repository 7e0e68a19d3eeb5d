#include "milter/daemon/apply.h"

#include <string.h>

#include "milter/conf/log.h"

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

sfsistat apply_decision(SMFICTX *context, const struct decision *decision)
{
    switch (decision->act) {
    case ACT_ACCEPT:
        return SMFIS_ACCEPT;
    case ACT_REFUSE:
    case ACT_DEFER:
        return apply_reply(context, &decision->reply);
    case ACT_DISCARD:
        return SMFIS_DISCARD;
    }
    return SMFIS_TEMPFAIL;
}
