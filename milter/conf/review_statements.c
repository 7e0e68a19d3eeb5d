/* The statements about what is kept, how it leaves again, and who has a role in it. */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/key_file.h"
#include "milter/conf/limits.h"
#include "milter/conf/value.h"

static void read_time(struct reader *reader, gint64 *milliseconds)
{
    if (value_time(reader, 1, KEEP_MAX_S, milliseconds))
        value_end(reader);
}

void read_release_within(struct reader *reader, struct reading *reading)
{
    read_time(reader, &reading->conf->release_within_ms);
}

void read_keep_closed(struct reader *reader, struct reading *reading)
{
    read_time(reader, &reading->conf->keep_closed_ms);
}

void read_remember_attempts(struct reader *reader, struct reading *reading)
{
    read_time(reader, &reading->conf->remember_attempts_ms);
}

void read_release_doubt(struct reader *reader, struct reading *reading)
{
    if (reader_keyword(reader, KW_RESEND))
        reading->conf->release_doubt_resend = TRUE;
    else if (!reader_keyword(reader, KW_ASK))
        reader_expected(reader, MSG_ASK_OR_RESEND, NULL);
    value_end(reader);
}

/* key file and key credential are two ways to say one thing. */
static gboolean is_only_key(struct reader *reader, const struct reading *reading, enum setting other)
{
    const struct statement *first = reading->written[other];

    if (first == NULL)
        return TRUE;
    diagnostic_note(
        reader_fail(reader, DIAG_DUPLICATE, value_taken(reader), message_make(MSG_KEY_TWICE, NULL)),
        first->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    return FALSE;
}

void read_key_file(struct reader *reader, struct reading *reading)
{
    if (!is_only_key(reader, reading, SETTING_KEY_CREDENTIAL))
        return;
    char *path = value_path(reader, MSG_A_FILE, &reading->files.key);
    if (path != NULL)
        value_set(&reading->conf->key_file, path);
    value_end(reader);
}

void read_key_credential(struct reader *reader, struct reading *reading)
{
    if (!is_only_key(reader, reading, SETTING_KEY_FILE))
        return;
    const struct item *item = reader_name(reader, MSG_A_CREDENTIAL);
    if (item == NULL || !value_end(reader))
        return;
    reading->files.key = item->span;
    if (item->text[0] == '\0' || item->text[0] == '.' || strchr(item->text, '/') != NULL) {
        reader_fail(reader, DIAG_NO_FILE, item->span, message_make(MSG_NOT_A_CREDENTIAL, item->text, NULL));
        return;
    }
    value_set(&reading->conf->key_credential, g_strdup(item->text));
    value_set(&reading->conf->key_file, key_credential_path(item->text));
}

/* A password in a configuration is read by everybody who may read the configuration. */
static gboolean has_password(const char *url)
{
    g_autofree char *password = NULL;

    return g_uri_split_with_user(url, G_URI_FLAGS_HAS_PASSWORD, NULL, NULL, &password, NULL, NULL, NULL, NULL,
                                 NULL, NULL, NULL) &&
           password != NULL;
}

void read_store(struct reader *reader, struct reading *reading)
{
    const struct item *item = reader_text(reader, MSG_A_STORE);

    if (item == NULL)
        return;
    gboolean postgresql = g_str_has_prefix(item->text, "postgresql:");
    if (!postgresql && strcmp(item->text, "sqlite") != 0)
        reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_NOT_A_STORE, item->text, NULL));
    else if (postgresql && has_password(item->text))
        reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_STORE_PASSWORD, NULL));
    else if (value_end(reader) && postgresql)
        value_not_yet(reader, item->span, MSG_STORE_HELP);
}

static void read_people(struct reader *reader, GPtrArray *people)
{
    if (reader_keyword(reader, KW_MEMBERS_OF)) {
        value_members(reader, people);
        return;
    }
    do {
        if (!value_person(reader, MSG_A_PERSON, people))
            return;
    } while (reader_comma(reader));
}

/* role administrator|officer|auditor TEXT,… | members of TEXT */
void read_role(struct reader *reader, struct reading *reading)
{
    static const enum keyword words[] = {KW_ADMINISTRATOR, KW_OFFICER, KW_AUDITOR, KW_COUNT};
    enum keyword word = reader_one_of(reader, words);
    enum role role = ROLE_ADMINISTRATOR;

    while (role < ROLE_COUNT && words[role] != word)
        role++;
    if (role < ROLE_COUNT)
        read_people(reader, reading->conf->roles[role]);
    else
        reader_expected(reader, MSG_A_ROLE, NULL);
    value_end(reader);
    reading->roles_bad |= reader->broken;
}
