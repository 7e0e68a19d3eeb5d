#include "policy/label/claim.h"
#include "policy/label/duration.h"
#include "tests/support/scheme_text.h"

#include <string.h>

static GPtrArray *claims_of(const struct schemes *schemes, struct place place, const char *text)
{
    GPtrArray *claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    claims_read(schemes, &place, text, strlen(text), claims);
    return claims;
}

/* "机密 专项:密码 10年 default near irregular | invalid: why" for each claim. */
static char *describe(const GPtrArray *claims)
{
    GString *all = g_string_new(NULL);
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = g_ptr_array_index(claims, i);
        g_string_append(all, i > 0 ? " | " : "");
        if (claim->state != CLAIM_VALUE) {
            g_string_append_printf(all, "%s: %s", claim->state == CLAIM_INVALID ? "invalid" : "unmapped",
                                   claim->why);
            continue;
        }
        g_autofree char *label = label_format(claim->label);
        g_autofree char *term = duration_format(&claim->label->duration, LANGUAGE_ZH);
        g_string_append_printf(all, "%s%s%s%s%s%s", label, term != NULL ? " " : "", term != NULL ? term : "",
                               term != NULL && claim->label->duration.is_default ? " default" : "",
                               claim->near ? " near" : "", claim->irregular ? " irregular" : "");
        g_assert_true(claim->scheme == claim->label->scheme);
        g_assert_null(claim->why);
    }
    return g_string_free(all, FALSE);
}

static void reads(const struct schemes *schemes, struct place place, const char *text, const char *expected)
{
    g_autoptr(GPtrArray) claims = claims_of(schemes, place, text);
    g_autofree char *found = describe(claims);
    if (!g_str_equal(found, expected))
        g_test_message("in \"%s\"", text);
    g_assert_cmpstr(found, ==, expected);
}

static void test_field(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    const struct place field = {.kind = PLACE_FIELD, .field = "x-classification"};
    reads(cn, field, "机密", "机密 20年 default");
    reads(cn, field, "公开", "公开");
    reads(cn, field, "机密★10年", "机密 10年");
    reads(cn, field, "[秘密]", "秘密 10年 default");
    reads(cn, field, "密级：绝密", "绝密 30年 default");
    reads(cn, field, "Top-Secret", "绝密 30年 default");
    reads(cn, field, " 機 密 ", "机密 20年 default");
    reads(cn, field, "机密★2030-12-31", "机密 2030-12-31");
    reads(cn, field, "机秘", "invalid: \"机秘\" is not a level of scheme cn");
    reads(cn, field, "机密性", "invalid: \"机密性\" is not a level of scheme cn");
    reads(cn, field, "秘密 机密", "invalid: scheme cn has no category \"机密\"");
    reads(cn, field, "", "invalid: it is empty");
    reads(cn, field, " \u200b ", "invalid: it is empty");
    reads(cn, field, "非密", ""); /* a negation is no claim */
    reads(cn, field, "【非密】", "invalid: \"【非密】\" is not a level of scheme cn");
    reads(cn, (struct place){.kind = PLACE_FIELD, .field = "X-Other"}, "机密", "");
}

static void test_categories(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    const struct place field = {.kind = PLACE_FIELD, .field = "X-Miji-Label"};
    reads(cn, field, "机密 专项:密码", "机密 专项:密码 20年 default");
    reads(cn, field, "机密★10年 专项：密码、核", "机密 专项:密码,核 10年");
    reads(cn, field, "机密 专项 密码", "机密 专项:密码 20年 default");
    reads(cn, field, "机密 crypto, nuclear", "机密 专项:密码,核 20年 default");
    reads(cn, field, "机密; 专项: 核 , 密码; 知悉范围:财务处,Unit A",
          "invalid: scheme cn has no category \"A\"");
    reads(cn, field, "机密 知悉范围:财务处,Unit-A 专项:核",
          "机密 知悉范围:Unit-A,财务处 专项:核 20年 default");
    reads(cn, field, "[机密 专项:核]", "机密 专项:核 20年 default");
    reads(cn, field, "机密 专项:雷达", "invalid: 雷达 is not a value of 专项"); /* closed: unreadable */
    reads(cn, field, "机密 项目:天河", "invalid: scheme cn has no category set 项目");
    reads(cn, field, "机密 专项:", "invalid: a category is missing behind 专项");
    reads(cn, field, "机密 天河", "invalid: scheme cn has no category \"天河\"");
    reads(cn, field, "公开 专项:核", "公开 专项:核 irregular"); /* below 秘密, but counts in full */
}

