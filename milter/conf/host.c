/* What this host must have for the configuration to work: users, groups, the state directory, files with
 * secrets. Asked by the one who starts or checks; SNAPSHOT_NO_HOST leaves it out. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/conf/key_file.h"
#include "milter/conf/statement.h"
#include "milter/conf/value.h"

#define DEFAULT_USER "miji"
/* Of one entry of the user or group database; a group with more members than fit is not found, and said to be
 * missing. */
#define ENTRY_BYTES 65536

/* A reload runs beside other threads: nothing here uses the buffers of libc. */
static gboolean find_user(const char *name, uid_t *uid)
{
    g_autofree char *buffer = g_malloc(ENTRY_BYTES);
    struct passwd entry, *found = NULL;

    if (getpwnam_r(name, &entry, buffer, ENTRY_BYTES, &found) != 0 || found == NULL)
        return FALSE;
    *uid = entry.pw_uid;
    return TRUE;
}

static char *name_of_user(uid_t uid)
{
    g_autofree char *buffer = g_malloc(ENTRY_BYTES);
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, buffer, ENTRY_BYTES, &found) != 0 || found == NULL)
        return g_strdup_printf("%u", (guint)uid);
    return g_strdup(entry.pw_name);
}

static gboolean is_group(const char *name)
{
    g_autofree char *buffer = g_malloc(ENTRY_BYTES);
    struct group entry, *found = NULL;

    return getgrnam_r(name, &entry, buffer, ENTRY_BYTES, &found) == 0 && found != NULL;
}

static struct diagnostic *report(struct reading *reading, enum diagnostic_id id, struct span span,
                                 enum message_id message, const char *first, const char *second)
{
    return diagnostics_report(reading->diagnostics, id, span,
                              message_make(message, first, first != NULL ? second : NULL, NULL));
}

/* Where a setting is written, or the end of the file. */
static struct span place_of(const struct reading *reading, enum setting setting)
{
    const struct statement *statement = reading->written[setting];

    return statement != NULL ? statement->span : reading->end;
}

/* The user that the daemon will be; FALSE, and reported, when there is none. */
static gboolean check_user(struct reading *reading, uid_t *uid)
{
    const char *name = reading->conf->run_as;

    if (name == NULL && geteuid() != 0) {
        *uid = geteuid();
        return TRUE;
    }
    if (!find_user(name != NULL ? name : DEFAULT_USER, uid)) {
        diagnostic_help(report(reading, DIAG_USER, place_of(reading, SETTING_RUN_AS), MSG_NO_USER,
                               name != NULL ? name : DEFAULT_USER, NULL),
                        message_make(MSG_NO_USER_HELP, NULL));
        return FALSE;
    }
    if (*uid == 0)
        report(reading, DIAG_USER, place_of(reading, SETTING_RUN_AS), MSG_NOT_ROOT, NULL, NULL);
    return *uid != 0;
}

static void check_group(struct reading *reading, const char *group, const struct statement *statement)
{
    if (group != NULL && statement != NULL && !is_group(group))
        report(reading, DIAG_USER, statement->span, MSG_NO_GROUP, group, NULL);
}

static void check_state(struct reading *reading, uid_t uid)
{
    const char *path = reading->conf->state_directory;
    struct span place = place_of(reading, SETTING_STATE);
    g_autofree char *owner = name_of_user(uid);
    struct stat status;

    if (stat(path, &status) != 0) {
        diagnostic_help(report(reading, DIAG_NO_FILE, place, MSG_NO_FILE, path, g_strerror(errno)),
                        message_make(MSG_STATE_HELP, owner, path, NULL));
    } else if (!S_ISDIR(status.st_mode)) {
        report(reading, DIAG_NO_FILE, place, MSG_NOT_A_FOLDER, path, NULL);
    } else if (status.st_uid != uid || (status.st_mode & 0777) != 0700) {
        diagnostic_help(report(reading, DIAG_UNSAFE_FILE, place, MSG_STATE_RIGHTS, path, owner),
                        message_make(MSG_STATE_HELP, owner, path, NULL));
    }
}

