#include "milter/conf/clock.h"

#include <fcntl.h>
#include <unistd.h>

static gint64 ahead_ms; /* atomic by __atomic: gint of g_atomic_int is too small */

#ifdef MIJI_FAULTS
static char *followed; /* set once, before threads */

static gint64 followed_ms(void)
{
    char text[32] = "";
    int fd = followed != NULL ? open(followed, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? g_ascii_strtoll(text, NULL, 10) : 0;
}

void clock_follow(const char *path)
{
    followed = g_strdup(path);
}
#else
static gint64 followed_ms(void)
{
    return 0;
}

void clock_follow(const char *path)
{
}
#endif

static gint64 ahead(void)
{
    return __atomic_load_n(&ahead_ms, __ATOMIC_RELAXED) + followed_ms();
}

gint64 clock_wall_ms(void)
{
    return g_get_real_time() / 1000 + ahead();
}

gint64 clock_monotonic_us(void)
{
    return g_get_monotonic_time() + ahead() * 1000;
}

void clock_advance(gint64 milliseconds)
{
    __atomic_add_fetch(&ahead_ms, milliseconds, __ATOMIC_RELAXED);
}
