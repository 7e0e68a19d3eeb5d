/* scheme_text: schemes from text in a test. */
#ifndef TESTS_SUPPORT_SCHEME_TEXT_H
#define TESTS_SUPPORT_SCHEME_TEXT_H

#include "policy/label/scheme.h"

/* Reads one scheme from text into the set; ends the program with what is wrong with it, if anything is. */
void schemes_read_text(struct schemes *schemes, const char *text);
/* The same from a file below the top of the tree. */
void schemes_read_file(struct schemes *schemes, const char *path);
/* The shipped scheme cn alone. */
struct schemes *schemes_cn(void);
/* The level of that name in the home scheme; must be there. */
const struct level *level_called(const struct schemes *schemes, const char *name);

/* Reads text that is wrong and gives the findings, one a line; new string. */
char *scheme_findings(const char *text);

#endif
