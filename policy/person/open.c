#include "policy/person/directory.h"

#include "policy/person/filter.h"

char *directory_filter_problem(const char *person_filter)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(person_filter) filter = person_filter_parse(person_filter, &error);

    return filter == NULL ? g_strdup(error->message) : NULL;
}

struct directory *directory_open(struct directory_settings *settings, struct schemes *schemes, GError **error)
{
    const char *url = settings->urls->len > 0 ? g_ptr_array_index(settings->urls, 0) : "";
    struct backend *backend = g_str_has_prefix(url, "file:") ? backend_file_new(settings, schemes, error)
                                                             : backend_ldap_new(settings, schemes, error);

    if (backend != NULL)
        return directory_over(settings, schemes, backend);
    directory_settings_free(settings);
    return NULL;
}
