#include "milter/review/compose.h"

#include "milter/decide/programs.h"
#include "milter/decide/reply_text.h"
#include "milter/decide/words.h"
#include "milter/review/audience.h"
#include "milter/review/dsn.h"
#include "milter/review/letter.h"
#include "milter/review/limits.h"
#include "milter/review/mime.h"

#define REFERENCES_IN_LINE 6

/* ---------------------------------------------------------------- why, for one recipient */
static void set_sentences(struct letter_recipient *recipient, const char *en, const char *zh)
{
    recipient->sentences[LANGUAGE_EN] = mime_line(en, NOTICE_SENTENCE_CHARACTERS);
    recipient->sentences[LANGUAGE_ZH] = mime_line(zh, NOTICE_SENTENCE_CHARACTERS);
}

static void say_text(struct letter_recipient *recipient, enum notice_text id)
{
    g_autofree char *en = notice_text(id, LANGUAGE_EN, NULL), *zh = notice_text(id, LANGUAGE_ZH, NULL);

    set_sentences(recipient, en, zh);
}

/* A row that only knows "try again later" has nothing to say of what is refused or held. */
static gboolean is_final(const struct reason_row *row)
{
    return row->smtp / 100 == 5;
}

static void say_reason(struct letter_recipient *recipient, const struct reason *reason, const char *canonical)
{
    const struct reason_row *row = reason_row(reason->id);
    struct reason typed = *reason;

    if (row->told == TOLD_NEUTRAL) {
        say_text(recipient, NOTICE_NEUTRAL);
        return;
    }
    if (!is_final(row)) {
        say_text(recipient, NOTICE_UNCHECKED);
        return;
    }
    if (g_strcmp0(reason->address, canonical) == 0)
        typed.address = recipient->address;
    g_autofree char *en = reason_text(&typed, LANGUAGE_EN), *zh = reason_text(&typed, LANGUAGE_ZH);
    set_sentences(recipient, en, zh);
}

static void diagnose(struct letter_recipient *recipient, const struct reason *reason, const char *reference)
{
    const struct reason_row *row = reason_row(reason->id);
    g_autofree char *english = row->told == TOLD_NEUTRAL ? notice_text(NOTICE_NEUTRAL, LANGUAGE_EN, NULL)
                               : !is_final(row)          ? notice_text(NOTICE_UNCHECKED, LANGUAGE_EN, NULL)
                                                         : reply_text_of(reason);

    letter_diagnose(recipient, is_final(row) && row->told != TOLD_NEUTRAL ? row->dsn : "5.7.1", english,
                    reference);
}

/* ---------------------------------------------------------------- N1 */
struct outcome_letter {
    const struct inputs *inputs;
    const struct decision *decision;
    struct letter *letter;
    struct letter_section *failed, *held; /* NULL until somebody is in them */
    gboolean hides_label;                 /* a reason is told without the level */
};

/* The form of the address of which the sender wants to hear; NULL: of none. */
static const struct envelope_recipient *form_to_name(const struct decided_recipient *recipient)
{
    for (guint i = 0; i < recipient->forms->len; i++) {
        const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, i);
        if (!dsn_is_never(form->notify))
            return form;
    }
    return NULL;
}

static void name_recipient(struct outcome_letter *outcome, struct letter_section *section,
                           const struct decided_recipient *recipient)
{
    const struct envelope_recipient *form = form_to_name(recipient);
    const struct reason *leading = recipient->leading;
    struct letter_recipient *named = letter_add_recipient(section, form->address->given);
    g_autofree char *words = recipient->verdict == VERDICT_REFUSE
                                 ? decision_words(outcome->inputs, outcome->decision, recipient)
                                 : NULL;

    named->original = g_strdup(form->orcpt);
    outcome->hides_label |= reason_row(leading->id)->told == TOLD_NO_DETAIL;
    if (words != NULL)
        set_sentences(named, words, words);
    else
        say_reason(named, leading, recipient->first->address->canonical);
    if (section->is_failure)
        diagnose(named, leading, outcome->decision->reference);
}

