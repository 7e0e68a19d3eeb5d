#include "milter/conf/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct control_request *control_request_new(const char *word, gboolean json, enum language language)
{
    struct control_request *request = g_new0(struct control_request, 1);

    request->word = g_strdup(word);
    request->json = json;
    request->language = language;
    request->values = g_ptr_array_new_with_free_func(g_free);
    request->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return request;
}

void control_request_free(struct control_request *request)
{
    if (request == NULL)
        return;
    g_free(request->word);
    g_ptr_array_unref(request->values);
    g_hash_table_unref(request->named);
    g_free(request);
}

void control_request_add(struct control_request *request, const char *name_or_null, const char *value)
{
    if (name_or_null == NULL)
        g_ptr_array_add(request->values, g_strdup(value));
    else
        g_hash_table_insert(request->named, g_strdup(name_or_null), g_strdup(value));
}

const char *control_request_named(const struct control_request *request, const char *name)
{
    return g_hash_table_lookup(request->named, name);
}

char *control_request_format(const struct control_request *request)
{
    GString *line = g_string_new(request->word);
    GHashTableIter each;
    gpointer name, value;

    g_string_append_printf(line, " %s %s", request->json ? "json" : "text",
                           request->language == LANGUAGE_ZH ? "zh" : "en");
    for (guint i = 0; i < request->values->len; i++) {
        g_autofree char *escaped = g_uri_escape_string(g_ptr_array_index(request->values, i), "/:@+", FALSE);
        g_string_append_printf(line, " %s", escaped);
    }
    g_hash_table_iter_init(&each, request->named);
    while (g_hash_table_iter_next(&each, &name, &value)) {
        g_autofree char *escaped = g_uri_escape_string(value, "/:@+", FALSE);
        g_string_append_printf(line, " %s=%s", (const char *)name, escaped);
    }
    return g_string_free(line, FALSE);
}

/* One argument; FALSE: it is not well escaped, or not UTF-8. */
static gboolean parse_argument(struct control_request *request, const char *word)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals != NULL ? g_strndup(word, (gsize)(equals - word)) : NULL;
    g_autofree char *value = g_uri_unescape_string(equals != NULL ? equals + 1 : word, NULL);

    if (value == NULL || !g_utf8_validate(value, -1, NULL))
        return FALSE;
    control_request_add(request, name, value);
    return TRUE;
}

struct control_request *control_request_parse(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autoptr(control_request) request = NULL;
    gboolean json;

    if (g_strv_length(words) < 3 || *words[0] == '\0')
        return NULL;
    json = strcmp(words[1], "json") == 0;
    if ((!json && strcmp(words[1], "text") != 0) ||
        (strcmp(words[2], "en") != 0 && strcmp(words[2], "zh") != 0))
        return NULL;
    request =
        control_request_new(words[0], json, strcmp(words[2], "zh") == 0 ? LANGUAGE_ZH : LANGUAGE_EN);
    for (char **word = words + 3; *word != NULL; word++)
        if (!parse_argument(request, *word))
            return NULL;
    return g_steal_pointer(&request);
}

/* Never waits: the queue of a daemon that was stopped is full one day, and would hold up whoever asks for
 * ever. */
static int control_connect(const char *address, GError **error)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = g_str_has_prefix(address, "unix:") ? address + 5 : address;
    int fd = strlen(path) < sizeof to.sun_path
                 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
                 : -1;
    g_strlcpy(to.sun_path, path, sizeof to.sun_path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", address, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads until the other side closes; FALSE when the time is over or the answer is too long. */
static gboolean read_answer(int fd, GString *answer, gint64 deadline_us)
{
    for (;;) {
        gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&waiting, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || answer->len > CONTROL_ANSWER_MAX) {
            errno = ready < 0 ? errno : ETIMEDOUT;
            return FALSE;
        }
        char octets[8192];
        ssize_t n = read(fd, octets, sizeof octets);
        if (n == 0)
            return TRUE;
        if (n > 0)
            g_string_append_len(answer, octets, n);
        else if (errno != EINTR && errno != EAGAIN)
            return FALSE;
    }
}

/* "ok 1234": so many octets follow. An answer that says no number is believed. */
static gboolean is_whole(const char *first, gsize length)
{
    const char *number = strchr(first, ' ');
    guint64 said = 0;

    return number == NULL ||
           (g_ascii_string_to_unsigned(number + 1, 10, 0, G_MAXSIZE, &said, NULL) && said == length);
}

char *control_ask(const char *address, const struct control_request *request, gint64 timeout_ms,
                  gsize *length, gboolean *ok, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + timeout_ms * 1000;
    int fd = control_connect(address, error);
    if (fd < 0)
        return NULL;
    g_autofree char *asked = control_request_format(request);
    g_autofree char *line = g_strconcat(asked, "\n", NULL);
    GString *answer = g_string_new(NULL);
    gboolean got = send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) &&
                   read_answer(fd, answer, deadline_us);
    int problem = errno;
    close(fd);
    char *end = got ? memchr(answer->str, '\n', answer->len) : NULL;
    if (!end) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", address,
                    got ? "an answer that is none" : g_strerror(problem));
        g_string_free(answer, TRUE);
        return NULL;
    }
    *end = '\0';
    g_autofree char *first = g_strdup(answer->str);
    g_string_erase(answer, 0, end + 1 - answer->str);
    if (!is_whole(first, answer->len)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: the answer was cut", address);
        g_string_free(answer, TRUE);
        return NULL;
    }
    *ok = strcmp(first, "ok") == 0 || g_str_has_prefix(first, "ok ");
    if (length != NULL)
        *length = answer->len;
    return g_string_free(answer, FALSE);
}
