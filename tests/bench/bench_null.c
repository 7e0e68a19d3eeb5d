/*
 * bench_null MODE ADDRESS: a libmilter filter that decides nothing, to measure others by. It says "ready" on
 * stdout when it listens, and runs until it is killed. all    every callback, each answered: what a careless
 * filter costs allnr  every callback, replies negotiated away copy   allnr, and all that comes is copied: the
 * least that a filter which looks at the message can do, our base none   every event negotiated away but the
 * end of the message: the floor of the library
 */
#include <glib.h>
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>

#define SILENCE                                                                                     \
    (SMFIP_NR_HDR | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | \
     SMFIP_NR_UNKN | SMFIP_NR_EOH | SMFIP_NR_BODY)
#define NOTHING                                                                                   \
    (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NOBODY | SMFIP_NOHDRS | \
     SMFIP_NOEOH | SMFIP_NOUNKNOWN | SMFIP_NODATA)

static gboolean is_silent, is_copying;
static unsigned long wanted; /* protocol bits asked for */

/* What a filter of this kind keeps of a message: its bytes, the envelope, the queue id. */
struct copy {
    GByteArray *bytes;
    GPtrArray *addresses;
};

static void copy_free(struct copy *copy)
{
    if (copy == NULL)
        return;
    g_byte_array_unref(copy->bytes);
    g_ptr_array_unref(copy->addresses);
    g_free(copy);
}

static struct copy *copy_new(void)
{
    struct copy *copy = g_new(struct copy, 1);

    copy->bytes = g_byte_array_sized_new(8192);
    copy->addresses = g_ptr_array_new_with_free_func(g_free);
    return copy;
}

static void copy_text(SMFICTX *ctx, const char *text, const char *end)
{
    struct copy *copy = smfi_getpriv(ctx);

    g_byte_array_append(copy->bytes, (const guint8 *)text, (guint)strlen(text));
    g_byte_array_append(copy->bytes, (const guint8 *)end, (guint)strlen(end));
}

static sfsistat answer(void)
{
    return is_silent ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                             unsigned long unused2, unsigned long unused3, unsigned long *my_actions,
                             unsigned long *my_protocol, unsigned long *my2, unsigned long *my3)
{
    if ((wanted & ~protocol) != 0)
        return SMFIS_REJECT; /* a measurement under other terms than its name says would be worthless */
    *my_actions = actions;
    *my_protocol = wanted;
    *my2 = *my3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    return answer();
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    return answer();
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
    if (is_copying) {
        struct copy *copy = copy_new();

        copy_free(smfi_getpriv(ctx));
        smfi_setpriv(ctx, copy);
        g_ptr_array_add(copy->addresses, g_strdup(argv[0]));
    }
    return answer();
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
    if (is_copying)
        g_ptr_array_add(((struct copy *)smfi_getpriv(ctx))->addresses, g_strdup(argv[0]));
    return answer();
}

static sfsistat on_command(SMFICTX *ctx)
{
    return answer();
}

static sfsistat on_unknown(SMFICTX *ctx, const char *command)
{
    return answer();
}

static sfsistat on_field(SMFICTX *ctx, char *name, char *value)
{
    if (is_copying) {
        copy_text(ctx, name, ":");
        copy_text(ctx, value, "\r\n");
    }
    return answer();
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    if (is_copying)
        copy_text(ctx, "\r\n", "");
    return answer();
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t length)
{
    if (is_copying)
        g_byte_array_append(((struct copy *)smfi_getpriv(ctx))->bytes, chunk, (guint)length);
    return answer();
}

static sfsistat forget(SMFICTX *ctx)
{
    copy_free(smfi_getpriv(ctx));
    smfi_setpriv(ctx, NULL);
    return SMFIS_CONTINUE;
}

static gboolean set_mode(const char *mode)
{
    is_silent = strcmp(mode, "allnr") == 0 || strcmp(mode, "copy") == 0;
    is_copying = strcmp(mode, "copy") == 0;
    wanted = is_silent ? SILENCE | SMFIP_HDR_LEADSPC : strcmp(mode, "none") == 0 ? NOTHING : 0;
    return is_silent || strcmp(mode, "none") == 0 || strcmp(mode, "all") == 0;
}

int main(int argc, char **argv)
{
    struct smfiDesc filter = {
        .xxfi_name = "null",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFI_CURR_ACTS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_field,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = forget,
        .xxfi_abort = forget,
        .xxfi_close = forget,
        .xxfi_unknown = on_unknown,
        .xxfi_data = on_command,
        .xxfi_negotiate = on_negotiate,
    };

    if (argc != 3 || !set_mode(argv[1])) {
        fprintf(stderr, "usage: %s all|allnr|copy|none unix:PATH|inet:PORT@ADDRESS\n", argv[0]);
        return 2;
    }
    if (smfi_setconn(argv[2]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS) {
        fprintf(stderr, "%s: cannot listen on %s\n", argv[0], argv[2]);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
