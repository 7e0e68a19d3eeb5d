/* The dump of what is kept and who looks at it: the key, queues, archives, roles, notices. */
#include "milter/conf/print.h"
#include "milter/conf/value.h"

void print_release_through(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "release through", snapshot->conf->release_through);
}

void print_key_file(GString *out, const struct snapshot *snapshot)
{
    if (snapshot->conf->key_credential == NULL)
        print_named(out, "key file", snapshot->conf->key_file);
}

void print_key_credential(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "key credential", snapshot->conf->key_credential);
}

void print_store(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "store", "sqlite");
}

static void print_who(GString *out, const struct who *who)
{
    if (who->kind == WHO_MEMBERS)
        g_string_append(out, "members of ");
    print_text(out, who->value);
}

static void print_one_queue(GString *out, const struct queue *queue)
{
    const char *separator = "    reviewers ";
    g_autofree char *deadline = time_format(queue->deadline_ms / 1000);

    g_string_append(out, "queue ");
    print_text(out, queue->name);
    g_string_append(out, " {\n");
    for (guint i = 0; i < queue->reviewers->len; i++) {
        g_string_append(out, separator);
        print_who(out, g_ptr_array_index(queue->reviewers, i));
        separator = ", ";
    }
    g_string_append_printf(out, "\n    approvals 1\n    deadline %s then ", deadline);
    if (queue->then_queue != NULL)
        print_named(out, "hold in", queue->then_queue);
    else
        g_string_append(out, "refuse\n");
    g_string_append_printf(out, "    tell %s%s%s\n", queue->tell_sender ? "sender" : "",
                           queue->tell_sender && queue->tell_reviewers ? ", " : "",
                           queue->tell_reviewers ? "reviewers" : "");
    if (!queue->recipients_may_vote)
        g_string_append(out, "    recipients may vote no\n");
    g_string_append(out, "}\n");
}

void print_queue(GString *out, const struct snapshot *snapshot)
{
    for (guint i = 0; i < snapshot->conf->queues->len; i++)
        print_one_queue(out, g_ptr_array_index(snapshot->conf->queues, i));
}

static void print_takes(GString *out, const struct archive *archive)
{
    g_string_append(out, "    takes ");
    switch (archive->takes) {
    case TAKES_BY_RULES:
        g_string_append(out, "by rules\n");
        break;
    case TAKES_EVERYTHING:
        g_string_append(out, "everything\n");
        break;
    case TAKES_LEVEL:
        print_level(out, archive->scheme, archive->level);
        g_string_append(out, " and above\n");
        break;
    }
}

void print_archive(GString *out, const struct snapshot *snapshot)
{
    for (guint i = 0; i < snapshot->conf->archives->len; i++) {
        const struct archive *archive = g_ptr_array_index(snapshot->conf->archives, i);
        g_string_append(out, "archive ");
        print_text(out, archive->name);
        g_string_append(out, " {\n");
        print_time(out, archive->for_label ? "    keep for the label's duration, at least" : "    keep",
                   archive->keep_ms);
        print_takes(out, archive);
        g_string_append(out, "}\n");
    }
}

void print_role(GString *out, const struct snapshot *snapshot)
{
    for (guint role = 0; role < ROLE_COUNT; role++) {
        const GPtrArray *people = snapshot->conf->roles[role];
        for (guint i = 0; i < people->len; i++) {
            g_string_append_printf(out, "role %s ", role_name(role));
            print_who(out, g_ptr_array_index(people, i));
            g_string_append_c(out, '\n');
        }
    }
}

void print_release_within(GString *out, const struct snapshot *snapshot)
{
    print_time(out, "release within", snapshot->conf->release_within_ms);
}

void print_release_doubt(GString *out, const struct snapshot *snapshot)
{
    g_string_append_printf(out, "release doubt %s\n",
                           snapshot->conf->release_doubt_resend ? "resend" : "ask");
}

void print_keep_closed(GString *out, const struct snapshot *snapshot)
{
    print_time(out, "keep closed holds", snapshot->conf->keep_closed_ms);
}

void print_remember_attempts(GString *out, const struct snapshot *snapshot)
{
    print_time(out, "remember attempts", snapshot->conf->remember_attempts_ms);
}

void print_notices(GString *out, const struct snapshot *snapshot)
{
    const struct notices *notices = &snapshot->conf->notices;
    const char *separator = "    language ";

    g_string_append(out, "notices {\n");
    print_named(out, "    from", notices->from);
    for (guint i = 0; i < notices->language_count; i++) {
        g_string_append_printf(out, "%s%s", separator, notices->languages[i] == LANGUAGE_ZH ? "zh" : "en");
        separator = ", ";
    }
    g_string_append_c(out, '\n');
    print_named(out, "    contact", notices->contact);
    if (!notices->tell_recipients)
        g_string_append(out, "    tell recipients no\n");
    g_string_append(out, "    approve by mail up to off\n}\n");
}
