/*
 * usage: race [CASE none|lock]
 *
 * Two threads use one GLib container without a lock, or with one; without arguments, the list of cases. Run
 * by wrap.t, which expects the sanitizer's report of the first and silence about the second. Nothing is
 * destroyed in truth: the second thread waits until the first has done, by a relaxed counter, which orders
 * nothing in the eyes of the sanitizer.
 */
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int done;
static bool with_lock;

static GHashTable *table;
static GPtrArray *pointers;
static GArray *array;
static GByteArray *bytes;
static GString *string;
static GQueue queue = G_QUEUE_INIT;
static char *memory;
static struct {
    pthread_mutex_t lock;
} * owned;

static void insert(void)
{
    g_hash_table_insert(table, GINT_TO_POINTER(1), NULL);
}

static void look_up(void)
{
    g_hash_table_lookup(table, GINT_TO_POINTER(1));
}

static void iterate(void)
{
    GHashTableIter iter;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, NULL))
        continue;
}

static void add_pointer(void)
{
    g_ptr_array_add(pointers, NULL);
}

static void count_pointers(void)
{
    if (pointers->len > 1000)
        printf("many\n");
}

static void append_value(void)
{
    int value = 1;
    g_array_append_val(array, value);
}

static void append_bytes(void)
{
    g_byte_array_append(bytes, (const guint8 *)"a", 1);
}

static void append_text(void)
{
    g_string_append_printf(string, "%d", 1);
}

static void push(void)
{
    g_queue_push_tail(&queue, NULL);
}

static void copy(void)
{
    char *other = g_strdup(memory);
    g_free(other);
}

static void give_up(void)
{
    g_free(memory);
}

static void read_memory(void)
{
    if (memory[0] == 'x')
        printf("x\n");
}

static void use_lock(void)
{
    pthread_mutex_lock(&owned->lock);
    pthread_mutex_unlock(&owned->lock);
}

static void destroy_lock(void)
{
    pthread_mutex_destroy(&owned->lock);
    g_free(owned);
}

static void unref(void)
{
    g_hash_table_unref(table);
}

static const struct {
    const char *name;
    void (*first)(void);
    void (*second)(void);
} cases[] = {
    {"insert-insert", insert, insert},
    {"insert-lookup", insert, look_up},
    {"iterate-insert", iterate, insert},
    {"lookup-unref", look_up, unref},
    {"pointer-array", add_pointer, add_pointer},
    {"pointer-array-length", add_pointer, count_pointers},
    {"array", append_value, append_value},
    {"byte-array", append_bytes, append_bytes},
    {"string", append_text, append_text},
    {"queue", push, push},
    {"free", read_memory, give_up},
    {"copy-free", copy, give_up},
    {"lock-destroy", use_lock, destroy_lock},
};

struct work {
    void (*step)(void);
    int turn;
};

static void *run(void *data)
{
    const struct work *work = data;

    while (__atomic_load_n(&done, __ATOMIC_RELAXED) != work->turn)
        sched_yield();
    if (with_lock)
        pthread_mutex_lock(&lock);
    work->step();
    if (with_lock)
        pthread_mutex_unlock(&lock);
    __atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void set_up(void)
{
    table = g_hash_table_new(NULL, NULL);
    pointers = g_ptr_array_new();
    array = g_array_new(FALSE, FALSE, sizeof(int));
    bytes = g_byte_array_new();
    string = g_string_new("");
    memory = g_strdup("memory");
    owned = g_malloc0(sizeof *owned);
    pthread_mutex_init(&owned->lock, NULL);
}

static int race(size_t i)
{
    struct work work[] = {{cases[i].first, 0}, {cases[i].second, 1}};
    pthread_t threads[2];

    set_up();
    for (int t = 0; t < 2; t++)
        if (pthread_create(&threads[t], NULL, run, &work[t]) != 0)
            return 2;
    for (int t = 0; t < 2; t++)
        pthread_join(threads[t], NULL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
            printf("%s\n", cases[i].name);
    with_lock = argc == 3 && strcmp(argv[2], "lock") == 0;
    for (size_t i = 0; argc == 3 && i < G_N_ELEMENTS(cases); i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            return race(i);
    return argc == 3 ? 2 : 0;
}
