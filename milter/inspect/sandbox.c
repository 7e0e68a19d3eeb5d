#include "milter/inspect/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1 /* needs terabytes of address space, and stderr for its report */
void __sanitizer_set_report_fd(void *fd);
#else
#define IS_SANITIZED 0
#define __sanitizer_set_report_fd(fd) ((void)0)
#endif

static gboolean fail(GError **error, const char *what)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "sandbox: %s: %s", what,
                g_strerror(errno));
    return FALSE;
}

gboolean sandbox_find_user(const char *name, struct sandbox *sandbox)
{
    const struct passwd *user = getpwnam(name);

    if (user == NULL || user->pw_uid == 0 || user->pw_gid == 0)
        return FALSE;
    sandbox->uid = user->pw_uid;
    sandbox->gid = user->pw_gid;
    return TRUE;
}

/* /dev/null, as descriptor kept + 1, and nothing above it. */
static gboolean close_descriptors(int kept)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || (null != kept + 1 && dup2(null, kept + 1) != kept + 1))
        return FALSE;
    return dup2(kept + 1, 0) == 0 && dup2(kept + 1, 1) == 1 &&
           syscall(SYS_close_range, kept + 2, ~0u, 0) == 0;
}

void sandbox_leave_network(void)
{
    if (geteuid() == 0 ? unshare(CLONE_NEWNET) == 0 : unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return;
}

static gboolean set_limit(int resource, guint64 value)
{
    struct rlimit limit = {value, value}, now;

    if (getrlimit(resource, &now) == 0 && now.rlim_max < value)
        limit.rlim_cur = limit.rlim_max = now.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

static gboolean set_limits(const struct sandbox *sandbox)
{
    return (IS_SANITIZED || set_limit(RLIMIT_AS, sandbox->memory_bytes)) &&
           set_limit(RLIMIT_CPU, sandbox->cpu_seconds) && set_limit(RLIMIT_FSIZE, sandbox->file_bytes) &&
           set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_NOFILE, 16) && set_limit(RLIMIT_NPROC, 0) &&
           set_limit(RLIMIT_MSGQUEUE, 0) && set_limit(RLIMIT_MEMLOCK, 0);
}

static gboolean change_user(const struct sandbox *sandbox)
{
    if (geteuid() != 0)
        return TRUE;
    return setgroups(0, NULL) == 0 && setresgid(sandbox->gid, sandbox->gid, sandbox->gid) == 0 &&
           setresuid(sandbox->uid, sandbox->uid, sandbox->uid) == 0 && setresuid(-1, 0, -1) != 0;
}

/* Those of a user namespace of the parent's. */
static gboolean drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &header, none) == 0;
}

/* ---------------------------------------------------------------- Landlock */

/* The structure as newer kernels have it; older ones are given its beginning. The headers of Debian 12 know
 * the first member only. */
struct ruleset {
    guint64 files, network, scopes;
};

/* All rights of each version of the interface (1 to 6), as bits from 0 on. */
static const struct {
    guint files, network, scopes;
    gsize size;
} versions[] = {{13, 0, 0, 8}, {14, 0, 0, 8}, {15, 0, 0, 8}, {15, 2, 0, 16}, {16, 2, 0, 16}, {16, 2, 2, 24}};

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

/* Handles every right that the running kernel knows and allows none. TRUE also where there is no Landlock. */
static gboolean restrict_files(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    gsize known = CLAMP(version, 1, (long)G_N_ELEMENTS(versions)) - 1;
    struct ruleset ruleset = {(1ull << versions[known].files) - 1, (1ull << versions[known].network) - 1,
                              (1ull << versions[known].scopes) - 1};
    int fd;
    gboolean is_done;

    if (version < 1)
        return errno == ENOSYS || errno == EOPNOTSUPP;
    fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, versions[known].size, 0);
    if (fd < 0)
        return FALSE;
    is_done = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return is_done;
}

/* ---------------------------------------------------------------- seccomp */

/* What a worker does. */
static const int allowed[] = {
    SCMP_SYS(read),          SCMP_SYS(write),
    SCMP_SYS(recvmsg),       SCMP_SYS(sendmsg),
    SCMP_SYS(close),         SCMP_SYS(lseek),
    SCMP_SYS(munmap),        SCMP_SYS(mremap),
    SCMP_SYS(brk),           SCMP_SYS(madvise),
    SCMP_SYS(memfd_create),  SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),     SCMP_SYS(getrusage),
    SCMP_SYS(getpid),        SCMP_SYS(gettid),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
#if IS_SANITIZED
    SCMP_SYS(sigaltstack),   SCMP_SYS(sched_getaffinity),
    SCMP_SYS(nanosleep),     SCMP_SYS(clock_nanosleep),
#endif
};

/* What only an attacker does. */
static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
};

/* Calls that are let pass with some arguments only. */
static gboolean add_conditional(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp own_limits = SCMP_A0(SCMP_CMP_EQ, 0),
                              own_threads = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());

    const struct scmp_arg_cmp seals = SCMP_A1(SCMP_CMP_EQ, F_ADD_SEALS);

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, &seals) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &not_executable) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &not_executable) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, &own_limits) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own_threads) ==
               0; /* abort() */
}

/* null: what stderr leads to from then on. */
static gboolean restrict_calls(int null)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    gboolean is_done = filter != NULL;

    /* Another architecture's numbers kill; a binary tree, for the calls of each message. */
    is_done = is_done && seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
    if (is_done)
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (gsize i = 0; is_done && i < G_N_ELEMENTS(allowed); i++)
        is_done = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    for (gsize i = 0; is_done && i < G_N_ELEMENTS(deadly); i++)
        is_done = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0) == 0;
    is_done = is_done && add_conditional(filter) && (IS_SANITIZED || dup2(null, 2) == 2) &&
              close(null) == 0 && seccomp_load(filter) == 0;
    if (filter != NULL)
        seccomp_release(filter);
    return is_done;
}

gboolean sandbox_enter(int kept, const struct sandbox *sandbox, GError **error)
{
    if (!close_descriptors(kept))
        return fail(error, "descriptors");
    if (!set_limits(sandbox))
        return fail(error, "setrlimit");
    if (!change_user(sandbox))
        return fail(error, "setresuid");
    if (!drop_capabilities())
        return fail(error, "capset");
    /* Behind the change of user, which takes it back. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != sandbox->parent)
        return fail(error, "parent");
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "prctl");
    if (!restrict_files())
        return fail(error, "Landlock");
    __sanitizer_set_report_fd(
        (void *)STDERR_FILENO); /* it may have been told a file that it cannot open now */
    if (!restrict_calls(kept + 1))
        return fail(error, "seccomp");
    return TRUE;
}
