#include "milter/conf/setting.h"

#include <string.h>

static const struct setting_row rows[] = {
#define SETTING(id, change, times, fallback, read, print) \
    {KW_COUNT, KW_##id, CHANGE_##change, TIMES_##times, fallback, #read},
#define IN(block, keyword, change, times, fallback, read) \
    {KW_##block, KW_##keyword, CHANGE_##change, TIMES_##times, fallback, #read},
#define IN_DIRECTORY(keyword, times, fallback, read) IN(DIRECTORY, keyword, RELOAD, times, fallback, read)
#define IN_ZONE(keyword, times, fallback, read) IN(ZONE, keyword, RELOAD, times, fallback, read)
#define IN_UNLABELLED(keyword, times, fallback, read) IN(UNLABELLED, keyword, RELOAD, times, fallback, read)
#define IN_LIMITS(keyword, times, fallback, read) IN(LIMITS, keyword, RELOAD, times, fallback, read)
#define IN_SANDBOX(keyword, times, fallback, read) IN(SANDBOX, keyword, RESTART, times, fallback, read)
#define IN_QUEUE(keyword, times, fallback, read) IN(QUEUE, keyword, RELOAD, times, fallback, read)
#define IN_ARCHIVE(keyword, times, fallback, read) IN(ARCHIVE, keyword, RELOAD, times, fallback, read)
#define IN_NOTICES(keyword, times, fallback, read) IN(NOTICES, keyword, RELOAD, times, fallback, read)
#include "milter/conf/settings.def"
};

const struct setting_row *setting_rows(guint *count)
{
    *count = G_N_ELEMENTS(rows);
    return rows;
}

/* Readers of what does not work yet are called later_…; the table tells them by that. */
gboolean setting_is_available(const struct setting_row *row)
{
    return !g_str_has_prefix(row->reader, "later_");
}

/* The rows of the top level come first, in the order of enum setting. */
const char *setting_name(enum setting setting)
{
    g_assert(setting < SETTING_COUNT && rows[setting].block == KW_COUNT);
    return keyword_english(rows[setting].keyword);
}

gboolean setting_needs_restart(enum setting setting)
{
    g_assert(setting < SETTING_COUNT);
    return rows[setting].change == CHANGE_RESTART;
}
