#include "milter/conf/dump.h"

#include "milter/conf/print.h"
#include "milter/conf/value.h"

static void print_listener(GString *out, const struct listener *listener)
{
    static const char *const roles[] = {
        [ROLE_SMTP] = "", [ROLE_LOCAL] = " role local", [ROLE_RELEASE] = " role release"};

    print_text(out, listener->address);
    g_string_append(out, roles[listener->role]);
    if (g_str_has_prefix(listener->address, "unix:")) {
        if (listener->group != NULL) {
            g_string_append(out, " group ");
            print_text(out, listener->group);
        }
        g_string_append_printf(out, " mode %04o", listener->mode);
    }
    g_string_append_c(out, '\n');
}

static void print_kept_level(GString *out, const char *keyword, const struct scheme *scheme,
                             const struct level *level)
{
    g_string_append_printf(out, "%s ", keyword);
    print_level(out, scheme, level);
    g_string_append_c(out, '\n');
}

static void print_end(GString *out, const char *keyword, const struct outcome *outcome, const char *unset)
{
    g_string_append_printf(out, "%s ", keyword);
    print_outcome(out, outcome, unset);
    g_string_append_c(out, '\n');
}

void print_nothing(GString *out, const struct snapshot *snapshot)
{
}

void print_listen(GString *out, const struct snapshot *snapshot)
{
    for (guint i = 0; i < snapshot->conf->listeners->len; i++) {
        g_string_append(out, "listen ");
        print_listener(out, g_ptr_array_index(snapshot->conf->listeners, i));
    }
}

void print_control(GString *out, const struct snapshot *snapshot)
{
    g_string_append(out, "control ");
    print_listener(out, &snapshot->conf->control);
}

void print_metrics(GString *out, const struct snapshot *snapshot)
{
    g_string_append(out, "metrics off\n");
}

void print_state(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "state", snapshot->conf->state_directory);
}

void print_run_as(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "run as", snapshot->conf->run_as);
}

void print_time_zone(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "time zone", snapshot->conf->time_zone_name);
}

void print_log(GString *out, const struct snapshot *snapshot)
{
    g_autofree char *syslog = g_strdup_printf("syslog:%s", snapshot->conf->log_facility);

    switch (snapshot->conf->log) {
    case LOG_TO_SYSLOG:
        print_named(out, "log", syslog);
        break;
    case LOG_TO_JOURNAL:
        print_named(out, "log", "journal");
        break;
    case LOG_TO_STDERR:
        print_named(out, "log", "stderr");
        break;
    }
}

void print_scheme(GString *out, const struct snapshot *snapshot)
{
    print_texts(out, "scheme", snapshot->conf->scheme_files);
}

static void print_size(GString *out, const char *keyword, guint64 bytes)
{
    g_autofree char *text = size_format(bytes);

    g_string_append_printf(out, "    %s %s\n", keyword, text);
}

void print_limits(GString *out, const struct snapshot *snapshot)
{
    const struct conf *conf = snapshot->conf;

    g_string_append(out, "limits {\n");
    print_size(out, "message size", conf->message_size_bytes);
    print_size(out, "text size", conf->inspect.text_size_bytes);
    g_string_append_printf(out, "    parts %u\n    depth %u\n    recipients %u\n", conf->inspect.parts,
                           conf->inspect.depth, conf->recipients);
    print_time(out, "    time", conf->time_ms);
    g_string_append(out, "}\n");
}

void print_sandbox(GString *out, const struct snapshot *snapshot)
{
    const struct inspect_limits *limits = &snapshot->conf->inspect;

    g_string_append_printf(out, "sandbox {\n    helpers %u\n", limits->helpers);
    print_size(out, "memory", limits->memory_bytes);
    print_time(out, "    time", limits->cpu_ms);
    g_string_append(out, "}\n");
}

void print_sender_is(GString *out, const struct snapshot *snapshot)
{
    const struct policy *policy = snapshot->policy;
    const char *text = "login, client certificate";

    if (!policy->login_counts)
        text = "client certificate";
    else if (!policy->certificate_counts)
        text = "login";
    else if (policy->certificate_first)
        text = "client certificate, login";
    g_string_append_printf(out, "sender is %s\n", text);
}

