#include "tests/bench/text.h"

#include <string.h>

static const char *const sentences[] = {
    "请各单位于本周五前报送第三季度工作总结，",
    "The figures for the last quarter are in the table below. ",
    "会议改在二楼会议室，时间不变，请相互转告。",
    "Please reply to all recipients when the draft has been read. ",
    "关于差旅费报销，财务处已更新流程，",
    "the servers in the second data centre will be restarted on Sunday. ",
    "附件为修改后的合同文本，请法务同事审阅；",
    "Kind regards, and thank you for the quick answer. ",
    "培训名单尚缺三人，请人事处补充。",
    "We measured twice, 4,096 and 51,200 bytes, with no difference. ",
    "信息中心将于周六升级邮件系统，期间暂停服务，",
    "no action is needed on your side. ",
};

#define LINE_BYTES 76

char *bench_text(gsize bytes)
{
    GString *text = g_string_sized_new(bytes + 256);
    gsize line_start = 0;
    guint32 seed = 20260101;

    while (text->len + LINE_BYTES < bytes || text->len == 0) {
        const char *sentence;

        seed = seed * 1664525 + 1013904223;
        sentence = sentences[(seed >> 16) % G_N_ELEMENTS(sentences)];
        if (text->len - line_start + strlen(sentence) > LINE_BYTES) {
            g_string_append(text, "\r\n");
            line_start = text->len;
        }
        g_string_append(text, sentence);
    }
    g_string_append(text, "\r\n");
    return g_string_free(text, FALSE);
}

char **bench_fields(const char *from, const char *to, guint number)
{
    GPtrArray *fields = g_ptr_array_new();

    g_ptr_array_add(fields, g_strdup("Received: from client.example (client.example [192.0.2.1])\n"
                                     "\tby relay.example (Postfix) with ESMTPS id 4XQ1Z21pQzz9sRk;\n"
                                     "\tThu,  1 Jan 2026 10:00:00 +0800 (CST)"));
    g_ptr_array_add(fields, g_strdup_printf("Message-ID: <bench.%u@client.example>", number));
    g_ptr_array_add(fields, g_strdup("Date: Thu, 01 Jan 2026 10:00:00 +0800"));
    g_ptr_array_add(fields, g_strdup("MIME-Version: 1.0"));
    g_ptr_array_add(fields, g_strdup("User-Agent: Mozilla Thunderbird"));
    g_ptr_array_add(fields, g_strdup_printf("From: =?UTF-8?B?5Y2a?= <%s>", from));
    g_ptr_array_add(fields, g_strdup_printf("To: <%s>", to));
    g_ptr_array_add(fields, g_strdup("Subject: =?UTF-8?B?56ys5LiJ5a2j5bqm5bel5L2c5oC757uT?= third quarter"));
    g_ptr_array_add(fields, g_strdup("X-Classification: =?UTF-8?B?5YWs5byA?="));
    g_ptr_array_add(fields, g_strdup("Content-Type: text/plain; charset=UTF-8"));
    g_ptr_array_add(fields, g_strdup("Content-Transfer-Encoding: 8bit"));
    g_ptr_array_add(fields, NULL);
    return (char **)g_ptr_array_free(fields, FALSE);
}
