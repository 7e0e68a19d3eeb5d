#include "policy/label/effective.h"

#include <string.h>

static const struct claim *claim_of(const GPtrArray *claims, guint i)
{
    return g_ptr_array_index(claims, i);
}

static gboolean is_own(const struct claim *claim)
{
    return place_class(claim->place.kind) == PLACE_OWN;
}

/* May the claim make a message labelled, and be in conflict? (semantics.md 2.3, 2.4) */
static gboolean is_trusted(const struct claim *claim, enum trust trust, const GPtrArray *accepted)
{
    if (claim->near)
        return FALSE;
    switch (trust) {
    case TRUST_INSIDE:
        return TRUE;
    case TRUST_PEER:
        for (guint i = 0; accepted != NULL && i < accepted->len; i++)
            if (g_ptr_array_index(accepted, i) == claim->scheme)
                return TRUE;
        return accepted == NULL;
    case TRUST_OUTSIDE:
        return FALSE;
    }
    return FALSE;
}

/* ---------------------------------------------------------------- joins */
static void join_values(struct effective *e, const GPtrArray *claims)
{
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = claim_of(claims, i);
        e->scheme_ambiguous |= claim->scheme_ambiguous;
        if (claim->state != CLAIM_VALUE)
            continue;
        switch (place_class(claim->place.kind)) {
        case PLACE_OWN:
            label_set_join(e->own, claim->label);
            break;
        case PLACE_CONTAINED:
            label_set_join(e->contained, claim->label);
            break;
        case PLACE_IN_QUOTE:
            label_set_join(e->quoted, claim->label);
            break;
        case PLACE_PAST:
            break;
        }
    }
    label_set_join_all(e->effective, e->own);
    label_set_join_all(e->effective, e->contained);
}

/* The lowest number of a part whose label O does not cover: O covers a join exactly when it covers every
 * claim in it. */
static guint part_above(const struct effective *e, const GPtrArray *claims)
{
    guint first = 0;
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = claim_of(claims, i);
        if (claim->state != CLAIM_VALUE || place_class(claim->place.kind) != PLACE_CONTAINED)
            continue;
        const struct label *own = label_set_of(e->own, claim->scheme);
        if ((own == NULL || !label_covers(own, claim->label)) && (first == 0 || claim->place.part < first))
            first = claim->place.part;
    }
    return first;
}

/* ---------------------------------------------------------------- what is wrong */
static void find_unreadable(struct effective *e, const GPtrArray *claims)
{
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = claim_of(claims, i);
        if (claim->state == CLAIM_VALUE)
            continue;
        enum place_class class = place_class(claim->place.kind);
        if (class == PLACE_CONTAINED && e->part_unreadable == NULL)
            e->part_unreadable = claim;
        if (class == PLACE_OWN && claim->state == CLAIM_INVALID && e->invalid == NULL)
            e->invalid = claim;
        if (class == PLACE_OWN && claim->state == CLAIM_UNMAPPED && e->unmapped == NULL)
            e->unmapped = claim;
    }
}

/* Sets labelled and missing, and finds the first two trusted own claims of one scheme that differ. */
static void weigh_own(struct effective *e, const GPtrArray *claims, enum trust trust,
                      const GPtrArray *accepted)
{
    g_autoptr(GPtrArray) firsts = g_ptr_array_new(); /* the first claim of each scheme */
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = claim_of(claims, i);
        if (!is_own(claim) || claim->state != CLAIM_VALUE || !is_trusted(claim, trust, accepted))
            continue;
        e->labelled = TRUE;
        gboolean seen = FALSE;
        for (guint j = 0; j < firsts->len && !seen; j++) {
            const struct claim *first = claim_of(firsts, j);
            seen = first->scheme == claim->scheme;
            if (seen && e->conflict_a == NULL && label_differs(first->label, claim->label)) {
                e->conflict_a = first;
                e->conflict_b = claim;
            }
        }
        if (!seen)
            g_ptr_array_add(firsts, (gpointer)claim);
    }
    e->missing = !e->labelled && e->invalid == NULL && e->unmapped == NULL;
}

