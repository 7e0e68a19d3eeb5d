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
