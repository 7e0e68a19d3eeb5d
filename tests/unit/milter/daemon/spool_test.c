#include "milter/daemon/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (64 * 1024 * 1024)

static void digest_of(const char *id, const char *queue_id, const char *received, guint8 digest[32])
{
    g_autoptr(spool) spool = spool_new(g_get_tmp_dir(), MOST);
    g_assert_true(spool_add_field(spool, "Received", received, TRUE, queue_id));
    g_assert_true(spool_add_field(spool, "Subject", " same", TRUE, queue_id));
    g_assert_true(spool_add_field(spool, "Message-Id", id, TRUE, queue_id));
    g_assert_true(spool_add_field(spool, "Date", id, TRUE, queue_id));
    g_assert_true(spool_end_header(spool));
    g_assert_true(spool_add_body(spool, "body\r\n", 6));
    g_assert_true(spool_finish(spool, digest));
}

static void test_octets_as_presented(void)
{
    g_autoptr(spool) spool = spool_new(g_get_tmp_dir(), MOST);
    guint8 digest[32];
    g_assert_true(spool_add_field(spool, "Subject", " folded\n\tonce", TRUE, NULL));
    g_assert_true(spool_add_field(spool, "X", "no blank", FALSE, NULL));
    g_assert_true(spool_end_header(spool));
    g_assert_true(spool_add_body(spool, "a\0b\r\n", 5));
    g_assert_true(spool_finish(spool, digest));
    gsize length = 0;
    const char *octets = spool_memory(spool, &length);
    static const char expected[] = "Subject: folded\r\n\tonce\r\nX: no blank\r\n\r\na\0b\r\n";
    g_assert_cmpmem(octets, length, expected, sizeof expected - 1);
    g_assert_cmpuint(spool_size(spool), ==, sizeof expected - 1);
    g_assert_cmpint(spool_open_file(spool), ==, -1);
}

/* The same octets as a field and as the first line of the body are two messages. */
static void test_digest_knows_the_body(void)
{
    g_autoptr(spool) field = spool_new(g_get_tmp_dir(), MOST), body = spool_new(g_get_tmp_dir(), MOST);
    guint8 of_field[32], of_body[32];
    g_assert_true(spool_add_field(field, "X-Classification", " a", TRUE, NULL));
    g_assert_true(spool_end_header(field));
    g_assert_true(spool_end_header(body));
    g_assert_true(spool_add_body(body, "X-Classification: a\r\n", 21));
    g_assert_true(spool_finish(field, of_field) && spool_finish(body, of_body));
    g_assert_true(memcmp(of_field, of_body, 32) != 0);
}

static void test_large_goes_to_a_file_that_reads_only(void)
{
    g_autoptr(spool) spool = spool_new(g_get_tmp_dir(), MOST);
    g_autofree char *chunk = g_malloc(65535);
    guint8 digest[32];
    gsize length = 0;
    memset(chunk, 'x', 65535);
    g_assert_true(spool_end_header(spool));
    for (int i = 0; i < 8; i++)
        g_assert_true(spool_add_body(spool, chunk, 65535));
    g_assert_true(spool_finish(spool, digest));
    g_assert_null(spool_memory(spool, &length));
    int fd = spool_open_file(spool);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(lseek(fd, 0, SEEK_END), ==, 8 * 65535 + 2);
    g_assert_cmpint(write(fd, "y", 1), ==, -1);
    struct stat st;
    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpuint(st.st_nlink, ==, 0); /* a crash leaves nothing behind */
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    close(fd);
}

static void test_too_large_is_counted_not_kept(void)
{
    g_autoptr(spool) spool = spool_new(g_get_tmp_dir(), 100);
    g_autofree char *chunk = g_malloc0(400);
    gsize length = 0;
    g_assert_true(spool_add_body(spool, chunk, 90));
    g_assert_false(spool_too_large(spool));
    g_assert_true(spool_add_body(spool, chunk, 400));
    g_assert_true(spool_too_large(spool));
    g_assert_cmpuint(spool_size(spool), ==, 490);
    g_assert_nonnull(spool_memory(spool, &length));
    g_assert_cmpuint(length, ==, 90);
}

static void test_no_room_is_said(void)
{
    g_autoptr(spool) spool = spool_new("/nonexistent-folder", MOST);
    g_autofree char *chunk = g_malloc0(300000);
    guint8 digest[32];
    g_assert_cmpstr(spool_problem(spool), ==, "");
    g_assert_false(spool_add_body(spool, chunk, 300000));
    g_assert_false(spool_finish(spool, digest));
    g_assert_cmpstr(spool_problem(spool), ==, g_strerror(ENOENT));
}

/* From then on this process lives on a file system without unnamed files. */
static void forbid_unnamed_files(void)
{
    const struct scmp_arg_cmp unnamed = SCMP_A2(SCMP_CMP_MASKED_EQ, O_TMPFILE, O_TMPFILE);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    g_assert_cmpint(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(openat), 1, unnamed), ==,
                    0);
    g_assert_cmpint(seccomp_load(filter), ==, 0);
    seccomp_release(filter);
    g_assert_cmpint(open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600), ==, -1);
}

static void test_file_system_without_unnamed_files(void)
{
    if (g_test_subprocess()) {
        forbid_unnamed_files();
        test_large_goes_to_a_file_that_reads_only();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
}

/* semantics.md 7.4: the same message comes again with other trace fields, and with an id that the MTA made of
 * its queue id. */
static void test_digest_is_of_what_the_client_sent(void)
{
    guint8 first[32], again[32], other[32];
    digest_of(" <20261124.4Xk2@mx>", "4Xk2", " from a", first);
    digest_of(" <20261125.5Yl3@mx>", "5Yl3", " from b", again);
    g_assert_cmpmem(first, 32, again, 32);
    digest_of(" <theirs@client>", "5Yl3", " from b", other);
    g_assert_cmpint(memcmp(first, other, 32), !=, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/spool/octets", test_octets_as_presented);
    g_test_add_func("/spool/digest-knows-the-body", test_digest_knows_the_body);
    g_test_add_func("/spool/file", test_large_goes_to_a_file_that_reads_only);
    g_test_add_func("/spool/too-large", test_too_large_is_counted_not_kept);
    g_test_add_func("/spool/no-room", test_no_room_is_said);
    g_test_add_func("/spool/no-unnamed-files", test_file_system_without_unnamed_files);
    g_test_add_func("/spool/digest", test_digest_is_of_what_the_client_sent);
    return g_test_run();
}
