/* Any bytes on the milter socket: each case ends in a clear outcome, and others are served meanwhile and
 * afterwards. */
#include "tests/wire/scene.h"

#include <arpa/inet.h>
#include <string.h>

/* A connection of bo on which MAIL, RCPT and DATA were said. */
static struct mta *open_in_message(void)
{
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(GError) error = NULL;

    mta_set_timeout(mta, 60000);
    if (mta_mail(mta, &scene_fine, NULL, &error) && mta_rcpt(mta, scene_fine.recipients[0], NULL, &error))
        mta_data(mta, NULL, &error);
    g_assert_no_error(error);
    return mta;
}

static void send_fields(struct mta *mta, const struct mta_message *message)
{
    g_autoptr(GError) error = NULL;

    for (const char *const *field = message->fields; *field != NULL; field++)
        mta_field(mta, *field, NULL, &error);
    g_assert_no_error(error);
}

/* End of header, a body, end of message; the outcome, or what broke. */
static char *finish(struct mta *mta)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) reply = NULL;

    if (!mta_eoh(mta, NULL, &error) || !mta_body(mta, &scene_fine, NULL, &error) ||
        !mta_eom(mta, &reply, &error))
        return scene_breakdown(error);
    g_ptr_array_set_size(reply->edits, 0);
    return scene_outcome(reply);
}

/* One more field, as raw bytes behind its fields, in an otherwise fine message. */
static char *outcome_with_field(const char *bytes, size_t length)
{
    struct mta *mta = open_in_message();
    g_autoptr(GError) error = NULL;
    char *outcome;

    send_fields(mta, &scene_fine);
    mta_send_packet(mta, SMFIC_HEADER, bytes, length, &error);
    g_assert_no_error(error);
    outcome = finish(mta);
    mta_close(mta);
    return outcome;
}

static void assert_clear(const char *outcome)
{
    if (!scene_is_clear(outcome)) {
        g_test_message("outcome: %s", outcome);
        g_test_fail();
    }
}

#define FIELD(bytes) bytes, sizeof(bytes)

/* libmilter hands out what stands before the NUL; a field without a name ends the connection. */
static void test_nul_in_field(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *outcome;
    } cases[] = {
        {FIELD("X-A\0B\0 value"), "accept"},    {FIELD("X-A\0 val\0ue"), "accept"},
        {FIELD("X-A\0 value\0\0\0"), "accept"}, {FIELD("X-A\0"), "accept"},
        {FIELD("\0 value"), "closed"},          {FIELD("\0"), "closed"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *outcome = outcome_with_field(cases[i].bytes, cases[i].length);

        g_assert_cmpstr(outcome, ==, cases[i].outcome);
    }
    scene_check();
}

/* A field whose bytes do not end: libmilter gives the connection up. */
static void test_field_without_end(void)
{
    g_autofree char *no_value = outcome_with_field("X-A", 3);
    g_autofree char *no_end = outcome_with_field("X-A\0 value", 10);

    g_assert_cmpstr(no_value, ==, "closed");
    g_assert_cmpstr(no_end, ==, "closed");
    scene_check();
}

/* The label of the message is a field behind a NUL: what the MTA passes on is not what the filter saw. Never
 * unlabelled. */
static void test_label_behind_nul(void)
{
    struct mta *mta = open_in_message();
    g_autoptr(GError) error = NULL;
    g_autofree char *outcome = NULL;
    const char *const fields[] = {"From: bo@agency.gov.cn", "Subject: figures", NULL};
    struct mta_message message = {.fields = fields};

    send_fields(mta, &message);
    mta_send_packet(mta, SMFIC_HEADER, FIELD("X-Classification\0 \0secret"), &error);
    outcome = finish(mta);
    g_assert_true(outcome[0] == '5');
    mta_close(mta);
    scene_check();
}

/* Escapes, line ends, bidi controls and broken UTF-8 in fields; that none of it reaches the log is judged at
 * the end. */