/* secret: nobody but owner and group may read it, nobody but the owner write it. */
static void check_file(struct reading *reading, const char *path, struct span place, gboolean secret)
{
    mode_t forbidden = secret ? 0027 : 0002;
    struct stat status;

    if (path == NULL)
        return;
    if (stat(path, &status) != 0)
        report(reading, DIAG_NO_FILE, place, MSG_NO_FILE, path, g_strerror(errno));
    else if (!S_ISREG(status.st_mode))
        report(reading, DIAG_NO_FILE, place, MSG_NOT_A_FILE, path, NULL);
    else if ((status.st_mode & forbidden) != 0)
        diagnostic_help(report(reading, DIAG_UNSAFE_FILE, place, secret ? MSG_SECRET_RIGHTS : MSG_UNSAFE_MODE,
                               path, NULL),
                        message_make(secret ? MSG_SECRET_RIGHTS_HELP : MSG_UNSAFE_MODE_HELP, path, NULL));
}

static void report_key(struct reading *reading, enum key_fault fault, uid_t uid)
{
    static const struct {
        enum diagnostic_id id;
        enum message_id message, help;
    } faults[] = {
        [KEY_NOT_PLAIN] = {DIAG_NO_FILE, MSG_KEY_NOT_PLAIN, MSG_NONE},
        [KEY_OWNER] = {DIAG_UNSAFE_FILE, MSG_KEY_OWNER, MSG_KEY_OWNER_HELP},
        [KEY_RIGHTS] = {DIAG_UNSAFE_FILE, MSG_KEY_RIGHTS, MSG_KEY_RIGHTS_HELP},
        [KEY_UNREADABLE] = {DIAG_NO_FILE, MSG_KEY_UNREADABLE, MSG_KEY_OWNER_HELP},
        [KEY_LENGTH] = {DIAG_NO_FILE, MSG_KEY_LENGTH, MSG_KEY_LENGTH_HELP},
    };
    const char *path = reading->conf->key_file;
    g_autofree char *user = name_of_user(uid);
    struct diagnostic *diagnostic =
        report(reading, faults[fault].id, reading->files.key, faults[fault].message, path, user);

    if (faults[fault].help != MSG_NONE)
        diagnostic_help(diagnostic, message_make(faults[fault].help, path, user, NULL));
}

/* The key of what is kept must be there before anything is: nothing is decided with it, so no mail would say
 * that it is not. */
static void check_key(struct reading *reading, uid_t uid)
{
    const struct conf *conf = reading->conf;
    struct stat status;

    if (conf->key_file != NULL && lstat(conf->key_file, &status) != 0) {
        struct diagnostic *diagnostic =
            report(reading, DIAG_NO_FILE, reading->files.key, MSG_NO_FILE, conf->key_file, g_strerror(errno));
        if (conf->key_credential != NULL)
            diagnostic_help(diagnostic, message_make(MSG_NO_CREDENTIAL_HELP, conf->key_credential, NULL));
        else
            diagnostic_help(diagnostic, message_make(MSG_NO_KEY_HELP, conf->key_file, NULL));
    } else if (conf->key_file != NULL) {
        enum key_fault fault = key_file_fault(conf->key_file, &status, uid);
        if (fault != KEY_GOOD)
            report_key(reading, fault, uid);
    }
}

void host_check(struct reading *reading)
{
    const struct directory_settings *directory = reading->conf->directory;
    uid_t uid;

    if (check_user(reading, &uid)) {
        check_state(reading, uid);
        check_key(reading, uid);
    }
    check_group(reading, reading->conf->control.group, reading->written[SETTING_CONTROL]);
    for (guint i = 0; i < reading->conf->listeners->len; i++) {
        const struct listener *listener = g_ptr_array_index(reading->conf->listeners, i);
        check_group(reading, listener->group, reading->listen_statements[listener->role]);
    }
    check_file(reading, directory->bind_password_file, reading->files.password, TRUE);
    check_file(reading, directory->bind_certificate_file, reading->files.bind_certificate, TRUE);
    check_file(reading, directory->ca_file, reading->files.ca, FALSE);
}
