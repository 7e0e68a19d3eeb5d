#include "milter/store/raise.h"

#include "policy/label/label_record.h"

struct standing_label {
    char *id, *text, *display;
    gboolean system_high;
};
typedef struct standing_label standing_label;

static void standing_label_clear(struct standing_label *label)
{
    g_free(label->id);
    g_free(label->text);
    g_free(label->display);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(standing_label, standing_label_clear)

static gboolean load(struct database *database, enum raised what, gint64 number, struct standing_label *label,
                     GError **error)
{
    static const char *const sql[] = {
        [RAISED_HOLD] = "SELECT id, label, display, system_high FROM hold WHERE number = ?1",
        [RAISED_COPY] = "SELECT id, label, display, system_high FROM archive_copy WHERE number = ?1"};
    g_autoptr(rows) rows = rows_begin(database, sql[what], "i", number);
    enum rows_answer answer = rows_next(rows, error);

    if (answer == ROWS_END)
        return job_changed(error, "the hold is gone");
    if (answer == ROWS_FAILED)
        return FALSE;
    label->id = g_strdup(rows_text(rows, 0));
    label->text = g_strdup(rows_text(rows, 1));
    label->display = g_strdup(rows_text(rows, 2));
    label->system_high = rows_integer(rows, 3) != 0;
    return TRUE;
}

/* TRUE: it is another one now. */
static gboolean join(struct standing_label *label, const struct decision *decision)
{
    const struct label_set *found = decision->label != NULL ? decision->label->effective : NULL;
    g_autoptr(label_set) set =
        found != NULL && label->text != NULL ? label_set_recall(decision->label->schemes, label->text) : NULL;
    gboolean system_high = label->system_high || decision->system_high || set == NULL;
    gboolean is_higher = set != NULL && !label_set_covers(set, found);
    gboolean is_changed = is_higher || system_high != label->system_high;

    label->system_high = system_high;
    if (is_higher) {
        label_set_join_all(set, found);
        g_free(label->text);
        g_free(label->display);
        label->text = label_set_record(set);
        label->display = label_set_format(set);
    }
    return is_changed;
}

gboolean raise_label(struct store *store, struct database *database, enum raised what, gint64 number,
                     const struct decision *decision, GError **error)
{
    static const char *const sql[] = {
        [RAISED_HOLD] = "UPDATE hold SET label = ?2, display = ?3, system_high = ?4 WHERE number = ?1",
        [RAISED_COPY] =
            "UPDATE archive_copy SET label = ?2, display = ?3, system_high = ?4 WHERE number = ?1"};
    g_auto(standing_label) label = {0};

    if (!load(database, what, number, &label, error))
        return FALSE;
    g_autofree char *before = g_strdup(label.text);
    if (!join(&label, decision))
        return TRUE;
    g_autofree char *detail =
        g_strdup_printf("%s → %s%s", before != NULL ? before : "?", label.text != NULL ? label.text : "?",
                        label.system_high ? " (system high)" : "");
    const struct audit_entry entry = {
        .event = "raise-label", .who = "", .object = label.id, .detail = detail};
    return database_run(database, error, sql[what], "itti", number, label.text, label.display,
                        (gint64)label.system_high) &&
           job_audit(store, database, &entry, error);
}
