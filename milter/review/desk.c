#include "milter/review/desk.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/review/limits.h"
#include "milter/review/sitting.h"

static const struct {
    const char *word;
    gboolean (*serve)(struct sitting *sitting);
} commands[] = {{"held", desk_held},     {"show", desk_show},      {"approve", desk_approve},
                {"refuse", desk_refuse}, {"note", desk_note},      {"release", desk_release},
                {"trace", desk_trace},   {"archive", desk_archive}};

/* Who is nobody, or in doubt, gets no further, whatever the command. */
static gboolean is_somebody(struct sitting *sitting)
{
    const struct reviewer *reviewer = sitting->reviewer;
    const char *name = reviewer_name(reviewer);

    if (reviewer->is_root)
        return TRUE;
    if (reviewer->roles_unknown || (reviewer->person == NULL && reviewer->unavailable))
        return sitting_turn_away(sitting, MAY_NOT_UNKNOWN, NULL,
                                 message_make(MSG_DESK_UNAVAILABLE, name, NULL));
    if (reviewer->person == NULL)
        return sitting_turn_away(sitting, MAY_NOT_UNKNOWN, NULL, message_make(MSG_DESK_UNKNOWN, name, NULL));
    if (reviewer_has_two_roles(reviewer))
        return sitting_turn_away(sitting, MAY_NOT_REVIEWER, NULL, message_make(MSG_DESK_TWO_ROLES, NULL));
    return TRUE;
}

static gboolean serve(struct review *review, guint uid, const struct control_request *request,
                      GString *answer, gboolean (*command)(struct sitting *sitting))
{
    const struct review_host *host = review_host(review);
    struct sitting sitting = {.review = review,
                              .store = host->store,
                              .inspector = host->inspector,
                              .snapshot = host->snapshot(host->host),
                              .request = request,
                              .language = request->language,
                              .now_ms = clock_wall_ms(),
                              .answer = answer};
    gboolean done;

    sitting.clock_is_right = sitting.now_ms + DESK_CLOCK_MS >= store_newest_audit_ms(sitting.store);
    sitting.reviewer = reviewer_find(sitting.snapshot, uid);
    done = is_somebody(&sitting) && command(&sitting);
    reviewer_free(sitting.reviewer);
    snapshot_unref(sitting.snapshot);
    return done;
}

gboolean desk_serve(struct review *review, guint uid, const struct control_request *request, GString *answer,
                    gboolean *known)
{
    *known = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].word, request->word) == 0) {
            *known = TRUE;
            return serve(review, uid, request, answer, commands[i].serve);
        }
    return FALSE;
}
