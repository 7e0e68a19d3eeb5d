#include "milter/store/record.h"

#include <string.h>

#include "milter/store/limits.h"

/* version; role, client known, client, then client name, helo, login, authentication, TLS, cipher, subject
 * and issuer of the certificate */
#define SESSION_TYPE "(ubaymaymaymaymayumaymaymay)"
/* sender, brackets, parameters, queue id, too many; then for each recipient: as given, the three macros,
 * NOTIFY, ORCPT */
#define RECIPIENTS_TYPE "a(aymaymaymaymaymay)"
#define ENVELOPE_TYPE "(aybmaymayb" RECIPIENTS_TYPE ")"
#define RECORD_TYPE "(ux" SESSION_TYPE ENVELOPE_TYPE ")"
#define RECORD_VERSION 1
/* id, check, answer, cause, part, address, level, level in ASCII, detail, in English, in Chinese */
#define REASONS_TYPE "a(ayuuiumaymaymaymaymaymay)"

/* ---------------------------------------------------------------- writing */
static GVariant *octets_new(const char *text)
{
    return g_variant_new_bytestring(text != NULL ? text : "");
}

static GVariant *maybe_new(const char *text)
{
    return g_variant_new_maybe(G_VARIANT_TYPE_BYTESTRING, text != NULL ? octets_new(text) : NULL);
}

/* The same octets on every machine. Takes the value over. */
static GByteArray *value_octets(GVariant *floating)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(floating);
    g_autoptr(GVariant) little =
        G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref(value) : g_variant_byteswap(value);
    GByteArray *octets = g_byte_array_new();

    g_byte_array_append(octets, g_variant_get_data(little), (guint)g_variant_get_size(little));
    return octets;
}

static GVariant *session_value(const struct session *session)
{
    const struct ip *client = &session->client;
    GVariant *fields[] = {
        g_variant_new_uint32(session->role),
        g_variant_new_boolean(client->known),
        g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, client->bytes, sizeof client->bytes, 1),
        maybe_new(session->client_name),
        maybe_new(session->helo),
        maybe_new(session->login),
        maybe_new(session->auth_type),
        g_variant_new_uint32(session->tls),
        maybe_new(session->cipher),
        maybe_new(session->cert_subject),
        maybe_new(session->cert_issuer),
    };

    return g_variant_new_tuple(fields, G_N_ELEMENTS(fields));
}

static void add_recipient(GVariantBuilder *list, const struct envelope_recipient *recipient)
{
    GVariant *fields[] = {octets_new(recipient->address->given), maybe_new(recipient->rcpt_addr),
                          maybe_new(recipient->rcpt_host),       maybe_new(recipient->rcpt_mailer),
                          maybe_new(recipient->notify),          maybe_new(recipient->orcpt)};

    g_variant_builder_add_value(list, g_variant_new_tuple(fields, G_N_ELEMENTS(fields)));
}

static GVariant *recipients_value(const struct decision *decision, guint fates)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE(RECIPIENTS_TYPE));
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        for (guint f = 0; (fates & 1u << recipient->fate) != 0 && f < recipient->forms->len; f++)
            add_recipient(&list, g_ptr_array_index(recipient->forms, f));
    }
    return g_variant_builder_end(&list);
}

static GVariant *envelope_value(const struct envelope *envelope, const struct decision *decision, guint fates)
{
    GVariant *fields[] = {
        octets_new(envelope->sender->given),       g_variant_new_boolean(envelope->brackets),
        maybe_new(envelope->parameters),           maybe_new(envelope->queue_id),
        g_variant_new_boolean(envelope->too_many), recipients_value(decision, fates)};

    return g_variant_new_tuple(fields, G_N_ELEMENTS(fields));
}

GByteArray *record_make(const struct inputs *inputs, const struct decision *decision, guint fates)
{
    GVariant *fields[] = {g_variant_new_uint32(RECORD_VERSION), g_variant_new_int64(inputs->now),
                          session_value(inputs->session), envelope_value(inputs->envelope, decision, fates)};

    return value_octets(g_variant_new_tuple(fields, G_N_ELEMENTS(fields)));
}

