#include "policy/text/include.h"

#include "policy/text/limits.h"
#include "policy/text/reader.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

/* One walk over a file and what it includes. */
struct walk {
    struct sources *sources;
    enum source_trust trust;
    struct diagnostics *diagnostics;
    struct files *files;
    const struct statement *includer; /* the `include` that is being read; NULL for the first file */
    GPtrArray *way;    /* const struct source *: from the first file to the one that is being read */
    gboolean overfull; /* too many files: reported once */
};

void files_free(struct files *files)
{
    g_ptr_array_unref(files->blocks);
    g_ptr_array_unref(files->includers);
    g_free(files);
}

static struct files *files_new(void)
{
    struct files *files = g_new0(struct files, 1);

    files->blocks = g_ptr_array_new_with_free_func((GDestroyNotify)block_free);
    files->includers = g_ptr_array_new();
    return files;
}

/* Depth is bounded by INCLUDE_MAX_DEPTH. */
static void join_block(const struct files *files, const struct block *block, GPtrArray *statements)
{
    for (guint n = 0; n < block->statements->len; n++) {
        const struct statement *statement = block_statement(block, n);
        if (keyword_match(KW_INCLUDE, statement, 0) == 0) {
            g_ptr_array_add(statements, (gpointer)statement);
            continue;
        }
        for (guint i = 0; i < files->blocks->len; i++)
            if (g_ptr_array_index(files->includers, i) == statement)
                join_block(files, g_ptr_array_index(files->blocks, i), statements);
    }
}

struct block *files_join(const struct files *files)
{
    if (files->blocks->len == 0)
        return NULL;
    const struct block *first = g_ptr_array_index(files->blocks, 0);
    struct block *joined = g_new0(struct block, 1);
    joined->open = first->open;
    joined->close = first->close;
    joined->statements = g_ptr_array_new();
    join_block(files, first, joined->statements);
    return joined;
}

void files_join_free(struct block *joined)
{
    if (joined == NULL)
        return;
    g_ptr_array_unref(joined->statements);
    g_free(joined);
}

/* ---- patterns */

/* What glob() met in this thread: its callback gets no context. */
static _Thread_local int glob_errno;

static int glob_failed(const char *path, int code)
{
    /* A directory that does not exist matches nothing; one that cannot be read might hold anything. */
    if (code == ENOENT || code == ENOTDIR)
        return 0;
    glob_errno = code;
    return 1;
}

