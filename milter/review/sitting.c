#include "milter/review/sitting.h"

#include <string.h>

#include "milter/conf/log.h"
#include "milter/review/limits.h"
#include "milter/store/audit.h"

/* ---- what is said */

static void append_message(struct sitting *sitting, struct message *message)
{
    g_autofree char *text = message_format(message, sitting->language);
    struct page page = page_new();
    g_autofree char *lines = NULL;

    page_field(&page, 0, 0, "", text); /* what a terminal obeys is not passed on, whoever wrote it */
    lines = page_finish(&page);
    g_string_append(sitting->answer, lines);
    message_clear(message);
}

gboolean sitting_refuse(struct sitting *sitting, struct message message)
{
    g_string_truncate(sitting->answer, 0);
    append_message(sitting, &message);
    return FALSE;
}

gboolean sitting_say(struct sitting *sitting, struct message message)
{
    append_message(sitting, &message);
    return TRUE;
}

gboolean sitting_fail(struct sitting *sitting, const char *name, const GError *error)
{
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_ABSENT))
        return sitting_refuse(sitting, message_make(MSG_DESK_NO_HOLD, name, NULL));
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_SEVERAL)) /* who sees no holds learns of none */
        return sitting_refuse(sitting,
                              message_make(sitting_is_watcher(sitting) || sitting->reviewer->queues->len > 0
                                               ? MSG_DESK_SEVERAL
                                               : MSG_DESK_NO_HOLD,
                                           name, NULL));
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_CHANGED))
        return sitting_refuse(sitting, message_make(MSG_DESK_CHANGED, name, NULL));
    log_line(LOG_LEVEL_ERROR, "%s by %s: %s", sitting->request->word, reviewer_name(sitting->reviewer),
             error->message);
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_DAMAGED))
        return sitting_refuse(sitting, message_make(MSG_DESK_DAMAGED, error->message, NULL));
    return sitting_refuse(sitting, message_make(MSG_DESK_STORE, error->message, NULL));
}

static const char *may_name(enum may may)
{
    static const char *const names[] = {
        [MAY] = "may",
        [MAY_NOT_UNKNOWN] = "unknown",
        [MAY_NOT_REVIEWER] = "not-reviewer",
        [MAY_NOT_CLEARED] = "not-cleared",
        [MAY_NOT_OWN] = "own-mail",
        [MAY_NOT_RECIPIENT] = "recipient",
    };

    return names[may];
}

gboolean sitting_turn_away(struct sitting *sitting, enum may may, const struct hold *hold,
                           struct message message)
{
    g_autofree char *detail = g_strdup_printf("%s: %s", sitting->request->word, may_name(may));
    struct audit_entry entry = {.event = "turned-away",
                                .who = reviewer_name(sitting->reviewer),
                                .object = hold != NULL ? hold->id : NULL,
                                .detail = detail};
    g_autoptr(GError) error = NULL;

    if (!store_audit(sitting->store, &entry, &error)) /* the answer is no all the same */
        log_line(LOG_LEVEL_ERROR, "turned away without an audit record: who=\"%s\" what=\"%s\": %s",
                 entry.who, detail, error->message);
    return sitting_refuse(sitting, message);
}

enum may sitting_may_read(const struct sitting *sitting, const struct hold *hold)
{
    enum may may = reviewer_may_read(sitting->snapshot, sitting->reviewer, hold);

    return may == MAY && !sitting->clock_is_right ? MAY_NOT_CLEARED : may;
}

enum may sitting_may_vote(const struct sitting *sitting, const struct hold *hold)
{
    enum may may = reviewer_may_vote(sitting->snapshot, sitting->reviewer, hold);

    return may == MAY && !sitting->clock_is_right ? MAY_NOT_CLEARED : may;
}

