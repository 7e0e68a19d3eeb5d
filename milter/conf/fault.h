/*
 * fault: places at which a test may end the process or make a step fail (semantics.md 7.3, 10). Compiled in
 * by VARIANT=fault only; in every other build a fault point is nothing.
 *
 * Which one acts, and how, says the first line of the file that the environment variable MIJI_FAULT names, read
 * at each point: "NAME kill" (SIGKILL to the own process), "NAME fail" (the step fails as an EIO would make it),
 * "NAME stop MS" (waits). A line may end in a count: "NAME kill 3" acts the third time. When it is about to act
 * the line is removed, with the last one the file, so that a restarted daemon goes on, or comes to the next line.
 * "record": nothing acts; the names of the points that are passed are added to the file of that name with
 * ".visited" behind it.
 */
#ifndef MILTER_CONF_FAULT_H
#define MILTER_CONF_FAULT_H

#include <glib.h>

#ifdef MIJI_FAULTS
/* TRUE: the step shall fail. */
gboolean fault_point(const char *name);
#else
static inline gboolean fault_point(const char *name)
{
    return FALSE;
}
#endif

#endif
