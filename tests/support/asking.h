/* asking: questions to a directory in tests, one at a time or the same to many. */
#ifndef TESTS_SUPPORT_ASKING_H
#define TESTS_SUPPORT_ASKING_H

#include "policy/person/directory.h"

/* The answer to one question; *query (freed first if there is one) holds the person. */
struct person_answer ask_one(struct directory *directory, struct directory_query **query,
                             enum question_kind kind, const char *value);
enum answer_state ask_state(struct directory *directory, enum question_kind kind, const char *value);
/* Where the directory says that it is, or what is wrong; new string. */
char *asking_where(struct directory *directory);
guint64 asking_searches(struct directory *directory);

#endif
