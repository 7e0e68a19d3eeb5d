/* decision_json: a decision as one JSON object, for programs. Ids are those of the tables and never change;
 * texts are in one language. */
#include "milter/decide/names.h"

#include "milter/decide/json.h"

static void write_label_set(struct json *json, const char *key, const struct label_set *set)
{
    g_autofree char *text = set != NULL ? label_set_format(set) : NULL;

    json_string(json, key, text);
}

static void write_sender(struct json *json, const struct decision *decision, const struct inputs *inputs)
{
    const struct decided_sender *sender = &decision->sender;
    g_autofree char *client = ip_format(inputs->session->client);

    json_open(json, "sender", '{');
    json_string(json, "address", inputs->envelope->sender->canonical);
    json_string(json, "class", sender_class_name(sender->class));
    json_string(json, "login", inputs->session->login);
    json_string(json, "certificate", inputs->session->cert_subject);
    json_string(json, "person", sender->person != NULL ? sender->person->id : NULL);
    json_string(json, "zone", sender->zone->name);
    json_string(json, "client", client);
    json_number(json, "tls", inputs->session->tls);
    json_boolean(json, "told", sender->told);
    json_close(json, '}');
}

static const char *state_name(enum claim_state state)
{
    static const char *const names[] = {
        [CLAIM_VALUE] = "value", [CLAIM_INVALID] = "invalid", [CLAIM_UNMAPPED] = "unmapped"};

    return names[state];
}

