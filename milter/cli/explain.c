#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "milter/cli/command.h"
#include "milter/decide/decision.h"
#include "milter/inspect/program.h"

/* What a message is asked about: the envelope and the connection that it shall be thought to have come by. */
struct question {
    const char *file;
    const char *from;
    GPtrArray *to; /* const char * */
    struct session session;
    const char *bad_option; /* value that cannot be read; NULL */
};

enum {
    OPTION_FROM = 1000,
    OPTION_TO,
    OPTION_CLIENT,
    OPTION_LOGIN,
    OPTION_TLS,
    OPTION_CERTIFICATE,
    OPTION_HELO,
    OPTION_LOCAL
};

static gboolean take_tls(struct question *question, const char *value)
{
    g_autofree char *named = g_strdup_printf("TLSv%s", g_str_has_prefix(value, "TLSv") ? value + 4 : value);
    question->session.tls = session_tls_version(named);
    return question->session.tls >= 10;
}

static gboolean take_option(struct question *question, int option, char *value)
{
    switch (option) {
    case OPTION_FROM:
        question->from = strcmp(value, "<>") == 0 ? "" : value;
        return TRUE;
    case OPTION_TO:
        g_ptr_array_add(question->to, value);
        return TRUE;
    case OPTION_CLIENT:
        question->session.client = ip_parse(value);
        return question->session.client.known;
    case OPTION_LOGIN:
        question->session.login = value;
        return TRUE;
    case OPTION_TLS:
        return take_tls(question, value);
    case OPTION_CERTIFICATE:
        question->session.cert_subject = value;
        return TRUE;
    case OPTION_HELO:
        question->session.helo = value;
        return TRUE;
    case OPTION_LOCAL:
        question->session.role = ROLE_LOCAL;
        return TRUE;
    }
    return FALSE;
}

/* FALSE: the command is misused, or question->bad_option names the value. Addresses after --to's own value
 * belong to it: `--to a@x b@y`. */
