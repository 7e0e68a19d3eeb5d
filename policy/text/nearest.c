#include "policy/text/diagnostic.h"

#include <string.h>

/* Longer names than this have no neighbours: the work grows with the product of both lengths. */
#define MAX_CHARACTERS 100
/* A name of which somebody wrote only the beginning is offered when so much of it was written. */
#define MIN_PREFIX_CELLS 4

struct name {
    gunichar c[MAX_CHARACTERS];
    guint length;
};

/* FALSE when it is too long; case does not count. */
static gboolean name_read(struct name *name, const char *text)
{
    name->length = 0;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        if (name->length == MAX_CHARACTERS)
            return FALSE;
        name->c[name->length++] = g_unichar_tolower(g_utf8_get_char(p));
    }
    return TRUE;
}

/* Edit distance in which a swap of neighbours is one step (optimal string alignment). */
static guint distance(const struct name *a, const struct name *b)
{
    guint rows[3][MAX_CHARACTERS + 1];
    guint *before = rows[0], *above = rows[1], *row = rows[2];

    for (guint n = 0; n <= b->length; n++)
        above[n] = n;
    for (guint i = 1; i <= a->length; i++) {
        row[0] = i;
        for (guint n = 1; n <= b->length; n++) {
            guint replaced = above[n - 1] + (a->c[i - 1] != b->c[n - 1]);
            row[n] = MIN(replaced, MIN(above[n], row[n - 1]) + 1);
            if (i > 1 && n > 1 && a->c[i - 1] == b->c[n - 2] && a->c[i - 2] == b->c[n - 1])
                row[n] = MIN(row[n], before[n - 2] + 1);
        }
        guint *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b->length];
}

static gboolean is_prefix(const struct name *word, const struct name *candidate)
{
    guint cells = 0;

    if (word->length >= candidate->length)
        return FALSE;
    for (guint n = 0; n < word->length; n++) {
        if (word->c[n] != candidate->c[n])
            return FALSE;
        cells += g_unichar_iswide(word->c[n]) ? 2 : 1;
    }
    return cells >= MIN_PREFIX_CELLS;
}

const char *nearest_name(const char *word, const char *const *candidates)
{
    struct name wanted, candidate;
    const char *nearest = NULL, *longer = NULL;
    guint best = 0, longer_count = 0;
    gboolean best_equal = FALSE;

    if (!g_utf8_validate(word, -1, NULL) || !name_read(&wanted, word))
        return NULL;
    guint limit = MAX(wanted.length / 3, 1);
    for (; *candidates != NULL; candidates++) {
        if (!g_utf8_validate(*candidates, -1, NULL) || !name_read(&candidate, *candidates))
            continue;
        guint steps = distance(&wanted, &candidate);
        gboolean equal = candidate.length == wanted.length;
        if (is_prefix(&wanted, &candidate)) {
            longer = *candidates;
            longer_count++;
        }
        if (steps > limit || steps >= wanted.length)
            continue;
        if (nearest == NULL || steps < best || (steps == best && equal && !best_equal)) {
            nearest = *candidates;
            best = steps;
            best_equal = equal;
        }
    }
    if (nearest != NULL)
        return nearest;
    return longer_count == 1 ? longer : NULL;
}
