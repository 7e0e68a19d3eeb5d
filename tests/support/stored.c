#include "tests/support/stored.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/temp_folder.h"

static const guint8 store_key[STORE_KEY_BYTES] = "a key for tests only, 32 octets.";

static void open_store(struct stored *stored)
{
    g_autoptr(GError) error = NULL;

    stored->store = store_open(stored->folder, store_key, NULL, &error);
    if (stored->store == NULL)
        g_error("%s", error->message);
}

struct stored *stored_new(void)
{
    struct stored *stored = g_new0(struct stored, 1);

    stored->folder = temp_folder_new();
    stored->world = world_new();
    stored->world->now = clock_wall_ms() / 1000;
    stored->office = world_add_queue(stored->world, "office");
    world_add_queue(stored->world, "other");
    for (guint i = 0; i < sizeof stored->digest; i++)
        stored->digest[i] = (guint8)g_test_rand_int();
    open_store(stored);
    return stored;
}

void stored_free(struct stored *stored)
{
    store_close(stored->store);
    past_free(stored->past);
    world_free(stored->world);
    temp_folder_remove(stored->folder);
    g_free(stored->folder);
    g_free(stored->text);
    g_free(stored);
}

void stored_reopen(struct stored *stored)
{
    store_close(stored->store);
    open_store(stored);
}

/* ---------------------------------------------------------------- messages */
void stored_message(struct stored *stored, const char *names)
{
    static gint count;
    g_auto(GStrv) people = g_strsplit(names, " ", -1);
    g_autofree char *id = g_strdup_printf("<%d.x@agency.gov.cn>", g_atomic_int_add(&count, 1));

    world_new_message(stored->world);
    world_usual(stored->world, "机密");
    world_field(stored->world, "Message-ID", id);
    stored->world->envelope->queue_id = g_strdup_printf("4Q%06d", g_atomic_int_get(&count));
    for (guint i = 0; people[i] != NULL; i++) {
        g_autofree char *given = g_strdup_printf("<%s@agency.gov.cn>", people[i]);
        world_to(stored->world, given);
    }
    stored->digest[0]++;
    stored->digest[1] += stored->digest[0] == 0;
    g_free(stored->text);
    stored->text = g_strdup_printf("Message-ID: %s\r\nFrom: bo@agency.gov.cn\r\n\r\n一二三\r\n", id);
}

static enum verdict verdict_of(char letter)
{
    switch (letter) {
    case 'd':
        return VERDICT_DELIVER;
    case 'h':
        return VERDICT_HOLD;
    case 'f':
        return VERDICT_DEFER;
    case 'r':
        return VERDICT_REFUSE;
    }
    g_error("no verdict %c", letter);
}

static void set_verdict(struct stored *stored, struct decided_recipient *recipient, char letter)
{
    recipient->verdict = verdict_of(letter);
    if (recipient->past->state == PAST_ENDED)
        recipient->verdict = VERDICT_REFUSE;
    if (recipient->past->state == PAST_SETTLED)
        recipient->verdict = VERDICT_DELIVER;
    recipient->queue = recipient->verdict == VERDICT_HOLD ? stored->office->name : NULL;
    if (recipient->verdict == VERDICT_HOLD && recipient->reasons->len == 0) {
        struct reason *reason = g_new0(struct reason, 1);
        *reason = (struct reason){
            .id = REASON_RULES_DISAGREE, .check = CHECK_RULES, .answer = CHECK_DENY, .part = 2};
        g_ptr_array_add(recipient->reasons, reason);
        recipient->leading = reason;
    }
}

static gboolean is_held_already(const struct decided_recipient *recipient)
{
    return recipient->past->state == PAST_HELD &&
           (recipient->verdict == VERDICT_HOLD || recipient->verdict == VERDICT_DEFER);
}

static enum act act_of(const struct decision *decision)
{
    guint counts[4] = {0};

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->past->state != PAST_SETTLED)
            counts[is_held_already(recipient) ? VERDICT_HOLD : recipient->verdict]++;
    }
    if (counts[VERDICT_DEFER] > 0)
        return ACT_DEFER;
    if (counts[VERDICT_DELIVER] > 0)
        return ACT_ACCEPT;
    return counts[VERDICT_REFUSE] > 0 && counts[VERDICT_HOLD] == 0 ? ACT_REFUSE : ACT_DISCARD;
}

static enum fate fate_of(const struct decided_recipient *recipient, enum act act)
{
    if (recipient->past->state == PAST_SETTLED)
        return FATE_SETTLED;
    if (is_held_already(recipient))
        return FATE_HELD;
    if (act == ACT_DEFER)
        return FATE_DEFERRED;
    switch (recipient->verdict) {
    case VERDICT_DELIVER:
        return FATE_STAYS;
    case VERDICT_HOLD:
        return FATE_HELD;
    case VERDICT_DEFER:
        return FATE_DEFERRED;
    case VERDICT_REFUSE:
        break;
    }
    return FATE_REFUSED;
}

