/* What a filter answers: edits, then one reply. */
#include "tests/wire/mta.h"
#include "tests/wire/mta_private.h"

#include <arpa/inet.h>
#include <string.h>

/* How the data of an edit is laid out. */
enum layout {
    LAYOUT_ADDRESS,           /* text NUL */
    LAYOUT_ADDRESS_ARGUMENTS, /* text NUL [text NUL] */
    LAYOUT_FIELD,             /* text NUL text NUL */
    LAYOUT_INDEXED_FIELD,     /* u32 text NUL text NUL */
    LAYOUT_BYTES,
};

static const struct {
    char kind;
    uint32_t action; /* that must have been negotiated */
    enum layout layout;
    const char *word;
} edit_kinds[] = {
    {SMFIR_ADDRCPT, SMFIF_ADDRCPT, LAYOUT_ADDRESS, "addrcpt"},
    {SMFIR_ADDRCPT_PAR, SMFIF_ADDRCPT_PAR, LAYOUT_ADDRESS_ARGUMENTS, "addrcpt_par"},
    {SMFIR_DELRCPT, SMFIF_DELRCPT, LAYOUT_ADDRESS, "delrcpt"},
    {SMFIR_CHGFROM, SMFIF_CHGFROM, LAYOUT_ADDRESS_ARGUMENTS, "chgfrom"},
    {SMFIR_ADDHEADER, SMFIF_ADDHDRS, LAYOUT_FIELD, "addheader"},
    {SMFIR_INSHEADER, SMFIF_ADDHDRS, LAYOUT_INDEXED_FIELD, "insheader"},
    {SMFIR_CHGHEADER, SMFIF_CHGHDRS, LAYOUT_INDEXED_FIELD, "chgheader"},
    {SMFIR_REPLBODY, SMFIF_CHGBODY, LAYOUT_BYTES, "replbody"},
    {SMFIR_QUARANTINE, SMFIF_QUARANTINE, LAYOUT_ADDRESS, "quarantine"},
};

static const struct {
    char command;
    enum mta_reply_kind kind;
    const char *word;
} reply_kinds[] = {
    {SMFIR_CONTINUE, MTA_CONTINUE, "continue"}, {SMFIR_ACCEPT, MTA_ACCEPT, "accept"},
    {SMFIR_DISCARD, MTA_DISCARD, "discard"},    {SMFIR_REJECT, MTA_REJECT, "reject"},
    {SMFIR_TEMPFAIL, MTA_TEMPFAIL, "tempfail"}, {SMFIR_SKIP, MTA_SKIP, "skip"},
    {SMFIR_SHUTDOWN, MTA_SHUTDOWN, "shutdown"}, {SMFIR_REPLYCODE, MTA_CODE, "code"},
};

static void edit_free(gpointer data)
{
    struct mta_edit *edit = data;

    g_free(edit->name);
    g_free(edit->value);
    g_free(edit);
}

struct mta_reply *mta_reply_new(char stage)
{
    struct mta_reply *reply = g_new0(struct mta_reply, 1);

    reply->kind = MTA_NONE;
    reply->stage = stage;
    reply->edits = g_ptr_array_new_with_free_func(edit_free);
    reply->refused = g_ptr_array_new_with_free_func(g_free);
    return reply;
}

void mta_reply_free(struct mta_reply *reply)
{
    if (reply == NULL)
        return;
    g_free(reply->text);
    g_ptr_array_unref(reply->edits);
    g_ptr_array_unref(reply->refused);
    g_free(reply);
}

bool mta_reply_is_final(const struct mta_reply *reply)
{
    return reply->kind != MTA_NONE;
}

/* Takes one NUL-terminated text; NULL if there is none. */
static char *take_text(const struct mta_packet *packet, size_t *at)
{
    const char *start = packet->data + *at;
    const char *end = *at < packet->length ? memchr(start, '\0', packet->length - *at) : NULL;

    if (end == NULL)
        return NULL;
    *at += (size_t)(end - start) + 1;
    return g_strdup(start);
}

