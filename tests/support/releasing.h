/*
 * releasing: a store, an inspector, a configuration with a directory file, and a fake Postfix whose release
 * socket is the real one's question (release_admit): everything that a hold needs to get out. The review's
 * looks are called by the test, or its threads are started. Everything is asserted where it happens.
 */
#ifndef TESTS_SUPPORT_RELEASING_H
#define TESTS_SUPPORT_RELEASING_H

#include "milter/review/review_private.h"
#include "tests/support/conf_folder.h"
#include "tests/support/inspecting.h"
#include "tests/support/smtp_server.h"

struct releasing {
    struct conf_folder *folder;
    struct setting inspecting;
    struct smtp_server *server;
    struct store *store;
    struct review_host host;
    struct review *review; /* without threads; NULL while a test has started them */
    GPtrArray *earlier;    /* snapshots: labels of holds that a test still has borrow from them */
    pthread_mutex_t lock;
    /* Guarded by lock: */
    struct snapshot *snapshot;
    gboolean guarded;    /* the listener asks the release socket (default) */
    gboolean silent;     /* Postfix cannot be asked */
    gboolean forgetful;  /* Postfix knows no queue id */
    guint asked;         /* so often it was */
    const char *filter;  /* what a filter behind the release socket says, "": it hangs up; NULL: nothing */
    gboolean unreadable; /* no reader could read what is held */
    gboolean unanswered; /* the clients of what is held do not get their answer */
    const char *refusal; /* why the release socket turned the last one away; NULL */
};

struct releasing *releasing_new(void);
void releasing_free(struct releasing *releasing);

/* Other lines for the configuration (behind the usual ones), other clearances ("an 绝密|bo 机密|…"). NULL: as
 * before. */
void releasing_configure(struct releasing *releasing, const char *lines, const char *clearances);
/* The directory does not answer. */
void releasing_directory_down(struct releasing *releasing);

/* bo, logged in at the office, sends a message labelled 秘密 whose subject says 机密 to people ("an An2
 * boss"): it is decided, held for label-conflict, kept. more: further fields ("X: y\r\n"). Answered. */
struct hold *releasing_hold(struct releasing *releasing, const char *names, const char *more);
/* The same with the octets, envelope parameters of MAIL, and NOTIFY of the recipients as given. */
struct hold *releasing_hold_octets(struct releasing *releasing, const char *names, const char *parameters,
                                   const char *octets, gsize length);
void releasing_approve(struct releasing *releasing, struct hold **hold);
/* Static; see filter. */
void releasing_filter(struct releasing *releasing, const char *reply);
/* Held and approved. */
struct hold *releasing_approved(struct releasing *releasing, const char *names);
/* As it stands now; frees the old one. */
void releasing_again(struct releasing *releasing, struct hold **hold);
/* "an@agency.gov.cn held, bo@agency.gov.cn released 4Q7", with the slip's trouble behind a bar where there is
 * some. */
char *releasing_state(struct releasing *releasing, const struct hold *hold);
void expect_state(struct releasing *releasing, struct hold **hold, const char *state);

/* A change of the store past all rules, in SQL. */
void releasing_change(struct releasing *releasing, const char *sql);

/* The process ends and comes again: store and review are opened anew, nothing in memory is left. */
void releasing_restart(struct releasing *releasing);
/* Looks as the releaser's thread would, `times` times, a minute after the other. */
void releasing_look(struct releasing *releasing, guint times);

#endif
