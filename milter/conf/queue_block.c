/* queue TEXT { … } */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/limits.h"
#include "milter/conf/value.h"

#define APPROVALS_NOW 1 /* more come with slips of several votes */

struct queue_reading {
    struct reading *reading;
    struct queue *queue;
    gboolean has_reviewers;
};

/* manager of sender | members of TEXT | TEXT, with commas */
static gboolean read_people(struct reader *reader, GPtrArray *people)
{
    do {
        guint first = reader->next;
        if (reader_keyword(reader, KW_MANAGER_OF_SENDER)) {
            value_not_yet(reader, value_since(reader, first), MSG_MANAGER_HELP);
            return FALSE;
        }
        gboolean read = reader_keyword(reader, KW_MEMBERS_OF) ? value_members(reader, people)
                                                              : value_person(reader, MSG_A_REVIEWER, people);
        if (!read)
            return FALSE;
    } while (reader_comma(reader));
    return TRUE;
}

static void read_reviewers(struct reader *reader, gpointer context)
{
    struct queue_reading *reading = context;

    reading->has_reviewers = TRUE;
    if (read_people(reader, reading->queue->reviewers))
        value_end(reader);
}

static void later_deputies(struct reader *reader, gpointer context)
{
    g_autoptr(GPtrArray) people = g_ptr_array_new_with_free_func((GDestroyNotify)who_free);
    struct span name = value_taken(reader);
    gint64 milliseconds;

    if (!read_people(reader, people))
        return;
    if (reader_keyword(reader, KW_AFTER) && !value_time(reader, 1, KEEP_MAX_S, &milliseconds))
        return;
    value_end_not_yet(reader, name, MSG_NONE);
}

/* A number of approvals; *more is where more are wanted than this version counts, from item `first` on. */
static gboolean read_count(struct reader *reader, guint first, struct span *more)
{
    guint number;

    if (!reader_number(reader, 1, APPROVALS_MAX, &number))
        return FALSE;
    if (number > APPROVALS_NOW && more->source == NULL)
        *more = value_since(reader, first);
    return TRUE;
}

/* N [above LEVEL, otherwise N] */
static void read_approvals(struct reader *reader, gpointer context)
{
    struct span more = {NULL, 0, 0};
    const struct scheme *scheme;
    const struct level *level;

    if (!read_count(reader, 0, &more))
        return;
    if (reader_keyword(reader, KW_ABOVE)) {
        if (!value_level(((struct queue_reading *)context)->reading, reader, &scheme, &level))
            return;
        if (!reader_comma(reader))
            reader_expected(reader, MSG_A_COMMA, NULL);
        guint first = reader->next;
        if (!reader_need(reader, KW_OTHERWISE) || !read_count(reader, first, &more))
            return;
    }
    if (value_end(reader) && more.source != NULL)
        value_not_yet(reader, more, MSG_APPROVALS_HELP);
}

static void later_remind(struct reader *reader, gpointer context)
{
    struct span name = value_taken(reader);
    gint64 milliseconds;

    if (reader_need(reader, KW_EVERY) && value_time(reader, 60, KEEP_MAX_S, &milliseconds))
        value_end_not_yet(reader, name, MSG_NONE);
}

/* TIME then refuse | hold in TEXT; time alone never lets mail out (semantics.md 13.15). */
static void read_deadline(struct reader *reader, gpointer context)
{
    static const enum keyword ends[] = {KW_REFUSE, KW_HOLD_IN, KW_DELIVER, KW_COUNT};
    struct queue_reading *reading = context;
    struct queue *queue = reading->queue;

    if (!value_time(reader, 60, KEEP_MAX_S, &queue->deadline_ms) || !reader_need(reader, KW_CONF_THEN))
        return;
    struct span place = reader_here(reader);
    enum keyword end = reader_one_of(reader, ends);
    if (end == KW_COUNT) {
        reader_expected(reader, MSG_REFUSE_OR_HOLD, NULL);
    } else if (end == KW_DELIVER) {
        diagnostic_help(reader_fail(reader, DIAG_OPEN_DOOR, place, message_make(MSG_DEADLINE_DELIVERS, NULL)),
                        message_make(MSG_DEADLINE_DELIVERS_HELP, NULL));
    } else if (end == KW_HOLD_IN) {
        const struct item *next = value_queue(reading->reading, reader);
        if (next == NULL)
            return;
        value_set(&queue->then_queue, g_strdup(next->text));
        g_hash_table_insert(reading->reading->queue_after, queue->name, (gpointer)next);
    }
    value_end(reader);
}

/* Only whom a notice or a log line reaches: addresses come with the notices to them. */
static void read_tell(struct reader *reader, gpointer context)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func((GDestroyNotify)who_free);
    struct queue *queue = ((struct queue_reading *)context)->queue;
    struct span other = {NULL, 0, 0};

    queue->tell_sender = queue->tell_reviewers = FALSE;
    do {
        struct span here = reader_here(reader);
        if (reader_keyword(reader, KW_SENDER))
            queue->tell_sender = TRUE;
        else if (reader_keyword(reader, KW_REVIEWERS))
            queue->tell_reviewers = TRUE;
        else if (!value_person(reader, MSG_A_TARGET, others))
            return;
        else if (other.source == NULL)
            other = here;
    } while (reader_comma(reader));
    if (value_end(reader) && other.source != NULL)
        value_not_yet(reader, other, MSG_TELL_HELP);
}

static void read_may_vote_no(struct reader *reader, gpointer context)
{
    ((struct queue_reading *)context)->queue->recipients_may_vote = FALSE;
    value_end(reader);
}

void read_queue(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_QUEUE(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};
    const struct item *name = value_block_name(reader, reading->queues, MSG_A_QUEUE);
    guint errors = diagnostics_errors(reader->diagnostics);

    if (name == NULL)
        return;
    struct queue_reading queue = {.reading = reading, .queue = queue_new(name->text)};
    g_ptr_array_add(reading->conf->queues, queue.queue);
    g_ptr_array_add(reading->policy->queues, g_strdup(name->text));
    block_read(reader->statement->block, kinds, MSG_OF_QUEUE, reader->diagnostics, &queue);
    if (!queue.has_reviewers && diagnostics_errors(reader->diagnostics) == errors)
        diagnostic_help(reader_fail(reader, DIAG_MISSING, name->span,
                                    message_make(MSG_QUEUE_WITHOUT_REVIEWERS, name->text, NULL)),
                        message_make(MSG_QUEUE_WITHOUT_REVIEWERS_HELP, NULL));
}
