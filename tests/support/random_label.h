/* random_label: random schemes and labels for property tests; g_test_rand_*: reproducible with --seed. */
#ifndef TESTS_SUPPORT_RANDOM_LABEL_H
#define TESTS_SUPPORT_RANDOM_LABEL_H

#include "policy/label/label.h"

/* One scheme of 1–6 levels and 0–4 category sets of random kinds, with values a … e. */
struct schemes *random_schemes(void);
/* A label of the scheme with random values; now and then nobody. */
struct label *random_label(const struct scheme *scheme);

#endif
