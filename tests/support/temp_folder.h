/* temp_folder: folders below the temporary one that are gone after the test. One thread. */
#ifndef TESTS_SUPPORT_TEMP_FOLDER_H
#define TESTS_SUPPORT_TEMP_FOLDER_H

/* A new one, 0700; the path is new. */
char *temp_folder_new(void);
/* Removes this one and all in it, or all that were made. */
void temp_folder_remove(const char *path);
void temp_folders_remove(void);

#endif