static bool read_edit(struct mta_edit *edit, const struct mta_packet *packet, enum layout layout)
{
    size_t at = 0;

    switch (layout) {
    case LAYOUT_BYTES:
        edit->value = g_strndup(packet->data, packet->length);
        return true;
    case LAYOUT_ADDRESS:
        edit->name = take_text(packet, &at);
        break;
    case LAYOUT_ADDRESS_ARGUMENTS:
        edit->name = take_text(packet, &at);
        edit->value = take_text(packet, &at);
        break;
    case LAYOUT_INDEXED_FIELD:
        if (packet->length < sizeof edit->index)
            return false;
        memcpy(&edit->index, packet->data, sizeof edit->index);
        edit->index = ntohl(edit->index);
        at = sizeof edit->index;
        /* fall through */
    case LAYOUT_FIELD:
        edit->name = take_text(packet, &at);
        edit->value = take_text(packet, &at);
        if (edit->value == NULL)
            return false;
        break;
    }
    return edit->name != NULL && at == packet->length;
}

static bool add_edit(struct mta_reply *reply, const struct mta_packet *packet, uint32_t actions,
                     GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(edit_kinds); i++) {
        struct mta_edit *edit;

        if (edit_kinds[i].kind != packet->command)
            continue;
        if (reply->stage != SMFIC_BODYEOB || (actions & edit_kinds[i].action) == 0) {
            g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "%s at '%c' is not allowed", edit_kinds[i].word,
                        reply->stage);
            return false;
        }
        edit = g_new0(struct mta_edit, 1);
        edit->kind = packet->command;
        g_ptr_array_add(reply->edits, edit);
        if (read_edit(edit, packet, edit_kinds[i].layout))
            return true;
        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "%s that cannot be read", edit_kinds[i].word);
        return false;
    }
    g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "unknown reply '%c' at '%c'", packet->command,
                reply->stage);
    return false;
}

/* The form that milter8.c of Postfix insists on: "4xx ", "5xx-", an enhanced code of the same class. */
static bool is_reply_code(const char *text)
{
    return (text[0] == '4' || text[0] == '5') && g_ascii_isdigit(text[1]) && g_ascii_isdigit(text[2]) &&
           (text[3] == ' ' || text[3] == '-') && (!g_ascii_isdigit(text[4]) || text[4] == text[0]);
}

bool mta_reply_add(struct mta_reply *reply, const struct mta_packet *packet, uint32_t actions, GError **error)
{
    if (packet->command == SMFIR_PROGRESS && packet->length == 0) {
        reply->progress++;
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(reply_kinds); i++) {
        if (reply_kinds[i].command != packet->command)
            continue;
        if (reply_kinds[i].kind == MTA_CODE ? !is_reply_code(packet->data) : packet->length != 0) {
            g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "malformed reply '%c' %s", packet->command,
                        packet->data);
            return false;
        }
        reply->kind = reply_kinds[i].kind;
        if (reply->kind == MTA_CODE)
            reply->text = g_strdup(packet->data);
        return true;
    }
    return add_edit(reply, packet, actions, error);
}

bool mta_reply_is_positive(const struct mta_reply *reply)
{
    return reply->kind == MTA_NONE || reply->kind == MTA_CONTINUE || reply->kind == MTA_ACCEPT ||
           reply->kind == MTA_DISCARD || reply->kind == MTA_SKIP;
}

static void format_edit(GString *out, const struct mta_edit *edit)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(edit_kinds); i++) {
        if (edit_kinds[i].kind != edit->kind)
            continue;
        g_string_append(out, edit_kinds[i].word);
        if (edit_kinds[i].layout == LAYOUT_INDEXED_FIELD)
            g_string_append_printf(out, " %u", edit->index);
        if (edit->name != NULL)
            g_string_append_printf(out, " %s", edit->name);
        if (edit_kinds[i].layout == LAYOUT_FIELD || edit_kinds[i].layout == LAYOUT_INDEXED_FIELD)
            g_string_append_c(out, ':');
        if (edit->value != NULL)
            g_string_append_printf(out, " %s", edit->value);
        g_string_append(out, "; ");
    }
}

char *mta_reply_format(const struct mta_reply *reply)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < reply->refused->len; i++)
        g_string_append_printf(out, "refused %s; ", (const char *)reply->refused->pdata[i]);
    for (unsigned i = 0; i < reply->edits->len; i++)
        format_edit(out, reply->edits->pdata[i]);
    if (reply->kind == MTA_NONE)
        g_string_append(out, "none");
    else if (reply->kind == MTA_CODE)
        g_string_append(out, reply->text);
    for (unsigned i = 0; i < G_N_ELEMENTS(reply_kinds); i++)
        if (reply_kinds[i].kind == reply->kind && reply->kind != MTA_CODE)
            g_string_append(out, reply_kinds[i].word);
    return g_string_free(out, FALSE);
}
