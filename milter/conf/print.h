/* print: how values of miji.conf are written, and the printers of settings.def. Internal to milter/conf; see
 * dump.h. */
#ifndef MILTER_CONF_PRINT_H
#define MILTER_CONF_PRINT_H

#include "milter/conf/dump.h"

#define SETTING(id, change, times, fallback, read, print) \
    void print(GString *out, const struct snapshot *snapshot);
#include "milter/conf/settings.def"

/* "text" with escapes. */
void print_text(GString *out, const char *text);
/* keyword "text" and a line end; nothing for NULL. */
void print_named(GString *out, const char *keyword, const char *text);
/* keyword 72h and a line end. */
void print_time(GString *out, const char *keyword, gint64 milliseconds);
/* keyword "a", "b" and a line end; nothing for NULL. */
void print_texts(GString *out, const char *keyword, const GPtrArray *texts);
/* keyword 10.0.0.0/8, … and a line end; nothing for NULL. */
void print_networks(GString *out, const char *keyword, const GArray *networks);
/* scheme/level, in quotes where it needs them. */
void print_level(GString *out, const struct scheme *scheme, const struct level *level);
/* An outcome; what is not written is what `unset` says. */
void print_outcome(GString *out, const struct outcome *outcome, const char *unset);
/* The outcome that is a hold in the first queue, and a refusal where there is none; new. */
char *hold_unwritten(const struct policy *policy);

#endif