struct message sitting_why_not(const struct sitting *sitting, enum may may, const struct hold *hold,
                               gboolean votes)
{
    switch (may) {
    case MAY:
        break;
    case MAY_NOT_UNKNOWN:
        return message_make(MSG_DESK_UNKNOWN, reviewer_name(sitting->reviewer), NULL);
    case MAY_NOT_REVIEWER:
        if (hold->kind == KIND_REFUSED)
            return message_make(MSG_DESK_KEPT_NOT_READER, NULL);
        return message_make(votes ? MSG_DESK_NOT_VOTER : MSG_DESK_NOT_READER,
                            hold->slip.queue != NULL ? hold->slip.queue : "", NULL);
    case MAY_NOT_CLEARED:
        if (!sitting->clock_is_right)
            return message_make(MSG_DESK_CLOCK, NULL);
        if (hold->label == NULL)
            return message_make(MSG_DESK_NOT_CLEARED_HIGH, NULL);
        return message_make(MSG_DESK_NOT_CLEARED, sitting_label(sitting, hold->display), NULL);
    case MAY_NOT_OWN:
        return message_make(MSG_DESK_NOT_OWN, NULL);
    case MAY_NOT_RECIPIENT:
        return message_make(MSG_DESK_NOT_RECIPIENT, NULL);
    }
    return message_make(MSG_NONE, NULL);
}

gboolean sitting_audit(struct sitting *sitting, const char *event, const char *object, const char *detail)
{
    struct audit_entry entry = {
        .event = event, .who = reviewer_name(sitting->reviewer), .object = object, .detail = detail};
    g_autoptr(GError) error = NULL;

    return store_audit(sitting->store, &entry, &error) || sitting_fail(sitting, object, error);
}

const char *sitting_text(const struct sitting *sitting, enum message_id id)
{
    return message_text(id, sitting->language);
}

char *sitting_text_with(const struct sitting *sitting, enum message_id id, const char *arg)
{
    struct message message = message_make(id, arg, NULL);
    char *text = message_format(&message, sitting->language);

    message_clear(&message);
    return text;
}

gboolean sitting_answer_page(struct sitting *sitting, struct page *page)
{
    g_autofree char *text = page_finish(page);

    g_string_append(sitting->answer, text);
    return TRUE;
}

gboolean sitting_answer_json(struct sitting *sitting, struct json *json)
{
    g_autofree char *text = json_finish(json);

    g_string_append(sitting->answer, text);
    return TRUE;
}

/* ---- what was asked */

struct hold *sitting_hold(struct sitting *sitting)
{
    const GPtrArray *values = sitting->request->values;
    const char *name = values->len > 0 ? g_ptr_array_index(values, 0) : "";
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = NULL;
    enum may may;

    if (name[0] == '\0') {
        sitting_refuse(sitting, message_make(MSG_DESK_INCOMPLETE, sitting->request->word, NULL));
        return NULL;
    }
    hold = store_hold(sitting->store, sitting->snapshot->schemes, name, &error);
    if (hold == NULL) {
        sitting_fail(sitting, name, error);
        return NULL;
    }
    may = reviewer_may_list(sitting->snapshot, sitting->reviewer, hold);
    if (may == MAY)
        return g_steal_pointer(&hold);
    sitting_turn_away(sitting, may, hold, message_make(MSG_DESK_NO_HOLD, name, NULL));
    return NULL;
}

gboolean sitting_note(struct sitting *sitting, const char *text, char **note)
{
    g_autoptr(GString) out = NULL;
    g_autofree char *most = g_strdup_printf("%d", DESK_NOTE_CHARACTERS);

    *note = NULL;
    if (text == NULL)
        return TRUE;
    if (g_utf8_strlen(text, -1) > DESK_NOTE_CHARACTERS)
        return sitting_refuse(sitting, message_make(MSG_DESK_NOTE_LONG, most, NULL));
    out = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean plain = g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT;

        g_string_append_unichar(out, plain ? c : ' ');
    }
    g_strstrip(out->str);
    if (out->str[0] != '\0')
        *note = g_strdup(out->str);
    return TRUE;
}

/* ---- how things are written */

char *hold_short(const char *id)
{
    return g_strndup(id, HOLD_SHORT_CHARACTERS);
}

