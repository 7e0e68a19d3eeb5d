/* What Miji agrees with the MTA, and that it keeps to it: with Postfix, and with MTAs that know less. */
#include "tests/wire/echo_milter.h"
#include "tests/wire/scene.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct mta *open_offering(const struct mta_offer *offer)
{
    g_autoptr(GError) error = NULL;
    struct mta *mta = mta_open(daemon_address(scene_daemon()), &error);

    g_assert_no_error(error);
    mta_negotiate(mta, offer, &error);
    g_assert_no_error(error);
    return mta;
}

static void start(struct mta *mta, const struct mta_client *client)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) reply = NULL;

    mta_start(mta, client, &reply, &error);
    g_assert_no_error(error);
    g_assert_true(reply != NULL && mta_reply_is_positive(reply));
}

/* The word stands in the list that the filter asked for. */
static void assert_asked(const struct mta_terms *terms, int stage, const char *name)
{
    g_auto(GStrv) names = g_strsplit_set(terms->macros[stage] != NULL ? terms->macros[stage] : "", " ,", -1);

    g_assert_true(g_strv_contains((const char *const *)names, name));
}

/*
 * No main.cf macro lists are needed (design.md 1.6). Body replacement and Postfix's HOLD are never asked for:
 * the body is not edited, and HOLD loses the reason and is left without asking a milter again.
 */
static void test_terms(void)
{
    struct mta *mta = open_offering(&mta_offer_postfix);
    const struct mta_terms *terms = mta_terms(mta);

    g_assert_cmpuint(terms->version, ==, 6);
    g_assert_cmphex(terms->protocol & ALL_SILENCE, ==, ALL_SILENCE);
    g_assert_true((terms->protocol & SMFIP_HDR_LEADSPC) != 0);
    g_assert_cmphex(terms->protocol & SMFIP_RCPT_REJ, ==, 0);
    for (const char *event = "CHMRTLNB"; *event != '\0'; event++)
        g_assert_true(mta_is_event_wanted(mta, *event));
    g_assert_true((terms->actions & SMFIF_DELRCPT) != 0);
    g_assert_cmphex(terms->actions & (SMFIF_CHGBODY | SMFIF_QUARANTINE), ==, 0);
    assert_asked(terms, SMFIM_CONNECT, "{client_addr}");
    assert_asked(terms, SMFIM_HELO, "{tls_version}");
    assert_asked(terms, SMFIM_HELO, "{cert_subject}");
    assert_asked(terms, SMFIM_ENVFROM, "{auth_authen}");
    assert_asked(terms, SMFIM_ENVRCPT, "{rcpt_addr}");
    assert_asked(terms, SMFIM_ENVRCPT, "{rcpt_host}");
    assert_asked(terms, SMFIM_EOM, "i");
    mta_close(mta);
    scene_check();
}

/*
 * Silence: not one packet before the answer at end of message, nor behind it (the client sees both), and no
 * callback that returned CONTINUE: libmilter swallows it, at two thirds of the gain, and tells only syslog.
 */
static void test_silence(void)
{
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(mta_reply) reply = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;
    g_auto(GStrv) lines = NULL;
    gboolean is_spy_there = FALSE;

    for (const char *event = "CHMRTLNB"; *event != '\0'; event++)
        g_assert_false(mta_is_reply_awaited(mta, *event));
    g_assert_true(mta_send_message(mta, &scene_fine, &reply, &error));
    g_assert_true(reply != NULL && mta_reply_is_positive(reply) && reply->stage == SMFIC_BODYEOB);
    scene_quit(mta);
    log = daemon_syslog(scene_daemon());
    lines = g_strsplit(log, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        is_spy_there |= g_str_has_prefix(*line, "spy in process");
        if (**line != '\0' && !g_str_has_prefix(*line, "spy in process"))
            g_assert_cmpstr(*line, ==, "");
    }
    g_assert_true(is_spy_there);
}

/* ---- the spy itself: this program as a filter that breaks its word */

#define LOUD_FILTER "--loud-filter"

G_GNUC_NORETURN
static void become_loud_filter(const char *address, const char *spy_file, int ready_fd)
{
    g_autofree char *fd_text = g_strdup_printf("%d", ready_fd);

    daemon_preload_spy(spy_file);
    execl("/proc/self/exe", "negotiate_test", LOUD_FILTER, address, fd_text, (char *)NULL);
    _exit(127);
}