static void test_control_bytes(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {FIELD("X-A\0 \033[31mred\033[0m \007\010\177")},
        {FIELD("X-\033[2J\0 value")},
        {FIELD("X-A\0 one\r\n two\r\nX-Classification: public")},
        {FIELD("X-A\0 one\nX-Classification: public")},
        {FIELD("X-A\0 \342\200\256evil\342\200\254 \377\376\300\200")},
        {FIELD("X A:\0 blank in the name")},
        {FIELD("Subject\0 \033]0;owned\007")},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *outcome = outcome_with_field(cases[i].bytes, cases[i].length);

        assert_clear(outcome);
    }
    scene_check();
}

/* The envelope is the part that is logged. */
static void test_control_bytes_in_envelope(void)
{
    static const char *const addresses[] = {
        "<a\033[31m@agency.gov.cn>",
        "<a\nverdict=deliver@agency.gov.cn>",
        "<\342\200\256@agency.gov.cn>",
        "<\"a b\"@agency.gov.cn>",
        "<@relay:a@agency.gov.cn>",
        "<a%x@agency.gov.cn>",
        "<a@[10.0.0.1]>",
        "<>",
        "",
        "<a@agency.gov.cn\r\n451 later>",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        struct mta *mta = scene_session(&scene_bo);
        struct mta_message message = scene_fine;
        g_autofree char *as_recipient = NULL, *as_sender = NULL;

        message.recipients = TEXTS(addresses[i]);
        as_recipient = scene_send(mta, &message);
        assert_clear(as_recipient);
        g_assert_cmpstr(as_recipient, !=, "accept");
        message = scene_fine;
        message.sender = addresses[i];
        as_sender = scene_send(mta, &message);
        assert_clear(as_sender);
        scene_quit(mta);
    }
    scene_check();
}

/* What stands first in a line of the log is an id, or none is told. */
static void test_queue_id_that_is_none(void)
{
    static const char *const ids[] = {
        "4Xk2: verdict=deliver to=<all@agency.gov.cn>",
        "error",
        "",
        "\033[2J",
        "a b",
        "\345\257\206",
        "%s%n",
        "0123456789012345678901234567890123456789012345678901234567890123456789",
    };
    g_autofree char *log = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        struct mta *mta = scene_session(&scene_bo);
        struct mta_message message = scene_refused;
        g_autofree char *outcome = NULL;

        message.queue_id = ids[i];
        outcome = scene_send(mta, &message);
        g_assert_cmpstr(outcome, ==, "550 5.7.1");
        scene_quit(mta);
    }
    scene_check();
    log = daemon_log(scene_daemon());
    g_assert_null(strstr(log, "<all@agency.gov.cn>"));
    g_assert_null(strstr(log, "0123456789012"));
    g_assert_nonnull(strstr(log, "miji-milter: NOQUEUE: verdict=refuse to=<mi@agency.gov.cn>"));
}

/* Postfix cuts a field at 60,000 bytes: what was cut off may have been the label. */
static void test_cut_field(void)
{
    struct mta *mta = open_in_message();
    g_autoptr(GError) error = NULL;
    g_autofree char *long_text = g_strnfill(60000, 'x');
    g_autofree char *field = g_strconcat("Subject: ", long_text, NULL);
    g_autofree char *outcome = NULL;
    struct mta_message message = {.fields = TEXTS("From: bo@agency.gov.cn", field)};

    send_fields(mta, &message);
    outcome = finish(mta);
    g_assert_true(outcome[0] == '5');
    mta_close(mta);
    scene_check();
}

/* A packet of more than 65,535 bytes ends the connection in libmilter; whatever the end, it is no acceptance.
 */
static void test_oversize_field(void)
{
    g_autofree char *value = g_strnfill(150000, 'x');
    g_autofree char *bytes = g_strconcat("X-A: ", value, NULL);
    g_autofree char *outcome = NULL;

    bytes[3] = '\0';
    outcome = outcome_with_field(bytes, 150006);
    g_assert_cmpstr(outcome, ==, "closed");
    scene_check();
}

