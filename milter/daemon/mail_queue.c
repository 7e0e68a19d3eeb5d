#include "milter/daemon/mail_queue.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTQUEUE "/usr/sbin/postqueue"
#define POSTCONF "/usr/sbin/postconf"
#define SEARCH_PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_LOG "/var/log/mail.log"

gboolean mail_queue_lists(FILE *listing, const char *queue_id)
{
    /* Inside of a JSON string the quotes would be escaped. */
    g_autofree char *wanted = g_strdup_printf("\"queue_id\": \"%s\"", queue_id);
    gboolean found = FALSE;
    char *line = NULL;
    size_t room = 0;

    while (!found && getline(&line, &room, listing) >= 0)
        found = strstr(line, wanted) != NULL;
    free(line);
    return found;
}

/* "… postfix/qmgr[123]: 4Xk2: from=<…>, size=…", "…: 4Xk2: removed". What others write in a line cannot look
 * so: the program's name stands before what comes from outside. */
static gboolean is_of_qmgr(const char *line, const char *wanted)
{
    const char *program = strstr(line, "/qmgr[");
    const char *rest = program != NULL ? strstr(program, "]: ") : NULL;

    if (rest == NULL || strcspn(line, "]") != (gsize)(rest - line) || !g_str_has_prefix(rest + 3, wanted))
        return FALSE;
    rest += 3 + strlen(wanted);
    return g_str_has_prefix(rest, "from=<") || g_str_has_prefix(rest, "removed");
}

gboolean mail_queue_logged(FILE *log, const char *queue_id)
{
    g_autofree char *wanted = g_strconcat(queue_id, ": ", NULL);
    gboolean found = FALSE;
    char *line = NULL;
    size_t room = 0;

    while (!found && getline(&line, &room, log) >= 0)
        found = is_of_qmgr(line, wanted);
    free(line);
    return found;
}

static G_GNUC_NORETURN void become_program(const char *const *arguments, int out)
{
    const char *config = g_getenv("MAIL_CONFIG");
    g_autofree char *told = config != NULL ? g_strconcat("MAIL_CONFIG=", config, NULL) : NULL;
    char *const environment[] = {(char *)SEARCH_PATH, told, NULL};
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    if (dup2(out, STDOUT_FILENO) >= 0)
        execve(arguments[0], (char *const *)arguments, environment);
    _exit(127);
}

/* A program's output; NULL if it cannot be run. */
static FILE *program_open(const char *const *arguments, pid_t *pid)
{
    int ends[2];
    FILE *out;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    *pid = fork();
    if (*pid == 0)
        become_program(arguments, ends[1]);
    close(ends[1]);
    out = *pid > 0 ? fdopen(ends[0], "r") : NULL;
    if (out == NULL)
        close(ends[0]);
    return out;
}

/* TRUE if it ended well; what it still has to say is of no interest. */
static gboolean program_close(FILE *out, pid_t pid)
{
    char rest[4096];
    int status = -1;

    while (fread(rest, 1, sizeof rest, out) > 0)
        ;
    fclose(out);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum postfix_answer look_into_queue(const char *queue_id)
{
    static const char *const arguments[] = {POSTQUEUE, "-j", NULL};
    pid_t pid;
    FILE *listing = program_open(arguments, &pid);
    gboolean found, listed;

    if (listing == NULL)
        return POSTFIX_SILENT;
    found = mail_queue_lists(listing, queue_id);
    listed = program_close(listing, pid);
    if (found)
        return POSTFIX_KNOWS;
    return listed ? POSTFIX_KNOWS_NOT : POSTFIX_SILENT;
}

static char *log_name(void)
{
    static const char *const arguments[] = {POSTCONF, "-h", "maillog_file", NULL};
    pid_t pid;
    FILE *out = program_open(arguments, &pid);
    char name[4096] = "";

    if (out != NULL) {
        if (fgets(name, sizeof name, out) == NULL)
            name[0] = '\0';
        program_close(out, pid);
    }
    g_strchomp(name);
    return g_strdup(name[0] == '/' ? name : DEFAULT_LOG);
}

static enum postfix_answer look_into_log(const char *name, const char *queue_id)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    FILE *log = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
    gboolean found;

    if (log == NULL) {
        if (fd >= 0)
            close(fd);
        return POSTFIX_SILENT;
    }
    found = mail_queue_logged(log, queue_id);
    fclose(log);
    return found ? POSTFIX_KNOWS : POSTFIX_KNOWS_NOT;
}

enum postfix_answer mail_queue_look(const char *queue_id)
{
    enum postfix_answer queued = look_into_queue(queue_id), logged;
    g_autofree char *name = queued == POSTFIX_KNOWS ? NULL : log_name();
    g_autofree char *older = name != NULL ? g_strconcat(name, ".1", NULL) : NULL;

    if (queued == POSTFIX_KNOWS)
        return POSTFIX_KNOWS;
    logged = look_into_log(name, queue_id);
    if (logged == POSTFIX_KNOWS || look_into_log(older, queue_id) == POSTFIX_KNOWS)
        return POSTFIX_KNOWS;
    return queued == POSTFIX_KNOWS_NOT && logged == POSTFIX_KNOWS_NOT ? POSTFIX_KNOWS_NOT : POSTFIX_SILENT;
}
