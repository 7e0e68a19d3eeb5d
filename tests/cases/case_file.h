/*
 * case_file: one file of tests/cases: a message or several over one session, and what is expected of each. A
 * line is a word and its values; "#" begins a comment. `to`, `down`, `expect`, `recorded` and the lines of
 * the message may stand more than once in a mail.
 *
 *   conf LINE                a line of configuration beside miji.conf and choices.conf of tests/cases
 *   choices own              without choices.conf
 *   person NAME CLEARANCE    the clearance of a person of the directory, or of a new one NAME@agency.gov.cn
 *   mail TITLE               a message begins; session lines hold on from the message before
 *   again TITLE              the message before comes once more: envelope and text as there
 *   recheck TITLE            what was held of the last mail, approved, is decided once more before its
 * release as LEVEL                 what the approvers of a recheck state client IP | login NAME | tls 1.3 |
 * certificate CN | local      the session; `login -` takes it away from ARGUMENT            of MAIL, with or
 * without brackets parameters TEXT          ESMTP parameters of MAIL to ARGUMENT [host=HOST] [addr=ADDRESS]
 * [notify=NEVER] person NAME CLEARANCE    within a mail: from this mail on past ADDRESS
 * held|settled|ended|deferred [MOMENT]    what was decided before: when it ended, or since when it is put off
 * by its own trouble (none: by general trouble) clock doubtful | TEXT                   a line of the
 * message, "|+ N X" adds N times X to the line before down VALUE               the directory cannot be asked
 * about this address or login now 2026-12-31 23:59:59  in the configuration's time zone reader
 * died|died-again|busy expect ADDRESS VERDICT [REASON]   REASON: the leading one fate ADDRESS FATE unwritten:
 * stays with accept, held with discard, else refused or deferred queue ADDRESS NAME recorded REASON among the
 * reasons of the message label TEXT               E as people read it; "-" none, "?" unknown class NAME |
 * zone NAME act ACT                  accept, discard, refuse or defer tells                    N1 is due to
 * the sender; unwritten: nothing is archive NAME             takes it; unwritten: none does bounces headers
 * RET=HDRS is asked for viewers system high      E is not known trouble own              the clock of what is
 * put off runs; unwritten: it does not reply CODE STATUS TEXT   the whole reply but for the reference
 */
#ifndef TESTS_CASES_CASE_FILE_H
#define TESTS_CASES_CASE_FILE_H

#include "milter/decide/decision.h"

struct case_recipient {
    char *given, *host, *addr, *notify;
};

struct case_expectation {
    char *address, *verdict, *reason; /* reason NULL: there is none */
    char *fate, *queue;               /* NULL: the usual one; not asked */
};

struct case_past {
    char *address, *state, *moment; /* moment NULL: none */
};

struct case_mail {
    char *title;
    gboolean recheck; /* of the last mail that is none */
    char *as;
    struct session session;
    char *from, *parameters;
    GPtrArray *persons; /* char *: "NAME CLEARANCE" */
    GPtrArray *past;    /* struct case_past * */
    gboolean clock_doubtful;
    GPtrArray *to;    /* struct case_recipient * */
    GString *message; /* with CRLF */
    GPtrArray *down;  /* char * */
    char *now;
    enum facts_state reader;
    GPtrArray *expect;   /* struct case_expectation * */
    GPtrArray *recorded; /* char * */
    GPtrArray *archives; /* char * */
    gboolean tells, bounces_headers, system_high, own_trouble;
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
