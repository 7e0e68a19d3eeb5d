/*
 * key_file: the store key: 32 octets in a file that nobody but the daemon's user (or root) may read
 * (`key file`, `key credential`: a file below $CREDENTIALS_DIRECTORY, systemd.exec(5)). Octets as they are,
 * no text. Any thread.
 */
#ifndef MILTER_CONF_KEY_FILE_H
#define MILTER_CONF_KEY_FILE_H

#include <glib.h>

#define STORE_KEY_BYTES 32

/* Reads the key. FALSE and error when it cannot be opened, is not a plain file of 32 octets, belongs to
 * somebody else than root or the caller, or others may read it (mode other than 0400 or 0600). The caller
 * wipes the key. */
gboolean key_file_read(const char *path, guint8 key[STORE_KEY_BYTES], GError **error);
/* Writes a new random key, mode 0400, synced with its folder; never over a file that is there. */
gboolean key_file_write_new(const char *path, GError **error);

#endif
