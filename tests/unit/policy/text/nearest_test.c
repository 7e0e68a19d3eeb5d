#include "policy/text/diagnostic.h"

static void check(const char *word, const char *const *candidates, const char *wanted)
{
    g_assert_cmpstr(nearest_name(word, candidates), ==, wanted);
}

static void nearest(void)
{
    static const char *const clauses[] = {"to", "from", "for", "when", "then", "unless", "because", NULL};
    static const char *const levels[] = {"公开", "内部", "秘密", "机密", "绝密", NULL};

    check("form", clauses, "from"); /* a swap of neighbours is one step */
    check("frmo", clauses, "from");
    check("From", clauses, "from");
    check("becouse", clauses, "because");
    check("unlss", clauses, "unless");
    check("thn", clauses, "then");
    check("notify", clauses, NULL);
    check("", clauses, NULL);
    check("x", clauses, NULL); /* another letter is no neighbour of a single one */
    check("机秘", levels, "机密");
    check("机密级", levels, "机密");
    check("密码", levels, NULL);
    check("when", (const char *const[]){NULL}, NULL);
}

/* At most a third of the length. */
static void limit(void)
{
    static const char *const names[] = {"abcdefghi", NULL};

    check("abcdefxyz", names, "abcdefghi");
    check("abcdewxyz", names, NULL);
    check("abcd", names, "abcdefghi"); /* the beginning of a name, when there is one such name */
    check("abc", names, NULL);
}

static void ties_and_prefixes(void)
{
    static const char *const tie[] = {"labelss", "labexs", NULL};
    static const char *const queues[] = {"labels", "unreadable", "personal data", NULL};
    static const char *const two[] = {"personal data", "personal files", NULL};

    check("labels", tie, "labexs"); /* equal length wins */
    check("personal", queues, "personal data");
    check("personal", two, NULL);
    check("身份证", (const char *const[]){"身份证号", NULL}, "身份证号");
}

static void any_octets(void)
{
    g_autofree char *monster = g_strnfill(5000, 'a');
    const char *const names[] = {monster, "\xFF\xFE", "aaa", NULL};

    check(monster, names, NULL);
    check("\xFF", names, NULL);
    check("aab", names, "aaa");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/text/nearest/nearest", nearest);
    g_test_add_func("/text/nearest/limit", limit);
    g_test_add_func("/text/nearest/ties-and-prefixes", ties_and_prefixes);
    g_test_add_func("/text/nearest/any-octets", any_octets);
    return g_test_run();
}
