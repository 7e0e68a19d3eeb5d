#include "milter/daemon/connection.h"

#include "milter/conf/log.h"

struct connection *connection_new(struct service *service)
{
    struct connection *connection = g_new0(struct connection, 1);
    connection->service = service;
    g_atomic_int_inc(&service->sessions);
    return connection;
}

gboolean connection_is_admitted(const struct connection *connection)
{
    gint open = g_atomic_int_get(&connection->service->sessions);
    if (open <= connection->service->most_open)
        return TRUE;
    log_line(LOG_LEVEL_WARNING, "a connection is closed, %d are open", open);
    return FALSE;
}

void connection_drop_message(struct connection *connection)
{
    transaction_free(g_steal_pointer(&connection->transaction));
    offer_free(g_steal_pointer(&connection->offer));
}

void connection_tell_answered(struct connection *connection)
{
    struct store *store = connection->answered ? service_borrow_store(connection->service) : NULL;
    if (store) {
        store_answered(store, connection->answered);
        service_return_store(connection->service);
    }
    g_clear_pointer(&connection->answered, g_free);
}

void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    connection_drop_message(connection);
    connection_tell_answered(connection);
    session_clear(&connection->session);
    g_atomic_int_add(&connection->service->sessions, -1);
    g_free(connection);
}
