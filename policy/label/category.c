#include "policy/label/category.h"

#include <string.h>

#include "policy/label/limits.h"
#include "policy/text/fold.h"

struct values {
    struct label *label;
    const char *at, *end;
    guint count;
    struct message *fault;
};

char *claim_quote(const char *text, gsize length)
{
    g_autoptr(folded) folded = fold_text(text, length, FOLD_SPACE);
    if (g_utf8_strlen(folded->text, -1) <= CLAIM_MAX_QUOTED_CHARACTERS)
        return g_strdup(folded->text);
    const char *cut = g_utf8_offset_to_pointer(folded->text, CLAIM_MAX_QUOTED_CHARACTERS);
    return g_strdup_printf("%.*s…", (int)(cut - folded->text), folded->text);
}

static gboolean fail(struct values *v, enum message_id id, const char *what, const char *where)
{
    g_autofree char *quoted = claim_quote(what, strlen(what));
    *v->fault = message_make(id, quoted, where, NULL);
    return FALSE;
}

/* The length of a separator at `at`: comma, enumeration comma; 0 if there is none. */
static gsize comma_at(const struct values *v)
{
    if (v->at < v->end && *v->at == ',')
        return 1;
    return g_str_has_prefix(v->at, "、") ? strlen("、") : 0;
}

static void skip(struct values *v, const char *octets)
{
    while (v->at < v->end && strchr(octets, *v->at) != NULL)
        v->at++;
}

/* The run up to a separator; "" at the end. New string. */
static char *take_word(struct values *v)
{
    skip(v, " ");
    const char *start = v->at;
    while (v->at < v->end && strchr(" ,:;", *v->at) == NULL && comma_at(v) == 0)
        v->at++;
    return g_strndup(start, (gsize)(v->at - start));
}

static gboolean take_comma(struct values *v)
{
    skip(v, " ");
    gsize length = comma_at(v);
    v->at += length;
    return length > 0;
}

static gboolean add_value(struct values *v, const struct category_set *set, const char *value)
{
    if (*value == '\0')
        return fail(v, MSG_MISSING_CATEGORY, value, set->name);
    if (!set->open && category_set_value(set, value) == NULL)
        return fail(v, MSG_NO_CATEGORY_VALUE, value, set->name);
    if (++v->count > LABEL_MAX_VALUES)
        return fail(v, MSG_TOO_MANY_CATEGORIES, value, set->name);
    label_add_value(v->label, set, value);
    return TRUE;
}

static gboolean read_values(struct values *v, const struct category_set *set)
{
    do {
        g_autofree char *value = take_word(v);
        if (!add_value(v, set, value))
            return FALSE;
    } while (take_comma(v));
    return TRUE;
}

/* The first set that lists the value. */
static const struct category_set *set_listing(const struct scheme *scheme, const char *value)
{
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        if (category_set_value(set, value) != NULL)
            return set;
    }
    return NULL;
}

/* SET:VALUE,… or SET VALUE,… or a listed VALUE. */
static gboolean read_group(struct values *v)
{
    g_autofree char *word = take_word(v);
    const struct scheme *scheme = v->label->scheme;
    const struct category_set *set = scheme_set(scheme, word);
    skip(v, " ");
    if (v->at < v->end && *v->at == ':') {
        v->at++;
        return set != NULL ? read_values(v, set) : fail(v, MSG_NO_CATEGORY_SET, word, scheme->name);
    }
    if (set != NULL && v->at < v->end && *v->at != ';' && comma_at(v) == 0)
        return read_values(v, set);
    set = set_listing(scheme, word);
    if (set == NULL)
        return fail(v, MSG_NO_CATEGORY, word, scheme->name);
    return add_value(v, set, word) && (!take_comma(v) || read_group(v));
}

gboolean categories_read(struct label *label, const char *text, gsize length, struct message *fault)
{
    g_autoptr(folded) folded = fold_text(text, length, FOLD_SPACE);
    struct values v = {label, folded->text, folded->text + folded->length, 0, fault};
    for (skip(&v, " ;"); v.at < v.end; skip(&v, " ;"))
        if (!read_group(&v))
            return FALSE;
    return TRUE;
}