static void test_body_packets(void)
{
    static const size_t lengths[] = {1, 65534, 65535, 65536, 70000, 300000};
    g_autofree char *bytes = g_strnfill(300000, 'x');

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        struct mta *mta = open_in_message();
        g_autoptr(GError) error = NULL;
        g_autoptr(mta_reply) reply = NULL;
        bool ok;

        send_fields(mta, &scene_fine);
        ok = mta_eoh(mta, NULL, &error) && mta_send_packet(mta, SMFIC_BODY, bytes, lengths[i], &error) &&
             mta_eom(mta, &reply, &error);
        g_assert_cmpint(ok, ==, lengths[i] <= 65535);
        if (ok)
            g_assert_true(mta_reply_is_positive(reply));
        mta_close(mta);
    }
    scene_check();
}

/* Lengths that no packet has, at the start and in the middle of a message. */
static void test_impossible_lengths(void)
{
    static const uint32_t lengths[] = {0, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x10000};

    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(lengths); i++) {
        uint32_t length = htonl(lengths[i / 2]);
        g_autoptr(GError) error = NULL;
        struct mta *mta = i % 2 == 0 ? mta_open(daemon_address(scene_daemon()), &error) : open_in_message();
        g_autofree char *outcome = NULL;

        g_assert_no_error(error);
        mta_set_timeout(mta,
                        200); /* libmilter may wait for the rest of the packet: that is no harm to others */
        mta_send_bytes(mta, &length, sizeof length, &error);
        g_assert_no_error(error);
        mta_send_bytes(mta, "B", 1, NULL);
        if (!mta_wait_closed(mta, &error))
            g_assert_error(error, MTA_ERROR, MTA_ERROR_TIMEOUT);
        scene_check();
        mta_close(mta);
    }
}

static void test_unknown_commands(void)
{
    for (int command = 0; command < 256; command++) {
        g_autoptr(mta) mta = NULL;
        g_autoptr(GError) error = NULL;

        if (strchr("ABCDEHKLMNOQRTU", command) != NULL && command != 0)
            continue;
        mta = open_in_message();
        mta_send_packet(mta, (char)command, "x", 1, &error);
        g_assert_no_error(error);
        g_assert_true(mta_wait_closed(mta, &error));
        g_assert_no_error(error);
    }
    scene_check();
}

/* Commands that are known, but not here: out of order, twice, without data. */
static void test_disorder(void)
{
    static const char *const orders[] = {"E",  "B",  "N",  "L",  "R",  "T",  "M",  "H",  "C",
                                         "O",  "A",  "K",  "U",  "EE", "MM", "TT", "NN", "NL",
                                         "BN", "BL", "RE", "TE", "NE", "AE", "KE", "CE"};

    for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++) {
        struct mta *mta = scene_session(&scene_bo);

        mta_set_timeout(mta, 5000);
        for (const char *command = orders[i]; *command != '\0'; command++)
            mta_send_packet(mta, *command, "x\0", *command == 'E' ? 0 : 2, NULL);
        mta_flush(mta, NULL);
        mta_close(mta);
    }
    scene_check();
}

static void add_packet(GByteArray *bytes, char command, const char *data, size_t length)
{
    uint32_t size = htonl((uint32_t)length + 1);

    g_byte_array_append(bytes, (const guint8 *)&size, sizeof size);
    g_byte_array_append(bytes, (const guint8 *)&command, 1);
    g_byte_array_append(bytes, (const guint8 *)data, (guint)length);
}

