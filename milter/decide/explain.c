/* decision_explain: a decision for the administrator who asks why, on a terminal of 80 cells. */
#include "milter/decide/decision.h"

#include "milter/decide/explain_text.h"
#include "milter/decide/limits.h"
#include "milter/decide/page.h"

#define INDENT 2
#define FIELD_COLUMN 20
#define CHECK_COLUMN 36

struct explanation {
    struct page page;
    const struct decision *decision;
    const struct inputs *inputs;
    enum language language;
};

static const char *say(const struct explanation *e, enum explain_id id)
{
    return explain_text(id, e->language);
}

/* Up to three arguments; NULL ends them. New. */
static char *fill(const struct explanation *e, enum explain_id id, const char *a, const char *b,
                  const char *c)
{
    const char *args[] = {a, b, c, NULL};

    return message_fill(say(e, id), args, e->language);
}

static void field(struct explanation *e, enum explain_id name, const char *value)
{
    page_field(&e->page, INDENT, FIELD_COLUMN, say(e, name), value);
}

/* ---------------------------------------------------------------- sender */
static char *describe_person(const struct explanation *e)
{
    const struct person *person = e->decision->sender.person;
    const struct session *session = e->inputs->session;
    const char *login = session->login != NULL ? session->login : session->cert_subject;

    if (person == NULL)
        return fill(e, EXPLAIN_IS_NOBODY, login != NULL ? login : "-", NULL, NULL);
    return fill(e, EXPLAIN_IS_PERSON, person->name != NULL ? person->name : "", person->id, NULL);
}

static char *describe_sender(const struct explanation *e)
{
    const struct decided_sender *sender = &e->decision->sender;

    switch (sender->class) {
    case SENDER_PERSON:
        return describe_person(e);
    case SENDER_PEER:
        return g_strdup(say(e, EXPLAIN_IS_PEER));
    case SENDER_DEVICE:
        if (sender->device_level == NULL)
            return g_strdup(say(e, EXPLAIN_IS_PROGRAM));
        return fill(e, EXPLAIN_IS_DEVICE, sender->device_level->name, NULL, NULL);
    case SENDER_OUTSIDE:
        break;
    }
    return g_strdup(say(e, EXPLAIN_IS_OUTSIDE));
}

static char *describe_tls(const struct explanation *e)
{
    guint tls = e->inputs->session->tls;
    char minor[2] = {(char)('0' + tls % 10), '\0'};

    if (tls == 0)
        return g_strdup(say(e, EXPLAIN_NO_TLS));
    return tls < 10 ? g_strdup(say(e, EXPLAIN_OLD_TLS)) : fill(e, EXPLAIN_TLS, minor, NULL, NULL);
}

static void explain_sender(struct explanation *e)
{
    const struct address *address = e->inputs->envelope->sender;
    g_autofree char *who = describe_sender(e);
    g_autofree char *client = ip_format(e->inputs->session->client);
    g_autofree char *tls = describe_tls(e);
    g_autofree char *whence = fill(e, EXPLAIN_ZONE_AND_CLIENT, e->decision->sender.zone->name, client, tls);

    page_heading(&e->page, say(e, EXPLAIN_HEAD_SENDER));
    field(e, EXPLAIN_MAIL_FROM,
          address->form == ADDRESS_NULL ? say(e, EXPLAIN_NULL_SENDER) : address->canonical);
    field(e, EXPLAIN_WHO, who);
    field(e, EXPLAIN_WHENCE, whence);
    field(e, EXPLAIN_TRUSTED_WITH, say(e, e->decision->sender.told ? EXPLAIN_TOLD_YES : EXPLAIN_TOLD_NO));
}

/* ---------------------------------------------------------------- label */
static void explain_claim(struct explanation *e, const struct claim *claim)
{
    g_autofree char *place = place_format(&claim->place, e->language);
    g_autofree char *value =
        claim->state == CLAIM_VALUE ? label_format(claim->label) : message_format(&claim->fault, e->language);
    g_autofree char *text =
        fill(e, claim->state == CLAIM_VALUE ? EXPLAIN_CLAIM_IS : EXPLAIN_CLAIM_UNCLEAR, place, value, NULL);

    field(e, EXPLAIN_SEEN, text);
}

static void more(struct explanation *e, guint indent, guint count)
{
    g_autofree char *number = g_strdup_printf("%u", count);
    g_autofree char *text = fill(e, EXPLAIN_MORE, number, NULL, NULL);

    page_field(&e->page, indent, indent, "", text);
}