/* More values than a label may have cannot be read, rather than being cut. */
static void test_too_many(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    g_autoptr(GString) text = g_string_new("机密 知悉范围:");
    for (guint i = 0; i < 64; i++)
        g_string_append_printf(text, "%su%02u", i > 0 ? "," : "", i);
    const struct place field = {.kind = PLACE_FIELD, .field = "X-Classification"};
    g_autoptr(GPtrArray) right = claims_of(cn, field, text->str);
    g_assert_cmpint(((struct claim *)g_ptr_array_index(right, 0))->state, ==, CLAIM_VALUE);
    g_string_append(text, ",u64");
    reads(cn, field, text->str, "invalid: it names too many categories");
}

static void test_irregular(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    const struct place subject = {.kind = PLACE_SUBJECT};
    reads(cn, subject, "内部★1年", "内部 1年 irregular");   /* the sign of state secrets */
    reads(cn, subject, "秘密★11年", "秘密 11年 irregular"); /* above the longest term */
    reads(cn, subject, "秘密★10年", "秘密 10年");
    reads(cn, subject, "秘密★启封前", "秘密 启封前");
    reads(cn, subject, "绝密★长期", "绝密 长期");
}

static void test_subject(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    const struct place subject = {.kind = PLACE_SUBJECT};
    reads(cn, subject, "会议通知", "");
    reads(cn, subject, "【秘密】方案【机密★5年】", "秘密 10年 default | 机密 5年");
    reads(cn, subject, "[机密★10年] 密级：机密",
          "机密 10年"); /* equal marks are one claim, a written term counts first */
    reads(cn, subject, "机密★10年 机密★5年", "机密 10年"); /* of two, the later */
    reads(cn, subject, "【机密", "机密 20年 default near");
    reads(cn, subject, "【机密】 【机密", "机密 20年 default"); /* one in form is enough */
    reads(cn, subject, "【机密】已解密", "");
    reads(cn, subject, "【机秘】", ""); /* a form whose content is no level is no claim */
}

static void test_parts(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    reads(cn, (struct place){.kind = PLACE_PART_NAME, .part = 2}, "【机密】方案.docx", "机密 20年 default");
    reads(cn, (struct place){.kind = PLACE_PART_TEXT, .part = 2, .line = 1}, "机密", "机密 20年 default");
    reads(cn, (struct place){.kind = PLACE_PART_TEXT, .part = 2, .line = 13}, "机密", "");
    reads(cn, (struct place){.kind = PLACE_PART_FIELD, .part = 2, .field = "Subject"}, "【机密】",
          "机密 20年 default");
    reads(cn, (struct place){.kind = PLACE_PART_FIELD, .part = 2, .field = "X-Classification"}, "?",
          "invalid: \"?\" is not a level of scheme cn");
    reads(cn, (struct place){.kind = PLACE_QUOTED, .line = 300}, "机密★", "机密 20年 default");
    reads(cn, (struct place){.kind = PLACE_HISTORY, .field = "SIO-Label-History"}, "机密", "");
    reads(cn, (struct place){.kind = PLACE_SIGNATURE}, "机密", "");
    reads(cn, (struct place){.kind = PLACE_PART_PROPERTY, .part = 1}, "机密", "");
    reads(cn, (struct place){.kind = PLACE_LINE, .line = 1}, "附件密级为秘密", "");
}

/* What is kept of the text: the mark as it was written, cut at its limit between characters. */
static void test_raw(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    g_autoptr(GPtrArray) mark =
        claims_of(cn, (struct place){.kind = PLACE_SUBJECT}, "Re: 机\u200b密☆１０年 方案");
    g_assert_cmpstr(((struct claim *)g_ptr_array_index(mark, 0))->raw, ==, "机\u200b密☆１０年");
    g_autoptr(GString) text = g_string_new("xx");
    while (text->len < 5000)
        g_string_append(text, "机");
    g_autoptr(GPtrArray) field =
        claims_of(cn, (struct place){.kind = PLACE_FIELD, .field = "X-Classification"}, text->str);
    const struct claim *claim = g_ptr_array_index(field, 0);
    g_assert_cmpuint(strlen(claim->raw), ==, 4094);
    g_assert_true(g_utf8_validate(claim->raw, -1, NULL));
    g_assert_cmpint(g_utf8_strlen(claim->why, -1), <, 80);
}

/* The claim outlives the facts that its place pointed into. */
static void test_owns_field(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    char name[] = "X-Classification";
    g_autoptr(GPtrArray) claims = claims_of(cn, (struct place){.kind = PLACE_FIELD, .field = name}, "机密");
    memset(name, 'x', sizeof name - 1);
    g_assert_cmpstr(((struct claim *)g_ptr_array_index(claims, 0))->place.field, ==, "X-Classification");
}

static void test_fault_in_two_languages(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    g_autoptr(GPtrArray) claims =
        claims_of(cn, (struct place){.kind = PLACE_FIELD, .field = "X-Classification"}, "机秘");
    g_autofree char *chinese =
        message_format(&((struct claim *)g_ptr_array_index(claims, 0))->fault, LANGUAGE_ZH);
    g_assert_cmpstr(chinese, ==, "\"机秘\"不是密级体系 cn 的密级");
}

