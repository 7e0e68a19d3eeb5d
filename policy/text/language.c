#include "policy/text/message.h"

#include <string.h>

/* "zh", "zh_CN.UTF-8", "en_GB": TRUE and the language when the name is one of ours. */
static gboolean language_parse(const char *name, gsize length, enum language *language)
{
    static const struct {
        const char *name;
        enum language language;
    } known[] = {{"en", LANGUAGE_EN}, {"zh", LANGUAGE_ZH}};

    gsize word = 0;
    while (word < length && strchr("_-.@", name[word]) == NULL)
        word++;
    for (guint n = 0; n < G_N_ELEMENTS(known); n++) {
        if (strlen(known[n].name) == word && g_ascii_strncasecmp(known[n].name, name, word) == 0) {
            *language = known[n].language;
            return TRUE;
        }
    }
    return FALSE;
}

/* LANGUAGE is a list with colons, the first that we speak counts. */
static gboolean language_from_list(const char *list, enum language *language)
{
    while (*list != '\0') {
        gsize length = strcspn(list, ":");
        if (language_parse(list, length, language))
            return TRUE;
        list += length + (list[length] == ':');
    }
    return FALSE;
}

gboolean language_choose(const char *option, enum language *language)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    *language = LANGUAGE_EN;
    if (option != NULL)
        return language_parse(option, strlen(option), language);

    const char *list = g_getenv("LANGUAGE");
    if (list != NULL && language_from_list(list, language))
        return TRUE;
    /* As in setlocale, the first of these that is set decides, even for a language that we do not speak. */
    for (guint n = 0; n < G_N_ELEMENTS(variables); n++) {
        const char *value = g_getenv(variables[n]);
        if (value != NULL && value[0] != '\0') {
            language_parse(value, strlen(value), language);
            break;
        }
    }
    return TRUE;
}
