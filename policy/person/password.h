/*
 * password: a secret from a file of its own. Private to policy/person.
 */
#ifndef POLICY_PERSON_PASSWORD_H
#define POLICY_PERSON_PASSWORD_H

#include <glib.h>

/* Is the file one that keeps a secret: regular, of root or this process, not writable by its group, nothing
 * for others? Error in words if not. */
gboolean secret_file_check(int fd, const char *path, GError **error);

/* The password: what the file has without the line end behind it; at most PASSWORD_MAX_BYTES, no NUL, not
 * empty (RFC 4513 5.1.2: that would be no login at all). Free with password_free. NULL and error. */
char *password_read(const char *path, GError **error);
void password_free(char *password);

#endif
