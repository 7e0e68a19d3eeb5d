/* The rebuilt Received field, verbatim. */
#include "milter/review/received.h"

#include <string.h>

struct setting {
    struct recorded recorded;
    struct received received;
    GTimeZone *zone;
};

static void begin(struct setting *setting)
{
    *setting = (struct setting){.zone = g_time_zone_new_identifier("+08:00")};
    setting->recorded.envelope = envelope_new();
    setting->recorded.at_s = 1798761600; /* 2027-01-01 00:00 UTC */
    setting->recorded.session = (struct session){.client = ip_parse("10.1.2.3"),
                                                 .client_name = (char *)"desk.agency.gov.cn",
                                                 .helo = (char *)"desk.example",
                                                 .login = (char *)"bo",
                                                 .tls = 13,
                                                 .cipher = (char *)"TLS_AES_256_GCM_SHA384"};
    setting->received = (struct received){.recorded = &setting->recorded,
                                          .host = "mail.agency.gov.cn",
                                          .queue_id = "4Xk2",
                                          .recipient = "<an@agency.gov.cn>",
                                          .zone = setting->zone};
}

static void expect(struct setting *setting, const char *field)
{
    g_autofree char *made = received_make(&setting->received);

    g_assert_cmpstr(made, ==, field);
}

static void end(struct setting *setting)
{
    envelope_free(setting->recorded.envelope);
    g_time_zone_unref(setting->zone);
}

static void test_whole(void)
{
    struct setting setting;

    begin(&setting);
    expect(&setting, "Received: from desk.example (desk.agency.gov.cn [10.1.2.3])\r\n"
                     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
                     "\tby mail.agency.gov.cn with ESMTPSA id 4Xk2\r\n"
                     "\tfor <an@agency.gov.cn>; Fri, 1 Jan 2027 08:00:00 +0800\r\n");
    end(&setting);
}

/* Several recipients, no TLS, no login, no queue id; IPv6; a zone west of Greenwich with half an hour. */
static void test_less(void)
{
    struct setting setting;

    begin(&setting);
    setting.recorded.session.tls = 0;
    setting.recorded.session.login = NULL;
    setting.recorded.session.client = ip_parse("2001:db8::7");
    setting.recorded.session.client_name = NULL;
    setting.received.recipient = NULL;
    setting.received.queue_id = NULL;
    setting.received.zone = g_time_zone_new_identifier("-03:30");
    expect(&setting, "Received: from desk.example (unknown [IPv6:2001:db8::7])\r\n"
                     "\tby mail.agency.gov.cn with ESMTP; Thu, 31 Dec 2026 20:30:00 -0330\r\n");
    g_time_zone_unref(setting.received.zone);
    end(&setting);
}

static void test_utf8(void)
{
    struct setting setting;

    begin(&setting);
    envelope_set_sender(setting.recorded.envelope, "<bo@agency.gov.cn>", "BODY=8BITMIME SMTPUTF8");
    setting.received.recipient = "<安@agency.gov.cn>"; /* is left out: the field is ASCII */
    g_autofree char *made = received_make(&setting.received);
    g_assert_nonnull(strstr(made, "with UTF8SMTPSA id 4Xk2; Fri"));
    g_assert_null(strstr(made, "for "));
    end(&setting);
}

/* sendmail(1) has no client. */
static void test_local(void)
{
    struct setting setting;

    begin(&setting);
    setting.recorded.session.role = ROLE_LOCAL;
    expect(&setting, "Received: by mail.agency.gov.cn id 4Xk2\r\n"
                     "\tfor <an@agency.gov.cn>; Fri, 1 Jan 2027 08:00:00 +0800\r\n");
    end(&setting);
}

/* What the client chose can be nothing but a name: no second field, no comment, no endless line. */
static void test_hostile(void)
{
    struct setting setting;
    g_autofree char *endless = g_strnfill(100000, 'a');

    begin(&setting);
    setting.received.recipient = "<a b@x> (c)\r\nX: y";
    setting.received.queue_id = "4X\r\nX-Evil: 1";
    setting.recorded.session.helo = (char *)"a\r\nX-Evil: (1) \xff\"<";
    setting.recorded.session.client_name = endless;
    setting.recorded.session.cipher = NULL;
    g_autofree char *made = received_make(&setting.received);
    g_auto(GStrv) lines = g_strsplit(made, "\r\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    for (guint i = 1; i < 3; i++)
        g_assert_cmpint(lines[i][0], ==, '\t');
    g_assert_cmpstr(lines[3], ==, "");
    for (char **line = lines; *line != NULL; line++)
        g_assert_cmpuint(strlen(*line), <, 998);
    g_assert_true(g_str_has_prefix(made, "Received: from a??X-Evil:??1????? ("));
    g_assert_null(strstr(made, "for "));
    end(&setting);
}

static void test_odd_time(void)
{
    struct setting setting;

    begin(&setting);
    setting.recorded.at_s = G_MAXINT64;
    g_autofree char *made = received_make(&setting.received);
    g_assert_true(g_str_has_suffix(made, "; Thu, 1 Jan 1970 00:00:00 +0000\r\n"));
    end(&setting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/received/whole", test_whole);
    g_test_add_func("/review/received/less", test_less);
    g_test_add_func("/review/received/utf8", test_utf8);
    g_test_add_func("/review/received/local", test_local);
    g_test_add_func("/review/received/hostile", test_hostile);
    g_test_add_func("/review/received/odd-time", test_odd_time);
    return g_test_run();
}
