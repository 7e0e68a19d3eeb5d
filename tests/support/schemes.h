/*
 * schemes: two schemes for tests of people: the shipped "cn" (home), and "au" (OFFICIAL, SECRET, TOP SECRET;
 * restrictive set "caveat", also "handling", with CODEWORD).
 */
#ifndef TESTS_SUPPORT_SCHEMES_H
#define TESTS_SUPPORT_SCHEMES_H

#include "policy/label/label.h"

/* Owned by the caller. */
struct schemes *support_schemes(void);

/* A label "机密", "au/SECRET" of the schemes with values "SET=VALUE", NULL-terminated; owned by the caller.
 */
struct label *support_label(const struct schemes *schemes, const char *level, ...) G_GNUC_NULL_TERMINATED;

#endif