static GVariant *reason_value(const struct reason *reason)
{
    GVariant *fields[] = {octets_new(reason_name(reason->id)),
                          g_variant_new_uint32(reason->check),
                          g_variant_new_uint32(reason->answer),
                          g_variant_new_int32(reason->cause),
                          g_variant_new_uint32(reason->part),
                          maybe_new(reason->address),
                          maybe_new(reason->level),
                          maybe_new(reason->level_ascii),
                          maybe_new(reason->detail),
                          maybe_new(reason->detail_en),
                          maybe_new(reason->detail_zh)};

    return g_variant_new_tuple(fields, G_N_ELEMENTS(fields));
}

GByteArray *record_reasons(const GPtrArray *reasons)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE(REASONS_TYPE));
    for (guint i = 0; i < reasons->len && i < LIMIT_RECORD_REASONS; i++)
        g_variant_builder_add_value(&list, reason_value(g_ptr_array_index(reasons, i)));
    return value_octets(g_variant_builder_end(&list));
}

/* ---------------------------------------------------------------- reading */
/* A value of that type in its normal form, or NULL. New. */
static GVariant *value_read(const char *type, const void *octets, gsize length)
{
    if (octets == NULL || length > LIMIT_RECORD_BYTES)
        return NULL;
    gpointer copy = g_memdup2(octets, length);
    g_autoptr(GVariant) raw =
        g_variant_ref_sink(g_variant_new_from_data(G_VARIANT_TYPE(type), copy, length, FALSE, g_free, copy));
    g_autoptr(GVariant) value =
        G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref(raw) : g_variant_byteswap(raw);
    return g_variant_is_normal_form(value) ? g_steal_pointer(&value) : NULL;
}

static char *octets_of(GVariant *tuple, gsize child)
{
    g_autoptr(GVariant) value = g_variant_get_child_value(tuple, child);

    return g_strdup(g_variant_get_bytestring(value));
}

static char *maybe_of(GVariant *tuple, gsize child)
{
    g_autoptr(GVariant) maybe = g_variant_get_child_value(tuple, child);
    g_autoptr(GVariant) value = g_variant_get_maybe(maybe);

    return value != NULL ? g_strdup(g_variant_get_bytestring(value)) : NULL;
}

static guint32 number_of(GVariant *tuple, gsize child)
{
    g_autoptr(GVariant) value = g_variant_get_child_value(tuple, child);

    return g_variant_get_uint32(value);
}

static gboolean truth_of(GVariant *tuple, gsize child)
{
    g_autoptr(GVariant) value = g_variant_get_child_value(tuple, child);

    return g_variant_get_boolean(value);
}

static gboolean read_client(GVariant *tuple, struct ip *client)
{
    g_autoptr(GVariant) value = g_variant_get_child_value(tuple, 2);
    gsize length = 0;
    const guint8 *bytes = g_variant_get_fixed_array(value, &length, 1);

    if (length != sizeof client->bytes)
        return FALSE;
    memcpy(client->bytes, bytes, length);
    client->known = truth_of(tuple, 1);
    return TRUE;
}

static gboolean read_session(GVariant *tuple, struct session *session)
{
    guint32 role = number_of(tuple, 0);

    if (role > ROLE_RELEASE || !read_client(tuple, &session->client))
        return FALSE;
    session->role = (enum socket_role)role;
    session->client_name = maybe_of(tuple, 3);
    session->helo = maybe_of(tuple, 4);
    session->login = maybe_of(tuple, 5);
    session->auth_type = maybe_of(tuple, 6);
    session->tls = number_of(tuple, 7);
    session->cipher = maybe_of(tuple, 8);
    session->cert_subject = maybe_of(tuple, 9);
    session->cert_issuer = maybe_of(tuple, 10);
    return TRUE;
}

