/* compose_end: how a hold ended (N2). */
#include "milter/review/compose.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/decide/reply_text.h"
#include "milter/review/audience.h"
#include "milter/review/dsn.h"
#include "milter/review/letter.h"
#include "milter/review/limits.h"
#include "milter/review/mime.h"

#define DIRECTORY_WAIT_US (10 * G_USEC_PER_SEC)

struct end {
    const struct snapshot *snapshot;
    const struct hold *hold;
    const struct recorded *recorded;
    const GPtrArray *canonical;
    enum ending ending;
    const char *note;
    gint64 now_s;
};

static const char *ending_name(enum ending ending)
{
    switch (ending) {
    case ENDING_RELEASED:
        return "released";
    case ENDING_REFUSED:
        return "refused";
    case ENDING_EXPIRED:
        break;
    }
    return "expired";
}

/* One notice for each hold, ending, set of recipients and addressee: a hold may end in parts. */
static char *about_end(const struct end *end, const char *addressee)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (guint i = 0; i < end->canonical->len; i++) {
        const char *canonical = g_ptr_array_index(end->canonical, i);
        g_checksum_update(sum, (const guchar *)canonical, (gssize)strlen(canonical) + 1);
    }
    return g_strdup_printf("%s %s %.16s %s", end->hold->id, ending_name(end->ending),
                           g_checksum_get_string(sum), addressee);
}

static struct letter *end_letter(const struct end *end, const char *addressee)
{
    struct letter *letter = letter_new(end->snapshot, addressee, end->now_s);

    letter->reference = g_strdup(end->hold->reference);
    letter->unique = about_end(end, addressee);
    letter->sent_s = end->hold->at_ms / 1000;
    return letter;
}

/* How the sender wrote this recipient, if the sender wants to hear of it. */
static const struct envelope_recipient *recorded_form(const struct recorded *recorded, const char *canonical)
{
    for (guint i = 0; i < recorded->envelope->recipients->len; i++) {
        const struct envelope_recipient *form = g_ptr_array_index(recorded->envelope->recipients, i);
        if (strcmp(form->address->canonical, canonical) == 0 && !dsn_is_never(form->notify))
            return form;
    }
    return NULL;
}

/* The reviewer's note only where ASCII can say it; the text says it to people. */
static char *end_in_ascii(const struct end *end)
{
    gboolean says_note = end->note != NULL && end->note[0] != '\0' && g_str_is_ascii(end->note);
    const struct reason late = {.id = REASON_DEADLINE_PASSED};

    if (end->ending == ENDING_EXPIRED)
        return reply_text_of(&late);
    if (!says_note)
        return notice_text(NOTICE_NOT_APPROVED, LANGUAGE_EN, NULL);
    g_autofree char *note = mime_line(end->note, NOTICE_SENTENCE_CHARACTERS);
    const struct reason refused = {.id = REASON_REVIEWER_REFUSED, .detail = note};
    return reply_text_of(&refused);
}

static void diagnose_end(const struct end *end, struct letter_recipient *named)
{
    gboolean late = end->ending == ENDING_EXPIRED;
    g_autofree char *english = end_in_ascii(end);

    letter_diagnose(named, reason_row(late ? REASON_DEADLINE_PASSED : REASON_REVIEWER_REFUSED)->dsn, english,
                    end->hold->reference);
}

static struct letter_section *end_section(const struct end *end, struct letter *letter)
{
    switch (end->ending) {
    case ENDING_RELEASED:
        letter_set_subject(letter, NOTICE_SUBJECT_RELEASED, NULL);
        return letter_add_section(letter, NOTICE_HEAD_RELEASED, NOTICE_DO_RELEASED, FALSE);
    case ENDING_REFUSED:
        letter_set_subject(letter, NOTICE_SUBJECT_NOT_APPROVED, NULL);
        return letter_add_section(letter, NOTICE_HEAD_NOT_APPROVED, NOTICE_DO_NOT_APPROVED, TRUE);
    case ENDING_EXPIRED:
        break;
    }
    letter_set_subject(letter, NOTICE_SUBJECT_EXPIRED, NULL);
    return letter_add_section(letter, NOTICE_HEAD_EXPIRED, NOTICE_DO_EXPIRED, TRUE);
}

static struct notice *tell_sender(const struct end *end, const char *addressee)
{
    g_autoptr(letter) letter = end_letter(end, addressee);
    struct letter_section *section = end_section(end, letter);

    for (guint i = 0; i < end->canonical->len; i++) {
        const struct envelope_recipient *form =
            recorded_form(end->recorded, g_ptr_array_index(end->canonical, i));
        if (form == NULL)
            continue;
        struct letter_recipient *named = letter_add_recipient(section, form->address->given);
        named->original = g_strdup(form->orcpt);
        if (section->is_failure)
            diagnose_end(end, named);
    }
    if (section->recipients->len == 0)
        return NULL;
    if (section->is_failure && end->note != NULL)
        section->note = mime_line(end->note, NOTICE_SENTENCE_CHARACTERS);
    letter->envelope_id = dsn_envelope_id(end->recorded->envelope->parameters);
    letter->label = g_strdup(end->hold->display);
    return letter_notice(letter, NOTICE_END, addressee, letter->unique);
}

