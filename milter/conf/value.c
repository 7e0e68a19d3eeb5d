#include "milter/conf/value.h"

#include <string.h>

#include "policy/person/address.h"

/* Names are all shown when there are not more. */
#define FEW_NAMES 8

gboolean value_end(struct reader *reader)
{
    return reader_end(reader) && reader_no_block(reader);
}

struct span value_since(const struct reader *reader, guint first)
{
    const struct item *last = statement_item(reader->statement, MAX(reader->next, first + 1) - 1);

    return span_join(statement_item(reader->statement, first)->span, last->span);
}

struct span value_taken(const struct reader *reader)
{
    return value_since(reader, 0);
}

const struct item *value_block_name(struct reader *reader, GHashTable *names, enum message_id what)
{
    const struct item *name = reader_name(reader, what);

    if (name == NULL || !reader_end(reader) || !reader_need_block(reader))
        return NULL;
    const struct statement *first = g_hash_table_lookup(names, name->text);
    if (first == reader->statement)
        return name;
    diagnostic_note(
        reader_fail(reader, DIAG_DUPLICATE, name->span, message_make(MSG_NAME_TWICE, name->text, NULL)),
        first->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    return NULL;
}

/* The words in a span, one space between them. */
static char *words_of(const struct statement *statement, struct span span)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (guint i = 0; i < statement->items->len; i++) {
        const struct item *item = statement_item(statement, i);
        if (item->span.offset < span.offset || item->span.offset >= span.offset + span.length)
            continue;
        g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", item->text);
    }
    return g_string_free(g_steal_pointer(&words), FALSE);
}

void value_not_yet(struct reader *reader, struct span what, enum message_id help)
{
    if (reader->broken)
        return;
    g_autofree char *text = words_of(reader->statement, what);
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_NOT_YET, what, message_make(MSG_NOT_YET, text, NULL));
    diagnostic_help(diagnostic, message_make(help == MSG_NONE ? MSG_NOT_YET_HELP : help, NULL));
}

void value_end_not_yet(struct reader *reader, struct span what, enum message_id help)
{
    if (value_end(reader))
        value_not_yet(reader, what, help);
}

gboolean value_level(const struct reading *reading, struct reader *reader, const struct scheme **scheme,
                     const struct level **level)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_LEVEL);

    *scheme = NULL;
    *level = NULL;
    if (item == NULL)
        return FALSE;
    if (reading->schemes == NULL)
        return TRUE;
    if (schemes_level_item(reading->schemes, item, reader->diagnostics, scheme, level))
        return TRUE;
    reader->broken = TRUE;
    return FALSE;
}

gboolean value_names(struct reader *reader, enum message_id what, GPtrArray **names)
{
    if (*names == NULL)
        *names = g_ptr_array_new_with_free_func(g_free);
    do {
        const struct item *item = reader_name(reader, what);
        if (item == NULL)
            return FALSE;
        g_ptr_array_add(*names, g_strdup(item->text));
    } while (reader_comma(reader));
    return TRUE;
}

gboolean value_network(struct reader *reader, struct network *network)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_NETWORK);

    if (item == NULL)
        return FALSE;
    if (network_parse(item->text, network))
        return TRUE;
    g_autofree char *base = network_base(item->text);
    enum message_id id = base != NULL ? MSG_NETWORK_HOST_BITS : MSG_NETWORK;
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_NETWORK, item->span, message_make(id, item->text, NULL));
    diagnostic_help(diagnostic, base != NULL ? message_make(MSG_WRITE_THIS, base, NULL)
                                             : message_make(MSG_NETWORK_HELP, NULL));
    return FALSE;
}

gboolean value_networks(struct reader *reader, GArray **networks)
{
    if (*networks == NULL)
        *networks = g_array_new(FALSE, FALSE, sizeof(struct network));
    do {
        struct network network;
        if (!value_network(reader, &network))
            return FALSE;
        g_array_append_val(*networks, network);
    } while (reader_comma(reader));
    return TRUE;
}