static void tell_failed(struct outcome_letter *outcome, const struct decided_recipient *recipient)
{
    /* A refusal of the whole message is reported by the client's own server. */
    gboolean whole = outcome->decision->act == ACT_REFUSE;

    if (whole && facts_are_of_programs(outcome->inputs->facts))
        return;
    if (outcome->failed == NULL)
        outcome->failed = letter_add_section(outcome->letter, NOTICE_HEAD_REFUSED,
                                             whole ? NOTICE_DO_REFUSED_ALL : NOTICE_DO_REFUSED, !whole);
    name_recipient(outcome, outcome->failed, recipient);
}

static void tell_held(struct outcome_letter *outcome, const struct decided_recipient *recipient)
{
    if (recipient->past->state == PAST_HELD || facts_are_of_programs(outcome->inputs->facts) ||
        !audience_hears_courtesies(outcome->inputs->snapshot, outcome->decision->sender.class,
                                   recipient->queue))
        return;
    if (outcome->held == NULL)
        outcome->held = letter_add_section(outcome->letter, NOTICE_HEAD_HELD, NOTICE_DO_HELD, FALSE);
    name_recipient(outcome, outcome->held, recipient);
}

/* What failed comes first: it is what a notice that must be cut keeps. */
static void gather(struct outcome_letter *outcome, enum fate fate)
{
    const GPtrArray *recipients = outcome->decision->recipients;

    for (guint i = 0; i < recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(recipients, i);
        if (recipient->fate != fate || recipient->leading == NULL || form_to_name(recipient) == NULL)
            continue;
        if (fate == FATE_REFUSED)
            tell_failed(outcome, recipient);
        else
            tell_held(outcome, recipient);
    }
}

/* E is the lowest level, and nothing about it is in doubt. */
static gboolean is_lowest(const struct inputs *inputs, const struct decision *decision)
{
    const struct scheme *home = schemes_home(inputs->snapshot->schemes);
    g_autoptr(label) lowest = label_new(home, scheme_lowest(home));
    const GPtrArray *labels = decision->label != NULL ? decision->label->effective->labels : NULL;

    if (labels == NULL || decision->system_high)
        return FALSE;
    for (guint i = 0; i < decision->reasons->len; i++) {
        const struct reason *reason = g_ptr_array_index(decision->reasons, i);
        if (reason->answer == CHECK_UNKNOWN_PERSISTENT || reason->answer == CHECK_UNKNOWN_TRANSIENT)
            return FALSE;
    }
    for (guint i = 0; i < labels->len; i++)
        if (!label_dominates(lowest, FALSE, g_ptr_array_index(labels, i)))
            return FALSE;
    return TRUE;
}

static void set_facts(struct outcome_letter *outcome)
{
    const struct inputs *inputs = outcome->inputs;
    const struct effective *label = outcome->decision->label;
    struct letter *letter = outcome->letter;
    guint at = 0;
    const struct fact_field *subject =
        inputs->facts != NULL ? facts_field(inputs->facts, "Subject", &at) : NULL;

    letter->reference = g_strdup(outcome->decision->reference);
    letter->unique = g_strdup_printf("outcome %s", letter->reference);
    letter->sent_s = inputs->now;
    letter->envelope_id = dsn_envelope_id(inputs->envelope->parameters);
    if (label != NULL && label->display != NULL && !outcome->hides_label)
        letter->label = label_format(label->display);
    if (subject != NULL && is_lowest(inputs, outcome->decision))
        letter->title = g_strdup(subject->decoded.data);
}

static char *addressee_of(const struct inputs *inputs, const struct decided_sender *sender)
{
    if (!sender->told)
        return NULL;
    if (sender->class == SENDER_PERSON)
        return sender->person != NULL && sender->person->addresses->len > 0
                   ? audience_address(g_ptr_array_index(sender->person->addresses, 0))
                   : NULL;
    return sender->class == SENDER_PEER ? audience_address(inputs->envelope->sender->given) : NULL;
}

