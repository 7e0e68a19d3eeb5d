#include "policy/label/mark.h"

#include <string.h>

#include "policy/label/duration.h"
#include "policy/label/mark_table.h"

struct search {
    const struct mark_table *table;
    const struct folded *text;
    enum mark_place place;
    guint line;
    void (*found)(struct mark *mark, gpointer data);
    gpointer data;
};

/* Words around the level in a mark; no names of levels (facts 8.4). */
static const struct mark_string GRADE = {"级", 3};
static const struct mark_string DOCUMENT = {"文件", 6}, MATERIAL = {"资料", 6};
static const struct mark_string KEYS[] = {{"密级", 6}, {"保密等级", 12}, {"秘密等级", 12}};
/* Between level and term where the sign was lost: 绝密·永久. */
static const struct mark_string DOTS[] = {{"·", 2}, {"・", 3}, {"-", 1}};
/* Around the value of a field. Round, square and pointed brackets have come to their ASCII form. */
static const struct mark_form BRACKETS[] = {
    {{"【", 3}, {"】", 3}}, {{"[", 1}, {"]", 1}},   {{"(", 1}, {")", 1}},   {{"〔", 3}, {"〕", 3}},
    {{"〖", 3}, {"〗", 3}}, {{"「", 3}, {"」", 3}}, {{"『", 3}, {"』", 3}}, {{"《", 3}, {"》", 3}},
    {{"<", 1}, {">", 1}},   {{"{", 1}, {"}", 1}},
};

/* ---------------------------------------------------------------- characters */
static gsize skip_space(const struct folded *text, gsize at)
{
    return at < text->length && text->text[at] == ' ' ? at + 1 : at;
}

static gsize skip_space_back(const struct folded *text, gsize at)
{
    return at > 0 && text->text[at - 1] == ' ' ? at - 1 : at;
}

static gboolean is_letter(gunichar c)
{
    return c < 0x80 ? g_ascii_isalnum((char)c) : g_unichar_isalnum(c);
}

/* Han and kana are written without spaces: between two of them a word may end anywhere. */
static gboolean is_unspaced(gunichar c)
{
    return (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xF900 && c <= 0xFAFF) || c >= 0x20000;
}

static gboolean letter_before(const struct folded *text, gsize at)
{
    return at > 0 && is_letter(g_utf8_get_char(g_utf8_prev_char(text->text + at)));
}

static gboolean letter_at(const struct folded *text, gsize at)
{
    return at < text->length && is_letter(g_utf8_get_char(text->text + at));
}

/* Would a cut here go through a word of a script that has spaces? */
static gboolean splits_word(const struct folded *text, gsize at)
{
    if (!letter_before(text, at) || !letter_at(text, at))
        return FALSE;
    gunichar before = g_utf8_get_char(g_utf8_prev_char(text->text + at));
    return !is_unspaced(before) && !is_unspaced(g_utf8_get_char(text->text + at));
}

/* ---------------------------------------------------------------- pieces of a mark */
static const struct mark_name *name_at(const struct mark_reader *reader, const struct folded *text, gsize at,
                                       gsize *end)
{
    for (guint i = 0; i < reader->names->len; i++) {
        const struct mark_name *name = &g_array_index(reader->names, struct mark_name, i);
        *end = mark_match(text, at, &name->key);
        if (*end != NO_MATCH)
            return name;
    }
    return NULL;
}

static const struct mark_name *name_before(const struct mark_reader *reader, const struct folded *text,
                                           gsize end, gsize *start)
{
    for (guint i = 0; i < reader->names->len; i++) {
        const struct mark_name *name = &g_array_index(reader->names, struct mark_name, i);
        *start = mark_match_back(text, end, &name->key);
        if (*start != NO_MATCH && !splits_word(text, *start))
            return name;
    }
    return NULL;
}

/* The word at `at`, with or without a space before it. */
static gsize skip_word(const struct folded *text, gsize at, const struct mark_string *word)
{
    gsize end = mark_match(text, skip_space(text, at), word);
    return end != NO_MATCH ? end : at;
}

static gsize sign_at(const struct mark_reader *reader, const struct folded *text, gsize at)
{
    for (guint i = 0; i < reader->signs->len; i++) {
        gsize end = mark_match(text, at, &g_array_index(reader->signs, struct mark_string, i));
        if (end != NO_MATCH)
            return end;
    }
    return NO_MATCH;
}

/* The term at `at`, with or without a space before it; returns its end, or `at` if there is none. An event is
 * only one behind a sign. */
static gsize read_term(const struct folded *text, gsize at, gboolean behind_sign, struct mark *mark)
{
    gsize start = skip_space(text, at);
    struct duration duration = {.kind = DURATION_NONE};
    gsize used = duration_read(text->text + start, text->length - start, &duration);
    if (used == 0)
        return at;
    if (duration.kind == DURATION_EVENT && !behind_sign) {
        duration_clear(&duration);
        return at;
    }
    mark->duration = duration;
    return start + used;
}

