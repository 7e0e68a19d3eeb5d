#include "policy/check/reason.h"

#include <string.h>

static gboolean is_ascii(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            return FALSE;
    return TRUE;
}

static void test_names(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint id = 0; id < REASON_COUNT; id++) {
        const struct reason_row *row = reason_row(id);
        g_assert_cmpstr(reason_name(id), ==, row->name);
        g_assert_true(g_hash_table_add(seen, (gpointer)row->name));
        g_assert_cmpuint(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen(row->name));
    }
}

/* RFC 5321 4.2, RFC 3463: the first digit of code and status agree; SMTP texts are ASCII. */
static void test_codes(void)
{
    for (guint id = 0; id < REASON_COUNT; id++) {
        const struct reason_row *row = reason_row(id);
        g_test_message("%s", row->name);
        g_assert_true(is_ascii(row->en));
        g_assert_false(is_ascii(row->zh));
        g_assert_cmpint(row->en[0], !=, '\0');
        if (row->smtp == 0)
            continue;
        g_assert_true(row->smtp / 100 == 4 || row->smtp / 100 == 5);
        g_assert_cmpuint((guint)(row->dsn[0] - '0'), ==, row->smtp / 100);
        g_assert_cmpint(row->dsn[1], ==, '.');
        g_assert_true((row->fallback == REASON_DEFER) == (row->smtp / 100 == 4));
    }
}

/* What outsiders hear says nothing of people and levels; a text without details has no places for them. */
static void test_disclosure(void)
{
    for (guint id = 0; id < REASON_COUNT; id++) {
        const struct reason_row *row = reason_row(id);
        gboolean details = strstr(row->en, "{0}") != NULL || strstr(row->en, "{1}") != NULL;
        g_test_message("%s", row->name);
        if (row->told_outside &&
            id != REASON_HIDDEN) /* that is the very text of Postfix for everybody unknown */
            g_assert_false(details);
        if (row->told == TOLD_NO_DETAIL)
            g_assert_false(details);
        g_assert_false(row->told_outside && row->told == TOLD_NEUTRAL);
    }
}

/* Both languages use the same places. */
static void test_places(void)
{
    static const char *const places[] = {"{0}", "{1}", "{2}"};

    for (guint id = 0; id < REASON_COUNT; id++)
        for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
            if (id == REASON_HIDDEN) /* 收件人不存在 */
                continue;
            g_assert_cmpint(strstr(reason_row(id)->en, places[i]) != NULL, ==,
                            strstr(reason_row(id)->zh, places[i]) != NULL);
        }
}

static void test_text(void)
{
    struct reason reason = {.id = REASON_NOT_CLEARED,
                            .address = (char *)"mi@agency.gov.cn",
                            .level = (char *)"机密",
                            .level_ascii = (char *)"secret"};
    g_autofree char *en = reason_text(&reason, LANGUAGE_EN);
    g_autofree char *zh = reason_text(&reason, LANGUAGE_ZH);

    g_assert_cmpstr(en, ==, "mi@agency.gov.cn may not receive mail marked 机密");
    g_assert_cmpstr(zh, ==, "mi@agency.gov.cn 无权接收 机密 级邮件");
}

static void test_text_detail(void)
{
    struct reason reason = {.id = REASON_PROTECTION_MISSING,
                            .detail_en = (char *)"a client certificate",
                            .detail_zh = (char *)"客户端证书"};
    struct reason bare = {.id = REASON_ENCRYPTED, .detail = (char *)"3"};
    g_autofree char *en = reason_text(&reason, LANGUAGE_EN);
    g_autofree char *zh = reason_text(&reason, LANGUAGE_ZH);
    g_autofree char *part = reason_text(&bare, LANGUAGE_EN);
    g_autofree char *nothing = reason_text(&(struct reason){.id = REASON_NOT_CLEARED}, LANGUAGE_EN);

    g_assert_cmpstr(en, ==, "This network requires a client certificate");
    g_assert_cmpstr(zh, ==, "此网络须使用 客户端证书");
    g_assert_cmpstr(part, ==, "Part 3 is encrypted and cannot be checked");
    g_assert_cmpstr(nothing, ==, "- may not receive mail marked -");
}

static void test_checks(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint id = CHECK_ENVELOPE; id <= CHECK_RULES; id++) {
        g_assert_true(g_hash_table_add(seen, (gpointer)check_name(id)));
        g_assert_true(is_ascii(check_title(id, LANGUAGE_EN)));
        g_assert_false(is_ascii(check_title(id, LANGUAGE_ZH)));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/reason/names", test_names);
    g_test_add_func("/reason/codes", test_codes);
    g_test_add_func("/reason/disclosure", test_disclosure);
    g_test_add_func("/reason/places", test_places);
    g_test_add_func("/reason/text", test_text);
    g_test_add_func("/reason/text-detail", test_text_detail);
    g_test_add_func("/reason/checks", test_checks);
    return g_test_run();
}
