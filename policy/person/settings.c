#include "policy/person/directory.h"

struct directory_settings *directory_settings_new(void)
{
    struct directory_settings *settings = g_new0(struct directory_settings, 1);

    settings->urls = g_ptr_array_new_with_free_func(g_free);
    settings->address_attributes = g_ptr_array_new_with_free_func(g_free);
    settings->person_filter = g_strdup("(mail=%s)");
    settings->clearance_attribute = g_strdup("mijiClearance");
    settings->login_attribute = g_strdup("uid");
    settings->certificate_attribute = g_strdup("uid");
    settings->refresh_ms = 60000;
    settings->answer_within_ms = 2000;
    settings->connect_within_ms = 1000;
    return settings;
}

static void copy_strings(const GPtrArray *from, GPtrArray *to)
{
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, g_strdup(g_ptr_array_index(from, i)));
}

struct directory_settings *directory_settings_copy(const struct directory_settings *settings)
{
    struct directory_settings *copy = g_new0(struct directory_settings, 1);

    *copy = *settings; /* numbers; what is pointed to follows */
    copy->urls = g_ptr_array_new_with_free_func(g_free);
    copy->address_attributes = g_ptr_array_new_with_free_func(g_free);
    copy_strings(settings->urls, copy->urls);
    copy_strings(settings->address_attributes, copy->address_attributes);
    copy->base = g_strdup(settings->base);
    copy->bind_dn = g_strdup(settings->bind_dn);
    copy->bind_password_file = g_strdup(settings->bind_password_file);
    copy->bind_certificate_file = g_strdup(settings->bind_certificate_file);
    copy->person_filter = g_strdup(settings->person_filter);
    copy->clearance_attribute = g_strdup(settings->clearance_attribute);
    copy->category_attribute = g_strdup(settings->category_attribute);
    copy->clearance_until_attribute = g_strdup(settings->clearance_until_attribute);
    copy->ca_file = g_strdup(settings->ca_file);
    copy->verified_attribute = g_strdup(settings->verified_attribute);
    copy->login_attribute = g_strdup(settings->login_attribute);
    copy->certificate_attribute = g_strdup(settings->certificate_attribute);
    copy->unit_attribute = g_strdup(settings->unit_attribute);
    copy->identity = g_strdup(settings->identity);
    copy->time_zone = settings->time_zone != NULL ? g_time_zone_ref(settings->time_zone) : NULL;
    return copy;
}

void directory_settings_free(struct directory_settings *settings)
{
    if (settings == NULL)
        return;
    g_ptr_array_unref(settings->urls);
    g_ptr_array_unref(settings->address_attributes);
    g_free(settings->base);
    g_free(settings->bind_dn);
    g_free(settings->bind_password_file);
    g_free(settings->bind_certificate_file);
    g_free(settings->person_filter);
    g_free(settings->clearance_attribute);
    g_free(settings->category_attribute);
    g_free(settings->clearance_until_attribute);
    g_free(settings->ca_file);
    g_free(settings->verified_attribute);
    g_free(settings->login_attribute);
    g_free(settings->certificate_attribute);
    g_free(settings->unit_attribute);
    g_free(settings->identity);
    if (settings->time_zone != NULL)
        g_time_zone_unref(settings->time_zone);
    g_free(settings);
}
