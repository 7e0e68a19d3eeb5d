/*
 * command: what every `miji …` command shares: its language, its configuration, its table entry. A command is
 * a file with one function.
 *
 * Exit status everywhere: 0 all well, 1 findings (a configuration with errors, something that `doctor` says
 * must change), 2 could not run.
 */
#ifndef MILTER_CLI_COMMAND_H
#define MILTER_CLI_COMMAND_H

#include "milter/conf/snapshot.h"

#define DEFAULT_CONFIG "/etc/miji/miji.conf"
#define EXIT_FINDINGS 1
#define EXIT_CANNOT 2

struct invocation {
    enum language language;
    const char *config; /* -c FILE */
    gboolean json;      /* --json */
    int argc;           /* the command's own arguments; argv[0] is its name */
    char **argv;
};

struct command {
    const char *name;
    enum message_id summary; /* one line for the list */
    enum message_id usage;   /* its own help */
    int (*run)(const struct invocation *invocation);
};

/* The table; ends with a NULL name. */
extern const struct command commands[];
/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* Says a message to standard error, "miji: …"; the result is EXIT_CANNOT. Takes the message over. */
int command_fail(const struct invocation *invocation, struct message message);
/* Prints the command's own help to standard error and gives EXIT_CANNOT: its arguments are wrong. */
int command_misused(const struct invocation *invocation, const struct command *command);

/* Reads the configuration of the invocation and shows what is wrong with it on standard error. NULL if there
 * were errors. */
struct snapshot *command_snapshot(const struct invocation *invocation, enum snapshot_flags flags);

int command_check(const struct invocation *invocation);
int command_explain(const struct invocation *invocation);
int command_status(const struct invocation *invocation);
int command_reload(const struct invocation *invocation);
int command_doctor(const struct invocation *invocation);
int command_held(const struct invocation *invocation);
int command_show(const struct invocation *invocation);
int command_approve(const struct invocation *invocation);
int command_refuse(const struct invocation *invocation);
int command_note(const struct invocation *invocation);
int command_release(const struct invocation *invocation);
int command_trace(const struct invocation *invocation);
int command_archive(const struct invocation *invocation);
int command_store(const struct invocation *invocation);

#endif
