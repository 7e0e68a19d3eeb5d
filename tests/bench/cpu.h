/*
 * How much CPU a filter has used: all of its processes, and all that they waited for.
 */
#ifndef TESTS_BENCH_CPU_H
#define TESTS_BENCH_CPU_H

#include <sys/types.h>

/*
 * User and system time of `root` and its living descendants in ms, from their CPU clocks (nanoseconds), and
 * of the children that each has already waited for, from /proc/PID/stat (clock ticks). Negative if `root` is
 * not there.
 */
double cpu_tree_ms(pid_t root);

#endif
