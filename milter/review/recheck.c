#include "milter/review/recheck.h"

#include "milter/conf/clock.h"
#include "milter/review/limits.h"

#define CLOCK_BEHIND_MS (5 * 60 * 1000) /* semantics.md 1 */

/* The deadlines of directory and inspector are on the plain monotonic clock, which no test moves. */
static gint64 deadline_in(gint64 milliseconds)
{
    return g_get_monotonic_time() + milliseconds * 1000;
}

/* ---------------------------------------------------------------- facts */

/* A second death over the same octets is no chance (semantics.md 1); both happen here, so that a hold which
 * was made because nobody could read it is not put off for ever. */
static enum facts_state read_facts(struct recheck *recheck, struct inspector *inspector)
{
    gint64 within_ms = recheck->snapshot->conf->time_ms;
    enum inspect_failure failure = INSPECT_OK;

    for (guint tries = 0; tries < 2 && recheck->facts == NULL && failure != INSPECT_BUSY; tries++)
        recheck->facts = inspector_inspect(inspector, recheck->contents, recheck->length, -1,
                                           deadline_in(within_ms), NULL, NULL, &failure);
    if (recheck->facts == NULL)
        return failure == INSPECT_BUSY ? FACTS_NONE_BUSY : FACTS_NONE_PERSISTENT;
    recheck->facts->size_bytes = recheck->length;
    return FACTS_HERE;
}

static void take_facts(struct recheck *recheck, struct inspector *inspector)
{
    struct inputs *inputs = &recheck->inputs;

    inputs->too_large = recheck->length > recheck->snapshot->conf->message_size_bytes;
    inputs->facts_state = inputs->too_large ? FACTS_NONE_PERSISTENT : read_facts(recheck, inspector);
    inputs->facts = recheck->facts;
}

/* ---------------------------------------------------------------- people */

static void ask_people(struct recheck *recheck)
{
    const struct snapshot *snapshot = recheck->snapshot;
    const struct envelope *envelope = recheck->recorded->envelope;
    const struct session *session = &recheck->recorded->session;

    recheck->people = directory_query_new(snapshot->directory);
    inputs_ask_sender(recheck->people, snapshot, session, envelope);
    for (guint i = 0; i < envelope->recipients->len; i++)
        inputs_ask_recipient(recheck->people, snapshot, g_ptr_array_index(envelope->recipients, i));
    if (recheck->facts != NULL)
        inputs_ask_authors(recheck->people, snapshot, session, recheck->facts);
    directory_query_wait(recheck->people, deadline_in(RECHECK_PEOPLE_MS));
    recheck->inputs.people = recheck->people;
}

/* ---------------------------------------------------------------- approvals */

/* What the approved slip names: the reasons for which its recipients were held, as far as a vote may answer
 * them. */
static struct approvals *approvals_of(const struct review_host *host, const struct hold *hold,
                                      const struct schemes *schemes)
{
    struct approvals *approvals = approvals_new();

    if (!hold->slip.approved)
        return approvals;
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        for (guint j = 0; j < recipient->reasons->len; j++) {
            const struct reason *reason = g_ptr_array_index(recipient->reasons, j);
            g_autofree char *key = reason_may_be_waived(reason) ? reason_key(reason) : NULL;
            if (key != NULL)
                approvals_add(approvals, recipient->canonical, key);
        }
    }
    approvals->stated = store_hold_stated(host->store, hold, schemes);
    return approvals;
}

/* ---------------------------------------------------------------- decision */

static gboolean is_held(const struct hold *hold, const char *canonical)
{
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        if (recipient->state == HOLD_HELD && g_strcmp0(recipient->canonical, canonical) == 0)
            return TRUE;
    }
    return FALSE;
}

static void decide_again(struct recheck *recheck, const struct review_host *host, const struct hold *hold)
{
    const char *reference =
        g_str_has_prefix(hold->reference, "MIJI-") ? hold->reference + 5 : hold->reference;
    gint64 now_ms = clock_wall_ms();

    recheck->inputs.now = now_ms / 1000;
    recheck->inputs.clock_doubtful = now_ms < store_newest_audit_ms(host->store) - CLOCK_BEHIND_MS;
    recheck->decision = decide(&recheck->inputs, reference);
    for (guint i = 0; i < recheck->decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(recheck->decision->recipients, i);
        if (recipient->verdict == VERDICT_DEFER && is_held(hold, recipient->first->address->canonical))
            recheck->transient = TRUE;
    }
}

struct recheck *recheck_make(const struct review_host *host, const struct hold *hold, GError **error)
{
    g_autoptr(recheck) recheck = g_new0(struct recheck, 1);

    recheck->snapshot = host->snapshot(host->host);
    recheck->recorded = store_hold_recorded(host->store, hold, error);
    if (recheck->recorded == NULL)
        return NULL;
    recheck->contents = store_hold_contents(host->store, hold, &recheck->length, error);
    if (recheck->contents == NULL)
        return NULL;
    recheck->approvals = approvals_of(host, hold, recheck->snapshot->schemes);
    recheck->inputs = (struct inputs){.snapshot = recheck->snapshot,
                                      .session = &recheck->recorded->session,
                                      .envelope = recheck->recorded->envelope,
                                      .approvals = recheck->approvals};
    take_facts(recheck, host->inspector);
    ask_people(recheck);
    decide_again(recheck, host, hold);
    return g_steal_pointer(&recheck);
}

void recheck_free(struct recheck *recheck)
{
    if (recheck == NULL)
        return;
    decision_free(recheck->decision);
    approvals_free(recheck->approvals);
    facts_free(recheck->facts);
    directory_query_free(recheck->people);
    recorded_free(recheck->recorded);
    g_free(recheck->contents);
    snapshot_unref(recheck->snapshot);
    g_free(recheck);
}
