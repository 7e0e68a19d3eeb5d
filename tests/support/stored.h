/*
 * stored: a store in a folder of its own, and messages of the world that go into it, for tests of what is
 * kept. What is to become of each recipient is said by the test; fates and act follow as semantics.md 7.2
 * and 7.4 say for a sender who is told. One thread, but where it says otherwise.
 */
#ifndef TESTS_SUPPORT_STORED_H
#define TESTS_SUPPORT_STORED_H

#include "milter/store/archive.h"
#include "milter/store/attempt.h"
#include "milter/store/audit.h"
#include "milter/store/outbox.h"
#include "milter/store/trace.h"
#include "tests/support/world.h"

#define STORED_HOUR_MS ((gint64)3600 * 1000)
#define STORED_DAY_MS (24 * STORED_HOUR_MS)

struct stored {
    char *folder;
    struct store *store;
    struct world *world;
    struct queue *office; /* 72 h; behind it is another one, "other" */
    struct past *past;    /* of the last decision */
    guint8 digest[32];    /* of the message at hand */
    char *text;           /* its octets */
};

struct stored *stored_new(void);
void stored_free(struct stored *stored);
DEFINE_AUTOPTR(stored, stored_free)
/* Ends the store and opens it again. */
void stored_reopen(struct stored *stored);

/* A new message of bo, 机密, to these people ("an ni"); its octets and digest are others than before. */
void stored_message(struct stored *stored, const char *names);
/*
 * Decides about it over what the store knows, with these verdicts in order of the recipients: d deliver, h
 * hold in "office", f defer, r refuse.
 */
struct decision *stored_decide(struct stored *stored, const char *verdicts);
/* The same over a past that nobody asked for. */
struct decision *stored_decide_blindly(struct stored *stored, const char *verdicts);
/* Keeps it; notice NULL: none. TRUE or FALSE and error as store_keep. */
gboolean stored_keep(struct stored *stored, const struct decision *decision, struct notice *notice,
                     char **hold_id, GError **error);
void stored_keep_later(struct stored *stored, const struct decision *decision);
/* All in one, for a message that shall be held: the hold. */
struct hold *stored_hold(struct stored *stored, const char *names);
struct hold *stored_find(struct stored *stored, const char *name);

/* Another look at the hold: frees the old one. */
void stored_again(struct stored *stored, struct hold **hold);
struct notice *stored_notice(enum notice_kind kind, const char *addressee);
/* The first number that a question gives; any thread. */
gint64 stored_number(struct stored *stored, const char *sql);
/* A change past all rules. */
void stored_change(struct stored *stored, const char *sql);

#define assert_store_error(error, wanted)                           \
    do {                                                            \
        g_assert_error((error), STORE_ERROR, STORE_ERROR_##wanted); \
        g_clear_error(&(error));                                    \
    } while (0)

#endif
