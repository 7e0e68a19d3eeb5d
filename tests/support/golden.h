/*
 * golden: input and exact output side by side. DIRECTORY/NAME.in goes through a function, and what comes back
 * must be DIRECTORY/NAME.out to the octet. With MIJI_GOLDEN_UPDATE=1 (make golden-update) the outputs are
 * written instead: read the diff before you commit it.
 */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include <glib.h>

/* From the octets of NAME.in (a NUL behind them) to the whole text of NAME.out; new string. */
typedef char *(*golden_make)(const char *name, const char *input, gsize length, gpointer data);

/* Adds a test /golden/DIRECTORY'S NAME/NAME for each NAME.in, in byte order; call it between g_test_init and
 * g_test_run. `directory` is relative to the top of the tree ("tests/golden/text"). A directory without
 * inputs is a test that fails. Outputs without an input fail too, so that a renamed case does not leave its
 * old output behind. */
void golden_add(const char *directory, golden_make make, gpointer data);

/* The path below the top of the tree, wherever the test is started. New string. */
char *golden_path(const char *relative);

#endif
