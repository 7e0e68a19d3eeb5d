/* What is changed of a message that is accepted: every edit of semantics.md 7.3, in order, and nothing else.
 */
#include "milter/daemon/edits.h"

struct scene {
    struct envelope *envelope;
    struct decision decision;
    GPtrArray *recipients; /* struct decided_recipient *, owned */
};

static void recipient_drop(gpointer data)
{
    struct decided_recipient *recipient = data;

    g_ptr_array_unref(recipient->forms);
    g_free(recipient);
}

static struct scene scene_new(const char *sender, const char *parameters)
{
    struct scene scene = {.envelope = envelope_new(),
                          .recipients = g_ptr_array_new_with_free_func(recipient_drop)};

    envelope_set_sender(scene.envelope, sender, parameters);
    scene.decision.act = ACT_ACCEPT;
    scene.decision.recipients = scene.recipients;
    return scene;
}

/* forms: one or two RCPT arguments of one address. */
static void add(struct scene *scene, enum fate fate, const char *form, const char *other_form)
{
    struct decided_recipient *recipient = g_new0(struct decided_recipient, 1);

    recipient->fate = fate;
    recipient->forms = g_ptr_array_new();
    g_ptr_array_add(recipient->forms, envelope_add(scene->envelope, form));
    if (other_form != NULL)
        g_ptr_array_add(recipient->forms, envelope_add(scene->envelope, other_form));
    g_ptr_array_add(scene->recipients, recipient);
}

/* The plan on one line, "-" for none; the scene is over. */
static char *plan(struct scene *scene, guint release_fields)
{
    g_autoptr(GPtrArray) edits = edits_plan(&scene->decision, scene->envelope, release_fields);
    GString *out = g_string_new(edits == NULL ? "-" : "");

    for (guint i = 0; edits != NULL && i < edits->len; i++) {
        const struct edit *edit = g_ptr_array_index(edits, i);
        switch (edit->kind) {
        case EDIT_SENDER:
            g_string_append_printf(out, "from %s %s; ", edit->text, edit->parameters);
            break;
        case EDIT_RECIPIENT:
            g_string_append_printf(out, "del %s; ", edit->text);
            break;
        case EDIT_FIELD:
            g_string_append_printf(out, "field %s %u; ", edit->text, edit->index);
            break;
        }
    }
    g_ptr_array_unref(scene->recipients);
    envelope_free(scene->envelope);
    return g_string_free(out, FALSE);
}

static void expect(struct scene *scene, guint release_fields, const char *expected)
{
    g_autofree char *text = plan(scene, release_fields);

    g_assert_cmpstr(text, ==, expected);
}

static void test_nothing(void)
{
    struct scene scene = scene_new("<bo@x.cn>", "SIZE=100");

    add(&scene, FATE_STAYS, "<an@x.cn>", NULL);
    expect(&scene, 0, "");
}

/* Each given form of who does not stay, whatever the fate; case 74. */
static void test_recipients(void)
{
    struct scene scene = scene_new("<bo@x.cn>", NULL);

    add(&scene, FATE_REFUSED, "<Delme@x.cn>", "<delme@x.cn>");
    add(&scene, FATE_STAYS, "<an@x.cn>", "<AN@x.cn>");
    add(&scene, FATE_HELD, "held@x.cn", NULL);
    add(&scene, FATE_SETTLED, "<done@X.CN>", NULL);
    add(&scene, FATE_KEPT, "<kept@x.cn>", NULL);
    add(&scene, FATE_DEFERRED, "<zz@x.cn>", NULL);
    expect(&scene, 0,
           "del <Delme@x.cn>; del <delme@x.cn>; del held@x.cn; del <done@X.CN>; del <kept@x.cn>; "
           "del <zz@x.cn>; ");
}

static void test_sender(void)
{
    static const struct {
        const char *sender, *parameters, *expected;
    } table[] = {
        {"<bo@x.cn>", NULL, "from <bo@x.cn> RET=HDRS; "},
        {"<bo@x.cn>", "SIZE=100 BODY=8BITMIME RET=FULL", "from <bo@x.cn> RET=HDRS; "},
        {"<Bo@X.cn>", "ret=full envid=QQ+2B1 SMTPUTF8", "from <Bo@X.cn> RET=HDRS envid=QQ+2B1; "},
        {"bo@x.cn", "ENVID=1", "from bo@x.cn RET=HDRS ENVID=1; "},
        {"<>", "ENVID=1", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        struct scene scene = scene_new(table[i].sender, table[i].parameters);
        scene.decision.headers_only = TRUE;
        add(&scene, FATE_STAYS, "<an@x.cn>", NULL);
        expect(&scene, 0, table[i].expected);
    }
}

/* The highest first, or the second would become the first; all behind sender and recipients. */
static void test_fields_and_order(void)
{
    struct scene scene = scene_new("<bo@x.cn>", NULL);

    scene.decision.headers_only = TRUE;
    add(&scene, FATE_STAYS, "<an@x.cn>", NULL);
    add(&scene, FATE_REFUSED, "<mi@x.cn>", NULL);
    expect(&scene, 3,
           "from <bo@x.cn> RET=HDRS; del <mi@x.cn>; field X-Miji-Release 3; field X-Miji-Release 2; "
           "field X-Miji-Release 1; ");
}

/* A message that nobody is left on would be lost: no plan is better than that one (7.2.1). */
static void test_nobody_left(void)
{
    struct scene scene = scene_new("<bo@x.cn>", NULL), empty = scene_new("<bo@x.cn>", NULL),
                 same = scene_new("<bo@x.cn>", NULL);

    add(&scene, FATE_HELD, "<an@x.cn>", NULL);
    add(&scene, FATE_REFUSED, "<mi@x.cn>", NULL);
    expect(&scene, 0, "-");
    expect(&empty, 0, "-");
    /* One string for two fates: Postfix would take off both. */
    add(&same, FATE_STAYS, "<an@x.cn>", "<an@x.cn>");
    add(&same, FATE_REFUSED, "<an@x.cn>", NULL);
    expect(&same, 0, "-");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/edits/nothing", test_nothing);
    g_test_add_func("/edits/recipients", test_recipients);
    g_test_add_func("/edits/sender", test_sender);
    g_test_add_func("/edits/fields-and-order", test_fields_and_order);
    g_test_add_func("/edits/nobody-left", test_nobody_left);
    return g_test_run();
}
