#include "milter/daemon/queue_id.h"

#include <string.h>

#include "milter/daemon/limits.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define SHORTEST 5

static gboolean is_of(const char *text, const char *characters, gsize least)
{
    gsize length = strspn(text, characters);
    return length >= least && length <= LIMIT_QUEUE_ID && text[length] == '\0';
}

gboolean queue_id_is_good(const char *text)
{
    return is_of(text, LETTERS "-_.", 1);
}

gboolean queue_id_is_of_postfix(const char *text)
{
    return is_of(text, LETTERS, SHORTEST);
}
