#include "milter/daemon/offer.h"

#include <openssl/evp.h>
#include <string.h>

#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/daemon/limits.h"
#include "milter/daemon/queue_id.h"
#include "milter/daemon/spool.h"
#include "milter/decide/reply.h"
#include "milter/review/token.h"
#include "milter/store/audit.h"

struct offer {
    struct service *service;
    GPtrArray *recipients; /* char *, as given */
    gboolean too_many;
    char *token;
    guint tokens;  /* fields of that name */
    GString *line; /* the field that is being added */
    EVP_MD_CTX *digest;
    gboolean failed; /* the digest cannot be taken */
    char reference[7];
};

struct offer *offer_new(struct service *service)
{
    struct offer *offer = g_new0(struct offer, 1);
    offer->service = service;
    offer->recipients = g_ptr_array_new_with_free_func(g_free);
    offer->line = g_string_sized_new(256);
    offer->digest = EVP_MD_CTX_new();
    offer->failed = !offer->digest || !EVP_DigestInit_ex(offer->digest, EVP_sha256(), NULL);
    service_reference(offer->reference);
    g_atomic_int_inc(&service->messages);
    return offer;
}

void offer_free(struct offer *offer)
{
    if (!offer)
        return;
    g_atomic_int_add(&offer->service->messages, -1);
    g_ptr_array_unref(offer->recipients);
    g_free(offer->token);
    g_string_free(offer->line, TRUE);
    EVP_MD_CTX_free(offer->digest);
    g_free(offer);
}

void offer_add_recipient(struct offer *offer, const char *given)
{
    offer->too_many = offer->too_many || offer->recipients->len >= LIMIT_OFFERED_RECIPIENTS;
    if (!offer->too_many)
        g_ptr_array_add(offer->recipients, g_strdup(given));
}

static void add(struct offer *offer, const void *octets, gsize length)
{
    offer->failed = offer->failed || !EVP_DigestUpdate(offer->digest, octets, length);
}

void offer_add_field(struct offer *offer, const char *name, const char *value, gboolean leading_space)
{
    if (g_ascii_strcasecmp(name, TOKEN_FIELD) == 0) {
        if (offer->tokens++ == 0)
            offer->token = g_strstrip(g_strndup(value, LIMIT_TOKEN));
        return;
    }
    spool_render_field(offer->line, name, value, leading_space);
    add(offer, offer->line->str, offer->line->len);
}

void offer_end_header(struct offer *offer)
{
    add(offer, "\r\n", 2);
}

void offer_add_body(struct offer *offer, const void *octets, gsize length)
{
    add(offer, octets, length);
}

/* What is wrong before the store need be asked; NULL nothing. */
static const char *fault_of(const struct offer *offer, const char *queue_id)
{
    if (!queue_id)
        return "no queue id";
    if (offer->tokens != 1)
        return offer->tokens == 0 ? "no token" : "several tokens";
    if (offer->too_many)
        return "too many recipients";
    return offer->recipients->len == 0 ? "no recipient" : NULL;
}

static gboolean refuse(struct offer *offer, enum reason_id reason, const char *queue_id, const char *why,
                       struct reply *refusal)
{
    *refusal = reply_plain(reason, offer->reference);
    service_count(offer->service, reason == REASON_FORGED_TOKEN ? COUNT_REFUSED : COUNT_DEFERRED);
    log_line(LOG_LEVEL_WARNING, "%s: verdict=%s reason=%s socket=release ref=MIJI-%s problem=\"%s\"",
             queue_id, reason == REASON_FORGED_TOKEN ? "refuse" : "defer", reason_name(reason),
             offer->reference, why);
    return FALSE;
}

/* What release_admit is not even asked for goes into the audit all the same. */
static void audit(struct store *store, const char *queue_id, const char *why)
{
    g_autofree char *detail = g_strdup_printf("release socket: %s", why);
    const struct audit_entry entry = {
        .event = "forged-token", .who = "", .object = queue_id, .detail = detail};
    g_autoptr(GError) error = NULL;
    if (!store_audit(store, &entry, &error))
        log_line(LOG_LEVEL_ERROR, "store: %s", error->message);
}

static gboolean ask(struct offer *offer, struct store *store, const char *queue_id, struct reply *refusal)
{
    guint8 digest[32];
    unsigned int length = sizeof digest;
    const char *id = queue_id ? queue_id : "NOQUEUE", *why = fault_of(offer, queue_id);
    if (why) {
        audit(store, queue_id, why);
        return refuse(offer, REASON_FORGED_TOKEN, id, why, refusal);
    }
    if (offer->failed || fault_point("offer.before-admit") ||
        !EVP_DigestFinal_ex(offer->digest, digest, &length))
        return refuse(offer, REASON_STORE_UNAVAILABLE, id, "the digest cannot be taken", refusal);
    if (!release_admit(store, offer->token, digest, offer->recipients, queue_id, &why))
        return refuse(offer, release_admit_later(why) ? REASON_STORE_UNAVAILABLE : REASON_FORGED_TOKEN, id,
                      why, refusal);
    if (fault_point("offer.admitted"))
        return refuse(offer, REASON_STORE_UNAVAILABLE, id, "the connection broke", refusal);
    service_count(offer->service, COUNT_DELIVERED);
    log_line(LOG_LEVEL_INFO, "%s: verdict=deliver socket=release to=%u ref=MIJI-%s", id,
             offer->recipients->len, offer->reference);
    return TRUE;
}

gboolean offer_is_admitted(struct offer *offer, const char *queue_id, struct reply *refusal)
{
    const char *known = queue_id && queue_id_is_good(queue_id) ? queue_id : NULL;
    struct store *store = service_borrow_store(offer->service);
    if (!store)
        return refuse(offer, REASON_BUSY, known ? known : "NOQUEUE", "the store is closed", refusal);
    gboolean admitted = ask(offer, store, known, refusal);
    service_return_store(offer->service);
    return admitted;
}
