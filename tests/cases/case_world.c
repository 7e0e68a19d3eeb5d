#include "tests/cases/case_world.h"

#include <glib/gstdio.h>
#include <string.h>

#include "milter/inspect/reader.h"

#define USUAL_NOW "2026-06-01 12:00:00"

/* ---------------------------------------------------------------- configuration */
static struct snapshot *load(const struct case_file *file, const char *top)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("miji-case-XXXXXX", &error);
    g_autofree char *path = g_build_filename(folder, "miji.conf", NULL);
    g_autofree char *choices = g_strdup_printf("include \"%s/tests/cases/choices.conf\"\n", top);
    g_autofree char *text = g_strdup_printf("include \"%s/tests/cases/miji.conf\"\n%s%s", top,
                                            file->own_choices ? "" : choices, file->conf->str);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *snapshot = NULL;

    if (folder == NULL || !g_file_set_contents(path, text, -1, &error))
        g_error("%s", error->message);
    snapshot = snapshot_load(path, SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST, NULL, diagnostics);
    g_unlink(path);
    g_rmdir(folder);
    if (snapshot == NULL || diagnostics_errors(diagnostics) > 0) {
        g_autofree char *rendered = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
        g_error("%s: %s", file->name, rendered);
    }
    return snapshot;
}

/* ---------------------------------------------------------------- people */
static gboolean is_there(const GPtrArray *people, const char *id)
{
    for (guint i = 0; i < people->len; i++)
        if (strcmp(((const struct person *)g_ptr_array_index(people, i))->id, id) == 0)
            return TRUE;
    return FALSE;
}

/* What the directory says about every login and address that stands in its file. */
static void collect(struct directory *directory, enum question_kind kind, GPtrArray *values,
                    GPtrArray *people)
{
    g_autoptr(directory_query) query = directory_query_new(directory);

    for (guint i = 0; i < values->len; i++)
        directory_query_add(query, kind, g_ptr_array_index(values, i));
    directory_query_send(query);
    directory_query_wait(query, g_get_monotonic_time() + G_USEC_PER_SEC);
    for (guint i = 0; i < values->len; i++) {
        struct person_answer answer = directory_query_answer(query, kind, g_ptr_array_index(values, i));
        if (answer.state == ANSWER_FOUND && !is_there(people, answer.person->id))
            g_ptr_array_add(people, person_ref((struct person *)answer.person));
    }
}

static GPtrArray *values_of(const char *text, const char *attribute)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        if (g_str_has_prefix(lines[i], attribute))
            g_ptr_array_add(values, g_strdup(g_strstrip(lines[i] + strlen(attribute))));
    return values;
}

static GPtrArray *people_of(struct directory *directory, const char *top)
{
    g_autofree char *path = g_build_filename(top, "tests/data/people.ldif", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    GPtrArray *people = g_ptr_array_new_with_free_func((GDestroyNotify)person_unref);

    if (!g_file_get_contents(path, &text, NULL, &error))
        g_error("%s", error->message);
    g_autoptr(GPtrArray) logins = values_of(text, "uid: "), addresses = values_of(text, "mail: ");
    collect(directory, ASK_LOGIN, logins, people);
    collect(directory, ASK_ADDRESS, addresses, people);
    g_assert_cmpuint(people->len, >, 15);
    return people;
}

/* "bo 机密 until 2026-12-31": another clearance for somebody, or a new person. */
static void add_person(const struct snapshot *snapshot, GPtrArray *people, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 2);
    g_autofree char *id = g_strdup_printf("uid=%s,ou=cases", words[0]);
    g_autofree char *address = g_strdup_printf("%s@agency.gov.cn", words[0]);
    struct person *person = person_new(snapshot->schemes, id);
    g_autoptr(GError) error = NULL;
    struct clearance *clearance =
        clearance_parse(snapshot->schemes, words[1], snapshot->conf->time_zone, &error);

    if (clearance == NULL)
        g_error("%s: %s", line, error->message);
    for (guint i = people->len; i > 0; i--)
        if (person_has_address(g_ptr_array_index(people, i - 1), address))
            g_ptr_array_remove_index(people, i - 1);
    person->name = g_strdup(words[0]);
    g_ptr_array_add(person->clearances, clearance);
    g_ptr_array_add(person->logins, g_strdup(words[0]));
    g_ptr_array_add(person->addresses, g_steal_pointer(&address));
    g_ptr_array_add(people, person);
}