/* What test_silence looks for is there when a filter answers where it has negotiated silence. */
static void test_spy(void)
{
    g_autofree char *directory = g_dir_make_tmp("miji-wire-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "filter.sock", NULL);
    g_autofree char *address = g_strconcat("unix:", path, NULL);
    g_autofree char *spy_file = g_build_filename(directory, "syslog", NULL);
    g_autofree char *spy = g_strconcat(spy_file, ".so", NULL);
    g_autofree char *outcome = NULL, *log = NULL;
    g_autoptr(GError) error = NULL;
    struct mta *mta;
    int ready[2];
    char byte;
    pid_t pid;

    g_assert_true(g_file_set_contents(spy_file, "", 0, NULL));
    g_assert_cmpint(pipe(ready), ==, 0);
    pid = fork();
    if (pid == 0)
        become_loud_filter(address, spy_file, ready[1]);
    close(ready[1]);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    close(ready[0]);
    mta = mta_open_session(address, &scene_bo, &error);
    g_assert_no_error(error);
    outcome = scene_send(mta, &scene_fine);
    g_assert_cmpstr(outcome, ==, "accept");
    scene_quit(mta);
    echo_milter_stop(pid);
    g_assert_true(g_file_get_contents(spy_file, &log, NULL, NULL));
    g_assert_nonnull(strstr(log, "spy in process"));
    g_assert_nonnull(strstr(log, "claimed not to reply"));
    g_unlink(spy);
    g_unlink(spy_file);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

/* ---- other MTAs */

/* No DATA, no leading blank, no silence, no macro lists, no changed sender: what must not come back in a
 * bounce (semantics.md 3.7) is put off, all else goes on. */
static void test_version_2(void)
{
    struct mta *mta = open_offering(&mta_offer_v2);
    struct mta_message lowest = scene_fine;
    g_autofree char *fine = NULL, *refused = NULL, *public = NULL;

    g_assert_cmpuint(mta_terms(mta)->version, ==, 2);
    g_assert_cmphex(mta_terms(mta)->protocol, ==, 0);
    start(mta, &scene_bo);
    fine = scene_send(mta, &scene_fine);
    refused = scene_send(mta, &scene_refused);
    lowest.fields = TEXTS("From: bo@agency.gov.cn", "Subject: figures", "X-Classification: public");
    public = scene_send(mta, &lowest);
    g_assert_cmpstr(refused, ==, "550 5.7.1");
    g_assert_cmpstr(fine, ==, "tempfail");
    g_assert_cmpstr(public, ==, "accept");
    scene_quit(mta);
    scene_check();
}

static void test_plain_version_6(void)
{
    struct mta *mta = open_offering(&mta_offer_plain);
    g_autofree char *fine = NULL, *refused = NULL;

    g_assert_cmphex(mta_terms(mta)->protocol & (ALL_SILENCE | SMFIP_SKIP | SMFIP_HDR_LEADSPC), ==, 0);
    start(mta, &scene_bo);
    fine = scene_send(mta, &scene_fine);
    refused = scene_send(mta, &scene_refused);
    g_assert_cmpstr(fine, ==, "accept");
    g_assert_cmpstr(refused, ==, "550 5.7.1");
    scene_quit(mta);
    scene_check();
}

/* Each kind of silence alone: the others are answered, one by one. */
static void test_partial_silence(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        struct mta_offer offer = mta_offer_postfix;
        struct mta *mta;
        g_autofree char *fine = NULL;

        if ((ALL_SILENCE & (1U << bit)) == 0)
            continue;
        offer.protocol &= ~(uint32_t)ALL_SILENCE | (1U << bit);
        mta = open_offering(&offer);
        g_assert_cmphex(mta_terms(mta)->protocol & ALL_SILENCE, ==, 1U << bit);
        start(mta, &scene_bo);
        fine = scene_send(mta, &scene_fine);
        g_assert_cmpstr(fine, ==, "accept");
        scene_quit(mta);
    }
    scene_check();
}

/* An MTA that will not remove recipients cannot carry out what is decided: such mail must not pass half
 * decided. */
static void test_no_actions(void)
{
    struct mta_offer offer = {6, 0, SMFI_CURR_PROT};
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open(daemon_address(scene_daemon()), &error);

    if (mta_negotiate(mta, &offer, &error)) {
        g_autofree char *outcome = NULL;

        start(mta, &scene_bo);
        outcome = scene_send(mta, &scene_refused);
        g_assert_cmpstr(outcome, !=, "accept");
    } else {
        g_assert_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL);
    }
    scene_check();
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], LOUD_FILTER) == 0)
        echo_milter_run(argv[2], &(struct echo_options){.protocol = ALL_SILENCE, .is_loud = TRUE},
                        atoi(argv[3]));
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open(NULL);
    g_test_add_func("/wire/negotiate/terms", test_terms);
    g_test_add_func("/wire/negotiate/silence", test_silence);
    g_test_add_func("/wire/negotiate/spy", test_spy);
    g_test_add_func("/wire/negotiate/version-2", test_version_2);
    g_test_add_func("/wire/negotiate/plain-version-6", test_plain_version_6);
    g_test_add_func("/wire/negotiate/partial-silence", test_partial_silence);
    g_test_add_func("/wire/negotiate/no-actions", test_no_actions);
    return scene_run("/wire/negotiate");
}