static struct decision *decide_over(struct stored *stored, struct inputs *inputs, const char *verdicts)
{
    struct decision *decision = decide(inputs, "abc234");

    g_assert_cmpuint(decision->recipients->len, ==, strlen(verdicts));
    g_free(decision->reference);
    decision->reference = g_strdup_printf("MIJI-%06x", (guint)g_test_rand_int_range(0, 0xffffff));
    for (guint i = 0; i < decision->recipients->len; i++)
        set_verdict(stored, g_ptr_array_index(decision->recipients, i), verdicts[i]);
    decision->act = act_of(decision);
    decision->holds = decision->keeps_copy = FALSE;
    decision->own_trouble = decision->act == ACT_DEFER;
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        recipient->fate = fate_of(recipient, decision->act);
        decision->holds |= recipient->fate == FATE_HELD && recipient->past->state != PAST_HELD;
    }
    return decision;
}

struct decision *stored_decide(struct stored *stored, const char *verdicts)
{
    g_autoptr(GError) error = NULL;
    struct inputs inputs = world_inputs(stored->world);

    g_clear_pointer(&stored->past, past_free);
    stored->past = store_past(stored->store, &inputs, stored->digest, 7 * STORED_DAY_MS, &error);
    g_assert_no_error(error);
    inputs.past = stored->past;
    return decide_over(stored, &inputs, verdicts);
}

struct decision *stored_decide_blindly(struct stored *stored, const char *verdicts)
{
    struct inputs inputs = world_inputs(stored->world);

    inputs.past = NULL;
    return decide_over(stored, &inputs, verdicts);
}

static struct store_message message_of(struct stored *stored, const struct inputs *inputs,
                                       const struct decision *decision)
{
    return (struct store_message){.inputs = inputs,
                                  .decision = decision,
                                  .digest = stored->digest,
                                  .octets = stored->text,
                                  .length = strlen(stored->text),
                                  .fd = -1};
}

gboolean stored_keep(struct stored *stored, const struct decision *decision, struct notice *notice,
                     char **hold_id, GError **error)
{
    struct inputs inputs = world_inputs(stored->world);
    struct store_message message = message_of(stored, &inputs, decision);
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);

    if (notice != NULL)
        g_ptr_array_add(notices, notice);
    message.notices = notices;
    return store_keep(stored->store, &message, hold_id, error);
}

void stored_keep_later(struct stored *stored, const struct decision *decision)
{
    struct inputs inputs = world_inputs(stored->world);
    struct store_message message = message_of(stored, &inputs, decision);

    store_keep_later(stored->store, &message);
}

struct hold *stored_hold(struct stored *stored, const char *names)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    g_auto(GStrv) people = g_strsplit(names, " ", -1);
    g_autofree char *verdicts = g_strnfill(g_strv_length(people), 'h');

    stored_message(stored, names);
    g_autoptr(decision) decision = stored_decide(stored, verdicts);
    stored_keep(stored, decision, NULL, &id, &error);
    g_assert_no_error(error);
    store_answered(stored->store, decision->reference);
    return stored_find(stored, id);
}

/* ---------------------------------------------------------------- looking */
struct hold *stored_find(struct stored *stored, const char *name)
{
    g_autoptr(GError) error = NULL;

    writer_flush(stored->store->writer);
    struct hold *hold = store_hold(stored->store, stored->world->schemes, name, &error);
    if (hold == NULL)
        g_error("%s: %s", name, error->message);
    return hold;
}

void stored_again(struct stored *stored, struct hold **hold)
{
    struct hold *again = stored_find(stored, (*hold)->id);

    hold_free(*hold);
    *hold = again;
}

struct notice *stored_notice(enum notice_kind kind, const char *addressee)
{
    struct notice *notice = g_new0(struct notice, 1);

    notice->kind = kind;
    notice->addressee = g_strdup(addressee);
    notice->reference = g_strdup("MIJI-abc234");
    notice->text = g_strdup("Subject: notice\r\n\r\ntext\r\n");
    notice->length = strlen(notice->text);
    return notice;
}

gint64 stored_number(struct stored *stored, const char *sql)
{
    writer_flush(stored->store->writer);
    gint64 number = database_integer(store_read_begin(stored->store), -1, sql, "");

    store_read_end(stored->store);
    return number;
}

static gboolean change(struct database *database, gpointer data, GError **error)
{
    return database_run(database, error, data, "");
}

void stored_change(struct stored *stored, const char *sql)
{
    g_autoptr(GError) error = NULL;

    writer_flush(stored->store->writer);
    writer_run(stored->store->writer, change, (gpointer)sql, &error);
    g_assert_no_error(error);
}
