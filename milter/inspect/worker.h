/*
 * worker: a sandboxed process that reads one message after the other and answers with facts in their flat
 * form. It ends when its socket does, after LIMIT_WORKER_MESSAGES messages, or when it grew; the parent makes
 * another.
 */
#ifndef MILTER_INSPECT_WORKER_H
#define MILTER_INSPECT_WORKER_H

#include "milter/inspect/inspector.h"
#include "milter/inspect/sandbox.h"

/* In a new process: enters the sandbox and serves the socket until it ends. inspect_prepare was called. Does
 * not return. */
G_GNUC_NORETURN void worker_run(int fd, const struct sandbox *sandbox, const struct inspect_limits *limits);

/* The sandbox of a worker under these limits; its user is still to be set. */
void worker_sandbox(const struct inspect_limits *limits, struct sandbox *sandbox);

#endif