char *value_address(struct reader *reader)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_MAIL_ADDRESS);

    if (item == NULL)
        return NULL;
    g_autoptr(address) address = address_parse(item->text);
    if (address->form == ADDRESS_PLAIN)
        return g_strdup(address->canonical);
    reader_fail(reader, DIAG_ADDRESS, item->span, message_make(MSG_NOT_A_MAIL_ADDRESS, item->text, NULL));
    return NULL;
}

char *path_from(const struct source *source, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(source->name);

    if (g_path_is_absolute(path) || strcmp(folder, ".") == 0)
        return g_strdup(path);
    return g_build_filename(folder, path, NULL);
}

char *value_path(struct reader *reader, enum message_id what, struct span *place)
{
    const struct item *item = reader_text(reader, what);

    if (item == NULL)
        return NULL;
    if (place != NULL)
        *place = item->span;
    if (item->text[0] != '\0')
        return path_from(item->span.source, item->text);
    reader_fail(reader, DIAG_NO_FILE, item->span, message_make(MSG_EMPTY_PATH, NULL));
    return NULL;
}

void value_set(char **string, char *value)
{
    g_free(*string);
    *string = value;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

void value_suggest(struct diagnostic *diagnostic, const char *name, GHashTable *names)
{
    g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(names), compare_names);
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (const GList *key = sorted; key != NULL; key = key->next)
        g_ptr_array_add(all, key->data);
    guint count = all->len;
    g_ptr_array_add(all, NULL);
    const char *nearest = nearest_name(name, (const char *const *)all->pdata);
    if (nearest != NULL) {
        diagnostic_help(diagnostic, message_make(MSG_DID_YOU_MEAN, nearest, NULL));
    } else if (count > 0 && count <= FEW_NAMES) {
        g_autofree char *joined = g_strjoinv("\", \"", (char **)all->pdata);
        g_autofree char *quoted = g_strdup_printf("\"%s\"", joined);
        diagnostic_help(diagnostic, message_make(MSG_CHOICES, quoted, NULL));
    }
}

static gboolean outside(struct reader *reader, guint first, enum message_id id, const char *minimum,
                        const char *maximum)
{
    struct span span = value_since(reader, first);
    g_autofree char *text = span_text(span);

    reader_fail(reader, DIAG_RANGE, span, message_make(id, text, minimum, maximum, NULL));
    return FALSE;
}

gboolean value_size(struct reader *reader, guint64 minimum, guint64 maximum, guint64 *bytes)
{
    guint first = reader->next;

    if (!reader_size(reader, bytes))
        return FALSE;
    if (*bytes >= minimum && *bytes <= maximum)
        return TRUE;
    g_autofree char *low = size_format(minimum);
    g_autofree char *high = size_format(maximum);
    return outside(reader, first, MSG_RANGE_BOUNDS, low, high);
}

gboolean value_time(struct reader *reader, gint64 minimum_s, gint64 maximum_s, gint64 *milliseconds)
{
    guint first = reader->next;
    gint64 seconds;

    if (!reader_time(reader, &seconds))
        return FALSE;
    *milliseconds = seconds * 1000;
    if (seconds >= minimum_s && seconds <= maximum_s)
        return TRUE;
    g_autofree char *low = time_format(minimum_s);
    g_autofree char *high = time_format(maximum_s);
    return outside(reader, first, MSG_RANGE_BOUNDS, low, high);
}

char *size_format(guint64 bytes)
{
    static const struct {
        guint64 factor;
        const char *unit;
    } units[] = {{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}};

    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (bytes >= units[i].factor && bytes % units[i].factor == 0)
            return g_strdup_printf("%" G_GUINT64_FORMAT "%s", bytes / units[i].factor, units[i].unit);
    return g_strdup_printf("%" G_GUINT64_FORMAT "KB", (bytes + 1023) / 1024);
}

char *time_format(gint64 seconds)
{
    static const struct {
        gint64 factor;
        char unit;
    } units[] = {{365 * 86400, 'y'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}};

    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (seconds >= 2 * units[i].factor && seconds % units[i].factor == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT "%c", seconds / units[i].factor, units[i].unit);
    return g_strdup_printf("%" G_GINT64_FORMAT "s", seconds);
}