static void explain_label(struct explanation *e)
{
    const struct effective *label = e->decision->label;
    const GPtrArray *claims = e->decision->claims;
    g_autofree char *force = label != NULL ? label_set_format(label->effective) : NULL;

    page_heading(&e->page, say(e, EXPLAIN_HEAD_LABEL));
    if (label == NULL) {
        field(e, EXPLAIN_IN_FORCE, say(e, EXPLAIN_LABEL_UNKNOWN));
        return;
    }
    field(e, EXPLAIN_IN_FORCE, force[0] != '\0' ? force : "-");
    for (guint i = 0; i < claims->len && i < EXPLAIN_CLAIMS; i++)
        explain_claim(e, g_ptr_array_index(claims, i));
    if (claims->len == 0)
        field(e, EXPLAIN_SEEN, say(e, EXPLAIN_NOTHING_SEEN));
    if (claims->len > EXPLAIN_CLAIMS)
        more(e, FIELD_COLUMN, claims->len - EXPLAIN_CLAIMS);
}

/* ---------------------------------------------------------------- checks */
static enum explain_id answer_word(enum check_answer answer)
{
    switch (answer) {
    case CHECK_PERMIT:
        return EXPLAIN_PERMIT;
    case CHECK_DENY:
        return EXPLAIN_DENY;
    case CHECK_UNKNOWN_TRANSIENT:
        return EXPLAIN_UNKNOWN_NOW;
    case CHECK_UNKNOWN_PERSISTENT:
        break;
    }
    return EXPLAIN_UNKNOWN_EVER;
}

/* The reasons of one check, each on a line of its own; for an answer that another check's reason leaves open,
 * its id. */
static void explain_reasons(struct explanation *e, const struct check_line *line_of, const GPtrArray *reasons)
{
    gboolean any = FALSE;

    for (guint i = 0; i < reasons->len; i++) {
        const struct reason *reason = g_ptr_array_index(reasons, i);
        if (reason->check != line_of->check)
            continue;
        any = TRUE;
        g_autofree char *text = reason_text(reason, e->language);
        g_autofree char *line = fill(e, EXPLAIN_REASON, reason_name(reason->id), text, NULL);
        page_field(&e->page, CHECK_COLUMN, CHECK_COLUMN, "", line);
    }
    if (!any && line_of->reason >= 0) {
        g_autofree char *name =
            fill(e, EXPLAIN_REASON, reason_name((enum reason_id)line_of->reason), "", NULL);
        page_field(&e->page, CHECK_COLUMN, CHECK_COLUMN, "", name);
    }
}

static void explain_check(struct explanation *e, const struct check_line *line, const GPtrArray *reasons)
{
    g_autofree char *name =
        g_strdup_printf("%2d %s", (int)line->check, check_title(line->check, e->language));
    const char *note = e->language == LANGUAGE_ZH ? line->note_zh : line->note_en;
    g_autofree char *answer = note != NULL
                                  ? fill(e, EXPLAIN_WITH_NOTE, say(e, answer_word(line->answer)), note, NULL)
                                  : g_strdup(say(e, answer_word(line->answer)));

    page_field(&e->page, INDENT, CHECK_COLUMN, name, answer);
    explain_reasons(e, line, reasons);
}

static void explain_checks(struct explanation *e)
{
    page_heading(&e->page, say(e, EXPLAIN_HEAD_CHECKS));
    for (guint i = 0; i < e->decision->checks->len; i++)
        explain_check(e, &g_array_index(e->decision->checks, struct check_line, i), e->decision->reasons);
}

/* ---------------------------------------------------------------- recipients */
static char *describe_verdict(const struct explanation *e, const struct decided_recipient *recipient)
{
    const char *verdict = verdict_name(recipient->verdict, e->language);

    if (recipient->queue != NULL)
        return fill(e, EXPLAIN_VERDICT_IN, verdict, recipient->queue, NULL);
    return g_strdup(verdict);
}

static enum explain_id fate_word(const struct decided_recipient *recipient)
{
    switch (recipient->fate) {
    case FATE_STAYS:
        return EXPLAIN_FATE_STAYS;
    case FATE_HELD:
        return recipient->past->state == PAST_HELD ? EXPLAIN_FATE_HELD_ALREADY : EXPLAIN_FATE_HELD;
    case FATE_DEFERRED:
        return EXPLAIN_FATE_DEFERRED;
    case FATE_SETTLED:
        return EXPLAIN_FATE_SETTLED;
    case FATE_KEPT:
        return EXPLAIN_FATE_KEPT;
    case FATE_REFUSED:
        break;
    }
    return EXPLAIN_FATE_REFUSED;
}

