/*
 * proxy: passes connections of a loopback port on to another, and misbehaves on command: delays answers,
 * stops in the middle of one, cuts connections. One thread of its own; its functions may be called from one
 * other thread.
 */
#ifndef TESTS_SUPPORT_PROXY_H
#define TESTS_SUPPORT_PROXY_H

#include <glib.h>

struct proxy;

struct proxy *proxy_new(guint target_port);
void proxy_free(struct proxy *proxy);
guint proxy_port(const struct proxy *proxy);

/* Answers reach the client so much later. 0: at once. */
void proxy_delay(struct proxy *proxy, guint ms);
/* After so many octets of answers nothing more reaches the client, until proxy_flow. */
void proxy_stall_after(struct proxy *proxy, guint octets);
void proxy_flow(struct proxy *proxy);
/* Ends all connections that are open now. */
void proxy_cut(struct proxy *proxy);
/* How many connections there ever were. */
guint proxy_connections(struct proxy *proxy);

#endif
