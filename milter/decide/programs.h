/*
 * programs: mail of programs and lists by its own fields (RFC 3834 2): it gets no courtesies
 * (semantics.md 9.4). It opens nothing: whether mail is automatic for the checks is another question (2.9).
 * Pure.
 */
#ifndef MILTER_DECIDE_PROGRAMS_H
#define MILTER_DECIDE_PROGRAMS_H

#include "rules/facts.h"

/* Auto-Submitted other than no, Precedence bulk, list or junk, or a List-Id. facts NULL: not known, FALSE. */
gboolean facts_are_of_programs(const struct facts *facts);

#endif