static void write_claims(struct json *json, const GPtrArray *claims, enum language language)
{
    json_open(json, "claims", '[');
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = g_ptr_array_index(claims, i);
        g_autofree char *place = place_format(&claim->place, language);
        g_autofree char *label = claim->label != NULL ? label_format(claim->label) : NULL;

        json_open(json, NULL, '{');
        json_string(json, "place", place);
        json_number(json, "part", claim->place.part);
        json_string(json, "state", state_name(claim->state));
        json_string(json, "scheme", claim->scheme != NULL ? claim->scheme->name : NULL);
        json_string(json, "label", label);
        json_string(json, "why", claim->why);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_label(struct json *json, const struct decision *decision)
{
    const struct effective *label = decision->label;

    if (label == NULL) {
        json_string(json, "label", NULL);
        return;
    }
    g_autofree char *display = label->display != NULL ? label_format(label->display) : NULL;
    json_open(json, "label", '{');
    write_label_set(json, "effective", label->effective);
    write_label_set(json, "own", label->own);
    write_label_set(json, "contained", label->contained);
    write_label_set(json, "quoted", label->quoted);
    json_string(json, "display", display);
    json_boolean(json, "labelled", label->labelled);
    json_boolean(json, "assumed", label->assumed);
    json_close(json, '}');
}

static void write_checks(struct json *json, const GArray *checks, enum language language)
{
    json_open(json, "checks", '[');
    for (guint i = 0; i < checks->len; i++) {
        const struct check_line *line = &g_array_index(checks, struct check_line, i);

        json_open(json, NULL, '{');
        json_number(json, "number", line->check);
        json_string(json, "check", check_name(line->check));
        json_string(json, "answer", answer_name(line->answer));
        json_string(json, "reason", line->reason >= 0 ? reason_name((enum reason_id)line->reason) : NULL);
        json_string(json, "note", language == LANGUAGE_ZH ? line->note_zh : line->note_en);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_reason(struct json *json, const char *key, const struct reason *reason,
                         enum language language)
{
    if (reason == NULL) {
        json_string(json, key, NULL);
        return;
    }
    g_autofree char *text = reason_text(reason, language);
    json_open(json, key, '{');
    json_string(json, "id", reason_name(reason->id));
    json_string(json, "check", check_name(reason->check));
    json_string(json, "answer", answer_name(reason->answer));
    json_string(json, "address", reason->address);
    json_string(json, "level", reason->level);
    json_number(json, "part", reason->part);
    json_string(json, "text", text);
    json_close(json, '}');
}

static const char *past_name(enum past_state state)
{
    static const char *const names[] = {[PAST_NOTHING] = NULL,
                                        [PAST_HELD] = "held",
                                        [PAST_SETTLED] = "settled",
                                        [PAST_ENDED] = "ended",
                                        [PAST_DEFERRED] = "deferred"};

    return names[state];
}

static void write_recipient(struct json *json, const struct decided_recipient *recipient,
                            enum language language)
{
    static const char *const states[] = {[ANSWER_FOUND] = "found",
                                         [ANSWER_ABSENT] = "absent",
                                         [ANSWER_UNAVAILABLE] = "unavailable",
                                         [ANSWER_AMBIGUOUS] = "ambiguous"};

    json_open(json, NULL, '{');
    json_string(json, "address", recipient->first->address->canonical);
    json_open(json, "given", '[');
    for (guint i = 0; i < recipient->forms->len; i++)
        json_string(
            json, NULL,
            ((const struct envelope_recipient *)g_ptr_array_index(recipient->forms, i))->address->given);
    json_close(json, ']');
    json_string(json, "zone", recipient->zone->name);
    json_string(json, "person", recipient->person != NULL ? recipient->person->id : NULL);
    json_string(json, "directory", states[recipient->person_state]);
    json_string(json, "verdict", verdict_name(recipient->verdict, LANGUAGE_EN));
    json_string(json, "queue", recipient->queue);
    json_string(json, "fate", fate_name(recipient->fate));
    json_string(json, "past", past_name(recipient->past->state));
    write_reason(json, "leading", recipient->leading, language);
    write_checks(json, recipient->checks, language);
    /* Those of the message stand there once. */
    json_open(json, "reasons", '[');
    for (guint i = 0; i < recipient->reasons->len; i++) {
        const struct reason *reason = g_ptr_array_index(recipient->reasons, i);
        if (reason->check >= CHECK_VISIBLE)
            write_reason(json, NULL, reason, language);
    }
    json_close(json, ']');
    json_close(json, '}');
}

/* What the act asks of those who carry it out. */
static void write_duties(struct json *json, const struct decision *decision)
{
    json_boolean(json, "holds", decision->holds);
    json_boolean(json, "keeps_copy", decision->keeps_copy);
    json_boolean(json, "tells", decision->tells);
    json_boolean(json, "own_trouble", decision->own_trouble);
    json_boolean(json, "headers_only", decision->headers_only);
    json_boolean(json, "forged_token", decision->forged_token);
    json_boolean(json, "system_high", decision->system_high);
    json_open(json, "archives", '[');
    for (guint i = 0; i < decision->archives->len; i++)
        json_string(json, NULL, ((const struct archive *)g_ptr_array_index(decision->archives, i))->name);
    json_close(json, ']');
}

static void write_outcome(struct json *json, const struct decision *decision, enum language language)
{
    json_string(json, "verdict", verdict_name(decision->verdict, LANGUAGE_EN));
    json_string(json, "act", act_name(decision->act));
    write_duties(json, decision);
    write_reason(json, "leading", decision->leading, language);
    json_open(json, "reply", '{');
    json_number(json, "code", decision->reply.code);
    json_string(json, "status", decision->reply.dsn);
    json_string(json, "text", decision->reply.text);
    json_close(json, '}');
    json_string(json, "reference", decision->reference);
}

char *decision_json(const struct decision *decision, const struct inputs *inputs, enum language language)
{
    struct json json = json_new();

    json_open(&json, NULL, '{');
    write_outcome(&json, decision, language);
    write_sender(&json, decision, inputs);
    write_label(&json, decision);
    write_claims(&json, decision->claims, language);
    write_checks(&json, decision->checks, language);
    json_open(&json, "reasons", '[');
    for (guint i = 0; i < decision->reasons->len; i++)
        write_reason(&json, NULL, g_ptr_array_index(decision->reasons, i), language);
    json_close(&json, ']');
    json_open(&json, "recipients", '[');
    for (guint i = 0; i < decision->recipients->len; i++)
        write_recipient(&json, g_ptr_array_index(decision->recipients, i), language);
    json_close(&json, ']');
    json_open(&json, "snapshot", '{');
    json_number(&json, "generation", inputs->snapshot->generation);
    json_string(&json, "hash", inputs->snapshot->hash);
    json_number(&json, "now", inputs->now);
    json_close(&json, '}');
    json_close(&json, '}');
    return json_finish(&json);
}
