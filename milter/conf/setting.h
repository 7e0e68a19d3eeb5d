/*
 * setting: the table of the statements of miji.conf, from settings.def. Constant; any thread.
 */
#ifndef MILTER_CONF_SETTING_H
#define MILTER_CONF_SETTING_H

#include "policy/text/keyword.h"

enum setting {
#define SETTING(id, change, times, fallback, read, print) SETTING_##id,
#include "milter/conf/settings.def"
    SETTING_COUNT
};

enum setting_change { CHANGE_RELOAD, CHANGE_RESTART };
enum setting_times { TIMES_ONCE, TIMES_MANY };

/* One statement, of the top level (block KW_COUNT) or of a block. */
struct setting_row {
    enum keyword block, keyword;
    enum setting_change change; /* that of the block for a statement of a block */
    enum setting_times times;
    const char *fallback; /* as written in settings.def */
    const char *reader;   /* name of the function */
};

/* All rows in the order of settings.def; *count of them. */
const struct setting_row *setting_rows(guint *count);
/* FALSE: it is read with all checks and then refused with [not-available-yet]. */
gboolean setting_is_available(const struct setting_row *row);
/* The keyword of a setting of the top level, in English; constant. */
const char *setting_name(enum setting setting);
gboolean setting_needs_restart(enum setting setting);

#endif