static struct schemes *two_schemes(void)
{
    struct schemes *schemes = schemes_cn();
    schemes_read_text(schemes, "scheme \"hk\"\nlevel 機密 rank 1\nlevel 高度機密 rank 2\nmarking field "
                               "\"X-HK\", \"X-Classification\"\n");
    return schemes;
}

static void test_two_schemes(void)
{
    g_autoptr(schemes) schemes = two_schemes();
    const struct place shared = {.kind = PLACE_FIELD, .field = "X-Classification"};
    reads(schemes, (struct place){.kind = PLACE_FIELD, .field = "X-HK"}, "機密", "hk/機密");
    reads(schemes, shared, "高度機密", "hk/高度機密");
    reads(schemes, shared, "機密", "机密 20年 default");
    reads(schemes, shared, "無", "invalid: \"無\" is not a level of scheme cn");
    g_autoptr(GPtrArray) both = claims_of(schemes, shared, "機密");
    g_autoptr(GPtrArray) one = claims_of(schemes, shared, "内部");
    g_assert_true(((struct claim *)g_ptr_array_index(both, 0))->scheme_ambiguous);
    g_assert_false(((struct claim *)g_ptr_array_index(one, 0))->scheme_ambiguous);
    g_assert_true(schemes_reading_field(schemes, "x-hk") == schemes_find(schemes, "hk"));
    g_assert_true(schemes_reading_field(schemes, "X-CLASSIFICATION") == schemes_home(schemes));
    g_assert_null(schemes_reading_field(schemes, "Subject"));
}

/* No scheme can have marker addresses yet: none is found. */
static void test_marker(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    const struct scheme *scheme = NULL;
    g_assert_null(schemes_marker(cn, "jimi@label.invalid", &scheme));
    g_assert_null(scheme);
}

static void test_place(void)
{
    static const struct {
        struct place place;
        const char *english, *chinese;
        enum place_class class;
    } places[] = {
        {{.kind = PLACE_FIELD, .field = "X-Classification"},
         "the field X-Classification",
         "信头 X-Classification",
         PLACE_OWN},
        {{.kind = PLACE_SUBJECT}, "the subject", "主题", PLACE_OWN},
        {{.kind = PLACE_LINE, .line = 3}, "line 3", "第 3 行", PLACE_OWN},
        {{.kind = PLACE_MARKER}, "a marker recipient", "标密收件地址", PLACE_OWN},
        {{.kind = PLACE_SIGNATURE}, "the signature", "签名", PLACE_OWN},
        {{.kind = PLACE_PART_TEXT, .part = 2, .line = 1},
         "attachment 2 (line 1)",
         "第 2 个附件（第 1 行）",
         PLACE_CONTAINED},
        {{.kind = PLACE_PART_FIELD, .part = 3, .field = "Subject"},
         "attachment 3 (field Subject)",
         "第 3 个附件（信头 Subject）",
         PLACE_CONTAINED},
        {{.kind = PLACE_PART_NAME, .part = 1},
         "attachment 1 (file name)",
         "第 1 个附件（文件名）",
         PLACE_CONTAINED},
        {{.kind = PLACE_PART_PROPERTY, .part = 1},
         "attachment 1 (document property)",
         "第 1 个附件（文档属性）",
         PLACE_CONTAINED},
        {{.kind = PLACE_QUOTED}, "quoted text", "引文", PLACE_IN_QUOTE},
        {{.kind = PLACE_HISTORY}, "the label history", "密级变更记录", PLACE_PAST},
    };
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *english = place_format(&places[i].place, LANGUAGE_EN);
        g_autofree char *chinese = place_format(&places[i].place, LANGUAGE_ZH);
        g_assert_cmpstr(english, ==, places[i].english);
        g_assert_cmpstr(chinese, ==, places[i].chinese);
        g_assert_true(g_str_is_ascii(english));
        g_assert_cmpint(place_class(places[i].place.kind), ==, places[i].class);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/claim/field", test_field);
    g_test_add_func("/claim/categories", test_categories);
    g_test_add_func("/claim/too-many", test_too_many);
    g_test_add_func("/claim/irregular", test_irregular);
    g_test_add_func("/claim/subject", test_subject);
    g_test_add_func("/claim/parts", test_parts);
    g_test_add_func("/claim/raw", test_raw);
    g_test_add_func("/claim/owns-field", test_owns_field);
    g_test_add_func("/claim/fault-in-two-languages", test_fault_in_two_languages);
    g_test_add_func("/claim/two-schemes", test_two_schemes);
    g_test_add_func("/claim/marker", test_marker);
    g_test_add_func("/claim/place", test_place);
    return g_test_run();
}
