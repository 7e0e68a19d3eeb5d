/* scheme_files: the scheme files that miji.conf names. Internal to milter/conf; see reading.h. */
#ifndef MILTER_CONF_SCHEME_FILES_H
#define MILTER_CONF_SCHEME_FILES_H

#include "milter/conf/reading.h"

/* Reads every file of every `scheme` statement and notes it in conf. `text` (may be NULL) gets the names and
 * texts of all files. NULL, and reported, if there is none or anything is wrong with one. */
struct schemes *scheme_files_read(struct reading *reading, struct sources *sources, GChecksum *text);

#endif
