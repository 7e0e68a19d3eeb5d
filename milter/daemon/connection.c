#include "milter/daemon/connection.h"

struct connection *connection_new(struct service *service)
{
    struct connection *connection = g_new0(struct connection, 1);
    connection->service = service;
    g_atomic_int_inc(&service->sessions);
    return connection;
}

void connection_drop_message(struct connection *connection)
{
    transaction_free(g_steal_pointer(&connection->transaction));
}

void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    connection_drop_message(connection);
    session_clear(&connection->session);
    g_atomic_int_add(&connection->service->sessions, -1);
    g_free(connection);
}
