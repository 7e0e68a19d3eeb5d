#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "milter/cli/command.h"
#include "milter/conf/key_file.h"

static void say(const struct invocation *invocation, enum message_id id, const char *path)
{
    struct message message = message_make(id, path, NULL);
    g_autofree char *text = message_format(&message, invocation->language);
    printf("%s\n", text);
    message_clear(&message);
}

/* What is to be done with a key that was made; paths in miji.conf are relative to it, so the whole one is
 * shown. */
static void say_made(const struct invocation *invocation, const char *file)
{
    g_autofree char *path = g_canonicalize_filename(file, NULL);
    g_autofree char *quoted = g_shell_quote(path);
    say(invocation, MSG_STORE_KEY_MADE, path);
    say(invocation, MSG_STORE_KEY_WRITE, path);
    if (geteuid() == 0)
        say(invocation, MSG_STORE_KEY_OWNER, quoted);
    say(invocation, MSG_STORE_KEY_COPY, NULL);
}

static int new_key(const struct invocation *invocation, const char *file)
{
    g_autoptr(GError) error = NULL;
    if (key_file_write_new(file, &error)) {
        say_made(invocation, file);
        return 0;
    }
    if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_EXIST))
        return command_fail(invocation, message_make(MSG_STORE_KEY_THERE, file, NULL));
    return command_fail(invocation, message_make(MSG_STORE_KEY_NOT_MADE, error->message, NULL));
}

/* `miji store new-key FILE` */
int command_store(const struct invocation *invocation)
{
    if (invocation->argc == 3 && strcmp(invocation->argv[1], "new-key") == 0 &&
        invocation->argv[2][0] != '\0')
        return new_key(invocation, invocation->argv[2]);
    fprintf(stderr, "%s", message_text(MSG_CLI_STORE_USAGE, invocation->language));
    return EXIT_CANNOT;
}
