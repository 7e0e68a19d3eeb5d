/*
 * world: a small agency for tests of decide: the scheme cn, the zones of the example configuration, people of
 * every level, and one message that a test builds up. Everything is made in memory; a test changes what it
 * likes before it decides.
 *
 *     an 绝密, bo 机密, mi 秘密, ni 内部, gu 公开, "nobody" without clearance; all at agency.gov.cn, login =
 * name. zones: office (10.0.0.0/8, inside, 机密), travellers (login, TLS 1.2 and certificate, 内部), partner
 * ministry (certificate relay.ministry.gov.cn or peer 192.0.2.7; TLS verified, 秘密, accepts cn), internet
 * (公开). It has a key and a way out, so that it can hold, but no queue.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "milter/decide/decision.h"

struct world {
    struct schemes *schemes;
    struct zones *zones;
    struct policy *policy;
    struct conf *conf;
    struct snapshot snapshot;
    GPtrArray *people; /* struct person *, held; world_decide makes a directory of them */
    GHashTable *down;  /* addresses and logins about which the directory cannot be asked */
    struct session session;
    struct envelope *envelope;
    struct facts *facts; /* fields and findings as added; NULL after world_no_facts */
    enum facts_state facts_state;
    gboolean too_large, explain;
    gint64 now;
    struct past *past;           /* of the messages to come; empty */
    struct approvals *approvals; /* NULL: no recheck */
    gboolean clock_doubtful;
    GPtrArray *strings; /* what the facts point into */
    struct directory *directory;
    struct directory_query *query; /* of the last decision */
};

struct world *world_new(void);
/* The same without zones and people, over other schemes (taken over). */
struct world *world_over(struct schemes *schemes);
/* A zone behind the others, carrying up to a level of the home scheme. Borrowed. */
struct zone *world_add_zone(struct world *world, const char *name, const char *level);
void names_add(GPtrArray **names, const char *name);
/* A queue behind the others. Borrowed. */
struct queue *world_add_queue(struct world *world, const char *name);
/* level: of the home scheme; NULL without. Borrowed. */
struct archive *world_add_archive(struct world *world, const char *name, gint takes, const char *level);
void world_free(struct world *world);
DEFINE_AUTOPTR(world, world_free)

struct zone *world_zone(struct world *world, const char *name);
const struct level *world_level(const struct world *world, const char *name);
/* A person at agency.gov.cn with this login; clearances as in the directory, '|' between several; NULL none.
 * Borrowed. */
struct person *world_person(struct world *world, const char *name, const char *clearances);
struct person *world_find(const struct world *world, const char *name);
void world_clear_person(struct world *world, struct person *person, const char *clearances);
void networks_add(GArray **networks, const char *network);

/* Who connects: an office client with a login, or (login NULL) none; somebody on the internet; the partner.
 */
void world_office(struct world *world, const char *login);
void world_internet(struct world *world);
void world_partner(struct world *world);

void world_from(struct world *world, const char *given);
struct envelope_recipient *world_to(struct world *world, const char *given);

/* A top-level field; From, Sender and Resent-* also give the mailbox (one, bare). */
void world_field(struct world *world, const char *name, const char *value);
/* Text in a place: the subject, the first line, a part's text. */
void world_text(struct world *world, enum place_kind kind, guint part, const char *text);
void world_finding(struct world *world, enum finding_id id, guint part);
void world_no_facts(struct world *world, enum facts_state state);
/* New message over the same session: envelope and facts are empty again. */
void world_new_message(struct world *world);

/* bo in the office, From bo, MAIL FROM bo, X-Classification as given (NULL: none). */
void world_usual(struct world *world, const char *level);

/* Asks the directory and decides. Valid until the next call or the world's end. */
struct inputs world_inputs(struct world *world);
struct decision *world_decide(struct world *world);

/* Shorthands about a decision. */
const struct check_line *world_message_line(const struct decision *decision, enum check_id check);
const struct check_line *world_recipient_line(const struct decided_recipient *recipient, enum check_id check);
const struct decided_recipient *world_recipient_at(const struct decision *decision, guint i);
/* To be delivered today; past has not taken care of it. */
gboolean world_is_delivered(const struct decided_recipient *recipient);
const struct decided_recipient *world_recipient(const struct decision *decision, const char *canonical);
gboolean world_has_reason(const GPtrArray *reasons, enum reason_id id);

#endif
