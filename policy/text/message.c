#include "policy/text/message.h"

#include <stdarg.h>
#include <string.h>

struct entry {
    const char *text[2]; /* by enum language */
    const char *mark;    /* what message_arg gives: \001 and the id's name */
};

static const struct entry table[MSG_COUNT] = {
#define MESSAGE(id, en, zh) [MSG_##id] = {{en, zh}, "\001" #id},
#include "policy/text/message.def"
#undef MESSAGE
};

/* A mark is \001NAME or, with an argument, \001NAME\002argument: an argument that is itself a message. */
#define MARK '\001'
#define MARK_ARG '\002'

const char *message_text(enum message_id id, enum language language)
{
    g_assert(id < MSG_COUNT);
    return table[id].text[language];
}

const char *message_arg(enum message_id id)
{
    g_assert(id < MSG_COUNT);
    return table[id].mark;
}

char *message_arg_with(enum message_id id, const char *arg)
{
    g_assert(id < MSG_COUNT);
    return g_strdup_printf("%s%c%s", table[id].mark, MARK_ARG, arg);
}

struct message message_make(enum message_id id, ...)
{
    struct message message = {.id = id};
    va_list args;

    va_start(args, id);
    for (int n = 0; n < MESSAGE_MAX_ARGS; n++) {
        const char *arg = va_arg(args, const char *);
        if (arg == NULL)
            break;
        message.args[n] = g_strdup(arg);
    }
    va_end(args);
    return message;
}

void message_clear(struct message *message)
{
    for (int n = 0; n < MESSAGE_MAX_ARGS; n++)
        g_clear_pointer(&message->args[n], g_free);
    message->id = MSG_NONE;
}

/* The message that a mark names, its argument in *arg (NULL if none); MSG_NONE when it names none. */
static enum message_id mark_find(const char *mark, const char **arg)
{
    const char *end = strchr(mark, MARK_ARG);
    gsize length = end ? (gsize)(end - mark) : strlen(mark);

    *arg = end ? end + 1 : NULL;
    for (guint id = MSG_NONE; id < MSG_COUNT; id++)
        if (strlen(table[id].mark) == length && memcmp(table[id].mark, mark, length) == 0)
            return id;
    return MSG_NONE;
}

static void append_arg(GString *out, const char *arg, enum language language)
{
    if (arg[0] != MARK) {
        g_string_append(out, arg);
        return;
    }
    const char *inner[2] = {NULL, NULL};
    enum message_id id = mark_find(arg, &inner[0]);
    g_autofree char *filled = NULL;

    if (inner[0] != NULL && inner[0][0] == MARK) {
        const char *ignored;
        inner[0] = message_text(mark_find(inner[0], &ignored), language);
    }
    filled = message_fill(message_text(id, language), inner, language);
    g_string_append(out, filled);
}

char *message_fill(const char *template, const char *const *args, enum language language)
{
    GString *out = g_string_new(NULL);
    guint count = 0;

    while (args != NULL && count < MESSAGE_MAX_ARGS && args[count] != NULL)
        count++;
    for (const char *p = template; *p != '\0'; p++) {
        if (p[0] == '{' && p[1] == '{') {
            g_string_append_c(out, '{');
            p++;
        } else if (p[0] == '{' && p[1] >= '0' && p[1] < '0' + MESSAGE_MAX_ARGS && p[2] == '}') {
            guint n = (guint)(p[1] - '0');
            if (n < count)
                append_arg(out, args[n], language);
            p += 2;
        } else {
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

char *message_format(const struct message *message, enum language language)
{
    return message_fill(message_text(message->id, language), (const char *const *)message->args, language);
}
