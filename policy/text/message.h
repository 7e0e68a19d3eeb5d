/*
 * message: everything that Miji says to people, in English and Chinese, from tables (message.def beside this
 * file, reason.def in policy/check, …). A message names its place-holders {0} … {5}; the arguments are the
 * same in both languages.
 *
 * Pure functions over constant tables: any thread. A fresh Debian has no zh_CN locale, so gettext is no use
 * here, and the daemon answers one person in Chinese and the next in English.
 */
#ifndef POLICY_TEXT_MESSAGE_H
#define POLICY_TEXT_MESSAGE_H

#include <glib.h>

enum language { LANGUAGE_EN, LANGUAGE_ZH };

/* What a command speaks: value of --lang if not NULL ("en", "zh", "zh_CN.UTF-8"), else LANGUAGE, LC_ALL,
 * LC_MESSAGES, LANG: the first that is set decides; English if it does not say Chinese. An unknown value of
 * --lang gives FALSE. */
gboolean language_choose(const char *option, enum language *language);

/* Every message of message.def: MESSAGE(id, "English {0}", "中文 {0}"). */
enum message_id {
#define MESSAGE(id, en, zh) MSG_##id,
#include "policy/text/message.def"
#undef MESSAGE
    MSG_COUNT
};

#define MESSAGE_MAX_ARGS 6

/* A message with its arguments; owned strings. MSG_NONE means "nothing to say". */
struct message {
    enum message_id id;
    char *args[MESSAGE_MAX_ARGS];
};

/* Takes copies of up to six strings, the list ends with NULL. An argument may itself be a message of the
 * table: write message_arg(MSG_X) and it is translated when formatted. */
struct message message_make(enum message_id id, ...) G_GNUC_NULL_TERMINATED;
const char *message_arg(enum message_id id);
/* The same with an argument {0} of its own, which may be a message_arg without one. New string. */
char *message_arg_with(enum message_id id, const char *arg);
void message_clear(struct message *message);

/* The sentence in one language; new string. */
char *message_format(const struct message *message, enum language language);

/* Fills {0}… of any template with args (NULL-terminated or MESSAGE_MAX_ARGS long); "{{" is a brace. New
 * string. */
char *message_fill(const char *template, const char *const *args, enum language language);

/* The bare text of a message without arguments. */
const char *message_text(enum message_id id, enum language language);

#endif
