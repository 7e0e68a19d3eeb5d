#include "milter/inspect/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL 3 /* the control channel in the new program */
#define USER "nobody"

/* Arguments in their order: numbers, then the user. NUMBER(member). */
#define NUMBERS             \
    NUMBER(text_size_bytes) \
    NUMBER(unpacked_bytes)  \
    NUMBER(memory_bytes)    \
    NUMBER(parts)           \
    NUMBER(depth)           \
    NUMBER(helpers)         \
    NUMBER(time_ms)         \
    NUMBER(cpu_ms)

#define NUMBER(member) +1
enum { NUMBER_COUNT = 0 NUMBERS, ARGUMENT_COUNT = 1 + 1 + NUMBER_COUNT + 1 };
#undef NUMBER

/* name=value */
static gboolean read_number(const char *argument, const char *name, guint64 *value)
{
    gsize length = strlen(name);

    return strncmp(argument, name, length) == 0 && argument[length] == '=' &&
           g_ascii_string_to_unsigned(argument + length + 1, 10, 0, G_MAXINT64, value, NULL);
}

gboolean launch_read_arguments(int argc, char **argv, int *control_fd, struct inspect_limits *limits,
                               const char **user)
{
    guint64 value;
    int next = 1;

    if (argc != ARGUMENT_COUNT || !read_number(argv[next++], "control", &value) || value > G_MAXINT)
        return FALSE;
    *control_fd = (int)value;
#define NUMBER(member)                               \
    if (!read_number(argv[next++], #member, &value)) \
        return FALSE;                                \
    limits->member = value;
    NUMBERS
#undef NUMBER
    *user = argv[next];
    return limits->helpers > 0 && limits->helpers <= 1024;
}

static char **write_arguments(const char *program, const struct inspect_limits *limits)
{
    char **argv = g_new0(char *, ARGUMENT_COUNT + 1);
    int next = 0;

    argv[next++] = g_strdup(program);
    argv[next++] = g_strdup_printf("control=%d", CONTROL);
#define NUMBER(member) argv[next++] = g_strdup_printf(#member "=%" G_GUINT64_FORMAT, (guint64)limits->member);
    NUMBERS
#undef NUMBER
    argv[next++] = g_strdup(USER);
    return argv;
}

/* A service's environment may hold secrets: within reach of a parser that was taken over is none of it but
 * how the program runs. */
static char **keep_environment(void)
{
    static const char *const kept[] = {
        "LANG",         "LC_ALL",       "LD_LIBRARY_PATH", "LD_PRELOAD",  "G_SLICE",           "ASAN_OPTIONS",
        "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",   "GCOV_PREFIX", "GCOV_PREFIX_STRIP",
    };
    char **environment = g_new0(char *, G_N_ELEMENTS(kept) + 1);
    int next = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        const char *value = g_getenv(kept[i]);
        if (value != NULL)
            environment[next++] = g_strdup_printf("%s=%s", kept[i], value);
    }
    return environment;
}

/* stdin and stdout lead nowhere, the channel is where the program expects it, *report behind it, and nothing
 * else is open. */
static gboolean set_descriptors(int control, int *report)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int far_control = fcntl(control, F_DUPFD_CLOEXEC, CONTROL + 2),
        far_report = fcntl(*report, F_DUPFD_CLOEXEC, CONTROL + 2);

    if (null < 0 || far_control < 0 || far_report < 0)
        return FALSE;
    *report = far_report;
    if (dup2(null, 0) != 0 || dup2(null, 1) != 1 || dup2(far_control, CONTROL) != CONTROL)
        return FALSE;
    if (dup3(far_report, CONTROL + 1, O_CLOEXEC) != CONTROL + 1)
        return FALSE;
    *report = CONTROL + 1;
    return syscall(SYS_close_range, CONTROL + 2, ~0u, 0) == 0;
}

/* The child's side: the program with nothing but its channel. Tells errno through `report` if it cannot be.
 */
static G_GNUC_NORETURN void become_parent(const char *program, char **argv, int control, int report)
{
    char **environment = keep_environment();
    int error;

    if (set_descriptors(control, &report))
        execve(program, argv, environment);
    error = errno;
    g_strfreev(environment);
    _exit(write(report, &error, sizeof error) > 0 ? 1 : 2);
}

/* 0 when the program runs, else the errno that its start ended with. */
static int read_report(int report)
{
    int error = 0;
    ssize_t got;

    do {
        got = read(report, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    return got == sizeof error ? error : 0;
}

int inspector_start_parent(const char *program, const struct inspect_limits *limits, GPid *pid,
                           GError **error)
{
    g_auto(GStrv) argv = write_arguments(program, limits);
    int ends[2] = {-1, -1}, report[2] = {-1, -1}, failure = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 || pipe2(report, O_CLOEXEC) != 0 ||
        (*pid = fork()) < 0)
        failure = errno;
    else if (*pid == 0)
        become_parent(program, argv, ends[1], report[1]);
    if (ends[1] >= 0)
        close(ends[1]);
    if (report[1] >= 0)
        close(report[1]);
    if (failure == 0 && (failure = read_report(report[0])) != 0)
        waitpid(*pid, NULL, 0);
    if (report[0] >= 0)
        close(report[0]);
    if (failure == 0)
        return ends[0];
    if (ends[0] >= 0)
        close(ends[0]);
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(failure), "%s: %s", program,
                g_strerror(failure));
    return -1;
}
