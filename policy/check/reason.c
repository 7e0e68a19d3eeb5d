#include "policy/check/reason.h"

static const struct reason_row rows[REASON_COUNT] = {
#define REASON(id, name, fallback, smtp, dsn, told, outside, en, zh) \
    [REASON_##id] = {name, fallback, smtp, dsn, told, outside, en, zh},
#include "policy/check/reason.def"
#undef REASON
};

static const struct {
    const char *name, *en, *zh;
} checks[] = {
    [CHECK_ENVELOPE] = {"envelope", "envelope", "信封"},
    [CHECK_ZONE_ORIGIN] = {"zone-of-origin", "zone of origin carries it", "来源网络域可承载"},
    [CHECK_SENDER] = {"sender", "sender is who it says", "发件人身份"},
    [CHECK_LABEL_STATE] = {"label", "label is there and clear", "密级标识完整明确"},
    [CHECK_ORIGINATE] = {"originate", "sender may send it", "发件人有权发送"},
    [CHECK_RETURN_PATH] = {"return-path", "bounces go to somebody cleared", "退信地址有权知悉"},
    [CHECK_INSPECTION] = {"inspection", "every part could be read", "各部分均可检查"},
    [CHECK_ATTACHMENT] = {"attachment", "no attachment is above it", "附件不高于邮件"},
    [CHECK_THREAD] = {"thread", "not below what it answers", "不低于所答复的邮件"},
    [CHECK_VISIBLE] = {"visible", "recipient is visible", "收件人可见"},
    [CHECK_RECIPIENT] = {"recipient", "recipient is cleared", "收件人有权知悉"},
    [CHECK_ZONE_RECIPIENT] = {"zone-of-recipient", "zone of recipient carries it", "去向网络域可承载"},
    [CHECK_RULES] = {"rules", "rules", "监控规则"},
};

const struct reason_row *reason_row(enum reason_id id)
{
    g_assert(id < REASON_COUNT);
    return &rows[id];
}

const char *reason_name(enum reason_id id)
{
    return reason_row(id)->name;
}

const char *check_name(enum check_id id)
{
    g_assert(id >= CHECK_ENVELOPE && id <= CHECK_RULES);
    return checks[id].name;
}

const char *check_title(enum check_id id, enum language language)
{
    g_assert(id >= CHECK_ENVELOPE && id <= CHECK_RULES);
    return language == LANGUAGE_ZH ? checks[id].zh : checks[id].en;
}

void reason_free(struct reason *reason)
{
    if (reason == NULL)
        return;
    g_free(reason->address);
    g_free(reason->level);
    g_free(reason->level_ascii);
    g_free(reason->detail);
    g_free(reason->detail_en);
    g_free(reason->detail_zh);
    g_free(reason);
}

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

char *reason_text(const struct reason *reason, enum language language)
{
    const struct reason_row *row = reason_row(reason->id);
    const char *in_language = language == LANGUAGE_ZH ? reason->detail_zh : reason->detail_en;
    const char *args[] = {or_dash(reason->address), or_dash(reason->level),
                          or_dash(in_language != NULL ? in_language : reason->detail), NULL};

    return message_fill(language == LANGUAGE_ZH ? row->zh : row->en, args, language);
}