static void read_recipient(GVariant *tuple, struct envelope *envelope)
{
    g_autofree char *given = octets_of(tuple, 0);
    struct envelope_recipient *recipient = envelope_add(envelope, given);

    recipient->rcpt_addr = maybe_of(tuple, 1);
    recipient->rcpt_host = maybe_of(tuple, 2);
    recipient->rcpt_mailer = maybe_of(tuple, 3);
    recipient->notify = maybe_of(tuple, 4);
    recipient->orcpt = maybe_of(tuple, 5);
}

static struct envelope *read_envelope(GVariant *tuple)
{
    struct envelope *envelope = envelope_new();
    g_autofree char *sender = octets_of(tuple, 0);
    g_autofree char *parameters = maybe_of(tuple, 2);
    g_autoptr(GVariant) recipients = g_variant_get_child_value(tuple, 5);

    envelope_set_sender(envelope, sender, parameters);
    envelope->brackets = truth_of(tuple, 1);
    envelope->queue_id = maybe_of(tuple, 3);
    envelope->too_many = truth_of(tuple, 4);
    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) recipient = g_variant_get_child_value(recipients, i);
        read_recipient(recipient, envelope);
    }
    return envelope;
}

void recorded_free(struct recorded *recorded)
{
    if (recorded == NULL)
        return;
    session_clear(&recorded->session);
    envelope_free(recorded->envelope);
    g_free(recorded);
}

struct recorded *record_read(const void *octets, gsize length, GError **error)
{
    g_autoptr(GVariant) value = value_read(RECORD_TYPE, octets, length);
    g_autoptr(recorded) recorded = g_new0(struct recorded, 1);

    if (value != NULL && number_of(value, 0) == RECORD_VERSION) {
        g_autoptr(GVariant) at = g_variant_get_child_value(value, 1);
        g_autoptr(GVariant) session = g_variant_get_child_value(value, 2);
        g_autoptr(GVariant) envelope = g_variant_get_child_value(value, 3);
        recorded->at_s = g_variant_get_int64(at);
        recorded->envelope = read_envelope(envelope);
        if (read_session(session, &recorded->session))
            return g_steal_pointer(&recorded);
    }
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "the record of session and envelope is damaged");
    return NULL;
}

/* Its number; -1 for one that this program does not know. */
static gint reason_named(const char *name)
{
    for (gint id = 0; id < REASON_COUNT; id++)
        if (strcmp(reason_name((enum reason_id)id), name) == 0)
            return id;
    return -1;
}

static struct reason *read_reason(GVariant *tuple)
{
    g_autofree char *name = octets_of(tuple, 0);
    gint id = reason_named(name);
    guint32 check = number_of(tuple, 1), answer = number_of(tuple, 2);
    g_autoptr(GVariant) cause = g_variant_get_child_value(tuple, 3);

    if (id < 0 || check < CHECK_ENVELOPE || check > CHECK_RULES || answer > CHECK_UNKNOWN_PERSISTENT)
        return NULL;
    struct reason *reason = g_new0(struct reason, 1);
    reason->id = (enum reason_id)id;
    reason->check = (enum check_id)check;
    reason->answer = (enum check_answer)answer;
    reason->cause = g_variant_get_int32(cause);
    reason->part = number_of(tuple, 4);
    reason->address = maybe_of(tuple, 5);
    reason->level = maybe_of(tuple, 6);
    reason->level_ascii = maybe_of(tuple, 7);
    reason->detail = maybe_of(tuple, 8);
    reason->detail_en = maybe_of(tuple, 9);
    reason->detail_zh = maybe_of(tuple, 10);
    return reason;
}

GPtrArray *record_reasons_read(const void *octets, gsize length)
{
    GPtrArray *reasons = g_ptr_array_new_with_free_func((GDestroyNotify)reason_free);
    g_autoptr(GVariant) value = value_read(REASONS_TYPE, octets, length);

    for (gsize i = 0; value != NULL && i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) tuple = g_variant_get_child_value(value, i);
        struct reason *reason = read_reason(tuple);
        if (reason != NULL)
            g_ptr_array_add(reasons, reason);
    }
    return reasons;
}
