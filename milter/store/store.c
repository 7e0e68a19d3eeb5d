#include "milter/store/store.h"

struct store {
    gboolean can_keep;
};

struct store *store_none_new(void)
{
    return g_new0(struct store, 1);
}

void store_free(struct store *store)
{
    g_free(store);
}

enum store_result store_put(struct store *store, const void *octets, gsize length, int fd, const char *record)
{
    return STORE_UNAVAILABLE;
}

gboolean store_can_keep(const struct store *store)
{
    return store->can_keep;
}