const char *sitting_state(const struct sitting *sitting, enum hold_state state)
{
    static const enum message_id states[] = {
        [HOLD_HELD] = MSG_DESK_STATE_HELD,         [HOLD_RELEASING] = MSG_DESK_STATE_RELEASING,
        [HOLD_RELEASED] = MSG_DESK_STATE_RELEASED, [HOLD_REFUSED] = MSG_DESK_STATE_REFUSED,
        [HOLD_EXPIRED] = MSG_DESK_STATE_EXPIRED,
    };

    return sitting_text(sitting, states[state]);
}

const char *sitting_hold_state(const struct sitting *sitting, const struct hold *hold, enum hold_state state)
{
    return hold->kind == KIND_REFUSED ? sitting_text(sitting, MSG_DESK_WORD_REFUSE)
                                      : sitting_state(sitting, state);
}

char *sitting_reason(const struct sitting *sitting, const struct reason *reason)
{
    g_autofree char *text = reason_text(reason, sitting->language);

    if (reason_row(reason->id)->fallback == REASON_DEFER)
        return g_strdup(reason_name(reason->id));
    return g_strconcat(reason_name(reason->id), sitting_text(sitting, MSG_DESK_COLON), text, NULL);
}

char *sitting_trouble(const struct sitting *sitting, const char *trouble)
{
    static const struct {
        const char *what;
        enum message_id id;
    } troubles[] = {{"recheck-failed unreadable", MSG_DESK_UNREADABLE},
                    {"recheck-failed ", MSG_DESK_RECHECK_FAILED},
                    {"recheck-put-off ", MSG_DESK_RECHECK_PUT_OFF},
                    {"release-failed ", MSG_DESK_RELEASE_FAILED},
                    {"put-off ", MSG_DESK_RELEASE_PUT_OFF}};

    for (guint i = 0; i < G_N_ELEMENTS(troubles); i++)
        if (g_str_has_prefix(trouble, troubles[i].what))
            return sitting_text_with(sitting, troubles[i].id, trouble + strlen(troubles[i].what));
    return g_strdup(trouble);
}

const char *sitting_word(const struct sitting *sitting, const char *word)
{
    static const struct {
        const char *word;
        enum message_id id;
    } words[] = {
        {"deliver", MSG_DESK_WORD_DELIVER},    {"hold", MSG_DESK_WORD_HOLD},
        {"refuse", MSG_DESK_WORD_REFUSE},      {"defer", MSG_DESK_WORD_DEFER},
        {"settled", MSG_DESK_WORD_SETTLED},    {"accept", MSG_DESK_WORD_DELIVER},
        {"person", MSG_DESK_WORD_PERSON},      {"peer", MSG_DESK_WORD_PEER},
        {"device", MSG_DESK_WORD_DEVICE},      {"outside", MSG_DESK_WORD_OUTSIDE},
        {"held", MSG_DESK_STATE_HELD},         {"releasing", MSG_DESK_STATE_RELEASING},
        {"released", MSG_DESK_STATE_RELEASED}, {"refused", MSG_DESK_STATE_REFUSED},
        {"expired", MSG_DESK_STATE_EXPIRED},
    };

    for (guint i = 0; word != NULL && i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return sitting_text(sitting, words[i].id);
    return word;
}

const char *sitting_label(const struct sitting *sitting, const char *display)
{
    return display != NULL && display[0] != '\0' ? display : sitting_text(sitting, MSG_DESK_LABEL_UNKNOWN);
}

char *address_in_brackets(const char *canonical)
{
    return g_strdup_printf("<%s>", canonical != NULL ? canonical : "");
}

gboolean sitting_is_watcher(const struct sitting *sitting)
{
    const struct reviewer *reviewer = sitting->reviewer;

    return reviewer->roles[ROLE_ADMINISTRATOR] || reviewer->roles[ROLE_OFFICER] ||
           reviewer->roles[ROLE_AUDITOR];
}
