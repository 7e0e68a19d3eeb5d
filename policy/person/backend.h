/*
 * backend: what stands behind a directory, as a table of functions: LDAP, an LDIF file, people in memory.
 * Private to policy/person (and its tests, which make backends of their own).
 *
 * A backend either looks at once (`look`) or takes searches and answers them later from a thread of its own
 * (`ask`).
 */
#ifndef POLICY_PERSON_BACKEND_H
#define POLICY_PERSON_BACKEND_H

#include "policy/person/slot.h"

struct backend;

/* One question of a search. state is UNAVAILABLE until something better is known. */
struct search_question {
    struct slot *slot; /* held */
    enum answer_state state;
    struct person *person; /* held; FOUND only */
};

/* At most SEARCH_MAX_QUESTIONS questions that are asked together; one of kind ASK_MEMBERS is alone. Belongs to whoever has it: query → backend
 * → directory_answer. */
struct search {
    guint length;
    struct search_question *questions;
    gint64 due_us; /* when nobody waits for it any more */
    /* For the backend: */
    guint attempts;      /* how often it was sent */
    gint64 sent_us;      /* when last */
    gboolean incomplete; /* something of the answer is missing or cannot be read */
    gboolean over_limit; /* the server gives no answer as large as this one; smaller searches may do */
};

struct search *search_new(guint length, gint64 due_us);
void search_free(struct search *search);
DEFINE_AUTOPTR(search, search_free)
/* The person answers the question: found, or ambiguous if another one did before. Takes a reference. */
void search_question_found(struct search_question *question, struct person *person);
/* Back to UNAVAILABLE. */
void search_question_forget(struct search_question *question);

struct backend_kind {
    /* Answers at once, without waiting; person (held) for FOUND. NULL for backends that are asked. */
    enum answer_state (*look)(struct backend *backend, enum question_kind kind, const char *value,
                              struct person **person);
    /* Takes the search over and gives it to directory_answer within its time, from any thread. Never waits.
     */
    void (*ask)(struct backend *backend, struct search *search);
    /* Is the whole directory out of reach now? since_us: when something was asked that has no answer; 0 if
     * nothing was. */
    gboolean (*outage)(struct backend *backend, gint64 since_us);
    /* Fills connected and where. */
    void (*status)(struct backend *backend, struct directory_status *status);
    /* Answers what is still under way and frees the backend. */
    void (*close)(struct backend *backend);
};

/* First member of every backend. */
struct backend {
    const struct backend_kind *kind;
    struct directory *directory; /* borrowed; set before the first call */
};

/* A directory over a backend; takes settings and backend over, holds the schemes. */
struct directory *directory_over(struct directory_settings *settings, struct schemes *schemes,
                                 struct backend *backend);
/* Publishes all answers of a search and frees it. Any thread. */
void directory_answer(struct directory *directory, struct search *search);
/* Counts a search that is sent, for the status. */
void directory_count_search(struct directory *directory);

/* Does the person answer to this question? Logins and certificates in any case, as directories compare them.
 */
gboolean person_answers(const struct person *person, enum question_kind kind, const char *value);
/* A login or certificate as it is compared; new string. */
char *login_folded(const char *login);

/* Backends. NULL and error if they cannot be opened; the settings and schemes outlive them. */
struct backend *backend_ldap_new(const struct directory_settings *settings, struct schemes *schemes,
                                 GError **error);
struct backend *backend_file_new(const struct directory_settings *settings, struct schemes *schemes,
                                 GError **error);

#endif
