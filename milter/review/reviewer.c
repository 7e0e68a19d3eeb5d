#include "milter/review/reviewer.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "milter/conf/clock.h"

/* ---- who it is */

/* The login name of a uid, new; NULL if it has none. */
static char *login_of_uid(guint uid)
{
    long size = sysconf(_SC_GETPW_R_SIZE_MAX);
    gsize room = size > 0 ? (gsize)size : 16384;
    g_autofree char *buffer = g_malloc(room);
    struct passwd entry, *found = NULL;

    if (getpwuid_r((uid_t)uid, &entry, buffer, room, &found) != 0 || found == NULL)
        return NULL;
    return found->pw_name[0] != '\0' ? g_strdup(found->pw_name) : NULL;
}

static void ask_groups(struct directory_query *query, const GPtrArray *whos)
{
    for (guint i = 0; whos != NULL && i < whos->len; i++) {
        const struct who *who = g_ptr_array_index(whos, i);

        if (who->kind == WHO_MEMBERS)
            directory_query_add(query, ASK_MEMBERS, who->value);
    }
}

/* Is the person named by the list? What cannot be asked is no, and noted. */
static gboolean is_named(struct reviewer *reviewer, const struct directory_query *query,
                         const GPtrArray *whos)
{
    for (guint i = 0; whos != NULL && i < whos->len; i++) {
        const struct who *who = g_ptr_array_index(whos, i);
        struct person_answer group;

        if (who->kind == WHO_ADDRESS && person_has_address(reviewer->person, who->value))
            return TRUE;
        if (who->kind == WHO_ADDRESS)
            continue;
        group = directory_query_answer(query, ASK_MEMBERS, who->value);
        reviewer->unavailable = reviewer->unavailable || group.state == ANSWER_UNAVAILABLE;
        if (group.state == ANSWER_FOUND && person_is_member(group.person, reviewer->person))
            return TRUE;
    }
    return FALSE;
}

static void take_rights(struct reviewer *reviewer, const struct conf *conf,
                        const struct directory_query *query)
{
    for (guint role = 0; role < ROLE_COUNT; role++)
        reviewer->roles[role] = is_named(reviewer, query, conf->roles[role]);
    reviewer->roles_unknown = reviewer->unavailable;
    for (guint i = 0; conf->queues != NULL && i < conf->queues->len; i++) {
        struct queue *queue = g_ptr_array_index(conf->queues, i);

        if (is_named(reviewer, query, queue->reviewers))
            g_ptr_array_add(reviewer->queues, queue);
    }
}

static void ask_directory(struct reviewer *reviewer, const struct snapshot *snapshot)
{
    const struct conf *conf = snapshot->conf;
    g_autoptr(directory_query) query = directory_query_new(snapshot->directory);
    gint64 patience_us = (conf->directory != NULL ? conf->directory->answer_within_ms : 2000) * 1000;
    struct person_answer answer;

    directory_query_add(query, ASK_LOGIN, reviewer->user);
    for (guint role = 0; role < ROLE_COUNT; role++)
        ask_groups(query, conf->roles[role]);
    for (guint i = 0; conf->queues != NULL && i < conf->queues->len; i++)
        ask_groups(query, ((const struct queue *)g_ptr_array_index(conf->queues, i))->reviewers);
    directory_query_wait(query, clock_monotonic_us() + patience_us);
    answer = directory_query_answer(query, ASK_LOGIN, reviewer->user);
    reviewer->unavailable = answer.state == ANSWER_UNAVAILABLE;
    if (answer.state != ANSWER_FOUND || answer.person->kind != PERSON_PERSON)
        return;
    reviewer->person = person_ref((struct person *)answer.person);
    take_rights(reviewer, conf, query);
}

static char *name_of(const struct reviewer *reviewer)
{
    if (reviewer->is_root)
        return g_strdup("root");
    if (reviewer->person == NULL)
        return g_strdup_printf("uid %u", reviewer->uid);
    if (reviewer->person->addresses->len > 0)
        return g_strdup(g_ptr_array_index(reviewer->person->addresses, 0));
    return g_strdup(reviewer->person->id);
}

struct reviewer *reviewer_of_login(const struct snapshot *snapshot, guint uid, const char *login)
{
    struct reviewer *reviewer = g_new0(struct reviewer, 1);

    reviewer->uid = uid;
    reviewer->user = g_strdup(login);
    reviewer->is_root = uid == 0;
    reviewer->queues = g_ptr_array_new();
    reviewer->now = clock_wall_ms() / 1000;
    if (reviewer->is_root)
        reviewer->roles[ROLE_ADMINISTRATOR] = TRUE;
    else if (login != NULL && snapshot->directory != NULL)
        ask_directory(reviewer, snapshot);
    else
        reviewer->unavailable = login != NULL;
    reviewer->name = name_of(reviewer);
    return reviewer;
}

struct reviewer *reviewer_find(const struct snapshot *snapshot, guint uid)
{
    g_autofree char *login = login_of_uid(uid);

    return reviewer_of_login(snapshot, uid, login);
}

void reviewer_free(struct reviewer *reviewer)
{
    if (reviewer == NULL)
        return;
    g_clear_pointer(&reviewer->person, person_unref);
    g_ptr_array_unref(reviewer->queues);
    g_free(reviewer->user);
    g_free(reviewer->name);
    g_free(reviewer);
}

const char *reviewer_name(const struct reviewer *reviewer)
{
    return reviewer->name;
}

