/*
 * desk_scene: a desk over a real store in a private folder, with the office of reviewing.h and some holds,
 * for tests of the commands. The daemon's threads are not there. People ask by accounts that every Debian
 * has:
 *
 *     daemon = gao (officer, system high)   bin = an (officer, 绝密)      sys = hei (officer, 机密)
 *     games = shen (auditor)   man = you (administrator)   lp = cai (reviewer of "finance")
 *     mail = bo (officer, sender of most)   news = gu (nobody in particular)   sync: not in the directory
 */
#ifndef TESTS_SUPPORT_DESK_SCENE_H
#define TESTS_SUPPORT_DESK_SCENE_H

#include "milter/review/review_private.h"
#include "tests/support/reviewing.h"

struct desk_scene {
    struct world *world;
    struct store *store;
    struct review review;
    char *folder;
    GHashTable *ids; /* name of a hold -> its id */
    guint count;     /* of messages, for references */
};

struct desk_scene *desk_scene_new(void);
void desk_scene_free(struct desk_scene *scene);
DEFINE_AUTOPTR(desk_scene, desk_scene_free)

/* Decides on the world's message, keeps it with these octets, and remembers the hold under a name ("" none).
 */
void desk_scene_keep(struct desk_scene *scene, const char *name, const char *octets, gsize length);
/* bo's message, field 秘密 against subject 【机密】: held in "labels", E 机密; to: addresses, blanks between.
 */
void desk_scene_conflict(struct desk_scene *scene, const char *name, const char *from, const char *to);
/* A field that says 机秘: E is not known, something of it perhaps is. */
void desk_scene_invalid(struct desk_scene *scene, const char *name);
/* Nobody could read it: nothing is known of E. */
void desk_scene_unread(struct desk_scene *scene, const char *name);

/* Asks as an account of the host: "show text en {conflict} view=raw", where {NAME} is a hold's id and
 * {NAME/8} its first 8 characters. The answer, new; *length may be NULL. */
char *desk_scene_ask(struct desk_scene *scene, const char *account, const char *line, gsize *length,
                     gboolean *ok);
/* … with ids and times replaced by fixed ones of the same length. New. */
char *desk_scene_steady(struct desk_scene *scene, const char *text);
/* The last audit records, "who event object detail", newest last, one a line. New. */
char *desk_scene_audit(struct desk_scene *scene, guint last);
/* Asks, and asserts whether it was done; the answer, new. */
char *desk_scene_done(struct desk_scene *scene, const char *account, const char *line, gboolean expected);
/* Asks, and asserts that the answer is no, in that sentence (steady; line ends are blanks). */
void desk_scene_no(struct desk_scene *scene, const char *account, const char *line, const char *sentence);
/* Asks, asserts that it was done; does the answer have that part? */
gboolean desk_scene_says(struct desk_scene *scene, const char *account, const char *line, const char *part);
/* Asserts the last audit records. */
void desk_scene_recorded(struct desk_scene *scene, guint last, const char *expected);
enum hold_state desk_scene_state(struct desk_scene *scene, const char *name);
struct hold *desk_scene_hold(struct desk_scene *scene, const char *name);

#endif
