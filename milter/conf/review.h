/*
 * review: what miji.conf says of queues, archives, roles and notices (language.md section 3). Filled by the
 * readers of milter/conf, immutable, owned by the conf.
 */
#ifndef MILTER_CONF_REVIEW_H
#define MILTER_CONF_REVIEW_H

#include "policy/autoptr.h"
#include "policy/label/label.h"

/* Who reviews, or has a role: an address, or the direct members of a group. */
enum who_kind { WHO_ADDRESS, WHO_MEMBERS };
struct who {
    enum who_kind kind;
    char *value; /* canonical address, or the DN (or address) of the group as written */
};

struct queue {
    char *name;
    GPtrArray *reviewers; /* struct who *, at least one */
    gint64 deadline_ms;
    char *then_queue; /* `deadline … then hold in`: where the slip goes; NULL: refused as expired */
    gboolean tell_sender, tell_reviewers;
    gboolean recipients_may_vote; /* FALSE by `recipients may vote no` */
};

struct archive {
    char *name;
    enum { TAKES_BY_RULES, TAKES_EVERYTHING, TAKES_LEVEL } takes;
    const struct scheme *scheme; /* TAKES_LEVEL: this level and above */
    const struct level *level;
    gboolean for_label; /* keep for the label's duration, at least keep_ms */
    gint64 keep_ms;
};

enum role { ROLE_ADMINISTRATOR, ROLE_OFFICER, ROLE_AUDITOR, ROLE_COUNT };
const char *role_name(enum role role); /* "officer", as the configuration calls it */

struct notices {
    char *from; /* address in From; NULL: miji@ the first inside domain */
    enum language languages[2];
    guint language_count;
    char *contact;            /* NULL */
    gboolean tell_recipients; /* FALSE by `tell recipients no` */
};

struct queue *queue_new(const char *name);
void queue_free(struct queue *queue);
struct archive *archive_new(const char *name);
void archive_free(struct archive *archive);
struct who *who_new(enum who_kind kind, const char *value);
void who_free(struct who *who);

/* The queue of that name, or NULL: struct queue * in an array. */
const struct queue *queues_find(const GPtrArray *queues, const char *name);

#endif