static gboolean is_pattern(const char *name)
{
    return strpbrk(name, "*?[") != NULL;
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The directory of a file, with everything in it quoted that glob() would obey. */
static char *quoted_directory(const struct source *from)
{
    g_autofree char *directory = g_path_get_dirname(from->name);
    GString *out = g_string_new(NULL);

    for (const char *p = directory; *p != '\0'; p++) {
        if (strchr("*?[\\", *p) != NULL)
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

static char *join(const char *directory, const char *name)
{
    if (g_path_is_absolute(name) || strcmp(directory, ".") == 0)
        return g_strdup(name);
    return g_build_filename(directory, name, NULL);
}

GPtrArray *files_match(const struct source *from, const char *pattern, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    glob_t found = {0};

    if (!is_pattern(pattern)) {
        g_autofree char *directory = g_path_get_dirname(from->name);
        g_ptr_array_add(paths, join(directory, pattern));
        return g_steal_pointer(&paths);
    }
    g_autofree char *directory = quoted_directory(from);
    g_autofree char *whole = join(directory, pattern);
    glob_errno = ENOMEM;
    int result = glob(whole, GLOB_NOSORT, glob_failed, &found);
    if (result != 0 && result != GLOB_NOMATCH) {
        g_set_error_literal(error, SOURCE_ERROR, SOURCE_ERROR_NO_FILE, g_strerror(glob_errno));
        globfree(&found);
        return NULL;
    }
    for (gsize n = 0; n < found.gl_pathc; n++)
        g_ptr_array_add(paths, g_strdup(found.gl_pathv[n]));
    globfree(&found);
    g_ptr_array_sort(paths, compare_paths);
    return g_steal_pointer(&paths);
}

/* ---- files */

static void report_failure(struct walk *walk, struct span where, struct source_failure *failure)
{
    enum diagnostic_id id = DIAG_NO_FILE;

    switch (failure->code) {
    case SOURCE_ERROR_NO_FILE:
        break;
    case SOURCE_ERROR_UNSAFE:
        id = DIAG_UNSAFE_FILE;
        break;
    case SOURCE_ERROR_TOO_LARGE:
        id = DIAG_RANGE;
        break;
    }
    struct diagnostic *diagnostic = diagnostics_report(walk->diagnostics, id, where, failure->message);
    diagnostic_help(diagnostic, failure->help);
}

/* "a.conf → b.conf → a.conf" */
static void report_circle(struct walk *walk, struct span where, const struct source *again)
{
    g_autoptr(GString) way = g_string_new(NULL);
    gboolean inside = FALSE;

    for (guint n = 0; n < walk->way->len; n++) {
        const struct source *source = g_ptr_array_index(walk->way, n);
        inside |= source == again;
        if (inside)
            g_string_append_printf(way, "%s → ", source->name);
    }
    g_string_append(way, again->name);
    diagnostics_report(walk->diagnostics, DIAG_INCLUDE_CIRCLE, where,
                       message_make(MSG_INCLUDE_CIRCLE, way->str, NULL));
}

static void report_limit(struct walk *walk, struct span where, enum message_id message, int limit)
{
    g_autofree char *number = g_strdup_printf("%d", limit);

    diagnostics_report(walk->diagnostics, DIAG_RANGE, where, message_make(message, number, NULL));
}

static gboolean was_read(const struct walk *walk, const struct source *source)
{
    for (guint n = 0; n < walk->files->blocks->len; n++) {
        const struct block *block = g_ptr_array_index(walk->files->blocks, n);
        if (block->open.source == source)
            return TRUE;
    }
    return FALSE;
}

/* May the file be read here: no circle, not too deep, not too many? FALSE also for one that has been read. */
static gboolean may_read(struct walk *walk, const struct source *source, struct span where)
{
    if (g_ptr_array_find(walk->way, source, NULL)) {
        report_circle(walk, where, source);
        return FALSE;
    }
    if (walk->way->len > INCLUDE_MAX_DEPTH) {
        report_limit(walk, where, MSG_INCLUDE_TOO_DEEP, INCLUDE_MAX_DEPTH);
        return FALSE;
    }
    if (was_read(walk, source) || walk->overfull)
        return FALSE;
    if (walk->files->blocks->len == INCLUDE_MAX_FILES) {
        report_limit(walk, where, MSG_TOO_MANY_FILES, INCLUDE_MAX_FILES);
        walk->overfull = TRUE;
        return FALSE;
    }
    return TRUE;
}

static void read_includes(struct walk *walk, const struct block *block);

static void read_file(struct walk *walk, const char *path, struct span where)
{
    struct source_failure failure = {0};
    const struct source *source = sources_open(walk->sources, path, walk->trust, &failure);

    if (source == NULL) {
        report_failure(walk, where, &failure);
        return;
    }
    if (!may_read(walk, source, where))
        return;
    struct block *block = tree_parse(source, walk->diagnostics);
    g_ptr_array_add(walk->files->blocks, block);
    g_ptr_array_add(walk->files->includers, (gpointer)walk->includer);
    g_ptr_array_add(walk->way, (gpointer)source);
    read_includes(walk, block);
    g_ptr_array_set_size(walk->way, (gint)walk->way->len - 1);
}

/* The files that one text names. */
static void read_matches(struct walk *walk, const struct item *item, gboolean may_be_empty)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = files_match(item->span.source, item->text, &error);
    g_autofree char *escaped = text_escape(item->text);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", escaped);

    if (paths == NULL) {
        diagnostics_report(walk->diagnostics, DIAG_NO_FILE, item->span,
                           message_make(MSG_NOT_SEARCHED, quoted, error->message, NULL));
        return;
    }
    if (paths->len == 0)
        diagnostics_report(walk->diagnostics, may_be_empty ? DIAG_EMPTY_INCLUDE : DIAG_NO_FILE, item->span,
                           message_make(MSG_EMPTY_INCLUDE, quoted, NULL));
    for (guint n = 0; n < paths->len; n++)
        read_file(walk, g_ptr_array_index(paths, n), item->span);
}

/* `include "pattern",…` at top level. */
static void read_includes(struct walk *walk, const struct block *block)
{
    for (guint n = 0; n < block->statements->len; n++) {
        struct reader reader = reader_start(block_statement(block, n), walk->diagnostics);
        if (!reader_keyword(&reader, KW_INCLUDE))
            continue;
        do {
            const struct item *item = reader_text(&reader, MSG_A_FILE);
            walk->includer = reader.statement;
            if (item != NULL)
                read_matches(walk, item, TRUE);
        } while (reader_comma(&reader));
        if (reader_end(&reader))
            reader_no_block(&reader);
    }
}

static struct walk walk_start(struct sources *sources, enum source_trust trust,
                              struct diagnostics *diagnostics)
{
    return (struct walk){
        .sources = sources,
        .trust = trust,
        .diagnostics = diagnostics,
        .files = files_new(),
        .way = g_ptr_array_new(),
    };
}

struct files *files_read(struct sources *sources, const char *path, enum source_trust trust,
                         struct diagnostics *diagnostics)
{
    struct walk walk = walk_start(sources, trust, diagnostics);

    read_file(&walk, path, (struct span){NULL, 0, 0});
    g_ptr_array_unref(walk.way);
    return walk.files;
}

struct files *files_read_named(struct sources *sources, const struct item *named, gboolean may_be_empty,
                               enum source_trust trust, struct diagnostics *diagnostics)
{
    struct walk walk = walk_start(sources, trust, diagnostics);

    read_matches(&walk, named, may_be_empty);
    g_ptr_array_unref(walk.way);
    return walk.files;
}
