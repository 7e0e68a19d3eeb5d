/*
 * postfix: what postconf says: settings of main.cf (expanded), services of master.cf, and their overrides.
 * Read by running postconf, or from three texts (tests). Owned by the caller; one thread.
 */
#ifndef MILTER_CLI_POSTFIX_H
#define MILTER_CLI_POSTFIX_H

#include "policy/autoptr.h"

struct postfix_service {
    char *name, *type; /* "smtp", "inet" */
    gboolean chroot;
    char *program;         /* smtpd, cleanup … */
    GHashTable *overrides; /* -o name=value */
};

struct postfix {
    GHashTable *settings; /* name -> value */
    GPtrArray *services;  /* struct postfix_service * */
};

/* directory: of main.cf; NULL is the default. NULL and error when postconf cannot be run or says no. */
struct postfix *postfix_read(const char *directory, GError **error);
/* From the output of `postconf -x`, `postconf -M` and `postconf -P`. */
struct postfix *postfix_parse(const char *main, const char *services, const char *overrides);
void postfix_free(struct postfix *postfix);
DEFINE_AUTOPTR(postfix, postfix_free)

/* A setting, "" when Postfix does not know it (an older version). */
const char *postfix_setting(const struct postfix *postfix, const char *name);
/* The same for a service, whose -o options come first; NULL is main.cf. */
const char *postfix_service_setting(const struct postfix *postfix, const struct postfix_service *service,
                                    const char *name);
gboolean postfix_knows(const struct postfix *postfix, const char *name);
/* A time as main.cf writes it ("300s", "5m"), in seconds; 0 if it is none. */
gint64 postfix_seconds(const char *value);
/* The elements of a list value: commas and blanks between them, {…} kept whole. NULL-terminated, new. */
char **postfix_list(const char *value);

#endif
