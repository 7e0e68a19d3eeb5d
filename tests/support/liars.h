/* liars: an inspector whose readers answer nonsense, each once. */
#ifndef TESTS_SUPPORT_LIARS_H
#define TESTS_SUPPORT_LIARS_H

#include "milter/inspect/inspector.h"

struct liars {
    struct inspector *inspector;
    GArray *fds; /* int: our ends */
};

void liars_begin(struct liars *liars, guint count);
void liars_end(struct liars *liars);

#endif