/* What may follow the sign: its term, else nothing. An asterisk is a sign only with a term behind it;
 * NO_MATCH if there is none here. */
static gsize read_sign(const struct mark_reader *reader, const struct folded *text, gsize at,
                       struct mark *mark)
{
    gsize end = sign_at(reader, text, at);
    gboolean asterisk = end == NO_MATCH && reader->asterisk && at < text->length && text->text[at] == '*';
    if (end == NO_MATCH && !asterisk)
        return NO_MATCH;
    gsize term = read_term(text, asterisk ? at + 1 : end, !asterisk, mark);
    if (asterisk && mark->duration.kind == DURATION_NONE)
        return NO_MATCH;
    mark->has_sign = TRUE;
    return term;
}

/* Level, 级, 文件 or 资料, and a term with or without its sign. FALSE if no level begins at `at`. */
static gboolean read_level(const struct mark_reader *reader, const struct folded *text, gsize at,
                           struct mark *mark)
{
    gsize end;
    const struct mark_name *name = name_at(reader, text, at, &end);
    if (name == NULL)
        return FALSE;
    *mark = (struct mark){.scheme = reader->scheme, .level = name->level, .start = at};
    end = skip_word(text, end, &GRADE);
    gsize document = skip_word(text, end, &DOCUMENT);
    end = document > end ? document : skip_word(text, end, &MATERIAL);
    gsize behind = skip_space(text, end);
    gsize sign = read_sign(reader, text, behind, mark);
    if (sign != NO_MATCH) {
        mark->end = sign;
        return TRUE;
    }
    gsize term = behind;
    for (guint i = 0; i < G_N_ELEMENTS(DOTS) && term == behind; i++)
        term = skip_word(text, behind, &DOTS[i]);
    gsize term_end = read_term(text, term, FALSE, mark);
    mark->end = mark->duration.kind != DURATION_NONE ? term_end : end;
    return TRUE;
}

static const GArray *forms_of(const struct mark_reader *reader, enum mark_place place)
{
    switch (place) {
    case MARK_SUBJECT:
    case MARK_LINE:
        return reader->subject_forms;
    case MARK_FILE_NAME:
        return reader->file_name_forms;
    }
    return reader->subject_forms;
}

/* The end of the form at `at`: the bracket that belongs to it; else, which is near, the end of the text or
 * another form's bracket. */
static gsize read_close(const GArray *forms, const struct mark_form *form, const struct folded *text,
                        gsize at, gboolean *near)
{
    gsize end = mark_match(text, at, &form->after);
    if (form->after.length == 0)
        return letter_at(text, at) ? NO_MATCH : end;
    if (end != NO_MATCH)
        return end;
    *near = TRUE;
    if (at == text->length)
        return at;
    for (guint i = 0; i < forms->len; i++) {
        const struct mark_form *other = &g_array_index(forms, struct mark_form, i);
        end = other->after.length > 0 ? mark_match(text, at, &other->after) : NO_MATCH;
        if (end != NO_MATCH)
            return end;
    }
    return NO_MATCH;
}

/* A form with a level and nothing else inside (tier B). */
static gboolean read_form(const struct mark_reader *reader, enum mark_place place, const struct folded *text,
                          gsize at, struct mark *mark)
{
    const GArray *forms = forms_of(reader, place);
    for (guint i = 0; i < forms->len; i++) {
        const struct mark_form *form = &g_array_index(forms, struct mark_form, i);
        gsize inside = mark_match(text, at, &form->before);
        if (inside == NO_MATCH || !read_level(reader, text, skip_space(text, inside), mark))
            continue;
        gsize end = read_close(forms, form, text, skip_space(text, mark->end), &mark->near);
        if (end != NO_MATCH) {
            mark->start = at;
            mark->end = end;
            return TRUE;
        }
        duration_clear(&mark->duration);
    }
    return FALSE;
}

