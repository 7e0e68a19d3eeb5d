/*
 * key_file: the store key: 32 octets in a file that nobody but the daemon's user (or root) may read
 * (`key file`, `key credential`: a file below $CREDENTIALS_DIRECTORY, systemd.exec(5)). Octets as they are,
 * no text. Any thread.
 */
#ifndef MILTER_CONF_KEY_FILE_H
#define MILTER_CONF_KEY_FILE_H

#include <glib.h>
#include <sys/stat.h>

#define STORE_KEY_BYTES 32

/* Why a file cannot be the key; the first that fits. */
enum key_fault {
    KEY_GOOD,
    KEY_NOT_PLAIN,  /* a folder, a link, a device */
    KEY_OWNER,      /* belongs neither to root nor to the reader */
    KEY_RIGHTS,     /* mode other than 0400 or 0600 (of a credential also 0440) */
    KEY_UNREADABLE, /* belongs to root, and the reader is somebody else who has no right to it */
    KEY_LENGTH,     /* not 32 octets */
};
/* status: of lstat(2), or of the open file. reader: the user who will read it. */
enum key_fault key_file_fault(const char *path, const struct stat *status, uid_t reader);
/* The path of a credential of systemd: below $CREDENTIALS_DIRECTORY; outside of the service, where that is
 * not set, below the folder that the running miji.service has. New. */
char *key_credential_path(const char *name);

/* Reads the key. FALSE and error when it cannot be opened or has a fault for the caller (euid); a link is not
 * followed. The caller wipes the key. */
gboolean key_file_read(const char *path, guint8 key[STORE_KEY_BYTES], GError **error);
/* Writes a new random key, mode 0400, synced with its folder; never over a file that is there. */
gboolean key_file_write_new(const char *path, GError **error);

#endif
