/*
 * reviewing: the world with a security office, for tests of who reviews: queues "labels" (members of baomi)
 * and "finance" (cai alone, who may not vote on what came to them), roles officer (baomi), auditor (shenji),
 * administrator (you@…). Further people:
 *
 *     gao 绝密 专项 密码,核 (system high) and hei 机密: officers, of baomi, as an and bo are
 *     shen 绝密: auditor; you 绝密: administrator; cai 机密: reviewer of "finance" only
 */
#ifndef TESTS_SUPPORT_REVIEWING_H
#define TESTS_SUPPORT_REVIEWING_H

#include "milter/conf/snapshot.h"
#include "tests/support/world.h"

#define REVIEWING_GROUPS "ou=groups,dc=agency,dc=gov,dc=cn"

/* Gives the world queues and roles, and its snapshot a directory; down: values that cannot be asked now
 * (world->down). Call it once all people are there. Freed by reviewing_end. */
void reviewing_begin(struct world *world);
/* The directory again, of the people as they are now. */
void reviewing_directory(struct world *world);
void reviewing_end(struct world *world);
struct queue *reviewing_queue(struct world *world, const char *name);

#endif
