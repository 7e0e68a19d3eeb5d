#include "tests/support/asking.h"

/* Longer than any directory of the tests may take; these end by their own limits. */
#define LONG_US (60 * G_USEC_PER_SEC)

struct person_answer ask_one(struct directory *directory, struct directory_query **query,
                             enum question_kind kind, const char *value)
{
    g_clear_pointer(query, directory_query_free);
    *query = directory_query_new(directory);
    directory_query_add(*query, kind, value);
    directory_query_wait(*query, g_get_monotonic_time() + LONG_US);
    return directory_query_answer(*query, kind, value);
}

enum answer_state ask_state(struct directory *directory, enum question_kind kind, const char *value)
{
    g_autoptr(directory_query) query = NULL;

    return ask_one(directory, &query, kind, value).state;
}

char *asking_where(struct directory *directory)
{
    struct directory_status status;

    directory_get_status(directory, &status);
    return status.where;
}

guint64 asking_searches(struct directory *directory)
{
    struct directory_status status;

    directory_get_status(directory, &status);
    directory_status_clear(&status);
    return status.searches;
}
