/* limits: what a person may write, on one screen (language.md section 1). SOURCE_MAX_BYTES is in source.h. */
#ifndef POLICY_TEXT_LIMITS_H
#define POLICY_TEXT_LIMITS_H

#define NAME_MAX_CHARACTERS 80
#define TEXT_MAX_CHARACTERS 1000 /* also of a pattern */
#define PAREN_MAX_DEPTH 20
#define BLOCK_MAX_DEPTH 20 /* the languages need three; the limit keeps the stack flat */
#define INCLUDE_MAX_DEPTH 8
#define INCLUDE_MAX_FILES 1000 /* of one run */

#define FOLD_MAX_CLUSTER 32 /* characters normalised as one: a base and what is stacked on it */

#define DIAGNOSTIC_MAX_SHOWN 20  /* errors, and warnings, of one file */
#define DIAGNOSTIC_MAX_KEPT 200  /* of one file: the first twenty by place are among them */
#define DIAGNOSTIC_MAX_ARG 40    /* characters of a word or text that a message quotes */
#define DIAGNOSTIC_MAX_CELLS 160 /* of a line shown; a longer one is cut around the place */

#endif
