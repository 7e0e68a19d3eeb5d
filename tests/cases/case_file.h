/*
 * case_file: one file of tests/cases: a message or several over one session, and what is expected of each. A
 * line is a word and its values; "#" begins a comment. `to`, `down`, `expect`, `recorded` and the lines of
 * the message may stand more than once in a mail.
 *
 *   conf LINE                a line of configuration beside miji.conf and choices.conf of tests/cases
 *   choices own              without choices.conf
 *   person NAME CLEARANCE    the clearance of a person of the directory, or of a new one NAME@agency.gov.cn
 *   mail TITLE               a message begins; session lines hold on from the message before
 *   client IP | login NAME | tls 1.3 | certificate CN | local      the session; `login -` takes it away
 *   from ARGUMENT            of MAIL, with or without brackets
 *   to ARGUMENT [host=HOST] [addr=ADDRESS]
 *   | TEXT                   a line of the message, "|+ N X" adds N times X to the line before
 *   down VALUE               the directory cannot be asked about this address or login
 *   now 2026-12-31 23:59:59  in the configuration's time zone
 *   reader died|died-again|busy
 *   expect ADDRESS VERDICT [REASON]   REASON: the leading one
 *   recorded REASON          among the reasons of the message
 *   label TEXT               E as people read it; "-" none, "?" unknown
 *   class NAME | zone NAME
 *   act ACT                  accept, discard, refuse or defer
 *   reply CODE STATUS TEXT   the whole reply but for the reference
 */
#ifndef TESTS_CASES_CASE_FILE_H
#define TESTS_CASES_CASE_FILE_H

#include "milter/decide/decision.h"

struct case_recipient {
    char *given, *host, *addr;
};

struct case_expectation {
    char *address, *verdict, *reason; /* reason NULL: none is asked */
};

struct case_mail {
    char *title;
    struct session session;
    char *from;
    GPtrArray *to;    /* struct case_recipient * */
    GString *message; /* with CRLF */
    GPtrArray *down;  /* char * */
    char *now;
    enum facts_state reader;
    GPtrArray *expect;   /* struct case_expectation * */
    GPtrArray *recorded; /* char * */
    char *label, *class, *zone, *act, *reply;
};

struct case_file {
    char *name; /* "03-one-of-two-cleared" */
    GString *conf;
    gboolean own_choices; /* without choices.conf */
    GPtrArray *persons;   /* char *: "NAME CLEARANCE" */
    GPtrArray *mails;     /* struct case_mail * */
};

/* Reads a file; ends the program with file and line when it is not a case. */
struct case_file *case_file_read(const char *path);
void case_file_free(struct case_file *file);
DEFINE_AUTOPTR(case_file, case_file_free)

#endif
