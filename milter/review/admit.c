/* The release socket's question (token.h): may this message pass? */
#include "milter/review/token.h"

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/store/audit.h"

static const char unreadable[] = "the store cannot be read", unwritable[] = "it cannot be recorded";

gboolean release_admit_later(const char *why)
{
    return why == unreadable || why == unwritable;
}

/* Turned away: nobody but us has any business there. */
static gboolean turn_away(struct store *store, const char *queue_id, const struct attempt *attempt,
                          const char *why)
{
    g_autofree char *detail = g_strdup_printf("release socket: %s", why);
    struct audit_entry entry = {.event = "forged-token",
                                .who = "",
                                .object = attempt != NULL ? attempt->id : queue_id,
                                .detail = detail};
    g_autoptr(GError) error = NULL;

    log_line(LOG_LEVEL_WARNING, "%s: incident=forged-token at=release why=\"%s\"",
             queue_id != NULL ? queue_id : "NOQUEUE", why);
    if (!store_audit(store, &entry, &error))
        log_line(LOG_LEVEL_ERROR, "store: %s", error->message);
    return FALSE;
}

static const char *objection(struct store *store, const struct attempt *attempt, const char *token,
                             const guint8 digest[32], const GPtrArray *given)
{
    if (attempt == NULL)
        return "no such attempt";
    if (attempt->state != ATTEMPT_OPEN)
        return "the token was used before";
    if (clock_wall_ms() >= attempt->expires_ms)
        return "the token is too old";
    if (!token_is_good(store_token_key(store), attempt, token, digest, given, clock_wall_ms()))
        return "not the message or not the recipients of the token";
    return NULL;
}

gboolean release_admit(struct store *store, const char *token, const guint8 digest[32],
                       const GPtrArray *given, const char *queue_id, const char **why)
{
    g_autofree char *id = token != NULL ? token_attempt(token) : NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(attempt) attempt = id != NULL ? store_attempt(store, id, &error) : NULL;
    const char *unused;

    why = why != NULL ? why : &unused;
    *why = token == NULL ? "no token" : id == NULL ? "no token of ours" : NULL;
    if (*why == NULL && error != NULL && !g_error_matches(error, STORE_ERROR, STORE_ERROR_ABSENT)) {
        *why = unreadable;
        return FALSE;
    }
    if (*why == NULL)
        *why = objection(store, attempt, token, digest, given);
    if (*why != NULL)
        return turn_away(store, queue_id, attempt, *why);
    g_clear_error(&error);
    if (fault_point("release.offering") || !store_attempt_offered(store, attempt, queue_id, &error)) {
        *why = unwritable;
        log_line(LOG_LEVEL_ERROR, "%s: store: %s", queue_id != NULL ? queue_id : "NOQUEUE",
                 error != NULL ? error->message : "fault");
        /* Offered in the meantime, or over: then it is a second use. */
        if (g_error_matches(error, STORE_ERROR, STORE_ERROR_CHANGED))
            *why = "the token was used before";
        return FALSE;
    }
    fault_point("release.offered");
    return TRUE;
}
