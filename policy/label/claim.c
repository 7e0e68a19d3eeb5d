#include "policy/label/claim.h"

#include <string.h>

#include "policy/label/category.h"
#include "policy/label/duration.h"
#include "policy/label/limits.h"
#include "policy/label/mark.h"

/* What is being read, and where its claims go: those from index `first` on are of this text. */
struct reading {
    const struct schemes *schemes;
    const struct place *place;
    const char *text;
    gsize length;
    const struct folded *folded;
    GPtrArray *claims;
    guint first;
};

/* ---------------------------------------------------------------- making claims */
static struct claim *claim_at(const struct place *place, enum claim_state state, const struct scheme *scheme)
{
    struct claim *claim = g_new0(struct claim, 1);
    claim->place = *place;
    claim->place.field = g_strdup(place->field);
    claim->state = state;
    claim->scheme = scheme;
    return claim;
}

struct claim *claim_new(const struct place *place, struct label *label)
{
    struct claim *claim = claim_at(place, CLAIM_VALUE, label->scheme);
    claim->label = label;
    return claim;
}

void claim_free(struct claim *claim)
{
    if (claim == NULL)
        return;
    g_free((char *)claim->place.field);
    label_free(claim->label);
    message_clear(&claim->fault);
    g_free(claim->why);
    g_free(claim->raw);
    g_free(claim);
}

/* At most CLAIM_MAX_RAW_BYTES of text, cut between characters. */
static char *keep_raw(const char *text, gsize length)
{
    if (length > CLAIM_MAX_RAW_BYTES) {
        length = CLAIM_MAX_RAW_BYTES;
        while (length > CLAIM_MAX_RAW_BYTES - 4 && (text[length] & 0xC0) == 0x80)
            length--;
    }
    return g_utf8_make_valid(text, (gssize)length);
}

struct claim *claim_new_invalid(const struct place *place, const struct scheme *scheme, struct message fault,
                                const char *text, gsize length)
{
    struct claim *claim = claim_at(place, CLAIM_INVALID, scheme);
    claim->fault = fault;
    claim->why = message_format(&fault, LANGUAGE_EN);
    claim->raw = keep_raw(text, length);
    return claim;
}

static void add_invalid(struct reading *r, const struct scheme *scheme, struct message fault)
{
    g_ptr_array_add(r->claims, claim_new_invalid(r->place, scheme, fault, r->text, r->length));
}

/* The mark as a label; takes its duration over. *irregular: a sign at a level that has no terms, a term above
 * the longest. */
static struct label *label_of(const struct mark *mark, gboolean *irregular)
{
    struct label *label = label_new(mark->scheme, mark->level);
    struct duration usual = duration_default(mark->scheme, mark->level);
    *irregular = mark->has_sign && usual.kind == DURATION_NONE;
    if (mark->duration.kind == DURATION_NONE) {
        label->duration = usual;
        return label;
    }
    *irregular |= mark->duration.kind == DURATION_TERM && usual.kind == DURATION_TERM &&
                  mark->level->lasts > 0 && mark->duration.term_seconds > mark->level->lasts;
    label->duration = mark->duration;
    duration_clear(&usual);
    return label;
}

/* Two equal marks of one text: a term that is written counts before one that is not, of two the later. */
static void merge(struct claim *claim, struct claim *other)
{
    struct duration *mine = &claim->label->duration, *others = &other->label->duration;
    gboolean take =
        mine->is_default != others->is_default ? mine->is_default : duration_later(mine, others) == others;
    if (take) {
        struct duration held = *mine;
        *mine = *others;
        *others = held;
    }
    claim->near &= other->near;
    claim->irregular |= other->irregular;
    claim->scheme_ambiguous |= other->scheme_ambiguous;
    claim_free(other);
}

static void add_value(struct reading *r, struct claim *claim)
{
    for (guint i = r->first; i < r->claims->len; i++) {
        struct claim *earlier = g_ptr_array_index(r->claims, i);
        if (earlier->state == CLAIM_VALUE && label_equal(earlier->label, claim->label)) {
            merge(earlier, claim);
            return;
        }
    }
    g_ptr_array_add(r->claims, claim);
}

static void found_mark(struct mark *mark, gpointer data)
{
    struct reading *r = data;
    gboolean irregular;
    struct claim *claim = claim_new(r->place, label_of(mark, &irregular));
    claim->irregular = irregular;
    claim->near = mark->near;
    claim->scheme_ambiguous = mark->ambiguous;
    gsize start = folded_origin(r->folded, mark->start), end = folded_origin(r->folded, mark->end);
    claim->raw = keep_raw(r->text + start, end - start);
    add_value(r, claim);
}

static void read_marks(struct reading *r, enum mark_place place, guint line)
{
    mark_table_search(r->schemes->marks, place, line, r->folded, found_mark, r);
}