struct notice *compose_outcome(const struct inputs *inputs, const struct decision *decision)
{
    g_autofree char *addressee = decision->tells ? addressee_of(inputs, &decision->sender) : NULL;

    if (addressee == NULL)
        return NULL;
    g_autoptr(letter) letter = letter_new(inputs->snapshot, addressee, inputs->now);
    struct outcome_letter outcome = {.inputs = inputs, .decision = decision, .letter = letter};
    gather(&outcome, FATE_REFUSED);
    gather(&outcome, FATE_HELD);
    if (outcome.failed == NULL && outcome.held == NULL)
        return NULL;
    letter_set_subject(letter,
                       outcome.failed == NULL        ? NOTICE_SUBJECT_HELD
                       : outcome.held != NULL        ? NOTICE_SUBJECT_HELD_AND_REFUSED
                       : decision->act == ACT_REFUSE ? NOTICE_SUBJECT_REFUSED
                                                     : NOTICE_SUBJECT_PART_REFUSED,
                       NULL);
    set_facts(&outcome);
    return letter_notice(letter, NOTICE_OUTCOME, addressee, NULL);
}

/* ---------------------------------------------------------------- digest */
static void add_text(struct letter *letter, enum notice_text id, const char *number)
{
    const char *args[] = {number, NULL};

    for (enum language language = LANGUAGE_EN; language <= LANGUAGE_ZH; language++)
        g_ptr_array_add(letter->lines[language], notice_text(id, language, args));
}

static void add_line(struct letter *letter, const char *line)
{
    for (enum language language = LANGUAGE_EN; language <= LANGUAGE_ZH; language++)
        g_ptr_array_add(letter->lines[language], g_strdup(line));
}

/* The references of those that tell of failures, or of the others, a few in a line. */
static void add_references(struct letter *letter, const GPtrArray *entries, gboolean failures)
{
    g_autoptr(GString) line = g_string_new(NULL);
    guint listed = 0;

    for (guint i = 0; i < entries->len && i < DIGEST_REFERENCES; i++) {
        const struct outbox_entry *entry = g_ptr_array_index(entries, i);
        if (entry->notice.is_failure != failures || entry->notice.reference == NULL)
            continue;
        if (listed++ == 0)
            add_text(letter, failures ? NOTICE_HEAD_DIGEST_FAILED : NOTICE_HEAD_DIGEST_OTHER, NULL);
        g_string_append_printf(line, "  %s", entry->notice.reference);
        if (listed % REFERENCES_IN_LINE == 0) {
            add_line(letter, line->str);
            g_string_truncate(line, 0);
        }
    }
    if (line->len > 0)
        add_line(letter, line->str);
}

static char *about_digest(const char *addressee, const GPtrArray *entries)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (guint i = 0; i < entries->len && i < DIGEST_REFERENCES; i++) {
        const struct outbox_entry *entry = g_ptr_array_index(entries, i);
        g_checksum_update(sum, (const guchar *)&entry->number, sizeof entry->number);
    }
    return g_strdup_printf("digest %.16s %s", g_checksum_get_string(sum), addressee);
}

struct notice *compose_digest(const struct snapshot *snapshot, const char *addressee,
                              const GPtrArray *entries, gint64 now_s)
{
    g_autoptr(letter) letter = letter_new(snapshot, addressee, now_s);
    g_autofree char *number = g_strdup_printf("%u", MIN(entries->len, DIGEST_REFERENCES));

    letter->unique = about_digest(addressee, entries);
    letter_set_subject(letter, NOTICE_SUBJECT_DIGEST, number);
    add_text(letter, NOTICE_HEAD_DIGEST, number);
    add_references(letter, entries, TRUE);
    add_references(letter, entries, FALSE);
    add_text(letter, NOTICE_DO_DIGEST, NULL);
    return letter_notice(letter, NOTICE_DIGEST, addressee, letter->unique);
}
