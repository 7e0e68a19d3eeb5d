#include "policy/person/clearance.h"

#include <string.h>

GQuark clearance_error_quark(void)
{
    return g_quark_from_static_string("miji-clearance-error");
}

void clearance_free(struct clearance *clearance)
{
    if (clearance == NULL)
        return;
    label_free(clearance->label);
    g_free(clearance);
}

static void append_moment(GString *out, const char *word, gint64 seconds)
{
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_local(seconds);
    g_autofree char *text = moment != NULL ? g_date_time_format(moment, "%Y-%m-%d %H:%M") : NULL;

    if (text == NULL)
        return;
    if (g_str_has_suffix(text, " 00:00"))
        text[strlen(text) - strlen(" 00:00")] = '\0';
    g_string_append_printf(out, " %s %s", word, text);
}

char *clearance_format(const struct clearance *clearance)
{
    g_autofree char *label = label_format(clearance->label);
    g_autoptr(GString) out = g_string_new(label);

    if (clearance->from != G_MININT64)
        append_moment(out, "from", clearance->from);
    if (clearance->until != G_MAXINT64)
        append_moment(out, "before", clearance->until);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean take_digits(const char **text, guint count, int *number)
{
    *number = 0;
    for (guint i = 0; i < count; i++) {
        if (!g_ascii_isdigit((*text)[i]))
            return FALSE;
        *number = *number * 10 + ((*text)[i] - '0');
    }
    *text += count;
    return TRUE;
}

/* Z or ±HH[MM] and nothing behind it. */
static GTimeZone *read_offset(const char *text)
{
    gsize length = strlen(text);
    const char *digits = text + 1;
    int number;

    if (strcmp(text, "Z") == 0)
        return g_time_zone_new_utc();
    if ((text[0] != '+' && text[0] != '-') || (length != 3 && length != 5) ||
        !take_digits(&digits, (guint)length - 1, &number))
        return NULL;
    return g_time_zone_new_identifier(text);
}

/* RFC 4517 3.3.13: YYYYMMDDHH[MM[SS]][.f](Z|±HH[MM]). The fraction is left out: the end is then a little
 * earlier. */
static gboolean read_generalized_time(const char *text, gint64 *seconds)
{
    int year, month, day, hour, minute = 0, second = 0;

    if (!take_digits(&text, 4, &year) || !take_digits(&text, 2, &month) || !take_digits(&text, 2, &day) ||
        !take_digits(&text, 2, &hour))
        return FALSE;
    if (take_digits(&text, 2, &minute))
        take_digits(&text, 2, &second);
    if ((text[0] == '.' || text[0] == ',') && g_ascii_isdigit(text[1]))
        text += 1 + strspn(text + 1, "0123456789");
    g_autoptr(GTimeZone) zone = read_offset(text);
    g_autoptr(GDateTime) moment =
        zone != NULL ? g_date_time_new(zone, year, month, day, hour, minute, second) : NULL;
    if (moment == NULL)
        return FALSE;
    *seconds = g_date_time_to_unix(moment);
    return TRUE;
}

gboolean clearances_end_at(const GPtrArray *clearances, const char *generalized_time, GError **error)
{
    gint64 end;

    if (!read_generalized_time(generalized_time, &end)) {
        g_set_error_literal(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE,
                            "the end is not a generalized time");
        return FALSE;
    }
    for (guint i = 0; i < clearances->len; i++) {
        struct clearance *clearance = g_ptr_array_index(clearances, i);

        clearance->until = MIN(clearance->until, end);
    }
    return TRUE;
}

/* What everybody may see. */
static gboolean is_for_everybody(const struct schemes *schemes, const struct label *label)
{
    const struct scheme *home = schemes_home(schemes);

    if (label->scheme != home)
        return FALSE;
    g_autoptr(label) lowest = label_new(home, scheme_lowest(home));
    return label_dominates(lowest, FALSE, label);
}

enum cleared clearances_check(const GPtrArray *clearances, gboolean unreadable, const struct schemes *schemes,
                              const struct label *label, gint64 now)
{
    guint permanent = 0, dominating = 0;

    if (is_for_everybody(schemes, label))
        return CLEARED_YES;
    if (unreadable)
        return CLEARED_UNREADABLE;
    for (guint i = 0; i < clearances->len; i++) {
        const struct clearance *clearance = g_ptr_array_index(clearances, i);
        gboolean dominates;

        if (clearance->label->scheme != label->scheme || now < clearance->from || now >= clearance->until)
            continue;
        dominates = label_dominates(clearance->label, clearance->all_categories, label);
        if (dominates && !clearance->permanent)
            return CLEARED_YES;
        permanent += clearance->permanent;
        dominating += dominates;
    }
    if (dominating == 0)
        return CLEARED_NO;
    return permanent > 1 ? CLEARED_AMBIGUOUS : CLEARED_YES;
}

gboolean clearances_depend_on_time(const GPtrArray *clearances, gboolean unreadable,
                                   const struct schemes *schemes, const struct label *label)
{
    guint permanent = 0, dominating = 0; /* of those without bounds */
    gboolean any_bounded_permanent = FALSE, any_bounded_dominates = FALSE;

    if (unreadable || is_for_everybody(schemes, label))
        return FALSE;
    for (guint i = 0; i < clearances->len; i++) {
        const struct clearance *clearance = g_ptr_array_index(clearances, i);
        gboolean bounded = clearance->from != G_MININT64 || clearance->until != G_MAXINT64;
        gboolean dominates = clearance->label->scheme == label->scheme &&
                             label_dominates(clearance->label, clearance->all_categories, label);

        if (dominates && !bounded && !clearance->permanent)
            return FALSE; /* a grant that always holds */
        if (clearance->label->scheme != label->scheme)
            continue;
        any_bounded_permanent = any_bounded_permanent || (bounded && clearance->permanent);
        any_bounded_dominates = any_bounded_dominates || (bounded && dominates);
        permanent += !bounded && clearance->permanent;
        dominating += !bounded && dominates;
    }
    if (dominating == 0 && !any_bounded_dominates)
        return FALSE; /* nobody's at any time */
    if (any_bounded_permanent)
        return TRUE; /* alone it may dominate, beside another it makes a conflict */
    return any_bounded_dominates && (dominating == 0 || permanent > 1);
}

enum cleared clearances_check_set(const GPtrArray *clearances, gboolean unreadable,
                                  const struct schemes *schemes, const struct label_set *set, gint64 now,
                                  const struct label **which)
{
    enum cleared worst = CLEARED_YES;

    *which = NULL;
    for (guint i = 0; i < set->labels->len; i++) {
        const struct label *label = g_ptr_array_index(set->labels, i);
        enum cleared cleared = clearances_check(clearances, unreadable, schemes, label, now);

        if (cleared == CLEARED_YES || (worst != CLEARED_YES && cleared != CLEARED_NO))
            continue;
        worst = cleared;
        *which = label;
        if (cleared == CLEARED_NO)
            break;
    }
    return worst;
}

/* What no text of a directory can be (its language has no control characters). */
#define VALUE_OF_NOBODY "\x01"

enum cleared clearances_check_system_high(const GPtrArray *clearances, gboolean unreadable,
                                          const struct schemes *schemes, gint64 now)
{
    const struct scheme *home = schemes_home(schemes);
    g_autoptr(label) high = label_new(home, scheme_highest(home));

    for (guint i = 0; i < home->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(home->sets, i);

        for (guint j = 0; set->kind == CATEGORY_RESTRICTIVE && j < set->values->len; j++)
            label_add_value(high, set,
                            ((const struct category_value *)g_ptr_array_index(set->values, j))->name);
        if (set->kind == CATEGORY_RESTRICTIVE && set->open)
            label_add_value(high, set, VALUE_OF_NOBODY);
    }
    return clearances_check(clearances, unreadable, schemes, high, now);
}
