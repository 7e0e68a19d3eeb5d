/*
 * statement: the readers of the statements of miji.conf, one for each row of settings.def: void read_x(struct
 * reader *, struct reading *), the keyword taken. Internal to milter/conf; see reading.h.
 */
#ifndef MILTER_CONF_STATEMENT_H
#define MILTER_CONF_STATEMENT_H

#include "milter/conf/reading.h"

#define SETTING(id, change, times, fallback, read, print) \
    void read(struct reader *reader, struct reading *reading);
#include "milter/conf/settings.def"

/* An entry of a statement_kind table whose reader wants a context of its own type. */
#define KIND(keyword, times, function)                      \
    {                                                       \
        KW_##keyword, TIMES_##times == TIMES_ONCE, function \
    }

/* What can only be said when everything has been read (cross_check.c, host.c). */
void cross_check(struct reading *reading);
void host_check(struct reading *reading);

#endif
