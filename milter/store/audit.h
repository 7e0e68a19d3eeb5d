/*
 * audit: records that are only ever added (semantics.md 12.1): every decision other than plain delivery,
 * every view, vote, release, export, reload, and every command of the control socket that was turned away.
 * Records of decisions and votes are written in the transaction of what they tell; these here stand alone.
 */
#ifndef MILTER_STORE_AUDIT_H
#define MILTER_STORE_AUDIT_H

#include "milter/store/store.h"

struct audit_entry {
    const char *event;  /* "view", "export", "reload", "forged-token", "turned-away" … */
    const char *who;    /* main address, "root", "uid 1000", "" for the daemon itself */
    const char *object; /* reference or id; NULL */
    const char *detail; /* no content of mail; NULL */
};
/* Durable when it returns TRUE. */
gboolean store_audit(struct store *store, const struct audit_entry *entry, GError **error);
/* With others within a second; never waited for. */
void store_audit_later(struct store *store, const struct audit_entry *entry);

struct audit_record {
    gint64 number, at_ms;
    char *event, *who, *object, *detail;
};
void audit_record_free(struct audit_record *record);
/* From a number on, at most limit: for tests and the later `miji audit`. */
GPtrArray *store_audit_records(struct store *store, gint64 from_number, guint limit, GError **error);

#endif
