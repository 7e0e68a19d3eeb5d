/*
 * Preloaded into a process under test: what it and its libraries send to syslog goes to the file
 * $MIJI_SYSLOG_SPY, a line each. libmilter complains of a callback that answers where silence was negotiated,
 * or of one it cannot use, to syslog only. Nothing is printed while the file cannot be opened; the test looks
 * for the first line, which says that the spy is there.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

__attribute__((format(printf, 1, 0))) static void keep(const char *format, va_list arguments)
{
    const char *path = getenv("MIJI_SYSLOG_SPY");
    int fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    char line[1024];
    int length = vsnprintf(line, sizeof line - 1, format, arguments);

    if (length >= (int)sizeof line - 1)
        length = sizeof line - 2;
    if (length > 0 && line[length - 1] != '\n')
        line[length++] = '\n';
    if (fd >= 0) {
        if (write(fd, line, (size_t)length) != length)
            abort();
        close(fd);
    }
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(format, arguments);
    va_end(arguments);
}

__attribute__((constructor)) static void begin(void)
{
    say("spy in process %d", (int)getpid());
}

void syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(format, arguments);
    va_end(arguments);
}

void vsyslog(int priority, const char *format, va_list arguments)
{
    keep(format, arguments);
}

/* What the two are called in programs compiled with _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(format, arguments);
    va_end(arguments);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments);
void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments)
{
    keep(format, arguments);
}