/* ---------------------------------------------------------------- exceptions */
static gboolean touches(const struct folded *text, const struct mark *mark, const struct mark_string *except)
{
    gsize first = mark->start > except->length ? mark->start - except->length : 0;
    for (gsize at = first; at <= mark->end && at + except->length <= text->length; at++)
        if (memcmp(text->text + at, except->text, except->length) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_cancelled(const struct mark_reader *reader, const struct folded *text,
                             const struct mark *mark)
{
    for (guint i = 0; i < reader->excepts->len; i++)
        if (touches(text, mark, &g_array_index(reader->excepts, struct mark_string, i)))
            return TRUE;
    return FALSE;
}

/* ---------------------------------------------------------------- searching */
static gboolean reads(const struct search *search, const struct mark_reader *reader)
{
    const struct scheme *scheme = reader->scheme;
    switch (search->place) {
    case MARK_SUBJECT:
        return reader->subject_forms->len > 0;
    case MARK_FILE_NAME:
        return reader->file_name_forms->len > 0;
    case MARK_LINE:
        return scheme->last_lines > 0 || (scheme->first_lines > 0 && search->line <= scheme->first_lines);
    }
    return FALSE;
}

typedef gboolean (*mark_try)(const struct search *search, const struct mark_reader *reader, gsize at,
                             struct mark *mark);

/* The longest mark that a scheme reads here counts (TOP SECRET, not SECRET), of several the first scheme's;
 * the others make it ambiguous. */
static void try_all(const struct search *search, mark_try try, gsize at)
{
    struct mark best = {.scheme = NULL};
    const struct mark_reader *whose = NULL;
    for (guint i = 0; i < search->table->readers->len; i++) {
        const struct mark_reader *reader = g_ptr_array_index(search->table->readers, i);
        struct mark mark = {.scheme = NULL};
        if (!reads(search, reader) || !try(search, reader, at, &mark))
            continue;
        gboolean is_second = whose != NULL;
        if (!is_second || mark.end - mark.start > best.end - best.start) {
            duration_clear(&best.duration);
            best = mark;
            whose = reader;
        } else {
            duration_clear(&mark.duration);
        }
        best.ambiguous = is_second;
    }
    if (whose == NULL)
        return;
    if (is_cancelled(whose, search->text, &best))
        duration_clear(&best.duration);
    else
        search->found(&best, search->data);
}

/* A form around the mark belongs to it: what touches the bracket touches the mark. */
static void take_brackets(const struct mark_reader *reader, enum mark_place place, const struct folded *text,
                          struct mark *mark)
{
    const GArray *forms = forms_of(reader, place);
    for (guint i = 0; i < forms->len; i++) {
        const struct mark_form *form = &g_array_index(forms, struct mark_form, i);
        gsize start = mark_match_back(text, skip_space_back(text, mark->start), &form->before);
        gsize end = mark_match(text, skip_space(text, mark->end), &form->after);
        if (start == NO_MATCH || end == NO_MATCH || form->after.length == 0)
            continue;
        mark->start = start;
        mark->end = end;
        return;
    }
}

/* A level in a form that ends at `end`. */
static const struct mark_name *form_before(const struct search *search, const struct mark_reader *reader,
                                           gsize end, gsize *start)
{
    const struct folded *text = search->text;
    const GArray *forms = forms_of(reader, search->place);
    for (guint i = 0; i < forms->len; i++) {
        const struct mark_form *form = &g_array_index(forms, struct mark_form, i);
        gsize inside = mark_match_back(text, end, &form->after);
        if (form->after.length == 0 || inside == NO_MATCH)
            continue;
        const struct mark_name *name = name_before(reader, text, skip_space_back(text, inside), start);
        gsize outside =
            name != NULL ? mark_match_back(text, skip_space_back(text, *start), &form->before) : NO_MATCH;
        if (outside == NO_MATCH)
            continue;
        *start = outside;
        return name;
    }
    return NULL;
}

/* Tier A: a level before the sign at `at`. */
static gboolean try_sign(const struct search *search, const struct mark_reader *reader, gsize at,
                         struct mark *mark)
{
    const struct folded *text = search->text;
    gsize end = read_sign(reader, text, at, mark);
    if (end == NO_MATCH)
        return FALSE;
    gsize before = skip_space_back(text, at);
    gsize grade = mark_match_back(text, before, &GRADE);
    gsize start;
    const struct mark_name *name = name_before(reader, text, before, &start);
    if (name == NULL && grade != NO_MATCH)
        name = name_before(reader, text, skip_space_back(text, grade), &start);
    if (name == NULL)
        name = form_before(search, reader, before, &start);
    if (name == NULL) {
        duration_clear(&mark->duration);
        return FALSE;
    }
    mark->scheme = reader->scheme;
    mark->level = name->level;
    mark->start = start;
    mark->end = end;
    take_brackets(reader, search->place, text, mark);
    return TRUE;
}

/* Tier C: 密级 before the colon at `at`, a level behind it. With more letters behind the level it is only
 * near; so it is in a line with letters before it, if the level ends the line. */
static gboolean try_key(const struct search *search, const struct mark_reader *reader, gsize at,
                        struct mark *mark)
{
    const struct folded *text = search->text;
    gsize start = NO_MATCH;
    for (guint i = 0; i < G_N_ELEMENTS(KEYS) && start == NO_MATCH; i++)
        start = mark_match_back(text, skip_space_back(text, at), &KEYS[i]);
    if (start == NO_MATCH)
        return FALSE;
    gboolean in_word = search->place == MARK_LINE && letter_before(text, start);
    gsize value = skip_space(text, at + 1);
    gboolean has_form = read_form(reader, search->place, text, value, mark);
    if (!has_form && !read_level(reader, text, value, mark))
        return FALSE;
    if ((!has_form && splits_word(text, mark->end)) || (in_word && mark->end != text->length)) {
        duration_clear(&mark->duration);
        return FALSE;
    }
    if (!has_form)
        mark->near = mark->duration.kind == DURATION_NONE && letter_at(text, mark->end);
    mark->near |= in_word;
    mark->start = start;
    return TRUE;
}

static gboolean try_form(const struct search *search, const struct mark_reader *reader, gsize at,
                         struct mark *mark)
{
    return read_form(reader, search->place, search->text, at, mark);
}

/* Tiers B and D for a line: a form or a level, and nothing else. What has a sign was found by it. */
static gboolean try_whole(const struct search *search, const struct mark_reader *reader, gsize at,
                          struct mark *mark)
{
    const struct folded *text = search->text;
    if (search->place == MARK_LINE && read_form(reader, search->place, text, at, mark)) {
        if (mark->end == text->length && !mark->has_sign)
            return TRUE;
        duration_clear(&mark->duration);
    }
    if (!read_level(reader, text, at, mark))
        return FALSE;
    if (mark->end != text->length || mark->has_sign) {
        duration_clear(&mark->duration);
        return FALSE;
    }
    mark->near = search->place == MARK_SUBJECT && mark->duration.kind == DURATION_NONE;
    return TRUE;
}

static guint8 triggers_of(enum mark_place place)
{
    switch (place) {
    case MARK_SUBJECT:
        return TRIGGER_SIGN | TRIGGER_COLON | TRIGGER_SUBJECT_FORM;
    case MARK_LINE:
        return TRIGGER_SIGN | TRIGGER_COLON;
    case MARK_FILE_NAME:
        return TRIGGER_SIGN | TRIGGER_FILE_NAME_FORM;
    }
    return 0;
}

void mark_table_search(const struct mark_table *table, enum mark_place place, guint line,
                       const struct folded *text, void (*found)(struct mark *mark, gpointer data),
                       gpointer data)
{
    const struct search search = {table, text, place, line, found, data};
    guint8 wanted = triggers_of(place);
    for (gsize at = 0; at < text->length; at++) {
        guint8 trigger = table->trigger[(guchar)text->text[at]] & wanted;
        if (trigger == 0)
            continue;
        if (trigger & TRIGGER_SIGN)
            try_all(&search, try_sign, at);
        if (trigger & TRIGGER_COLON)
            try_all(&search, try_key, at);
        if (trigger & (TRIGGER_SUBJECT_FORM | TRIGGER_FILE_NAME_FORM))
            try_all(&search, try_form, at);
    }
    if (place != MARK_FILE_NAME && text->length > 0)
        try_all(&search, try_whole, 0);
}

/* ---------------------------------------------------------------- whole values */
/* Moves *start and *end inside a bracket around all of it. */
static void strip_brackets(const struct folded *text, gsize *start, gsize *end)
{
    for (guint i = 0; i < G_N_ELEMENTS(BRACKETS); i++) {
        gsize inside = mark_match(text, *start, &BRACKETS[i].before);
        gsize close = mark_match_back(text, *end, &BRACKETS[i].after);
        if (inside == NO_MATCH || close == NO_MATCH || close < inside)
            continue;
        *start = skip_space(text, inside);
        *end = close > *start && text->text[close - 1] == ' ' ? close - 1 : close;
        return;
    }
}

static gsize skip_key(const struct folded *text, gsize at)
{
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        gsize end = mark_match(text, at, &KEYS[i]);
        if (end == NO_MATCH)
            continue;
        end = skip_space(text, end);
        if (end < text->length && text->text[end] == ':')
            return skip_space(text, end + 1);
    }
    return at;
}

gboolean mark_table_value(const struct mark_table *table, const struct scheme *scheme,
                          const struct folded *text, struct mark *mark, gsize *rest_end)
{
    const struct mark_reader *reader = mark_table_reader(table, scheme);
    gsize start = 0, end = text->length;
    strip_brackets(text, &start, &end);
    start = skip_key(text, start);
    strip_brackets(text, &start, &end);
    if (reader == NULL || !read_level(reader, text, start, mark))
        return FALSE;
    if (mark->end > end || (mark->end < end && letter_at(text, mark->end))) {
        duration_clear(&mark->duration);
        return FALSE;
    }
    mark->end = skip_space(text, mark->end);
    *rest_end = MAX(end, mark->end);
    return TRUE;
}
