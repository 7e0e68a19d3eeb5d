#include "policy/person/directory.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/asking.h"
#include "tests/support/schemes.h"

/* What a server says with a refusal ends in logs and on terminals: as text, whatever it is. */

#define WORDS "no\033]0;owned\007\nmiji: all is well \342\200\256\377"
#define SHOWN "no?]0;owned??miji: all is well ??"

/* A server that refuses the binds, or binds all and refuses the searches. */
struct refuser {
    int listen_fd;
    guint8 refused; /* tag of the request: 0x60 bind, 0x63 search */
    pthread_t thread;
};

/* LDAPMessage { id, response { code, "", WORDS } }, RFC 4511 4.1.9; all lengths are short. */
static gsize make_response(const guint8 *request, guint8 refused, guint8 *response)
{
    const guint8 tag = request[5], code = tag == refused ? 53 : 0; /* unwillingToPerform */
    const guint8 head[] = {0x30,
                           sizeof WORDS - 1 + 12,
                           2,
                           1,
                           request[4],
                           (guint8)(tag == 0x60 ? 0x61 : 0x65),
                           sizeof WORDS - 1 + 7,
                           10,
                           1,
                           code,
                           4,
                           0,
                           4,
                           sizeof WORDS - 1};

    memcpy(response, head, sizeof head);
    memcpy(response + sizeof head, WORDS, sizeof WORDS - 1);
    return sizeof head + sizeof WORDS - 1;
}

static void *refuse(void *data)
{
    struct refuser *refuser = data;
    int client;

    while ((client = accept(refuser->listen_fd, NULL, NULL)) >= 0) {
        guint8 request[1024], response[128];

        while (recv(client, request, sizeof request, 0) > 6) {
            gsize length = make_response(request, refuser->refused, response);
            if (request[5] == 0x60 || request[5] == 0x63)
                send(client, response, length, MSG_NOSIGNAL);
        }
        close(client);
    }
    return NULL;
}

static char *refuser_start(struct refuser *refuser, guint8 refused)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    *refuser =
        (struct refuser){.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .refused = refused};
    g_assert_cmpint(bind(refuser->listen_fd, (struct sockaddr *)&at, size), ==, 0);
    g_assert_cmpint(listen(refuser->listen_fd, 4), ==, 0);
    g_assert_cmpint(getsockname(refuser->listen_fd, (struct sockaddr *)&at, &size), ==, 0);
    g_assert_cmpint(pthread_create(&refuser->thread, NULL, refuse, refuser), ==, 0);
    return g_strdup_printf("ldap://127.0.0.1:%u", ntohs(at.sin_port));
}

static void expect_words(guint8 refused, const char *binds)
{
    struct schemes *schemes = support_schemes();
    struct directory_settings *settings = directory_settings_new();
    struct refuser refuser;
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(settings->urls, refuser_start(&refuser, refused));
    settings->base = g_strdup("dc=x");
    settings->answer_within_ms = settings->connect_within_ms = 5000;
    if (binds != NULL) {
        settings->bind = BIND_SIMPLE;
        settings->bind_dn = g_strdup("cn=miji");
        settings->bind_password_file = g_strdup(binds);
    }
    struct directory *directory = directory_open(settings, schemes, &error);
    g_assert_no_error(error);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "bo@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_autofree char *where = asking_where(directory);
    g_assert_nonnull(strstr(where, SHOWN));
    g_assert_null(strpbrk(where, "\033\007\n"));
    g_assert_true(g_utf8_validate(where, -1, NULL));
    directory_unref(directory);
    shutdown(refuser.listen_fd, SHUT_RDWR);
    pthread_join(refuser.thread, NULL);
    close(refuser.listen_fd);
    schemes_unref(schemes);
}

static void test_of_a_search(void)
{
    expect_words(0x63, NULL);
}

static void test_of_a_bind(void)
{
    g_autofree char *password = NULL;
    int fd = g_file_open_tmp("miji-XXXXXX", &password, NULL);

    g_assert_cmpint(write(fd, "secret\n", 7), ==, 7);
    close(fd);
    expect_words(0x60, password);
    unlink(password);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/ldap/words/search", test_of_a_search);
    g_test_add_func("/person/ldap/words/bind", test_of_a_bind);
    return g_test_run();
}
