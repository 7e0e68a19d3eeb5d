#include "milter/cli/postfix.h"

#include <string.h>

static void service_free(gpointer data)
{
    struct postfix_service *service = data;
    g_free(service->name);
    g_free(service->type);
    g_free(service->program);
    g_hash_table_unref(service->overrides);
    g_free(service);
}

void postfix_free(struct postfix *postfix)
{
    if (!postfix)
        return;
    g_hash_table_unref(postfix->settings);
    g_ptr_array_unref(postfix->services);
    g_free(postfix);
}

static void parse_settings(struct postfix *postfix, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *equals = strchr(*line, '=');
        if (equals)
            g_hash_table_insert(postfix->settings, g_strstrip(g_strndup(*line, (gsize)(equals - *line))),
                                g_strstrip(g_strdup(equals + 1)));
    }
}

/* One line of `postconf -M`: name type private unpriv chroot wakeup maxproc program arguments. */
static void parse_service(struct postfix *postfix, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
    const char *fields[8];
    guint found = 0;
    for (char **word = words; *word && found < G_N_ELEMENTS(fields); word++)
        if (**word)
            fields[found++] = *word;
    if (found < G_N_ELEMENTS(fields))
        return;
    struct postfix_service *service = g_new0(struct postfix_service, 1);
    service->name = g_strdup(fields[0]);
    service->type = g_strdup(fields[1]);
    /* "-" is the default, which has been "n" since Postfix 3.0. */
    service->chroot = strcmp(fields[4], "y") == 0;
    service->program = g_strdup(fields[7]);
    service->overrides = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add(postfix->services, service);
}

/* One line of `postconf -P`: name/type/parameter = value. */
static void parse_override(struct postfix *postfix, const char *line)
{
    const char *equals = strchr(line, '=');
    g_autofree char *where = g_strstrip(g_strndup(line, equals ? (gsize)(equals - line) : 0));
    g_auto(GStrv) parts = g_strsplit(where, "/", 3);
    if (!equals || g_strv_length(parts) != 3)
        return;
    for (guint i = 0; i < postfix->services->len; i++) {
        struct postfix_service *service = g_ptr_array_index(postfix->services, i);
        if (strcmp(service->name, parts[0]) == 0 && strcmp(service->type, parts[1]) == 0)
            g_hash_table_insert(service->overrides, g_strdup(parts[2]), g_strstrip(g_strdup(equals + 1)));
    }
}

static void each_line(struct postfix *postfix, const char *text,
                      void (*parse)(struct postfix *, const char *))
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line && **line != '#')
            parse(postfix, *line);
}

struct postfix *postfix_parse(const char *main, const char *services, const char *overrides)
{
    struct postfix *postfix = g_new0(struct postfix, 1);
    postfix->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    postfix->services = g_ptr_array_new_with_free_func(service_free);
    parse_settings(postfix, main);
    each_line(postfix, services, parse_service);
    each_line(postfix, overrides, parse_override);
    return postfix;
}

static char *run_postconf(const char *directory, const char *what, GError **error)
{
    const char *arguments[6] = {"postconf", what};
    guint count = 2;
    if (directory) {
        arguments[count++] = "-c";
        arguments[count++] = directory;
    }
    /* An administrator's PATH may lack sbin. */
    g_autofree char *path = g_find_program_in_path("postconf");
    arguments[0] = path ? path : "/usr/sbin/postconf";
    char *out = NULL;
    g_autofree char *complaint = NULL;
    int status = 0;
    if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &complaint, &status,
                      error))
        return NULL;
    if (g_spawn_check_wait_status(status, NULL))
        return out;
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "postconf %s: %s", what, g_strstrip(complaint));
    g_free(out);
    return NULL;
}

struct postfix *postfix_read(const char *directory, GError **error)
{
    g_autofree char *main = run_postconf(directory, "-x", error);
    g_autofree char *services = main ? run_postconf(directory, "-M", error) : NULL;
    g_autofree char *overrides = services ? run_postconf(directory, "-P", error) : NULL;
    return overrides ? postfix_parse(main, services, overrides) : NULL;
}

const char *postfix_setting(const struct postfix *postfix, const char *name)
{
    const char *value = g_hash_table_lookup(postfix->settings, name);
    return value ? value : "";
}

const char *postfix_service_setting(const struct postfix *postfix, const struct postfix_service *service,
                                    const char *name)
{
    const char *own = service ? g_hash_table_lookup(service->overrides, name) : NULL;
    return own ? own : postfix_setting(postfix, name);
}

gboolean postfix_knows(const struct postfix *postfix, const char *name)
{
    return g_hash_table_contains(postfix->settings, name);
}

gint64 postfix_seconds(const char *value)
{
    char *end = NULL;
    gint64 number = g_ascii_strtoll(value, &end, 10);
    switch (*end) {
    case '\0':
    case 's':
        return number;
    case 'm':
        return number * 60;
    case 'h':
        return number * 3600;
    case 'd':
        return number * 86400;
    case 'w':
        return number * 7 * 86400;
    }
    return 0;
}

char **postfix_list(const char *value)
{
    GPtrArray *list = g_ptr_array_new();
    const char *p = value;
    while (*p) {
        p += strspn(p, ", \t\r\n");
        gsize length = strcspn(p, ", \t\r\n");
        if (*p == '{') {
            const char *close = strchr(p, '}');
            length = close ? (gsize)(close - p) + 1 : strlen(p);
        }
        if (length)
            g_ptr_array_add(list, g_strndup(p, length));
        p += length;
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}