static void find_repeated(struct effective *e, const GPtrArray *claims)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    for (guint i = 0; i < claims->len && e->repeated_field == NULL; i++) {
        const struct claim *claim = claim_of(claims, i);
        if (claim->place.kind != PLACE_FIELD)
            continue;
        for (guint j = 0; j < fields->len && e->repeated_field == NULL; j++)
            if (g_ascii_strcasecmp(g_ptr_array_index(fields, j), claim->place.field) == 0)
                e->repeated_field = g_ptr_array_index(fields, j);
        g_ptr_array_add(fields, (gpointer)claim->place.field);
    }
}

/* ---------------------------------------------------------------- what is shown */
/* Smaller is shown first: signed, the scheme's fields in their order, marker, subject, line
 * (semantics.md 2.12). */
static guint precedence(const struct claim *claim)
{
    switch (claim->place.kind) {
    case PLACE_SIGNATURE:
        return 0;
    case PLACE_FIELD:
        for (guint i = 0; i < claim->scheme->fields->len; i++) {
            const struct marking_field *field = g_ptr_array_index(claim->scheme->fields, i);
            if (g_ascii_strcasecmp(field->name, claim->place.field) == 0)
                return 1 + i;
        }
        return 1 + claim->scheme->fields->len;
    case PLACE_MARKER:
        return G_MAXUINT - 3;
    case PLACE_SUBJECT:
        return G_MAXUINT - 2;
    case PLACE_LINE:
    case PLACE_PART_TEXT:
    case PLACE_PART_FIELD:
    case PLACE_PART_NAME:
    case PLACE_PART_PROPERTY:
    case PLACE_QUOTED:
    case PLACE_HISTORY:
        break;
    }
    return G_MAXUINT - 1;
}

/* O in the home scheme, else its first; E when there is no own label. */
static const struct label *shown_label(const struct effective *e)
{
    const struct label_set *set = e->own->labels->len > 0 ? e->own : e->effective;
    const struct label *home = label_set_of(set, schemes_home(e->schemes));
    if (home != NULL || set->labels->len == 0)
        return home;
    return g_ptr_array_index(set->labels, 0);
}

static void choose_display(struct effective *e, const GPtrArray *claims)
{
    guint best = G_MAXUINT;
    const struct label *shown = shown_label(e);
    e->display = shown;
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = claim_of(claims, i);
        if (!is_own(claim) || claim->state != CLAIM_VALUE || !label_equal(claim->label, shown) ||
            precedence(claim) >= best)
            continue;
        best = precedence(claim);
        e->display = claim->label;
    }
}

struct effective *effective_make(const struct schemes *schemes, const GPtrArray *claims, enum trust trust,
                                 const GPtrArray *accepted)
{
    struct effective *e = g_new0(struct effective, 1);
    e->schemes = schemes;
    e->own = label_set_new();
    e->contained = label_set_new();
    e->effective = label_set_new();
    e->quoted = label_set_new();
    join_values(e, claims);
    find_unreadable(e, claims);
    weigh_own(e, claims, trust, accepted);
    find_repeated(e, claims);
    e->above_part = part_above(e, claims);
    choose_display(e, claims);
    return e;
}

void effective_free(struct effective *effective)
{
    if (effective == NULL)
        return;
    label_set_free(effective->own);
    label_set_free(effective->contained);
    label_set_free(effective->effective);
    label_set_free(effective->quoted);
    g_free(effective);
}

void effective_assume(struct effective *effective, const struct scheme *scheme, const struct level *level,
                      const GPtrArray *claims)
{
    g_autoptr(label) label = label_new(scheme, level);
    label_set_join(effective->own, label);
    label_set_join(effective->effective, label);
    effective->assumed = TRUE;
    effective->above_part = part_above(effective, claims);
    choose_display(effective, claims);
}
