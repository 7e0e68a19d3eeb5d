/* Looks at every octet that facts point to, so that a sanitizer sees a pointer that leads outside. */
#ifndef TESTS_SUPPORT_FACTS_TOUCH_H
#define TESTS_SUPPORT_FACTS_TOUCH_H

#include "rules/facts.h"

static inline guint bytes_touch(struct bytes bytes)
{
    guint sum = 0;

    for (gsize at = 0; at <= bytes.length; at++)
        sum += (guchar)bytes.data[at];
    return sum;
}

static inline guint facts_touch(const struct facts *facts)
{
    guint sum = 0;

    for (guint i = 0; i < facts->field_count; i++) {
        const struct fact_field *field = &facts->fields[i];
        sum += bytes_touch(field->name) + bytes_touch(field->raw) + bytes_touch(field->decoded);
    }
    for (guint i = 0; i < facts->mailbox_count; i++)
        sum +=
            bytes_touch(facts->mailboxes[i].address) + facts->fields[facts->mailboxes[i].field_index].flags;
    for (guint i = 0; i < facts->part_count; i++) {
        const struct fact_part *part = &facts->parts[i];
        sum += bytes_touch(part->type) + bytes_touch(part->charset) + bytes_touch(part->name);
    }
    for (guint i = 0; i < facts->finding_count; i++)
        sum += bytes_touch(facts->findings[i].detail) + finding_name(facts->findings[i].id)[0];
    for (guint i = 0; i < facts->candidate_count; i++) {
        const struct fact_candidate *candidate = &facts->candidates[i];
        sum +=
            bytes_touch(candidate->text) + (candidate->place.field != NULL ? candidate->place.field[0] : 0);
    }
    return sum;
}

#endif
