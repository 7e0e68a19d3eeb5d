#include "milter/decide/decision.h"

#include "milter/decide/checks.h"
#include "milter/decide/combine.h"
#include "milter/decide/duties.h"
#include "milter/decide/marks.h"
#include "milter/decide/recipients.h"
#include "milter/decide/reply.h"
#include "milter/decide/sender.h"

static struct decision *decision_new(const char *reference)
{
    struct decision *decision = g_new0(struct decision, 1);

    decision->checks = g_array_new(FALSE, FALSE, sizeof(struct check_line));
    decision->reasons = g_ptr_array_new_with_free_func((GDestroyNotify)reason_free);
    decision->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)recipient_free);
    decision->archives = g_ptr_array_new();
    decision->reference = g_strconcat(REFERENCE_PREFIX, reference, NULL);
    return decision;
}

void decision_free(struct decision *decision)
{
    if (decision == NULL)
        return;
    for (guint i = 0; i < decision->checks->len; i++) {
        g_free(g_array_index(decision->checks, struct check_line, i).note_en);
        g_free(g_array_index(decision->checks, struct check_line, i).note_zh);
    }
    g_array_unref(decision->checks);
    g_ptr_array_unref(decision->recipients);
    g_ptr_array_unref(decision->reasons);
    g_ptr_array_unref(decision->archives);
    effective_free(decision->label);
    g_ptr_array_unref(decision->claims);
    reply_clear(&decision->reply);
    g_free(decision->reference);
    g_free(decision);
}

struct decision *decide(const struct inputs *inputs, const char *reference)
{
    struct decision *decision = decision_new(reference);
    struct hearing hearing = {.inputs = inputs, .decision = decision, .doubt = -1};
    const struct scheme *home = hearing_home(&hearing);
    g_autoptr(label) lowest = label_new(home, scheme_lowest(home));
    g_autoptr(GArray) zones = g_array_new(FALSE, FALSE, sizeof(struct zone_answer));

    hearing.lowest = lowest;
    hearing.zones = zones;
    sender_find(&hearing);
    marks_read(&hearing);
    checks_of_message(&hearing);
    checks_of_recipients(&hearing);
    combine(&hearing);
    duties_find(&hearing);
    decision->reply = reply_make(&hearing);
    return decision;
}

gboolean decision_is_recorded(const struct decision *decision)
{
    switch (decision->act) {
    case ACT_REFUSE:
    case ACT_DISCARD:
        return TRUE;
    case ACT_DEFER:
        return FALSE;
    case ACT_ACCEPT:
        break;
    }
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->fate != FATE_STAYS || recipient->past->state == PAST_HELD)
            return TRUE; /* taken off, or its hold ends by this delivery */
    }
    return decision->archives->len > 0 || decision->forged_token;
}
