/* What Postfix's queue and log say of a queue id. */
#include "milter/daemon/mail_queue.h"

#include <string.h>

static FILE *reading(const char *text)
{
    return fmemopen((void *)text, strlen(text), "r");
}

static gboolean lists(const char *text, const char *queue_id)
{
    FILE *listing = reading(text);
    gboolean found = mail_queue_lists(listing, queue_id);

    fclose(listing);
    return found;
}

static gboolean logged(const char *text, const char *queue_id)
{
    FILE *log = reading(text);
    gboolean found = mail_queue_logged(log, queue_id);

    fclose(log);
    return found;
}

static void test_queue(void)
{
    static const char listing[] =
        "{\"queue_name\": \"active\", \"queue_id\": \"4Xk2c51zQyz\", \"arrival_time\": 1767225600, "
        "\"message_size\": 420, \"forced_expire\": false, \"sender\": \"bo@x.cn\", \"recipients\": "
        "[{\"address\": \"an@x.cn\"}]}\n"
        "{\"queue_name\": \"deferred\", \"queue_id\": \"3F1A2B4C5D\", \"sender\": "
        "\"\\\"queue_id\\\": \\\"99999AAAAA\\\"@x.cn\", \"recipients\": []}\n";

    g_assert_true(lists(listing, "4Xk2c51zQyz"));
    g_assert_true(lists(listing, "3F1A2B4C5D"));
    g_assert_false(lists(listing, "4Xk2c51zQy"));
    g_assert_false(lists(listing, "99999AAAAA"));
    g_assert_false(lists("\n", "4Xk2c51zQyz"));
}

static void test_log(void)
{
    static const char log[] =
        "Jan  1 10:00:00 mx postfix/smtpd[11]: 4Xk2c51zQyz: client=localhost[127.0.0.1]\n"
        "Jan  1 10:00:00 mx postfix/cleanup[12]: 4Xk2c51zQyz: message-id=<1@x.cn>\n"
        "Jan  1 10:00:01 mx postfix/qmgr[13]: 4Xk2c51zQyz: from=<bo@x.cn>, size=420, nrcpt=1 (queue active)\n"
        "2026-01-01T10:00:02.5+08:00 mx postfix-miji/qmgr[13]: 3F1A2B4C5D: removed\n"
        "Jan  1 10:00:03 mx postfix/cleanup[12]: 55555: milter-reject: END-OF-MESSAGE from x: 5.7.1 no\n"
        "Jan  1 10:00:04 mx postfix/cleanup[12]: 66666: message-id=</qmgr[1]: 77777: from=<bo@x.cn>>\n"
        "Jan  1 10:00:05 mx postfix/qmgr[13]: 88888: skipped, still being delivered\n";

    g_assert_true(logged(log, "4Xk2c51zQyz"));
    g_assert_true(logged(log, "3F1A2B4C5D"));
    g_assert_false(logged(log, "4Xk2c51zQy"));
    g_assert_false(logged(log, "F1A2B4C5D"));
    g_assert_false(logged(log, "55555"));
    g_assert_false(logged(log, "66666"));
    g_assert_false(logged(log, "77777"));
    g_assert_false(logged(log, "88888"));
    g_assert_false(logged("\n", "88888"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/mail-queue/queue", test_queue);
    g_test_add_func("/mail-queue/log", test_log);
    return g_test_run();
}