/* Three messages in one write, before a single answer: three answers, in their order. */
static void test_pipelined(void)
{
    static const char *const recipients[] = {"<an@agency.gov.cn>", "<mi@agency.gov.cn>",
                                             "<an@agency.gov.cn>"};
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    GString *answers = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(recipients); i++) {
        add_packet(bytes, SMFIC_MACRO, FIELD("M{auth_authen}\0bo"));
        add_packet(bytes, SMFIC_MAIL, FIELD("<bo@agency.gov.cn>"));
        add_packet(bytes, SMFIC_RCPT, recipients[i], strlen(recipients[i]) + 1);
        add_packet(bytes, SMFIC_HEADER, FIELD("From\0 bo@agency.gov.cn"));
        add_packet(bytes, SMFIC_HEADER, FIELD("X-Classification\0 secret"));
        add_packet(bytes, SMFIC_EOH, "", 0);
        add_packet(bytes, SMFIC_BODY, "text\r\n", 6);
        add_packet(bytes, SMFIC_BODYEOB, "", 0);
    }
    mta_send_bytes(mta, bytes->data, bytes->len, &error);
    while (error == NULL && answers->len < G_N_ELEMENTS(recipients)) {
        struct mta_packet packet;

        if (mta_receive(mta, &packet, &error) && strchr("acdrty", packet.command) != NULL)
            g_string_append_c(answers, packet.command == SMFIR_ACCEPT ? SMFIR_CONTINUE : packet.command);
    }
    g_assert_no_error(error);
    g_assert_cmpstr(answers->str, ==, "cyc");
    g_string_free(answers, TRUE);
    scene_quit(mta);
    scene_check();
}

/* Half a packet, and silence: sessions of others go on as if nothing were. */
static void test_stalls(void)
{
    enum { STALLED = 40 };
    struct mta *stalled[STALLED];
    gint64 start_us;

    for (int i = 0; i < STALLED; i++) {
        stalled[i] = i % 2 == 0 ? mta_open(daemon_address(scene_daemon()), NULL) : open_in_message();
        g_assert_true(mta_send_bytes(stalled[i], "\0\0\1\0L", (size_t)(1 + i % 5), NULL));
    }
    start_us = g_get_monotonic_time();
    for (int i = 0; i < 5; i++)
        scene_check();
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 20 * G_USEC_PER_SEC);
    for (int i = 0; i < STALLED; i++)
        mta_close(stalled[i]);
    scene_check();
}

/* Bytes without sense, the same in every run, before and after the negotiation. */
static void test_noise(void)
{
    guint32 seed = 1;

    for (int i = 0; i < 300; i++) {
        g_autoptr(mta) mta = i % 3 == 0   ? mta_open(daemon_address(scene_daemon()), NULL)
                             : i % 3 == 1 ? scene_session(&scene_bo)
                                          : open_in_message();
        char noise[512];
        size_t length = 1 + (size_t)(i * 7) % sizeof noise;

        for (size_t at = 0; at < length; at++) {
            seed = seed * 1664525 + 1013904223;
            noise[at] = (char)(seed >> 24);
        }
        /* Every other time with a length that fits, so that the command and its data are looked at. */
        if (i % 2 == 0 && length > 5) {
            uint32_t size = htonl((uint32_t)length - 4);

            memcpy(noise, &size, sizeof size);
            noise[4] = "ABCDEHKLMNORTU"[i % 14];
        }
        mta_send_bytes(mta, noise, length, NULL);
    }
    scene_check();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open(NULL);
    g_test_add_func("/wire/bytes/nul-in-field", test_nul_in_field);
    g_test_add_func("/wire/bytes/field-without-end", test_field_without_end);
    g_test_add_func("/wire/bytes/label-behind-nul", test_label_behind_nul);
    g_test_add_func("/wire/bytes/control-bytes", test_control_bytes);
    g_test_add_func("/wire/bytes/control-bytes-in-envelope", test_control_bytes_in_envelope);
    g_test_add_func("/wire/bytes/queue-id-that-is-none", test_queue_id_that_is_none);
    g_test_add_func("/wire/bytes/cut-field", test_cut_field);
    g_test_add_func("/wire/bytes/oversize-field", test_oversize_field);
    g_test_add_func("/wire/bytes/body-packets", test_body_packets);
    g_test_add_func("/wire/bytes/impossible-lengths", test_impossible_lengths);
    g_test_add_func("/wire/bytes/unknown-commands", test_unknown_commands);
    g_test_add_func("/wire/bytes/disorder", test_disorder);
    g_test_add_func("/wire/bytes/pipelined", test_pipelined);
    g_test_add_func("/wire/bytes/stalls", test_stalls);
    g_test_add_func("/wire/bytes/noise", test_noise);
    return scene_run("/wire/bytes");
}
