#include "milter/daemon/queue_id.h"

#include "milter/daemon/limits.h"

static void test_forms(void)
{
    g_autofree char *longest = g_strnfill(LIMIT_QUEUE_ID, 'A'), *longer = g_strnfill(LIMIT_QUEUE_ID + 1, 'A');
    const struct {
        const char *text;
        gboolean good, of_postfix;
    } table[] = {
        {"4Xk2c51zQyz9rS", TRUE, TRUE}, {"3F1A2B4C5D", TRUE, TRUE},      {"AB123", TRUE, TRUE},
        {"AB12", TRUE, FALSE},          {"s9KAbc1D.x-1_2", TRUE, FALSE}, {"", FALSE, FALSE},
        {"4Xk2c51zQ;id", FALSE, FALSE}, {"4Xk2c51z Qyz", FALSE, FALSE},  {"../4Xk2c51zQ", FALSE, FALSE},
        {"4Xk2c51zQ\n", FALSE, FALSE},  {"机密机密机密", FALSE, FALSE},  {longest, TRUE, TRUE},
        {longer, FALSE, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_test_message("%s", table[i].text);
        g_assert_cmpint(queue_id_is_good(table[i].text), ==, table[i].good);
        g_assert_cmpint(queue_id_is_of_postfix(table[i].text), ==, table[i].of_postfix);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/queue-id/forms", test_forms);
    return g_test_run();
}