gboolean reviewer_has_two_roles(const struct reviewer *reviewer)
{
    guint count = 0;

    for (guint role = 0; role < ROLE_COUNT; role++)
        count += reviewer->roles[role];
    return count > 1;
}

gboolean reviewer_has_address(const struct snapshot *snapshot, const struct reviewer *reviewer,
                              const char *canonical)
{
    const char *delimiter = snapshot->policy->recipient_delimiter;
    g_autoptr(address) address = NULL;
    g_autofree char *untagged = NULL;

    if (reviewer->person == NULL || canonical == NULL || canonical[0] == '\0')
        return FALSE;
    if (person_has_address(reviewer->person, canonical))
        return TRUE;
    address = address_parse(canonical);
    untagged = delimiter != NULL ? address_untagged(address, delimiter) : NULL;
    return untagged != NULL && person_has_address(reviewer->person, untagged);
}

/* ---- what it may */

static gboolean is_reviewer_of(const struct reviewer *reviewer, const struct hold *hold)
{
    for (guint i = 0; hold->kind == KIND_HOLD && i < reviewer->queues->len; i++)
        if (g_strcmp0(((const struct queue *)g_ptr_array_index(reviewer->queues, i))->name,
                      hold->slip.queue) == 0)
            return TRUE;
    return FALSE;
}

/* Roles that run and watch the system never see its mail, whatever else the person is. */
static gboolean never_reads(const struct reviewer *reviewer)
{
    return reviewer->is_root || reviewer->roles[ROLE_ADMINISTRATOR] || reviewer->roles[ROLE_AUDITOR];
}

static gboolean is_nobody(const struct reviewer *reviewer)
{
    return !reviewer->is_root && (reviewer->person == NULL || reviewer->roles_unknown);
}

static enum may is_cleared(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct label_set *label)
{
    const struct person *person = reviewer->person;
    gboolean unreadable = person->clearance_unreadable != NULL;
    const struct label *which;
    gboolean is_known = label != NULL && label->labels->len > 0; /* an empty one says as little as none */
    enum cleared cleared = is_known ? clearances_check_set(person->clearances, unreadable, snapshot->schemes,
                                                           label, reviewer->now, &which)
                                    : clearances_check_system_high(person->clearances, unreadable,
                                                                   snapshot->schemes, reviewer->now);

    return cleared == CLEARED_YES ? MAY : MAY_NOT_CLEARED;
}

enum may reviewer_may_list(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold)
{
    if (is_nobody(reviewer))
        return MAY_NOT_UNKNOWN;
    if (reviewer_has_two_roles(reviewer))
        return MAY_NOT_REVIEWER;
    if (never_reads(reviewer) || reviewer->roles[ROLE_OFFICER] || is_reviewer_of(reviewer, hold))
        return MAY;
    return MAY_NOT_REVIEWER;
}

enum may reviewer_may_read(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold)
{
    if (is_nobody(reviewer))
        return MAY_NOT_UNKNOWN;
    if (never_reads(reviewer) || (!reviewer->roles[ROLE_OFFICER] && !is_reviewer_of(reviewer, hold)))
        return MAY_NOT_REVIEWER;
    return is_cleared(snapshot, reviewer, hold->label);
}

/* The login, the envelope's sender, any author in From: nobody decides on own mail. */
static gboolean is_own(const struct snapshot *snapshot, const struct reviewer *reviewer,
                       const struct hold *hold)
{
    g_auto(GStrv) authors = g_strsplit(hold->authors != NULL ? hold->authors : "", " ", -1);

    if (g_strcmp0(hold->person, reviewer->person->id) == 0 ||
        (hold->login != NULL && person_has_login(reviewer->person, hold->login)) ||
        reviewer_has_address(snapshot, reviewer, hold->sender) ||
        reviewer_has_address(snapshot, reviewer, hold->owner_address))
        return TRUE;
    for (char **author = authors; *author != NULL; author++)
        if (reviewer_has_address(snapshot, reviewer, *author))
            return TRUE;
    return FALSE;
}

static gboolean is_on_slip(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold)
{
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);

        if (reviewer_has_address(snapshot, reviewer, recipient->canonical))
            return TRUE;
    }
    return FALSE;
}

enum may reviewer_may_vote(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold)
{
    enum may may = reviewer_may_read(snapshot, reviewer, hold);

    if (may != MAY)
        return may;
    if (!is_reviewer_of(reviewer, hold))
        return MAY_NOT_REVIEWER;
    if (is_own(snapshot, reviewer, hold))
        return MAY_NOT_OWN;
    return is_on_slip(snapshot, reviewer, hold) ? MAY_NOT_RECIPIENT : MAY;
}

enum may reviewer_may_settle(const struct snapshot *snapshot, const struct reviewer *reviewer,
                             const struct hold *hold)
{
    if (is_nobody(reviewer))
        return MAY_NOT_UNKNOWN;
    if (never_reads(reviewer) || !reviewer->roles[ROLE_OFFICER])
        return MAY_NOT_REVIEWER;
    return is_own(snapshot, reviewer, hold) ? MAY_NOT_OWN : MAY;
}

enum may reviewer_may_read_label(const struct snapshot *snapshot, const struct reviewer *reviewer,
                                 const struct label_set *label)
{
    if (is_nobody(reviewer))
        return MAY_NOT_UNKNOWN;
    if (never_reads(reviewer) || !reviewer->roles[ROLE_OFFICER])
        return MAY_NOT_REVIEWER;
    return is_cleared(snapshot, reviewer, label);
}
