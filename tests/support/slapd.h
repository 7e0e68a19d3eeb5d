/*
 * slapd: a private LDAP server for one test program: its own folder below /tmp, certificates of its own,
 * loopback ports that were free. It dies with the program. Not for several threads.
 */
#ifndef TESTS_SUPPORT_SLAPD_H
#define TESTS_SUPPORT_SLAPD_H

#include <glib.h>

struct slapd;

#define SLAPD_BASE "dc=x"
#define SLAPD_ADMIN "cn=admin,dc=x"

/* A server with the entries of LDIF below dc=x, not yet started; the configuration goes on with
 * more_configuration (NULL: everybody reads everything). The admin, who may all, is who binds with "admin
 * secret", a client certificate CN=miji (slapd_file "client.pem"), and this process over ldapi. Ends the
 * program if it cannot be made. */
struct slapd *slapd_new(const char *ldif, const char *more_configuration);
void slapd_free(struct slapd *slapd);

/* Runs it and waits until it answers / ends it and waits until it is gone. */
void slapd_start(struct slapd *slapd);
void slapd_stop(struct slapd *slapd);
/* SIGSTOP: it still accepts connections, and answers nothing. */
void slapd_freeze(struct slapd *slapd);
void slapd_thaw(struct slapd *slapd);

/* "ldap", "ldaps" to 127.0.0.1, "ldapi". Borrowed. The certificate names localhost and 127.0.0.1. */
const char *slapd_url(struct slapd *slapd, const char *scheme);
guint slapd_port(struct slapd *slapd, const char *scheme);
/* A file in its folder: "ca.pem", "other-ca.pem", "client.pem" (mode 0600), or any that the test writes
 * there. New string. */
char *slapd_file(struct slapd *slapd, const char *name);
/* Changes entries with LDIF ("changetype: …"). */
void slapd_modify(struct slapd *slapd, const char *ldif);

#endif
