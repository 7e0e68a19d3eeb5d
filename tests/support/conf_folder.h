/*
 * conf_folder: a folder of configuration files for one test, in a private temporary directory: miji.conf,
 * cn.scheme of the tree, what else the test writes. Not for several threads.
 */
#ifndef TESTS_SUPPORT_CONF_FOLDER_H
#define TESTS_SUPPORT_CONF_FOLDER_H

#include "milter/conf/snapshot.h"

/* What every configuration needs: scheme, directory (a file), zones "office" and "internet". */
#define CONF_SCHEME "scheme \"cn.scheme\"\n"
#define CONF_DIRECTORY "directory \"file:people.ldif\" { }\n"
#define CONF_ZONES                                                                                   \
    "zone \"office\" { inside; client 10.0.0.0/8; recipient agency.gov.cn; carries up to 机密 }\n" \
    "zone \"internet\" { otherwise; carries up to 公开 }\n"
#define CONF_BASE CONF_SCHEME CONF_DIRECTORY CONF_ZONES

struct conf_folder {
    char *path;    /* of the folder */
    char *conf;    /* of miji.conf in it */
    char *chinese; /* the diagnostics of the last load as lines, Chinese */
};

struct conf_folder *conf_folder_new(void);
void conf_folder_free(struct conf_folder *folder); /* and everything in it */
DEFINE_AUTOPTR(conf_folder, conf_folder_free)
void conf_folder_write(struct conf_folder *folder, const char *name, const char *text, guint mode);

/* Writes text as miji.conf and loads it. *rendered (may be NULL) gets all diagnostics as lines, English; to
 * be freed. */
struct snapshot *conf_folder_load(struct conf_folder *folder, const char *text, enum snapshot_flags flags,
                                  const struct snapshot *previous, char **rendered);

#endif
