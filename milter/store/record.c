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

/* Reasons are read for every recipient of a list: so they are fields in a row, each "+TEXT" or "-" (none) and
 * a NUL: id, check, answer, cause, part, address, level, level in ASCII, detail, in English, in Chinese. */
#define REASON_FIELDS 11

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

static void add_field(GByteArray *octets, const char *text)
{
    g_byte_array_append(octets, (const guint8 *)(text != NULL ? "+" : "-"), 1);
    if (text != NULL)
        g_byte_array_append(octets, (const guint8 *)text, (guint)strlen(text));
    g_byte_array_append(octets, (const guint8 *)"", 1);
}

static void add_number(GByteArray *octets, gint64 number)
{
    char text[24];

    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, number);
    add_field(octets, text);
}

GByteArray *record_reasons(const GPtrArray *reasons)
{
    GByteArray *octets = g_byte_array_new();

    for (guint i = 0; i < reasons->len && i < LIMIT_RECORD_REASONS; i++) {
        const struct reason *reason = g_ptr_array_index(reasons, i);
        const char *texts[] = {reason->address, reason->level,     reason->level_ascii,
                               reason->detail,  reason->detail_en, reason->detail_zh};
        add_field(octets, reason_name(reason->id));
        add_number(octets, reason->check);
        add_number(octets, reason->answer);
        add_number(octets, reason->cause);
        add_number(octets, reason->part);
        for (guint t = 0; t < G_N_ELEMENTS(texts); t++)
            add_field(octets, texts[t]);
    }
    return octets;
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

/* A number from least to most; FALSE if there is none. */
static gboolean number_in(const char *text, gint64 least, gint64 most, gint64 *number)
{
    return text != NULL && g_ascii_string_to_signed(text, 10, least, most, number, NULL);
}

/* NULL when a program of another time wrote it, or nobody did. */
static struct reason *reason_of(const char *const fields[REASON_FIELDS])
{
    gint id = fields[0] != NULL ? reason_named(fields[0]) : -1;
    gint64 check, answer, cause, part;

    if (id < 0 || !number_in(fields[1], CHECK_ENVELOPE, CHECK_RULES, &check) ||
        !number_in(fields[2], CHECK_PERMIT, CHECK_UNKNOWN_PERSISTENT, &answer) ||
        !number_in(fields[3], 0, CAUSE_STRUCTURE, &cause) || !number_in(fields[4], 0, G_MAXUINT, &part))
        return NULL;
    struct reason *reason = g_new0(struct reason, 1);
    reason->id = (enum reason_id)id;
    reason->check = (enum check_id)check;
    reason->answer = (enum check_answer)answer;
    reason->cause = (gint)cause;
    reason->part = (guint)part;
    reason->address = g_strdup(fields[5]);
    reason->level = g_strdup(fields[6]);
    reason->level_ascii = g_strdup(fields[7]);
    reason->detail = g_strdup(fields[8]);
    reason->detail_en = g_strdup(fields[9]);
    reason->detail_zh = g_strdup(fields[10]);
    return reason;
}

/* The fields of one reason from *at on; FALSE when they are not all there. */
static gboolean take_fields(const char **at, const char *end, const char *fields[REASON_FIELDS])
{
    for (guint i = 0; i < REASON_FIELDS; i++) {
        const char *stop = memchr(*at, '\0', (gsize)(end - *at));
        if (stop == NULL || (**at != '+' && **at != '-'))
            return FALSE;
        fields[i] = **at == '+' ? *at + 1 : NULL;
        *at = stop + 1;
    }
    return TRUE;
}

GPtrArray *record_reasons_read(const void *octets, gsize length)
{
    GPtrArray *reasons = g_ptr_array_new_with_free_func((GDestroyNotify)reason_free);
    const char *fields[REASON_FIELDS];
    const char *at = octets, *end = at != NULL ? at + length : NULL;

    while (at < end && reasons->len < LIMIT_RECORD_REASONS && take_fields(&at, end, fields)) {
        struct reason *reason = reason_of(fields);
        if (reason != NULL)
            g_ptr_array_add(reasons, reason);
    }
    return reasons;
}
