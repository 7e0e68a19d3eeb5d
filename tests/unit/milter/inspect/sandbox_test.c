/* The sandbox, from inside: each attempt is made by a child that went in. */
#include "milter/inspect/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT 3 /* a pipe's end, through which the child tells */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* What a child says of its attempt: 0 it worked, else errno. Only calls that are no wrapped ones of a
 * sanitizer. */
typedef int attempt(void);

static int outcome(long result)
{
    return result >= 0 ? 0 : errno;
}

static int do_open(void)
{
    return outcome(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static int do_create(void)
{
    return outcome(syscall(SYS_openat, AT_FDCWD, "/tmp/inspect-sandbox-test", O_WRONLY | O_CREAT, 0600));
}

static int do_stat(void)
{
    char room[1024];
    return outcome(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", room, 0));
}

static int do_unlink(void)
{
    return outcome(syscall(SYS_unlinkat, AT_FDCWD, "/tmp/inspect-sandbox-nothing", 0));
}

static int do_fork(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return outcome(pid);
}

static int do_socket(void)
{
    return outcome(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}

static int do_exec(void)
{
    return outcome(syscall(SYS_execve, "/bin/true", NULL, NULL));
}

static int do_ptrace(void)
{
    return outcome(syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0));
}

static int do_kill(void)
{
    return outcome(syscall(SYS_kill, 1, 0));
}

static int do_executable_memory(void)
{
    return outcome(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int do_make_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : outcome(syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC));
}

static int do_limits_of_others(void)
{
    return outcome(syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, NULL));
}

static int do_raise_limit(void)
{
    struct rlimit limit = {3600, 3600};
    return outcome(syscall(SYS_prlimit64, 0, RLIMIT_CPU, &limit, NULL));
}

static int do_duplicate(void)
{
    return outcome(syscall(SYS_fcntl, KEPT, F_DUPFD, 0));
}

static int do_much_memory(void)
{
    return outcome(
        (long)syscall(SYS_mmap, NULL, 2ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int do_old_numbers(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory"); /* getpid of i386 */
    return result > 0 ? 0 : (int)-result;
}

/* What a worker needs. */
static int do_memfd(void)
{
    long fd = syscall(SYS_memfd_create, "x", MFD_ALLOW_SEALING);
    if (fd < 0 || syscall(SYS_write, fd, "abc", 3) != 3)
        return errno;
    return outcome(syscall(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE));
}

static int do_memory(void)
{
    g_autofree char *room = g_malloc(20 << 20);
    memset(room, 1, 20 << 20);
    return room[100] == 1 ? 0 : -1;
}

static int do_large_memfd(void)
{
    long fd = syscall(SYS_memfd_create, "x", MFD_ALLOW_SEALING);
    static const char room[4096];
    long written = 1;
    for (int i = 0; i < 1000 && written > 0; i++)
        written = syscall(SYS_write, fd, room, sizeof room);
    return outcome(written);
}

static int am_nobody(void)
{
    return getuid() != 0 && geteuid() != 0 && getgid() != 0 ? 0 : EACCES;
}

static struct sandbox settings(void)
{
    struct sandbox sandbox = {
        .memory_bytes = 512 << 20, .file_bytes = 1 << 20, .cpu_seconds = 30, .parent = getpid()};

    g_assert_true(sandbox_find_user("nobody", &sandbox));
    return sandbox;
}

/* Runs one attempt inside; the wait status. *said: what the child told, -1 nothing. */
static int run_inside(attempt *what, int *said)
{
    struct sandbox sandbox = settings();
    int ends[2], status;
    pid_t child;

    g_assert_cmpint(pipe(ends), ==, 0);
    child = fork();
    if (child == 0) {
        int end = fcntl(ends[1], F_DUPFD, 20);
        if (dup2(end, KEPT) != KEPT || !sandbox_enter(KEPT, &sandbox, NULL))
            _exit(99);
        int told = what();
        _exit(write(KEPT, &told, sizeof told) == sizeof told ? 0 : 98);
    }
    close(ends[1]);
    *said = -1;
    if (read(ends[0], said, sizeof *said) < 0)
        *said = -2;
    close(ends[0]);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return status;
}

static void test_refused(void)
{
    static const struct {
        attempt *what;
        const char *name;
    } table[] = {
        {do_open, "open"},
        {do_create, "create"},
        {do_stat, "stat"},
        {do_unlink, "unlink"},
        {do_fork, "fork"},
        {do_executable_memory, "mmap exec"},
        {do_make_executable, "mprotect exec"},
        {do_limits_of_others, "prlimit"},
        {do_raise_limit, "raise limit"},
        {do_duplicate, "dup"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        int said, status = run_inside(table[i].what, &said);
        g_test_message("%s", table[i].name);
        g_assert_cmpint(status, ==, 0);
        g_assert_cmpint(said, ==, EPERM);
    }
}

static void test_deadly(void)
{
    static const struct {
        attempt *what;
        const char *name;
    } table[] = {{do_socket, "socket"},
                 {do_exec, "exec"},
                 {do_ptrace, "ptrace"},
                 {do_kill, "kill"},
#ifdef __x86_64__
                 {do_old_numbers, "int 0x80"}
#endif
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        int said, status = run_inside(table[i].what, &said);
        g_test_message("%s", table[i].name);
        g_assert_true(WIFSIGNALED(status));
        g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
        g_assert_cmpint(said, ==, -1);
    }
}

static void test_granted(void)
{
    static attempt *const table[] = {do_memfd, do_memory, am_nobody};

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        int said, status = run_inside(table[i], &said);
        g_assert_cmpint(status, ==, 0);
        g_assert_cmpint(said, ==, 0);
    }
}

static void test_limits(void)
{
    int said, status = run_inside(do_large_memfd, &said);

    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    if (!IS_SANITIZED) { /* its own memory is beyond any limit */
        status = run_inside(do_much_memory, &said);
        g_assert_cmpint(status, ==, 0);
        g_assert_cmpint(said, ==, ENOMEM);
    }
}

/* A child whose parent is not the one that made it has nobody to die with. */
static void test_wrong_parent(void)
{
    struct sandbox sandbox = settings();
    int status;
    pid_t child;

    sandbox.parent = 1;
    child = fork();
    if (child == 0)
        _exit(sandbox_enter(KEPT, &sandbox, NULL) ? 0 : 7);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void test_users(void)
{
    struct sandbox sandbox = {0};

    g_assert_true(sandbox_find_user("nobody", &sandbox));
    g_assert_cmpint(sandbox.uid, !=, 0);
    g_assert_false(sandbox_find_user("root", &sandbox));
    g_assert_false(sandbox_find_user("nobody-of-that-name", &sandbox));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/sandbox/refused", test_refused);
    g_test_add_func("/inspect/sandbox/deadly", test_deadly);
    g_test_add_func("/inspect/sandbox/granted", test_granted);
    g_test_add_func("/inspect/sandbox/limits", test_limits);
    g_test_add_func("/inspect/sandbox/wrong-parent", test_wrong_parent);
    g_test_add_func("/inspect/sandbox/users", test_users);
    return g_test_run();
}
