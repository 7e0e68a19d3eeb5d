#include "policy/person/filter.h"

#include <string.h>

#define FILTER_MAX_DEPTH 20
#define FILTER_MAX_BYTES 4096

char *filter_escape(const char *value, gsize length)
{
    static const char HEX[] = "0123456789abcdef";
    GString *out = g_string_sized_new(length + 16);

    for (gsize i = 0; i < length; i++) {
        guchar c = (guchar)value[i];

        if (g_ascii_isalnum(c) || (c != '\0' && strchr("@._-+=/ ", c) != NULL)) {
            g_string_append_c(out, (char)c);
        } else {
            g_string_append_c(out, '\\');
            g_string_append_c(out, HEX[c >> 4]);
            g_string_append_c(out, HEX[c & 15]);
        }
    }
    return g_string_free(out, FALSE);
}

static void address_attribute_free(gpointer data)
{
    struct address_attribute *attribute = data;

    g_free(attribute->name);
    g_free(attribute->prefix);
    g_free(attribute);
}

void person_filter_free(struct person_filter *filter)
{
    if (filter == NULL)
        return;
    g_free(filter->text);
    g_ptr_array_unref(filter->addresses);
    g_free(filter);
}

/* ---- reading what the administrator wrote */

struct parser {
    const char *next;
    guint depth;
    gboolean negated;
    struct person_filter *filter;
    GError **error;
};

static gboolean fail(struct parser *parser, const char *problem)
{
    g_set_error_literal(parser->error, DIRECTORY_ERROR, DIRECTORY_ERROR_SETTING, problem);
    return FALSE;
}

static void add_attribute(struct person_filter *filter, const char *name, const char *prefix)
{
    struct address_attribute *attribute;

    for (guint i = 0; i < filter->addresses->len; i++) {
        attribute = g_ptr_array_index(filter->addresses, i);
        if (g_ascii_strcasecmp(attribute->name, name) == 0 && strcmp(attribute->prefix, prefix) == 0)
            return;
    }
    attribute = g_new0(struct address_attribute, 1);
    attribute->name = g_strdup(name);
    attribute->prefix = g_strdup(prefix);
    g_ptr_array_add(filter->addresses, attribute);
}

gboolean filter_is_attribute(const char *name)
{
    return name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;") == strlen(name);
}

/* ATTRIBUTE OPERATOR VALUE up to the closing parenthesis. */
static gboolean read_item(struct parser *parser)
{
    gsize length = strcspn(parser->next, "()");
    g_autofree char *item = g_strndup(parser->next, length);
    char *value = strchr(item, '='), *place = strstr(item, "%s");

    parser->next += length;
    if (value == NULL || value == item)
        return fail(parser, "a part of the filter has no attribute=value");
    if (place == NULL) {
        parser->filter->only_addresses = FALSE;
        return TRUE;
    }
    *value++ = '\0';
    if (place < value || !filter_is_attribute(item))
        return fail(parser, "%s must stand behind ATTRIBUTE=");
    if (place[2] != '\0' || strcspn(value, "*\\") < (gsize)(place - value))
        return fail(parser, "%s must be the end of its value, without * or \\ before it");
    if (parser->negated)
        return fail(parser, "%s stands in a negation");
    *place = '\0';
    add_attribute(parser->filter, item, value);
    return TRUE;
}

static gboolean read_filter(struct parser *parser);

/* The operands of &, | and !. */
static gboolean read_operands(struct parser *parser)
{
    gboolean was_negated = parser->negated;
    char operator= * parser->next++;
    guint count = 0;

    parser->negated = parser->negated || operator== '!';
    parser->filter->only_addresses = parser->filter->only_addresses && operator== '|';
    for (; *parser->next == '('; count++)
        if (!read_filter(parser))
            return FALSE;
    parser->negated = was_negated;
    if (count == 0 || (operator== '!' && count> 1))
        return fail(parser, "& and | need at least one filter in ( ), ! exactly one");
    return TRUE;
}

static gboolean read_filter(struct parser *parser)
{
    gboolean read;

    if (*parser->next != '(')
        return fail(parser, "a filter begins with (");
    if (++parser->depth > FILTER_MAX_DEPTH)
        return fail(parser, "the filter is nested too deeply");
    parser->next++;
    read = *parser->next != '\0' && strchr("&|!", *parser->next) != NULL ? read_operands(parser)
                                                                         : read_item(parser);
    if (!read)
        return FALSE;
    if (*parser->next != ')')
        return fail(parser, "a ( is not closed with )");
    parser->next++;
    parser->depth--;
    return TRUE;
}

struct person_filter *person_filter_parse(const char *text, GError **error)
{
    g_autoptr(person_filter) filter = g_new0(struct person_filter, 1);
    struct parser parser = {.next = text, .filter = filter, .error = error};

    filter->text = g_strdup(text);
    filter->addresses = g_ptr_array_new_with_free_func(address_attribute_free);
    filter->only_addresses = TRUE;
    if (strlen(text) > FILTER_MAX_BYTES) {
        fail(&parser, "the filter is too long");
        return NULL;
    }
    if (!read_filter(&parser))
        return NULL;
    if (*parser.next != '\0') {
        fail(&parser, "something stands behind the filter's last )");
        return NULL;
    }
    if (filter->addresses->len == 0) {
        fail(&parser, "the filter has no %s where the address belongs");
        return NULL;
    }
    return g_steal_pointer(&filter);
}

/* ---- writing what is asked */

static void append_question(GString *out, const struct person_filter *filter,
                            const struct directory_settings *settings, const struct slot *slot)
{
    g_autofree char *value = filter_escape(slot->value, strlen(slot->value));

    switch (slot->kind) {
    case ASK_ADDRESS: {
        gsize start = out->len;

        g_string_append(out, filter->text);
        for (char *place; (place = strstr(out->str + start, "%s")) != NULL;) {
            gssize position = place - out->str;

            g_string_erase(out, position, 2);
            g_string_insert(out, position, value);
            start = (gsize)position + strlen(value);
        }
        break;
    }
    case ASK_LOGIN:
        g_string_append_printf(out, "(%s=%s)", settings->login_attribute, value);
        break;
    case ASK_CERTIFICATE:
        g_string_append_printf(out, "(%s=%s)", settings->certificate_attribute, value);
        break;
    case ASK_MEMBERS: /* a search of its own, by DN */
        g_assert_not_reached();
    }
}

char *person_filter_search(const struct person_filter *filter, const struct directory_settings *settings,
                           const struct search *search)
{
    GString *out = g_string_new("(|");

    for (guint i = 0; i < search->length; i++)
        append_question(out, filter, settings, search->questions[i].slot);
    g_string_append_c(out, ')');
    return g_string_free(out, FALSE);
}
