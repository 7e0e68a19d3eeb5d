/* A new parent with new workers, as a reload with other limits brings it, while the old ones have messages in
 * hand. */
#include "milter/inspect/inspector.h"

#include <signal.h>

#include "milter/inspect/reader.h"
#include "tests/support/inspecting.h"

/* A reload: who waits gets a new worker, who is served is served to the end, the old parent ends. */
static void test_replaced(void)
{
    g_autoptr(GString) message = slow_message();
    struct setting setting;
    struct job busy, waiting;
    GPid worker, old;
    guint64 before;

    setting_begin(&setting, 1);
    worker = setting_only_worker(&setting);
    old = setting.parent;
    before = ticks_of(worker);
    job_start(&busy, &setting, message->str, PATIENCE);
    WAIT_FOR(ticks_of(worker) >= before + 3)
    kill(worker, SIGSTOP); /* with the message in hand */
    job_start(&waiting, &setting, "Subject: x\n\n", PATIENCE);
    inspector_replace_parent(setting.inspector, setting_start_parent(&setting), &setting.limits);
    pthread_join(waiting.thread, NULL);
    g_assert_cmpint(waiting.failure, ==, INSPECT_OK);
    kill(worker, SIGCONT);
    pthread_join(busy.thread, NULL);
    g_assert_cmpint(busy.failure, ==, INSPECT_OK);
    WAIT_FOR(child_is_gone(old))
    facts_free(waiting.facts);
    facts_free(busy.facts);
    setting_end(&setting);
}

/* What an old worker has in hand it may finish within the time of one message, not longer. */
static void test_in_vain(void)
{
    g_autoptr(GString) message = slow_message();
    struct setting setting;
    struct job busy;
    GPid worker, old;
    guint64 before;

    inspect_limits_init(&setting.limits);
    setting.limits.helpers = 1;
    setting.limits.time_ms = 1000;
    setting.inspector = inspector_new(setting_start_parent(&setting), &setting.limits);
    worker = setting_only_worker(&setting);
    old = setting.parent;
    before = ticks_of(worker);
    job_start(&busy, &setting, message->str, PATIENCE);
    WAIT_FOR(ticks_of(worker) >= before + 3)
    kill(worker, SIGSTOP);
    inspector_replace_parent(setting.inspector, setting_start_parent(&setting), &setting.limits);
    WAIT_FOR(child_is_gone(old))
    pthread_join(busy.thread, NULL);
    g_assert_cmpint(busy.failure, !=, INSPECT_OK);
    expect_well(&setting);
    setting_end(&setting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/replace/replaced", test_replaced);
    g_test_add_func("/inspect/replace/in-vain", test_in_vain);
    return g_test_run();
}