/* What was decided before for this message and recipient. */
static void explain_past(struct explanation *e, const struct past_entry *past)
{
    static const enum explain_id words[] = {[PAST_HELD] = EXPLAIN_WAS_HELD,
                                            [PAST_SETTLED] = EXPLAIN_WAS_SETTLED,
                                            [PAST_ENDED] = EXPLAIN_WAS_ENDED,
                                            [PAST_DEFERRED] = EXPLAIN_WAS_DEFERRED};

    if (past->state != PAST_NOTHING)
        page_field(&e->page, 2 * INDENT, CHECK_COLUMN, say(e, EXPLAIN_BEFORE), say(e, words[past->state]));
}

static void explain_recipient(struct explanation *e, const struct decided_recipient *recipient)
{
    g_autofree char *verdict = describe_verdict(e, recipient);

    page_field(&e->page, INDENT, CHECK_COLUMN, recipient->first->address->canonical, verdict);
    for (guint i = 0; recipient->forms->len > 1 && i < recipient->forms->len; i++) {
        const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, i);
        page_field(&e->page, 2 * INDENT, CHECK_COLUMN, say(e, EXPLAIN_FORM), form->address->given);
    }
    explain_past(e, recipient->past);
    page_field(&e->page, 2 * INDENT, CHECK_COLUMN, say(e, EXPLAIN_FATE), say(e, fate_word(recipient)));
    for (guint i = 0; i < recipient->checks->len; i++)
        explain_check(e, &g_array_index(recipient->checks, struct check_line, i), recipient->reasons);
}

static void explain_recipients(struct explanation *e)
{
    const GPtrArray *recipients = e->decision->recipients;

    page_heading(&e->page, say(e, EXPLAIN_HEAD_RECIPIENTS));
    for (guint i = 0; i < recipients->len && i < EXPLAIN_RECIPIENTS; i++)
        explain_recipient(e, g_ptr_array_index(recipients, i));
    if (recipients->len > EXPLAIN_RECIPIENTS)
        more(e, INDENT, recipients->len - EXPLAIN_RECIPIENTS);
}

/* ---------------------------------------------------------------- outcome */
static gboolean all_stay(const struct decision *decision)
{
    for (guint i = 0; i < decision->recipients->len; i++)
        if (((const struct decided_recipient *)g_ptr_array_index(decision->recipients, i))->fate !=
            FATE_STAYS)
            return FALSE;
    return TRUE;
}

static enum explain_id act_words(const struct decision *decision)
{
    switch (decision->act) {
    case ACT_ACCEPT:
        return all_stay(decision) ? EXPLAIN_DO_ACCEPT : EXPLAIN_DO_ACCEPT_SOME;
    case ACT_DISCARD:
        return EXPLAIN_DO_DISCARD;
    case ACT_DEFER:
        return EXPLAIN_DO_DEFER;
    case ACT_REFUSE:
        break;
    }
    return EXPLAIN_DO_REFUSE;
}

static void explain_duties(struct explanation *e)
{
    const struct decision *decision = e->decision;
    g_autoptr(GString) archives = g_string_new(NULL);

    for (guint i = 0; i < decision->archives->len; i++) {
        const struct archive *archive = g_ptr_array_index(decision->archives, i);
        g_string_append_printf(archives, "%s\"%s\"", i > 0 ? ", " : "", archive->name);
    }
    if (archives->len > 0)
        field(e, EXPLAIN_ARCHIVES, archives->str);
    if (decision->tells)
        field(e, EXPLAIN_NOTICE, say(e, EXPLAIN_TELLS));
    if (decision->act == ACT_ACCEPT && decision->headers_only)
        field(e, EXPLAIN_BOUNCES, say(e, EXPLAIN_FIELDS_ONLY));
}

static void explain_outcome(struct explanation *e)
{
    const struct decision *decision = e->decision;
    g_autofree char *reply =
        g_strdup_printf("%u %s %s", decision->reply.code, decision->reply.dsn, decision->reply.text);

    page_heading(&e->page, say(e, EXPLAIN_HEAD_OUTCOME));
    field(e, EXPLAIN_VERDICT, verdict_name(decision->verdict, e->language));
    if (decision->leading != NULL) {
        g_autofree char *text = reason_text(decision->leading, e->language);
        g_autofree char *why =
            fill(e, EXPLAIN_WITH_REASON, check_title(decision->leading->check, e->language), text,
                 reason_name(decision->leading->id));
        field(e, EXPLAIN_BECAUSE, why);
    }
    field(e, EXPLAIN_DONE, say(e, act_words(decision)));
    explain_duties(e);
    field(e, EXPLAIN_REPLY, reply);
}

char *decision_explain(const struct decision *decision, const struct inputs *inputs, enum language language)
{
    struct explanation e = {.page = page_new(), .decision = decision, .inputs = inputs, .language = language};

    explain_sender(&e);
    explain_label(&e);
    explain_checks(&e);
    explain_recipients(&e);
    explain_outcome(&e);
    return page_finish(&e.page);
}
