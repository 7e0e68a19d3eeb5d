/*
 * The daemon ends by _exit, since threads of libmilter may still run, and what the variants asan and cov do
 * at exit() is left out with it. They link the programs' _exit through here (--wrap=_exit): leaks are looked
 * for, and the lines that ran are counted. A worker of the inspector may do neither in its sandbox; its
 * reader is tested in one process.
 */
#include <sys/prctl.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
void __lsan_do_leak_check(void);
#define before_end __lsan_do_leak_check
#else
void __gcov_dump(void);
#define before_end __gcov_dump
#endif

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    int is_sandboxed = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;

    if (!is_sandboxed) {
        prctl(PR_SET_DUMPABLE, 1, 0, 0,
              0); /* the search attaches to the process, which may have changed its user */
        before_end();
    }
    __real__exit(status);
}
