/* summary: what `show` says of one hold, as a page or as JSON. Part of the desk. */
#ifndef MILTER_REVIEW_SUMMARY_H
#define MILTER_REVIEW_SUMMARY_H

#include "milter/review/sitting.h"

struct summary {
    struct sitting *sitting;
    const struct hold *hold;
    enum may may_read;         /* otherwise nothing of its content is said, and of reasons the ids only */
    const struct facts *facts; /* of its content; NULL: cannot be read, or not for the asker */
};

/* whole: every reason of every recipient, and nothing else. TRUE. */
gboolean summary_page(const struct summary *summary, gboolean reasons_only);
gboolean summary_json(const struct summary *summary);

/* Is E not known, so that an approval may say what it is (semantics.md 10.4)? */
gboolean hold_label_is_doubtful(const struct hold *hold);
/* … and nothing is known of it, so that it must? */
gboolean hold_label_is_unknown(const struct hold *hold);

#endif
