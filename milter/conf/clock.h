/*
 * clock: the time of day and the time that only goes forward, in one place, so that tests can move both
 * (design.md 9a.8). Waiting uses the monotonic clock, validity and records the wall clock (semantics.md 1).
 * Any thread.
 */
#ifndef MILTER_CONF_CLOCK_H
#define MILTER_CONF_CLOCK_H

#include <glib.h>

/* Milliseconds since the epoch. */
gint64 clock_wall_ms(void);
/* Microseconds, as g_get_monotonic_time. */
gint64 clock_monotonic_us(void);

/* Tests: both clocks go ahead by so much from now on. */
void clock_advance(gint64 milliseconds);
/* Test builds (FAULTS) only, else nothing happens: a file that holds milliseconds by which both clocks are
 * ahead, read at each look, so that a system test can move the time of a daemon that runs. */
void clock_follow(const char *path);

#endif
