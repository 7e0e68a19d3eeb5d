/*
 * g_autoptr for our structs. G_DEFINE_AUTOPTR_CLEANUP_FUNC needs a typedef, and a typedef of the struct's own
 * name would be shadowed by every parameter of that name; so this defines what g_autoptr(name) looks for and
 * no more. `release` may be called with NULL or not: it never is.
 *
 *     DEFINE_AUTOPTR(sources, sources_unref)        in the header, behind struct sources and sources_unref
 *     g_autoptr(sources) sources = sources_new();   in a function: a struct sources *
 */
#ifndef MIJI_POLICY_AUTOPTR_H
#define MIJI_POLICY_AUTOPTR_H

#include <glib.h>

#define DEFINE_AUTOPTR(name, release)                                                   \
    typedef struct name *name##_autoptr;                                                \
    G_GNUC_UNUSED static inline void glib_autoptr_cleanup_##name(struct name **pointer) \
    {                                                                                   \
        if (*pointer != NULL)                                                           \
            release(*pointer);                                                          \
    }

#endif