static gboolean is_down(const char *value, gpointer down)
{
    return g_hash_table_contains(down, value) || g_hash_table_contains(down, "*");
}

static void make_directory(struct case_world *world)
{
    GPtrArray *people = g_ptr_array_copy(world->people, (GCopyFunc)(void *)person_ref, NULL);

    g_ptr_array_set_free_func(people, (GDestroyNotify)person_unref);
    directory_unref(world->directory);
    world->directory = directory_of_people(people, is_down, world->down);
}

struct case_world *case_world_new(const struct case_file *file, const char *top)
{
    struct case_world *world = g_new0(struct case_world, 1);

    world->snapshot = load(file, top);
    world->down = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    world->people = people_of(world->snapshot->directory, top);
    for (guint i = 0; i < file->persons->len; i++)
        add_person(world->snapshot, world->people, g_ptr_array_index(file->persons, i));
    make_directory(world);
    return world;
}

void case_world_free(struct case_world *world)
{
    if (world == NULL)
        return;
    directory_unref(world->directory);
    g_ptr_array_unref(world->people);
    g_hash_table_unref(world->down);
    snapshot_unref(world->snapshot);
    g_free(world);
}

/* ---------------------------------------------------------------- one mail */
/* Of a recheck only who is held; of another mail everybody. */
static gboolean is_addressed(const struct case_recipient *to, const struct decision *held)
{
    g_autoptr(address) address = address_parse(to->given);

    if (held == NULL)
        return TRUE;
    for (guint i = 0; i < held->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(held->recipients, i);
        if (recipient->fate == FATE_HELD &&
            strcmp(recipient->first->address->canonical, address->canonical) == 0)
            return TRUE;
    }
    return FALSE;
}

static struct envelope *envelope_of(const struct case_mail *mail, const struct decision *held)
{
    struct envelope *envelope = envelope_new();

    envelope_set_sender(envelope, mail->from, mail->parameters);
    for (guint i = 0; i < mail->to->len; i++) {
        const struct case_recipient *to = g_ptr_array_index(mail->to, i);
        if (!is_addressed(to, held))
            continue;
        struct envelope_recipient *recipient = envelope_add(envelope, to->given);
        recipient->rcpt_host = g_strdup(to->host);
        recipient->rcpt_addr = g_strdup(to->addr);
        recipient->notify = g_strdup(to->notify);
    }
    return envelope;
}

static gint64 seconds_of(const struct snapshot *snapshot, const char *text)
{
    g_autoptr(GTimeZone) local = g_time_zone_new_local();
    GTimeZone *zone = snapshot->conf->time_zone != NULL ? snapshot->conf->time_zone : local;
    g_autoptr(GDateTime) moment = g_date_time_new_from_iso8601(text, zone);

    if (moment == NULL)
        g_error("no time: %s", text);
    return g_date_time_to_unix(moment);
}

static enum past_state past_state(const char *name)
{
    static const char *const names[] = {[PAST_HELD] = "held",
                                        [PAST_SETTLED] = "settled",
                                        [PAST_ENDED] = "ended",
                                        [PAST_DEFERRED] = "deferred"};

    for (guint i = PAST_HELD; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return (enum past_state)i;
    g_error("no state of the past: %s", name);
}

static struct past *past_of_mail(const struct snapshot *snapshot, const struct case_mail *mail)
{
    struct past *past = past_new();

