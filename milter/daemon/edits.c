#include "milter/daemon/edits.h"

#include <string.h>

#include "milter/review/token.h"

static void edit_free(gpointer data)
{
    struct edit *edit = data;

    g_free(edit->parameters);
    g_free(edit);
}

static struct edit *add(GPtrArray *edits, enum edit_kind kind, const char *text)
{
    struct edit *edit = g_new0(struct edit, 1);

    edit->kind = kind;
    edit->text = text;
    g_ptr_array_add(edits, edit);
    return edit;
}

/* RET and ENVID are all that an MTA takes with a changed sender (Postfix: cleanup_milter.c); it keeps the
 * others as they were. */
static char *headers_only(const char *parameters)
{
    g_auto(GStrv) words = g_strsplit(parameters != NULL ? parameters : "", " ", -1);

    for (char **word = words; *word != NULL; word++)
        if (g_ascii_strncasecmp(*word, "ENVID=", strlen("ENVID=")) == 0)
            return g_strconcat("RET=HDRS ", *word, NULL);
    return g_strdup("RET=HDRS");
}

/* The forms of all recipients whose fate is to stay, or not. */
static GHashTable *forms_of(const struct decision *decision, gboolean staying)
{
    GHashTable *forms = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if ((recipient->fate == FATE_STAYS) != staying)
            continue;
        for (guint j = 0; j < recipient->forms->len; j++) {
            const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, j);
            g_hash_table_add(forms, form->address->given);
        }
    }
    return forms;
}

static gboolean is_safe(const struct decision *decision)
{
    g_autoptr(GHashTable) staying = forms_of(decision, TRUE), leaving = forms_of(decision, FALSE);
    GHashTableIter each;
    gpointer form;

    g_hash_table_iter_init(&each, staying);
    while (g_hash_table_iter_next(&each, &form, NULL))
        if (g_hash_table_contains(leaving, form))
            return FALSE;
    return g_hash_table_size(staying) > 0;
}

static void remove_recipients(GPtrArray *edits, const struct decision *decision)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->fate == FATE_STAYS)
            continue;
        for (guint j = 0; j < recipient->forms->len; j++) {
            const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, j);
            add(edits, EDIT_RECIPIENT, form->address->given);
        }
    }
}

GPtrArray *edits_plan(const struct decision *decision, const struct envelope *envelope, guint release_fields)
{
    GPtrArray *edits;

    if (!is_safe(decision))
        return NULL;
    edits = g_ptr_array_new_with_free_func(edit_free);
    /* A bounce of a null sender is never sent. */
    if (decision->headers_only && envelope->sender->form != ADDRESS_NULL)
        add(edits, EDIT_SENDER, envelope->sender->given)->parameters = headers_only(envelope->parameters);
    remove_recipients(edits, decision);
    /* The last one first: the others keep their numbers. */
    for (guint index = release_fields; index > 0; index--)
        add(edits, EDIT_FIELD, TOKEN_FIELD)->index = index;
    return edits;
}
