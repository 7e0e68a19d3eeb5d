/*
 * doctor: looks at Postfix's configuration beside Miji's and says what must change so that nothing passes by
 * and nothing is lost. Each examination is a pure function over both; findings are values with a stable id.
 */
#ifndef MILTER_CLI_DOCTOR_H
#define MILTER_CLI_DOCTOR_H

#include "milter/cli/postfix.h"
#include "milter/conf/snapshot.h"

enum doctor_level { DOCTOR_GOOD, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_FAIL };

struct doctor_finding {
    enum doctor_level level;
    const char *id;        /* stable: "default-action" */
    struct message what;   /* what was found */
    struct message remedy; /* what to do; MSG_NONE for good ones */
};

struct examination {
    const struct snapshot *snapshot;
    const struct postfix *postfix;
    gboolean host;       /* look at sockets and users of this host, too */
    GPtrArray *findings; /* struct doctor_finding * */
};

struct examination *examination_new(const struct snapshot *snapshot, const struct postfix *postfix,
                                    gboolean host);
void examination_free(struct examination *examination);
DEFINE_AUTOPTR(examination, examination_free)

/* Adds a finding; takes both messages over. */
void examination_find(struct examination *examination, enum doctor_level level, const char *id,
                      struct message what, struct message remedy);
/* Everything. */
void examination_run(struct examination *examination);
/* Text of at most 80 columns or JSON; new. */
char *examination_render(const struct examination *examination, gboolean json, enum language language);
gboolean examination_failed(const struct examination *examination);

/* The milter lists and sockets (doctor_milters.c). */
void examine_milters(struct examination *examination);
void examine_socket(struct examination *examination, enum socket_role role);
/* Of a milter that stands in the list of a service, or (NULL) of main.cf. */
void examine_default_action(struct examination *examination, const struct postfix_service *service,
                            const char *element);
/* Where the socket of a role stands in a list of milters; -1 nowhere. Does the element only sign? */
int milter_position(const struct examination *examination, char **list, gboolean chroot,
                    enum socket_role role);
gboolean milter_is_signer(const char *element);

/* What released mail goes through, and who looks at what is held (doctor_release.c). */
void examine_release(struct examination *examination);
void examine_roles(struct examination *examination);
/* The service that listens at the port of `release through`; NULL if there is none. */
const struct postfix_service *release_service(const struct examination *examination);

#endif