    for (guint i = 0; i < mail->past->len; i++) {
        const struct case_past *entry = g_ptr_array_index(mail->past, i);
        gint64 moment = entry->moment != NULL ? seconds_of(snapshot, entry->moment) : 0;
        past_set(past, entry->address,
                 (struct past_entry){
                     .state = past_state(entry->state), .hold = 1, .at_s = moment, .own_since_s = moment});
    }
    return past;
}

/* The approvers have seen every reason for which somebody was held. */
static struct approvals *approvals_of(const struct snapshot *snapshot, const struct case_mail *mail,
                                      const struct decision *held)
{
    struct approvals *approvals = approvals_new();
    const struct scheme *scheme;
    const struct level *level;

    for (guint i = 0; i < held->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(held->recipients, i);
        for (guint j = 0; j < recipient->reasons->len; j++) {
            g_autofree char *key = reason_key(g_ptr_array_index(recipient->reasons, j));
            approvals_add(approvals, recipient->first->address->canonical, key);
        }
    }
    if (mail->as == NULL)
        return approvals;
    if (schemes_level(snapshot->schemes, mail->as, &scheme, &level) != LEVEL_FOUND)
        g_error("no level: %s", mail->as);
    g_autoptr(label) label = label_new(scheme, level);
    approvals->stated = label_set_new();
    label_set_join(approvals->stated, label);
    return approvals;
}

static void change_people(struct case_world *world, const struct case_mail *mail)
{
    for (guint i = 0; i < mail->persons->len; i++)
        add_person(world->snapshot, world->people, g_ptr_array_index(mail->persons, i));
    if (mail->persons->len > 0)
        make_directory(world);
}

static void ask(struct case_world *world, struct case_inputs *inputs, const struct case_mail *mail)
{
    const GPtrArray *recipients = inputs->envelope->recipients;

    g_hash_table_remove_all(world->down);
    for (guint i = 0; i < mail->down->len; i++)
        g_hash_table_add(world->down, g_strdup(g_ptr_array_index(mail->down, i)));
    inputs->people = directory_query_new(world->directory);
    inputs_ask_sender(inputs->people, world->snapshot, &mail->session, inputs->envelope);
    for (guint i = 0; i < recipients->len; i++)
        inputs_ask_recipient(inputs->people, world->snapshot, g_ptr_array_index(recipients, i));
    if (inputs->facts != NULL)
        inputs_ask_authors(inputs->people, world->snapshot, &mail->session, inputs->facts);
    directory_query_send(inputs->people);
    directory_query_wait(inputs->people, g_get_monotonic_time() + G_USEC_PER_SEC);
}

struct case_inputs *case_inputs_new(struct case_world *world, const struct case_mail *mail,
                                    const struct decision *held)
{
    struct case_inputs *inputs = g_new0(struct case_inputs, 1);
    struct snapshot *snapshot = world->snapshot;

    change_people(world, mail);
    inputs->envelope = envelope_of(mail, mail->recheck ? held : NULL);
    inputs->past = past_of_mail(snapshot, mail);
    if (mail->recheck)
        inputs->approvals = approvals_of(snapshot, mail, held);
    if (mail->reader == FACTS_HERE)
        inputs->facts = inspect_octets(mail->message->str, mail->message->len, &snapshot->conf->inspect);
    ask(world, inputs, mail);
    inputs->inputs = (struct inputs){.snapshot = snapshot,
                                     .session = &mail->session,
                                     .envelope = inputs->envelope,
                                     .facts = inputs->facts,
                                     .facts_state = mail->reader,
                                     .too_large = mail->message->len > snapshot->conf->message_size_bytes,
                                     .people = inputs->people,
                                     .past = inputs->past,
                                     .approvals = inputs->approvals,
                                     .clock_doubtful = mail->clock_doubtful,
                                     .now = seconds_of(snapshot, mail->now != NULL ? mail->now : USUAL_NOW),
                                     .explain = TRUE};
    return inputs;
}

void case_inputs_free(struct case_inputs *inputs)
{
    if (inputs == NULL)
        return;
    directory_query_free(inputs->people);
    past_free(inputs->past);
    approvals_free(inputs->approvals);
    facts_free(inputs->facts);
    envelope_free(inputs->envelope);
    g_free(inputs);
}