void print_device(GString *out, const struct snapshot *snapshot)
{
    for (guint i = 0; i < snapshot->policy->devices->len; i++) {
        const struct device *device = g_ptr_array_index(snapshot->policy->devices, i);
        g_autofree char *network = network_format(&device->network);
        g_string_append(out, "device ");
        if (device->address != NULL)
            print_text(out, device->address);
        else
            g_string_append(out, "any");
        g_string_append_printf(out, " at %s up to ", network);
        const struct scheme *home = schemes_home(snapshot->schemes);
        print_level(out, device->level != NULL ? device->scheme : home,
                    device->level != NULL ? device->level : scheme_lowest(home));
        g_string_append_c(out, '\n');
    }
}

void print_recipient_delimiter(GString *out, const struct snapshot *snapshot)
{
    print_named(out, "recipient delimiter", snapshot->policy->recipient_delimiter);
}

void print_forged_envelope(GString *out, const struct snapshot *snapshot)
{
    print_end(out, "forged envelope", &snapshot->policy->forged_envelope, "refuse");
}

void print_forged_from(GString *out, const struct snapshot *snapshot)
{
    print_end(out, "forged from", &snapshot->policy->forged_from, "record");
}

void print_unlabelled(GString *out, const struct snapshot *snapshot)
{
    const struct scheme *home = schemes_home(snapshot->schemes);
    struct outcome lowest = {.kind = OUTCOME_TREAT_AS, .scheme = home, .level = scheme_lowest(home)};
    const struct outcome *outside = &snapshot->policy->unlabelled_outside;

    g_string_append(out, "unlabelled {\n");
    print_end(out, "    from inside", &snapshot->policy->unlabelled_inside, "refuse");
    print_end(out, "    from outside", outside->kind == OUTCOME_UNSET ? &lowest : outside, "");
    g_string_append(out, "}\n");
}

void print_label_conflict(GString *out, const struct snapshot *snapshot)
{
    g_autofree char *hold = hold_unwritten(snapshot->policy);

    print_end(out, "label conflict", &snapshot->policy->label_conflict, hold);
}

void print_sender_not_cleared(GString *out, const struct snapshot *snapshot)
{
    print_end(out, "sender not cleared", &snapshot->policy->sender_not_cleared, "refuse");
}

void print_recipient_not_cleared(GString *out, const struct snapshot *snapshot)
{
    print_end(out, "recipient not cleared", &snapshot->policy->recipient_not_cleared, "refuse");
}

void print_some_recipients(GString *out, const struct snapshot *snapshot)
{
    g_string_append_printf(out, "some recipients not cleared %s\n",
                           snapshot->policy->refuse_all ? "refuse all" : "split");
}

void print_outside_mixed(GString *out, const struct snapshot *snapshot)
{
    g_string_append_printf(out, "outside mixed %s\n",
                           snapshot->policy->outside_hold_refused ? "hold refused" : "refuse all");
}

void print_unknown_person(GString *out, const struct snapshot *snapshot)
{
    const struct scheme *home = schemes_home(snapshot->schemes);
    const struct policy *policy = snapshot->policy;

    if (policy->unknown_person != NULL)
        print_kept_level(out, "unknown person up to", policy->unknown_person_scheme, policy->unknown_person);
    else
        print_kept_level(out, "unknown person up to", home, scheme_lowest(home));
}

void print_defer_at_most(GString *out, const struct snapshot *snapshot)
{
    print_time(out, "defer at most", snapshot->policy->defer_at_most_ms);
}

static void (*const printers[])(GString *, const struct snapshot *) = {
#define SETTING(id, change, times, fallback, read, print) [SETTING_##id] = print,
#include "milter/conf/settings.def"
};

char *conf_dump_setting(const struct snapshot *snapshot, enum setting setting)
{
    GString *out = g_string_new(NULL);

    printers[setting](out, snapshot);
    return g_string_free(out, FALSE);
}

char *conf_dump(const struct snapshot *snapshot)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < SETTING_COUNT; i++)
        printers[i](out, snapshot);
    return g_string_free(out, FALSE);
}
