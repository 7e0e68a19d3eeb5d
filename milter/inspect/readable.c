#include "milter/inspect/readable.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milter/inspect/prescan.h"
#include "milter/inspect/reader.h"
#include "milter/inspect/structure.h"
#include "milter/inspect/worker.h"

#define KEPT 3 /* the child's end of the pipe */

GQuark readable_error_quark(void)
{
    return g_quark_from_static_string("miji-readable-error");
}

static gboolean fail(GError **error, const char *what)
{
    g_set_error_literal(error, READABLE_ERROR, 0, what);
    return FALSE;
}

static gboolean make_body(const struct header *header, struct bytes body, const struct inspect_limits *limits,
                          GString *out)
{
    g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(struct own_text));
    g_autoptr(answer) unused = answer_new();
    struct prescan scan;

    prescan_body(&scan, body.data, body.length);
    if (scan.is_too_large)
        return FALSE;
    structure_report(header, body, limits, unused, texts);
    texts_write(texts, limits, unused, out);
    return TRUE;
}

gboolean readable_make(const void *octets, gsize length, const struct inspect_limits *limits, GString *out,
                       GError **error)
{
    const char *data = length > 0 ? octets : "";
    struct header header;
    gboolean is_made;

    if (!inspect_prepare())
        return fail(error, "this system cannot convert GB18030 and Big5");
    header_split(&header, data, length);
    is_made = !header.is_too_large &&
              make_body(&header, (struct bytes){data + header.body, length - header.body}, limits, out);
    header_clear(&header);
    return is_made || fail(error, "too many lines or parts");
}

static gboolean write_all(int fd, const char *octets, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, octets, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        octets += n;
        length -= (gsize)n;
    }
    return TRUE;
}

/* The child: nothing but reading octets that it has already, and telling the text. Status 0: all was told. */
static G_GNUC_NORETURN void run_child(int pipe_end, pid_t parent, const void *octets, gsize length)
{
    struct inspect_limits limits;
    struct sandbox sandbox;
    GString *out = g_string_new(NULL);

    inspect_limits_init(&limits);
    worker_sandbox(&limits, &sandbox);
    sandbox.parent = parent;
    if ((geteuid() == 0 && !sandbox_find_user("nobody", &sandbox)) || dup2(pipe_end, KEPT) != KEPT ||
        !sandbox_enter(KEPT, &sandbox, NULL))
        _exit(2);
    if (!readable_make(octets, length, &limits, out, NULL))
        _exit(1);
    _exit(write_all(KEPT, out->str, out->len) ? 0 : 2);
}

static void read_all(int fd, GString *out)
{
    char room[65536];

    for (;;) {
        ssize_t n = read(fd, room, sizeof room);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        g_string_append_len(out, room, n);
    }
}

GString *readable_text(const void *octets, gsize length, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    pid_t parent = getpid(), child;
    int ends[2], status = -1;

    if (!inspect_prepare()) {
        fail(error, "this system cannot convert GB18030 and Big5");
        return NULL;
    }
    if (pipe(ends) != 0) {
        fail(error, g_strerror(errno));
        return NULL;
    }
    child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1], parent, octets, length);
    }
    close(ends[1]);
    if (child > 0)
        read_all(ends[0], out);
    close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return g_steal_pointer(&out);
    fail(error, child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1 ? "too many lines or parts"
                                                                           : "its reader did not end well");
    return NULL;
}
