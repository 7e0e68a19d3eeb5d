#include "tests/support/schemes.h"

#include <stdarg.h>

#include "tests/support/scheme_text.h"

static const char AU[] = "scheme \"au\"\n"
                         "level OFFICIAL  rank 0\n"
                         "level SECRET  rank 1\n"
                         "level \"TOP SECRET\"  rank 2\n"
                         "category set \"caveat\"  restrictive  also \"handling\" { value \"CODEWORD\" }\n";

struct schemes *support_schemes(void)
{
    struct schemes *schemes = schemes_cn();

    schemes_read_text(schemes, AU);
    return schemes;
}

struct label *support_label(const struct schemes *schemes, const char *level, ...)
{
    const struct scheme *scheme;
    const struct level *found;
    struct label *label;
    va_list values;

    if (schemes_level(schemes, level, &scheme, &found) != LEVEL_FOUND)
        g_error("the tests have no level %s", level);
    label = label_new(scheme, found);
    va_start(values, level);
    for (const char *value; (value = va_arg(values, const char *)) != NULL;) {
        g_auto(GStrv) pair = g_strsplit(value, "=", 2);

        label_add_value(label, scheme_set(scheme, pair[0]), pair[1]);
    }
    va_end(values);
    return label;
}
