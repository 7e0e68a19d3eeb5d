/*
 * sitting: one command at the desk while it is served: who asks, in which language, what was said so far; and
 * what all commands share: finding the hold, turning somebody away, audit, times. Internal to the desk. One
 * thread; for the time of one call.
 */
#ifndef MILTER_REVIEW_SITTING_H
#define MILTER_REVIEW_SITTING_H

#include "milter/conf/control.h"
#include "milter/decide/json.h"
#include "milter/decide/page.h"
#include "milter/review/review.h"
#include "milter/review/reviewer.h"

struct sitting {
    struct review *review;
    struct store *store;
    struct inspector *inspector; /* NULL: none */
    struct snapshot *snapshot;   /* held */
    struct reviewer *reviewer;
    const struct control_request *request;
    enum language language;
    gint64 now_ms;
    /* FALSE: it stands before the newest audit record, and clearances end by it; then nothing is read or
     * decided (semantics.md 1). */
    gboolean clock_is_right;
    GString *answer;
};

/* ---- what is said. All that say why not give FALSE, for the caller to return. Messages are taken over. */
gboolean sitting_refuse(struct sitting *sitting, struct message message);
/* A line of the answer when all went well; TRUE. */
gboolean sitting_say(struct sitting *sitting, struct message message);
/* The store's error, in words; `name` is what was asked for. */
gboolean sitting_fail(struct sitting *sitting, const char *name, const GError *error);
/* It may not: audited as "turned-away" with the command and why, then said. hold may be NULL. */
gboolean sitting_turn_away(struct sitting *sitting, enum may may, const struct hold *hold,
                           struct message message);
/* reviewer_may_read, reviewer_may_vote; with a doubtful clock nobody is cleared. */
enum may sitting_may_read(const struct sitting *sitting, const struct hold *hold);
enum may sitting_may_vote(const struct sitting *sitting, const struct hold *hold);
/* The sentence for a hold that may not be read, or voted on. */
struct message sitting_why_not(const struct sitting *sitting, enum may may, const struct hold *hold,
                               gboolean votes);
/* Durable; FALSE and said when it cannot be written: then nothing may be shown. */
gboolean sitting_audit(struct sitting *sitting, const char *event, const char *object, const char *detail);

/* A text of the table in the asker's language; borrowed. */
const char *sitting_text(const struct sitting *sitting, enum message_id id);
char *sitting_text_with(const struct sitting *sitting, enum message_id id, const char *arg); /* new */
/* Puts the page or JSON into the answer and ends it; TRUE. */
gboolean sitting_answer_page(struct sitting *sitting, struct page *page);
gboolean sitting_answer_json(struct sitting *sitting, struct json *json);

/* ---- what was asked */
/* The hold that the first value names, if the asker may know that it is there; NULL and said otherwise: who
 * may not list it hears the same as if there were none. */
struct hold *sitting_hold(struct sitting *sitting);
/* "24h", "7d", "2026-06-01", "2026-06-01 12:00" of a named argument as milliseconds; 0 without one. at_end: a
 * day means its end. FALSE and said when it is no time. */
gboolean sitting_time(struct sitting *sitting, const char *name, gboolean at_end, gint64 *ms);
/* The note, blanks for line ends and control characters; NULL without one. FALSE and said when too long. */
gboolean sitting_note(struct sitting *sitting, const char *text, char **note);

/* ---- how things are written. New strings. */
char *sitting_moment(const struct sitting *sitting, gint64 ms); /* "2026-06-01 20:00" where the site is */
void sitting_json_moment(struct json *json, const char *key, gint64 ms); /* UTC, ISO 8601; 0: null */
char *hold_short(const char *id);
/* A word of the store or of decide ("held", "deliver", "accept", "person") in the asker's language; what is
 * none of them as it is. */
const char *sitting_word(const struct sitting *sitting, const char *word);
const char *sitting_state(const struct sitting *sitting, enum hold_state state);
/* The same of a recipient or all of it; a copy of what was refused was refused by no reviewer. */
const char *sitting_hold_state(const struct sitting *sitting, const struct hold *hold, enum hold_state state);
/* "label-conflict: The message carries …" for who is cleared; the id alone of what tells a client to try
 * again, which a reviewer need not. New. */
char *sitting_reason(const struct sitting *sitting, const struct reason *reason);
/* Why an approved one waits (struct slip), in a sentence; new. */
char *sitting_trouble(const struct sitting *sitting, const char *trouble);
/* The label that lists show; never empty. Borrowed. */
const char *sitting_label(const struct sitting *sitting, const char *display);
char *address_in_brackets(const char *canonical); /* "<bo@x>", "<>" */
/* Has the asker a role that may follow mail without reading it? */
gboolean sitting_is_watcher(const struct sitting *sitting);

/* ---- the commands. TRUE: done. */
gboolean desk_held(struct sitting *sitting);
gboolean desk_show(struct sitting *sitting);
gboolean desk_approve(struct sitting *sitting);
gboolean desk_refuse(struct sitting *sitting);
gboolean desk_note(struct sitting *sitting);
gboolean desk_release(struct sitting *sitting);
gboolean desk_trace(struct sitting *sitting);
gboolean desk_archive(struct sitting *sitting);

#endif