/* ---------------------------------------------------------------- fields */
static const struct marking_field *field_of(const struct scheme *scheme, const char *name)
{
    for (guint i = 0; i < scheme->fields->len; i++) {
        const struct marking_field *field = g_ptr_array_index(scheme->fields, i);
        if (g_ascii_strcasecmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

/* Format plain: a mark and the categories behind it, and nothing else. NULL and *fault if it is none in this
 * scheme. */
static struct claim *read_plain(struct reading *r, const struct scheme *scheme, struct message *fault)
{
    struct mark mark;
    gsize rest_end;
    if (!mark_table_value(r->schemes->marks, scheme, r->folded, &mark, &rest_end)) {
        g_autofree char *quoted = claim_quote(r->text, r->length);
        *fault = message_make(MSG_NOT_A_LEVEL, quoted, scheme->name, NULL);
        return NULL;
    }
    gboolean irregular;
    g_autoptr(label) label = label_of(&mark, &irregular);
    gsize start = folded_origin(r->folded, mark.end), end = folded_origin(r->folded, rest_end);
    if (rest_end > mark.end && !categories_read(label, r->text + start, end - start, fault))
        return NULL;
    struct claim *claim = claim_new(r->place, g_steal_pointer(&label));
    claim->irregular = irregular || label_irregular(claim->label);
    claim->raw = keep_raw(r->text, r->length);
    return claim;
}

static struct claim *read_format(struct reading *r, const struct scheme *scheme, enum marking_format format,
                                 struct message *fault)
{
    switch (format) {
    case FORMAT_PLAIN:
        return read_plain(r, scheme, fault);
    case FORMAT_EPMS: /* scheme_read refuses these, so that no field has them */
    case FORMAT_SIO:
    case FORMAT_MSIP:
    case FORMAT_XML_LABEL:
    case FORMAT_KEY_VALUE:
        break;
    }
    *fault = message_make(MSG_NOT_A_LEVEL, "", scheme->name, NULL);
    return NULL;
}

/* One claim: of the first scheme that reads the field and the value; if none reads the value, it is invalid
 * (semantics.md 2.1). */
static void read_field(struct reading *r)
{
    struct claim *claim = NULL;
    struct message first_fault = {.id = MSG_NONE};
    const struct scheme *first = schemes_reading_field(r->schemes, r->place->field);
    for (guint i = 0; first != NULL && i < r->schemes->list->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(r->schemes->list, i);
        const struct marking_field *field = field_of(scheme, r->place->field);
        if (field == NULL)
            continue;
        if (mark_table_is_except(r->schemes->marks, scheme, r->folded)) {
            claim_free(claim);
            message_clear(&first_fault);
            return;
        }
        struct message fault = {.id = MSG_NONE};
        struct claim *one = read_format(r, scheme, field->format, &fault);
        if (one == NULL && scheme == first)
            first_fault = fault;
        else
            message_clear(&fault);
        if (claim == NULL)
            claim = one;
        else if (one != NULL)
            claim->scheme_ambiguous = TRUE, claim_free(one);
    }
    if (claim == NULL && first != NULL && r->folded->length > 0) {
        add_invalid(r, first, first_fault);
        return;
    }
    message_clear(&first_fault);
    if (claim != NULL)
        g_ptr_array_add(r->claims, claim);
    else if (first != NULL)
        add_invalid(r, first, message_make(MSG_EMPTY_MARKING, NULL));
}

const struct scheme *schemes_reading_field(const struct schemes *schemes, const char *field)
{
    for (guint i = 0; i < schemes->list->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes->list, i);
        if (field_of(scheme, field) != NULL)
            return scheme;
    }
    return NULL;
}

const struct level *schemes_marker(const struct schemes *schemes, const char *address,
                                   const struct scheme **scheme)
{
    for (guint i = 0; i < schemes->list->len; i++) {
        const struct scheme *one = g_ptr_array_index(schemes->list, i);
        for (guint j = 0; j < one->marker_addresses->len; j++) {
            const struct marker_address *marker = g_ptr_array_index(one->marker_addresses, j);
            if (g_str_equal(marker->address, address)) {
                *scheme = one;
                return marker->level;
            }
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- places */
static gboolean is_line(enum place_kind kind)
{
    return kind == PLACE_LINE || kind == PLACE_PART_TEXT || kind == PLACE_QUOTED;
}

void claims_read(const struct schemes *schemes, const struct place *place, const char *text, gsize length,
                 GPtrArray *claims)
{
    if (is_line(place->kind) && !mark_table_may_hold(schemes->marks, text, length))
        return;
    g_autoptr(folded) folded = fold_text(text, length, FOLD_MARK);
    struct reading r = {schemes, place, text, length, folded, claims, claims->len};
    switch (place->kind) {
    case PLACE_FIELD:
        read_field(&r);
        break;
    case PLACE_PART_FIELD:
        if (g_ascii_strcasecmp(place->field, "Subject") == 0)
            read_marks(&r, MARK_SUBJECT, 0);
        else
            read_field(&r);
        break;
    case PLACE_SUBJECT:
        read_marks(&r, MARK_SUBJECT, 0);
        break;
    case PLACE_LINE:
    case PLACE_PART_TEXT:
        read_marks(&r, MARK_LINE, place->line);
        break;
    case PLACE_QUOTED:
        read_marks(&r, MARK_LINE, 0);
        break;
    case PLACE_PART_NAME:
        read_marks(&r, MARK_FILE_NAME, 0);
        break;
    case PLACE_MARKER: /* no text: schemes_marker */
    case PLACE_SIGNATURE:
    case PLACE_PART_PROPERTY:
    case PLACE_HISTORY:
        break;
    }
}
