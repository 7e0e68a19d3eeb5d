#include "policy/person/directory.h"

#include "policy/person/people.h"

struct memory {
    struct backend backend;
    struct people *people;
    gboolean (*down)(const char *value, gpointer data);
    gpointer data;
};

static enum answer_state memory_look(struct backend *backend, enum question_kind kind, const char *value,
                                     struct person **person)
{
    struct memory *memory = (struct memory *)backend;

    if (memory->down != NULL && memory->down(value, memory->data))
        return ANSWER_UNAVAILABLE;
    return people_find(memory->people, kind, value, person);
}

/* A directory that is down for "" is down for everybody. */
static gboolean memory_outage(struct backend *backend, gint64 since_us)
{
    struct memory *memory = (struct memory *)backend;

    return memory->down != NULL && memory->down("", memory->data);
}

static void memory_status(struct backend *backend, struct directory_status *status)
{
    struct memory *memory = (struct memory *)backend;

    status->connected = !memory_outage(backend, 0);
    status->where = g_strdup_printf("%u people in memory", people_count(memory->people));
}

static void memory_close(struct backend *backend)
{
    people_unref(((struct memory *)backend)->people);
    g_free(backend);
}

static const struct backend_kind MEMORY = {
    .look = memory_look, .outage = memory_outage, .status = memory_status, .close = memory_close};

struct directory *directory_of_people(GPtrArray *people, gboolean (*down)(const char *value, gpointer data),
                                      gpointer data)
{
    struct memory *memory = g_new0(struct memory, 1);
    g_autoptr(schemes) schemes = NULL;

    if (people->len > 0)
        schemes = schemes_ref(((struct person *)g_ptr_array_index(people, 0))->schemes);
    else
        schemes = schemes_new();
    memory->backend.kind = &MEMORY;
    memory->people = people_new(people);
    memory->down = down;
    memory->data = data;
    return directory_over(directory_settings_new(), schemes, &memory->backend);
}