/* Only who it comes from, when, and the reference. */
static struct notice *tell_recipient(const struct end *end, const char *addressee)
{
    g_autoptr(letter) letter = end_letter(end, addressee);

    letter_set_subject(letter, NOTICE_SUBJECT_NOT_DELIVERED, NULL);
    letter_add_section(letter, NOTICE_HEAD_NOT_DELIVERED, NOTICE_DO_NOT_DELIVERED, FALSE);
    letter->sender = end->hold->sender[0] != '\0' ? address_printable(end->hold->sender) : g_strdup("<>");
    return letter_notice(letter, NOTICE_END, addressee, letter->unique);
}

/* ---------------------------------------------------------------- inside recipients of outside mail */
static struct directory_query *ask_recipients(const struct snapshot *snapshot, const GPtrArray *recipients)
{
    struct directory_query *people = directory_query_new(snapshot->directory);

    for (guint i = 0; i < recipients->len; i++)
        inputs_ask_recipient(people, snapshot, g_ptr_array_index(recipients, i));
    directory_query_wait(people, clock_monotonic_us() + DIRECTORY_WAIT_US);
    return people;
}

static gboolean tells_recipients(const struct snapshot *snapshot, const struct hold *hold, enum ending ending)
{
    return hold->class == SENDER_OUTSIDE && ending != ENDING_RELEASED &&
           snapshot->conf->notices.tell_recipients;
}

gboolean compose_end_is_ready(const struct snapshot *snapshot, const struct hold *hold,
                              const struct recorded *recorded)
{
    const GPtrArray *recipients = recorded->envelope->recipients;

    if (!tells_recipients(snapshot, hold, ENDING_EXPIRED))
        return TRUE;
    g_autoptr(directory_query) people = ask_recipients(snapshot, recipients);
    const struct inputs inputs = {.snapshot = snapshot, .people = people};
    for (guint i = 0; i < recipients->len; i++) {
        const struct address *address =
            ((const struct envelope_recipient *)g_ptr_array_index(recipients, i))->address;
        if (address->form == ADDRESS_PLAIN && inputs_person(&inputs, address).state == ANSWER_UNAVAILABLE)
            return FALSE;
    }
    return TRUE;
}

static void tell_recipients(const struct end *end, GPtrArray *notices)
{
    const GPtrArray *recipients = end->recorded->envelope->recipients;
    g_autoptr(directory_query) people = ask_recipients(end->snapshot, recipients);
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < recipients->len; i++) {
        const struct address *address =
            ((const struct envelope_recipient *)g_ptr_array_index(recipients, i))->address;
        if (address->form != ADDRESS_PLAIN || !zones_is_inside(end->snapshot->zones, address->domain) ||
            !g_ptr_array_find_with_equal_func((GPtrArray *)end->canonical, address->canonical, g_str_equal,
                                              NULL) ||
            !audience_may_know(end->snapshot, people, address, end->hold->label, end->now_s) ||
            !g_hash_table_add(told, address->canonical))
            continue;
        g_ptr_array_add(notices, tell_recipient(end, address->canonical));
    }
}

/* ---------------------------------------------------------------- all */
static char *end_addressee(const struct end *end)
{
    const struct hold *hold = end->hold;

    if (hold->sender[0] == '\0') /* never in answer to a null sender */
        return NULL;
    if (hold->class == SENDER_PERSON)
        return hold->owner_address != NULL ? audience_address(hold->owner_address) : NULL;
    return hold->class == SENDER_PEER ? audience_address(end->recorded->envelope->sender->given) : NULL;
}

static gboolean sender_hears(const struct end *end)
{
    if (end->ending != ENDING_RELEASED)
        return TRUE;
    return end->hold->courtesy &&
           audience_hears_courtesies(end->snapshot, end->hold->class, end->hold->slip.queue);
}

GPtrArray *compose_end(const struct snapshot *snapshot, const struct hold *hold,
                       const struct recorded *recorded, const GPtrArray *canonical, enum ending ending,
                       const char *note, gint64 now_s)
{
    const struct end end = {snapshot, hold, recorded, canonical, ending, note, now_s};
    GPtrArray *notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);
    g_autofree char *addressee = end_addressee(&end);
    struct notice *notice = NULL;

    if (tells_recipients(snapshot, hold, ending))
        tell_recipients(&end, notices);
    else if (addressee != NULL && sender_hears(&end))
        notice = tell_sender(&end, addressee);
    if (notice != NULL)
        g_ptr_array_add(notices, notice);
    return notices;
}
