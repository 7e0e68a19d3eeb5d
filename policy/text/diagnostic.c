#include "policy/text/diagnostic.h"

#include "policy/text/findings.h"
#include "policy/text/limits.h"

static const struct {
    const char *name;
    enum severity severity;
} table[DIAG_COUNT] = {
#define DIAGNOSTIC(id, name, severity) [DIAG_##id] = {name, severity},
#include "policy/text/diagnostic.def"
#undef DIAGNOSTIC
};

const char *diagnostic_name(enum diagnostic_id id)
{
    g_assert(id < DIAG_COUNT);
    return table[id].name;
}

enum severity diagnostic_severity(enum diagnostic_id id)
{
    g_assert(id < DIAG_COUNT);
    return table[id].severity;
}

static void note_clear(gpointer data)
{
    struct note *note = data;

    message_clear(&note->message);
}

static struct diagnostic *diagnostic_new(void)
{
    struct diagnostic *diagnostic = g_new0(struct diagnostic, 1);

    diagnostic->notes = g_array_new(FALSE, FALSE, sizeof(struct note));
    g_array_set_clear_func(diagnostic->notes, note_clear);
    return diagnostic;
}

static void diagnostic_free(gpointer data)
{
    struct diagnostic *diagnostic = data;

    message_clear(&diagnostic->message);
    message_clear(&diagnostic->help);
    g_array_unref(diagnostic->notes);
    g_free(diagnostic);
}

struct diagnostics *diagnostics_new(struct sources *sources)
{
    struct diagnostics *diagnostics = g_new0(struct diagnostics, 1);

    diagnostics->sources = sources_ref(sources);
    diagnostics->kept = g_ptr_array_new_with_free_func(diagnostic_free);
    diagnostics->tallies = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    diagnostics->surplus = diagnostic_new();
    return diagnostics;
}

void diagnostics_free(struct diagnostics *diagnostics)
{
    if (diagnostics == NULL)
        return;
    g_ptr_array_unref(diagnostics->kept);
    g_hash_table_unref(diagnostics->tallies);
    diagnostic_free(diagnostics->surplus);
    sources_unref(diagnostics->sources);
    g_free(diagnostics);
}

/* How many of this severity were reported about the file, this one included. */
static guint count(struct diagnostics *diagnostics, const struct source *source, enum severity severity)
{
    struct tally *tally = g_hash_table_lookup(diagnostics->tallies, source);

    if (tally == NULL) {
        tally = g_new0(struct tally, 1);
        g_hash_table_insert(diagnostics->tallies, (gpointer)source, tally);
    }
    if (severity == SEVERITY_ERROR) {
        diagnostics->errors++;
        return ++tally->errors;
    }
    diagnostics->warnings++;
    return ++tally->warnings;
}

struct diagnostic *diagnostics_report(struct diagnostics *diagnostics, enum diagnostic_id id,
                                      struct span span, struct message message)
{
    struct diagnostic *diagnostic;

    diagnostics->counts[id]++;
    if (count(diagnostics, span.source, diagnostic_severity(id)) <= DIAGNOSTIC_MAX_KEPT) {
        diagnostic = diagnostic_new();
        diagnostic->number = diagnostics->kept->len;
        g_ptr_array_add(diagnostics->kept, diagnostic);
    } else {
        diagnostic = diagnostics->surplus;
        message_clear(&diagnostic->message);
        message_clear(&diagnostic->help);
        g_array_set_size(diagnostic->notes, 0);
    }
    diagnostic->id = id;
    diagnostic->span = span;
    diagnostic->message = message;
    return diagnostic;
}

void diagnostic_help(struct diagnostic *diagnostic, struct message help)
{
    message_clear(&diagnostic->help);
    diagnostic->help = help;
}

void diagnostic_note(struct diagnostic *diagnostic, struct span span, struct message message)
{
    struct note note = {span, message};

    g_array_append_val(diagnostic->notes, note);
}

struct sources *diagnostics_sources(const struct diagnostics *diagnostics)
{
    return diagnostics->sources;
}

guint diagnostics_count(const struct diagnostics *diagnostics, enum diagnostic_id id)
{
    return diagnostics->counts[id];
}

guint diagnostics_errors(const struct diagnostics *diagnostics)
{
    return diagnostics->errors;
}

guint diagnostics_warnings(const struct diagnostics *diagnostics)
{
    return diagnostics->warnings;
}

/* Findings of no file come first. */
static gint64 file_order(const struct diagnostic *diagnostic)
{
    return diagnostic->span.source != NULL ? (gint64)diagnostic->span.source->order : -1;
}

static int compare(gconstpointer a, gconstpointer b)
{
    const struct diagnostic *left = *(const struct diagnostic *const *)a;
    const struct diagnostic *right = *(const struct diagnostic *const *)b;
    gint64 left_file = file_order(left), right_file = file_order(right);

    if (left_file != right_file)
        return left_file < right_file ? -1 : 1;
    if (left->span.offset != right->span.offset)
        return left->span.offset < right->span.offset ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

GPtrArray *diagnostics_sorted(const struct diagnostics *diagnostics)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GPtrArray *shown = g_ptr_array_new();
    const struct source *source = NULL;
    struct tally tally = {0, 0};

    for (guint n = 0; n < diagnostics->kept->len; n++)
        g_ptr_array_add(all, g_ptr_array_index(diagnostics->kept, n));
    g_ptr_array_sort(all, compare);
    for (guint n = 0; n < all->len; n++) {
        struct diagnostic *diagnostic = g_ptr_array_index(all, n);
        if (diagnostic->span.source != source)
            tally = (struct tally){0, 0};
        source = diagnostic->span.source;
        guint number =
            diagnostic_severity(diagnostic->id) == SEVERITY_ERROR ? ++tally.errors : ++tally.warnings;
        if (number <= DIAGNOSTIC_MAX_SHOWN)
            g_ptr_array_add(shown, diagnostic);
    }
    return shown;
}
