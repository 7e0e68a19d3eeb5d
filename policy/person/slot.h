/*
 * slot: one question to a directory and, some time later, its answer. Several queries share a slot while it
 * is under way (a question is asked once), and the cache keeps it when it is answered. Private to
 * policy/person.
 *
 * Reference counted. kind and value never change. The other fields are guarded by the lock of the directory
 * until `answered` is set; from then on nobody writes them and any thread may read.
 */
#ifndef POLICY_PERSON_SLOT_H
#define POLICY_PERSON_SLOT_H

#include "policy/person/directory.h"

struct slot {
    gint refs; /* g_atomic_int */
    enum question_kind kind;
    guint hash;
    char *value;
    gint64 asked_us; /* when it was sent; g_get_monotonic_time */
    gint64 due_us;   /* whoever waits stops waiting then */
    gboolean answered;
    gint64 fresh_until_us; /* how long the cache may give it; 0 never */
    enum answer_state state;
    struct person *person; /* held; FOUND only */
};

struct slot *slot_new(enum question_kind kind, const char *value);
struct slot *slot_ref(struct slot *slot);
void slot_unref(struct slot *slot);
DEFINE_AUTOPTR(slot, slot_unref)

/* A slot on the stack to look others up with; borrows value, is not freed. */
struct slot slot_probe(enum question_kind kind, const char *value);

/* By kind and value, for tables. The hash is keyed with a secret of the process: strangers choose the values.
 */
guint slot_hash(gconstpointer slot);
gboolean slot_equal(gconstpointer a, gconstpointer b);

#endif
