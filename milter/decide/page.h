/*
 * page: text for a terminal of 80 cells: headings, fields with a name on the left, long values wrapped under
 * themselves. A Chinese character takes two cells. Control characters never pass. For one thread; owns its
 * text.
 */
#ifndef MILTER_DECIDE_PAGE_H
#define MILTER_DECIDE_PAGE_H

#include <glib.h>

struct page {
    GString *text;
};

struct page page_new(void);
/* The text; new. The page is over. */
char *page_finish(struct page *page);

void page_heading(struct page *page, const char *heading);
void page_blank(struct page *page);
/* `indent` cells, then `name` in a column that ends at cell `column`, then the value, wrapped under itself.
 * name may be longer: the value then begins after a blank. value may be NULL. */
void page_field(struct page *page, guint indent, guint column, const char *name, const char *value);

/* Octets of a mail, line by line (LF or CR LF) as they stand: long lines are wrapped, tabs are blanks, what
 * is no UTF-8, or a terminal obeys or reads in another direction, is replaced. */
void page_text(struct page *page, const char *octets, gsize length);

/* Cells that a text takes. */
guint page_cells(const char *text);

#endif