static gboolean take_question(const struct invocation *invocation, struct question *question)
{
    static const struct option options[] = {{"from", required_argument, NULL, OPTION_FROM},
                                            {"to", required_argument, NULL, OPTION_TO},
                                            {"client", required_argument, NULL, OPTION_CLIENT},
                                            {"login", required_argument, NULL, OPTION_LOGIN},
                                            {"tls", required_argument, NULL, OPTION_TLS},
                                            {"certificate", required_argument, NULL, OPTION_CERTIFICATE},
                                            {"helo", required_argument, NULL, OPTION_HELO},
                                            {"local", no_argument, NULL, OPTION_LOCAL},
                                            {NULL, 0, NULL, 0}};
    int option, last = 0;
    optind = 1;
    while ((option = getopt_long(invocation->argc, invocation->argv, "-:", options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return FALSE;
        if (option == 1 && last == OPTION_TO && question->file)
            g_ptr_array_add(question->to, optarg);
        else if (option == 1 && question->file)
            return FALSE;
        else if (option == 1)
            question->file = optarg;
        else if (!take_option(question, option, optarg)) {
            question->bad_option = optarg;
            return FALSE;
        }
        last = option == 1 ? last : option;
    }
    return question->file && question->from && question->to->len > 0;
}

/* A file as Postfix would present it: every line end CRLF. */
static GByteArray *as_presented(const char *text, gsize length)
{
    GByteArray *out = g_byte_array_sized_new((guint)length + 1024);
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            g_byte_array_append(out, (const guint8 *)"\r", 1);
        g_byte_array_append(out, (const guint8 *)text + i, 1);
    }
    return out;
}

static GByteArray *read_message(const char *path, gsize most, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    if (strcmp(path, "-") != 0) {
        if (!g_file_get_contents(path, &text, &length, error))
            return NULL;
        return as_presented(text, length);
    }
    g_autoptr(GByteArray) octets = g_byte_array_new();
    char chunk[16384];
    gsize n;
    while (octets->len <= most && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        g_byte_array_append(octets, (const guint8 *)chunk, (guint)n);
    return as_presented((const char *)octets->data, octets->len);
}

static struct envelope *envelope_of(const struct question *question)
{
    struct envelope *envelope = envelope_new();
    /* As Postfix says it by SMTP; on the local socket there are no brackets (facts 3.20). */
    gboolean local = question->session.role == ROLE_LOCAL;
    g_autofree char *sender = g_strdup_printf(local ? "%s" : "<%s>", question->from);
    envelope_set_sender(envelope, sender, NULL);
    for (guint i = 0; i < question->to->len; i++) {
        g_autofree char *given =
            g_strdup_printf(local ? "%s" : "<%s>", (char *)g_ptr_array_index(question->to, i));
        envelope_add(envelope, given);
    }
    return envelope;
}

/* The same readers as the daemon's, in the same sandbox, for one message. */
static struct facts *inspect(const struct inspect_limits *limits, const GByteArray *message,
                             gint64 deadline_us, GError **error)
{
    struct inspect_limits one = *limits;
    GPid pid = 0;
    enum inspect_failure failure = INSPECT_OK;
    g_autofree char *program = inspect_program();
    one.helpers = 1;
    int fd = inspector_start_parent(program, &one, &pid, error);
    if (fd < 0)
        return NULL;
    struct inspector *inspector = inspector_new(fd, &one);
    struct facts *facts =
        inspector_inspect(inspector, message->data, message->len, -1, deadline_us, NULL, NULL, &failure);
    inspector_free(inspector);
    waitpid(pid, NULL, 0);
    if (facts)
        facts->size_bytes = message->len;
    return facts;
}

static void show(const struct invocation *invocation, const struct inputs *inputs)
{
    g_autoptr(decision) decision = decide(inputs, "explain");
    g_autofree char *text = invocation->json ? decision_json(decision, inputs, invocation->language)
                                             : decision_explain(decision, inputs, invocation->language);
    printf("%s", text);
    if (!g_str_has_suffix(text, "\n"))
        printf("\n");
}

/* Why there are no answers: the page above only says that there are none. */
static void say_outage(const struct invocation *invocation, struct directory *directory,
                       const struct directory_query *people)
{
    struct directory_status status;
    if (!directory_query_outage(people))
        return;
    directory_get_status(directory, &status);
    command_fail(invocation, message_make(MSG_CLI_NO_DIRECTORY, status.where ? status.where : "-", NULL));
    directory_status_clear(&status);
}

static int explain(const struct invocation *invocation, struct question *question, struct snapshot *snapshot)
{
    g_autoptr(GError) error = NULL;
    const struct conf *conf = snapshot->conf;
    g_autoptr(GByteArray) message = read_message(question->file, conf->message_size_bytes, &error);
    if (!message)
        return command_fail(invocation, message_make(MSG_CLI_CANNOT_READ, error->message, NULL));
    gint64 deadline_us = g_get_monotonic_time() + conf->time_ms * 1000;
    g_autoptr(envelope) envelope = envelope_of(question);
    struct inputs inputs = {.snapshot = snapshot,
                            .session = &question->session,
                            .envelope = envelope,
                            .facts_state = FACTS_NONE_PERSISTENT,
                            .too_large = message->len > conf->message_size_bytes,
                            .now = g_get_real_time() / G_USEC_PER_SEC,
                            .explain = TRUE};
    /* The inspector first: it is started by fork, and the directory has a thread. */
    g_autoptr(facts) facts = inputs.too_large ? NULL : inspect(&conf->inspect, message, deadline_us, &error);
    if (error)
        return command_fail(invocation, message_make(MSG_CLI_NO_INSPECTOR, error->message, NULL));
    inputs.facts = facts;
    inputs.facts_state = facts ? FACTS_HERE : inputs.too_large ? FACTS_NONE_PERSISTENT : FACTS_NONE_TRANSIENT;
    snapshot->directory =
        directory_open(directory_settings_copy(snapshot->conf->directory), snapshot->schemes, &error);
    if (!snapshot->directory)
        return command_fail(invocation, message_make(MSG_CLI_NO_DIRECTORY, error->message, NULL));
    g_autoptr(directory_query) people = directory_query_new(snapshot->directory);
    inputs_ask_sender(people, snapshot, &question->session, envelope);
    for (guint i = 0; i < envelope->recipients->len; i++)
        inputs_ask_recipient(people, snapshot, g_ptr_array_index(envelope->recipients, i));
    if (facts)
        inputs_ask_authors(people, snapshot, &question->session, facts);
    directory_query_send(people);
    directory_query_wait(people, deadline_us);
    inputs.people = people;
    show(invocation, &inputs);
    say_outage(invocation, snapshot->directory, people);
    return 0;
}

/* `miji explain FILE.eml --from A --to B… …`: what the daemon would do with it now, and why; needs no daemon.
 */
int command_explain(const struct invocation *invocation)
{
    struct question question = {.to = g_ptr_array_new()};
    int status;
    /* A client that is not told is the host itself. */
    question.session.client = ip_parse("127.0.0.1");
    question.session.client_name = (char *)"localhost";
    signal(SIGPIPE, SIG_IGN);
    if (!take_question(invocation, &question)) {
        status = question.bad_option
                     ? command_fail(invocation, message_make(MSG_CLI_BAD_VALUE, question.bad_option, NULL))
                     : command_misused(invocation, command_find("explain"));
    } else {
        struct snapshot *snapshot =
            command_snapshot(invocation, SNAPSHOT_NO_DIRECTORY | SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST);
        status = snapshot ? explain(invocation, &question, snapshot) : EXIT_FINDINGS;
        snapshot_unref(snapshot);
    }
    g_ptr_array_unref(question.to);
    return status;
}
