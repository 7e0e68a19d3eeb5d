#include "milter/decide/past.h"

static const struct past_entry nothing = {.state = PAST_NOTHING};

struct past *past_new(void)
{
    struct past *past = g_new0(struct past, 1);

    past->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return past;
}

void past_free(struct past *past)
{
    if (past == NULL)
        return;
    g_hash_table_unref(past->entries);
    g_free(past);
}

void past_set(struct past *past, const char *canonical, struct past_entry entry)
{
    g_hash_table_replace(past->entries, g_strdup(canonical), g_memdup2(&entry, sizeof entry));
}

const struct past_entry *past_of(const struct past *past, const char *canonical)
{
    const struct past_entry *entry = past != NULL ? g_hash_table_lookup(past->entries, canonical) : NULL;

    return entry != NULL ? entry : &nothing;
}

/* ---------------------------------------------------------------- approvals */
static char *answered_key(const char *canonical, const char *key)
{
    return g_strconcat(canonical, "\n", key, NULL);
}

struct approvals *approvals_new(void)
{
    struct approvals *approvals = g_new0(struct approvals, 1);

    approvals->answered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return approvals;
}

void approvals_free(struct approvals *approvals)
{
    if (approvals == NULL)
        return;
    g_hash_table_unref(approvals->answered);
    label_set_free(approvals->stated);
    g_free(approvals);
}

void approvals_add(struct approvals *approvals, const char *canonical, const char *key)
{
    g_hash_table_add(approvals->answered, answered_key(canonical, key));
}

gboolean approvals_has(const struct approvals *approvals, const char *canonical, const struct reason *reason)
{
    if (approvals == NULL)
        return FALSE;
    g_autofree char *key = reason_key(reason);
    g_autofree char *answered = answered_key(canonical, key);
    return g_hash_table_contains(approvals->answered, answered);
}

/* ---------------------------------------------------------------- reasons */
gboolean reason_may_be_waived(const struct reason *reason)
{
    /* A vote says that it may go; it does not know what cannot be told now. */
    if (reason->answer == CHECK_UNKNOWN_TRANSIENT)
        return FALSE;
    switch (reason->check) {
    case CHECK_LABEL_STATE:
    case CHECK_RETURN_PATH:
    case CHECK_INSPECTION:
    case CHECK_ATTACHMENT:
    case CHECK_THREAD:
    case CHECK_RULES:
        return TRUE;
    case CHECK_ZONE_RECIPIENT: /* that it cannot be read is check 7's finding, asked for this zone */
        return reason->id == REASON_ENCRYPTED;
    case CHECK_ENVELOPE: /* nothing of which is ever held */
    case CHECK_ZONE_ORIGIN:
    case CHECK_SENDER:
    case CHECK_ORIGINATE:
    case CHECK_VISIBLE:
    case CHECK_RECIPIENT:
        break;
    }
    return FALSE;
}

/* The value: a level, or what stands in the text; of texts in two languages the exact one (in ASCII, levels
 * may look alike). */
static const char *value_of(const struct reason *reason)
{
    if (reason->detail != NULL)
        return reason->detail;
    if (reason->detail_zh != NULL)
        return reason->detail_zh;
    return reason->detail_en != NULL ? reason->detail_en : "";
}

char *reason_key(const struct reason *reason)
{
    const char *level = reason->level != NULL ? reason->level : "";

    return g_strdup_printf("%s %d %u%s%s%s%s", reason_name(reason->id), (int)reason->check, reason->part,
                           level[0] != '\0' ? " " : "", level, value_of(reason)[0] != '\0' ? " " : "",
                           value_of(reason));
}
