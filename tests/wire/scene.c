#include "tests/wire/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct daemon *miji;

const struct mta_client scene_bo = {
    .name = "pc7.agency.gov.cn",
    .address = "10.0.0.7",
    .helo = "pc7.agency.gov.cn",
    .login = "bo",
    .daemon_name = "ORIGINATING",
};

const struct mta_client scene_stranger = {
    .name = "mail.example.net",
    .address = "198.51.100.9",
    .helo = "mail.example.net",
};

#define FIELDS_OF_BO(label)                                                                            \
    "From: bo@agency.gov.cn", "To: somebody@agency.gov.cn", "Subject: figures", "Message-ID: <1@pc7>", \
        "Date: Thu, 01 Jan 2026 10:00:00 +0800", "X-Classification: " label

const struct mta_message scene_fine = {
    .sender = "<bo@agency.gov.cn> SIZE=1000",
    .recipients = (const char *const[]){"<an@agency.gov.cn>", NULL},
    .fields = (const char *const[]){FIELDS_OF_BO("secret"), NULL},
    .body = "Here they are.\r\n",
};

const struct mta_message scene_refused = {
    .sender = "<bo@agency.gov.cn>",
    .recipients = (const char *const[]){"<mi@agency.gov.cn>", NULL},
    .fields = (const char *const[]){FIELDS_OF_BO("secret"), NULL},
    .body = "Here they are.\r\n",
};

const struct mta_message scene_public = {
    .sender = "<x@example.net>",
    .recipients = (const char *const[]){"<gu@agency.gov.cn>", NULL},
    .fields =
        (const char *const[]){"From: x@example.net", "To: gu@agency.gov.cn", "Subject: hello",
                              "Message-ID: <2@example.net>", "Date: Thu, 01 Jan 2026 10:00:00 +0800", NULL},
    .body = "How do you do?\r\n",
};

struct daemon *scene_open(const char *more)
{
    return scene_open_keeping(NULL, more);
}

struct daemon *scene_open_keeping(const char *out, const char *more)
{
    g_autoptr(GError) error = NULL;

    miji = daemon_start_keeping(out, more, &error);
    if (miji == NULL) {
        g_autofree char *text = g_strescape(error->message, "\n");

        printf("Bail out! %s\n", text);
        exit(1);
    }
    return miji;
}

struct daemon *scene_daemon(void)
{
    return miji;
}

/* No control byte of a message may reach the log, and nothing may have gone wrong in the daemon itself. */
static void check_log(const char *log)
{
    for (const char *at = log; *at != '\0'; at++)
        if ((guchar)*at < ' ' && *at != '\n') {
            g_test_message("a byte 0x%02x in the log, in: %.200s", (guchar)*at,
                           at > log + 100 ? at - 100 : log);
            g_test_fail();
            return;
        }
    if (strstr(log, "Sanitizer") != NULL || strstr(log, "runtime error:") != NULL ||
        strstr(log, "CRITICAL") != NULL) {
        g_test_message("%s", log);
        g_test_fail();
    }
}

static void test_end(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;

    g_assert_true(daemon_stop(miji, &error));
    g_assert_no_error(error);
    log = daemon_log(miji);
    check_log(log);
}

int scene_run(const char *suite)
{
    g_autofree char *path = g_strconcat(suite, "/stops-well", NULL);
    int status;

    g_test_add_func(path, test_end);
    status = g_test_run();
    daemon_free(g_steal_pointer(&miji));
    return status;
}

struct mta *scene_session(const struct mta_client *client)
{
    g_autoptr(GError) error = NULL;
    struct mta *mta = mta_open_session(client->is_local ? daemon_local_address(miji) : daemon_address(miji),
                                       client, &error);

    g_assert_no_error(error);
    if (mta == NULL)
        g_error("no session");
    return mta;
}

char *scene_outcome(const struct mta_reply *reply)
{
    if (reply->kind == MTA_CODE)
        return g_strndup(reply->text, strcspn(reply->text + 4, " ") + 4);
    if (reply->kind == MTA_CONTINUE)
        return g_strdup("accept");
    return mta_reply_format(reply);
}

char *scene_breakdown(const GError *error)
{
    return g_strdup(g_error_matches(error, MTA_ERROR, MTA_ERROR_CLOSED) ? "closed" : error->message);
}

bool scene_is_clear(const char *outcome)
{
    return strstr(outcome, "accept") != NULL || strcmp(outcome, "discard") == 0 ||
           strcmp(outcome, "tempfail") == 0 || strcmp(outcome, "reject") == 0 || outcome[0] == '4' ||
           outcome[0] == '5';
}

char *scene_send(struct mta *mta, const struct mta_message *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) reply = NULL;

    if (!mta_send_message(mta, message, &reply, &error))
        return scene_breakdown(error);
    g_ptr_array_set_size(reply->edits, 0);
    return scene_outcome(reply);
}

char *scene_edits(struct mta *mta, const struct mta_message *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) reply = NULL;

    if (!mta_send_message(mta, message, &reply, &error))
        return scene_breakdown(error);
    g_autofree char *text = mta_reply_format(reply);
    char *reference = strstr(text, " [MIJI-");
    if (reference != NULL)
        *reference = '\0';
    return g_steal_pointer(&text);
}

char *scene_ask(const struct control_request *request, gboolean *ok)
{
    g_autofree char *address = g_build_filename(daemon_directory(miji), "control.sock", NULL);
    g_autoptr(GError) error = NULL;
    char *text = control_ask(address, request, 60000, NULL, ok, &error);

    g_assert_no_error(error);
    return text;
}

void scene_quit(struct mta *mta)
{
    g_autoptr(GError) error = NULL;

    mta_quit(mta, &error);
    g_assert_no_error(error);
    mta_close(mta);
}

void scene_check(void)
{
    struct mta *mta = scene_session(&scene_bo);
    g_autofree char *fine = scene_send(mta, &scene_fine);
    g_autofree char *refused = scene_send(mta, &scene_refused);

    g_assert_cmpstr(fine, ==, "accept");
    g_assert_cmpstr(refused, ==, "550 5.7.1");
    scene_quit(mta);
}
