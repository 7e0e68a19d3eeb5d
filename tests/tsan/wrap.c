/*
 * The thread sanitizer sees what was compiled for it, and GLib was not: two threads that call
 * g_hash_table_insert on one table without a lock pass unnoticed. The variant tsan links every call of
 * wrap.def through here (--wrap=NAME), where the read or write of the container is announced before it is
 * done.
 *
 * 16 bytes are announced: of a table, which nobody sees into, they stand for all of it; of an array, string
 * or queue they are the pointer and the length (head and tail) that users read without a call, so those reads
 * take part.
 *
 * g_free frees here and not in GLib, so that suppressions for GLib cannot hide a use after it.
 */
#include <glib.h>
#include <stdlib.h>

void __tsan_read16(void *address);
void __tsan_write16(void *address);

#define WRAP(announce, result, name, parameters, arguments) \
    result __real_##name parameters;                        \
    result __wrap_##name parameters;                        \
    result __wrap_##name parameters                         \
    {                                                       \
        if (it)                                             \
            announce((void *)it);                           \
        return __real_##name arguments;                     \
    }
#define READ(...) WRAP(__tsan_read16, __VA_ARGS__)
#define WRITE(...) WRAP(__tsan_write16, __VA_ARGS__)
#include "tests/tsan/wrap.def"

/* An iterator holds its table in its first field. */
gboolean __real_g_hash_table_iter_next(GHashTableIter *iter, gpointer *key, gpointer *value);
gboolean __wrap_g_hash_table_iter_next(GHashTableIter *iter, gpointer *key, gpointer *value);
gboolean __wrap_g_hash_table_iter_next(GHashTableIter *iter, gpointer *key, gpointer *value)
{
    __tsan_read16(iter->dummy1);
    return __real_g_hash_table_iter_next(iter, key, value);
}

#define ITER_WRITE(name, parameters, arguments) \
    void __real_##name parameters;              \
    void __wrap_##name parameters;              \
    void __wrap_##name parameters               \
    {                                           \
        __tsan_write16(iter->dummy1);           \
        __real_##name arguments;                \
    }
ITER_WRITE(g_hash_table_iter_remove, (GHashTableIter * iter), (iter))
ITER_WRITE(g_hash_table_iter_steal, (GHashTableIter * iter), (iter))
ITER_WRITE(g_hash_table_iter_replace, (GHashTableIter * iter, gpointer value), (iter, value))

void __wrap_g_string_append_printf(GString *it, const char *format, ...) G_GNUC_PRINTF(2, 3);
void __wrap_g_string_append_printf(GString *it, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_string_append_vprintf(it, format, list);
    va_end(list);
}

void __wrap_g_string_printf(GString *it, const char *format, ...) G_GNUC_PRINTF(2, 3);
void __wrap_g_string_printf(GString *it, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_string_vprintf(it, format, list);
    va_end(list);
}

void __wrap_g_free(void *memory);
void __wrap_g_free(void *memory)
{
    free(memory);
}
