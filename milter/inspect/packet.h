/*
 * packet: what daemon, parent and workers of the inspector say to each other over SEQPACKET sockets
 * (design.md 3). Fixed heads in native byte order: all three are one build. What comes from a worker is
 * checked by whoever receives it.
 *
 *   daemon → worker   struct request and the message itself, or a descriptor of it
 *   worker → daemon   struct reply and the answer itself (rules/facts_layout.h), or a sealed memfd of it
 *   parent → daemon   CONTROL_WORKER with the daemon's end of a new worker's socket; CONTROL_GONE
 *   daemon → parent   CONTROL_KILL; CONTROL_DRAIN, the last word to a parent that is replaced
 */
#ifndef MILTER_INSPECT_PACKET_H
#define MILTER_INSPECT_PACKET_H

#include <glib.h>

#define PACKET_MAGIC 0x4d4a4331u

struct request {
    guint32 magic, unused;
    guint64 length; /* of the message */
};

enum reply_flag { REPLY_IS_LAST = 1 << 0 }; /* the worker ends now: send it nothing more */
struct reply {
    guint32 magic, flags;
    guint64 length; /* of the answer */
};

enum control_kind { CONTROL_WORKER, CONTROL_GONE, CONTROL_KILL, CONTROL_DRAIN };
struct control {
    guint32 magic, kind;
    guint64 worker; /* a number that the parent gives, used once */
};

/* One datagram to be sent: head, then body (length 0: none), with a descriptor (-1: none). */
struct packet {
    gconstpointer head;
    gsize head_length;
    gconstpointer body;
    gsize length;
    int passed;
};
/* 0, or an errno. flags: MSG_DONTWAIT or 0. */
int packet_send(int fd, const struct packet *packet, int flags);

/* Where one datagram goes; passed is the descriptor that came with it (close-on-exec), or -1. */
struct packet_room {
    gpointer head;
    gsize head_length;
    gpointer body;
    gsize most;
    int passed;
};
/* Returns the octets of head and body together, 0 at the end of the stream, or -1 with errno; EMSGSIZE if it
 * is longer than head and room. Of several descriptors all but the first are closed. */
gssize packet_receive(int fd, struct packet_room *room, int flags);

/* A memfd of the octets that nobody can change any more; -1 and errno. */
int packet_seal(gconstpointer octets, gsize length);
/* Maps length octets of a descriptor that is sealed against any change and has exactly that size; NULL if it
 * is not or cannot be. */
gpointer packet_map_sealed(int fd, gsize length);

#endif
