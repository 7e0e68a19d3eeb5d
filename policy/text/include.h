/*
 * include: a file and the files that it includes (language.md section 2), for every language that people
 * write.
 *
 *     struct files *files = files_read(sources, "/etc/miji/miji.conf", SOURCE_SAFE, diagnostics);
 *     for each block of files->blocks: block_read(block, statements, …);     -- passes over `include`
 *
 * Reports [no-file], [unsafe-file], [range] at the place that names the file, [include-circle] with its way,
 * a warning [empty-include], and everything that tree_parse reports. Patterns are relative to the file that
 * has them; the files of one pattern come in the order of the octets of their names, behind the file that
 * includes them. A file that is included twice, but not in a circle, is read once. Not for several threads at
 * once.
 */
#ifndef POLICY_TEXT_INCLUDE_H
#define POLICY_TEXT_INCLUDE_H

#include "policy/text/tree.h"

struct files {
    /* struct block *, owned; the first is that of the file itself; empty if it cannot be read */
    GPtrArray *blocks;
    /* const struct statement *, one for each block: the `include` that read it; NULL for the first */
    GPtrArray *includers;
};

struct files *files_read(struct sources *sources, const char *path, enum source_trust trust,
                         struct diagnostics *diagnostics);

/* The same for files that a statement of another language names by pattern (`scheme`, `rules` of miji.conf):
 * `named` is the TEXT item. No match: [empty-include] if `may_be_empty`, else [no-file]. */
struct files *files_read_named(struct sources *sources, const struct item *named, gboolean may_be_empty,
                               enum source_trust trust, struct diagnostics *diagnostics);

void files_free(struct files *files);
DEFINE_AUTOPTR(files, files_free)

/* The statements of all files as one block, those of an included file in the place of its `include`: so
 * block_read finds a second one in whatever file it stands, and order is that of reading. The statements are
 * borrowed from files; free with files_join_free. NULL when there is no file. */
struct block *files_join(const struct files *files);
void files_join_free(struct block *joined);

/* The files that a pattern stands for, seen from the file `from`: paths (char *, owned) in byte order, none
 * when none matches; a name without * ? [ is itself, whether the file exists or not. NULL and error when a
 * directory cannot be read: nobody may take that for "no rules". */
GPtrArray *files_match(const struct source *from, const char *pattern, GError **error);

#endif
