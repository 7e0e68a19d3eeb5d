#include "tests/support/noticing.h"

#include <gmime/gmime.h>
#include <string.h>

void noticing_begin(struct world *world)
{
    reviewing_begin(world);
    g_ptr_array_add(world->policy->queues, g_strdup("labels"));
}

/* ---------------------------------------------------------------- holds */
struct noticing_hold *noticing_hold_new(struct world *world, enum sender_class class)
{
    struct noticing_hold *held = g_new0(struct noticing_hold, 1);
    const GPtrArray *recipients = world->envelope->recipients;
    const struct scheme *home = schemes_home(world->schemes);
    g_autoptr(label) lowest = label_new(home, scheme_lowest(home));

    held->label = label_set_new();
    label_set_join(held->label, lowest);
    held->canonical = g_ptr_array_new();
    for (guint i = 0; i < recipients->len; i++)
        g_ptr_array_add(
            held->canonical,
            ((const struct envelope_recipient *)g_ptr_array_index(recipients, i))->address->canonical);
    held->recorded.envelope = world->envelope;
    held->recorded.at_s = world->now - 3600;
    held->hold = (struct hold){.number = 7,
                               .id = (char *)"2kX9bcdfghjkmnpqrstvwxyz234",
                               .at_ms = (world->now - 3600) * 1000,
                               .reference = (char *)"MIJI-abc234",
                               .class = class,
                               .courtesy = TRUE,
                               .sender = world->envelope->sender->canonical,
                               .owner_address = class == SENDER_PERSON ? (char *)"bo@agency.gov.cn" : NULL,
                               .display = (char *)"公开",
                               .label = held->label,
                               .slip.queue = (char *)"labels"};
    return held;
}

void noticing_hold_free(struct noticing_hold *held)
{
    if (held == NULL)
        return;
    g_ptr_array_unref(held->canonical);
    label_set_free(held->label);
    g_free(held);
}

/* ---------------------------------------------------------------- reading */
static GMimeMessage *parse(const struct notice *notice)
{
    g_mime_init();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(notice->text, notice->length);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    g_object_unref(parser);
    g_object_unref(stream);
    g_assert_nonnull(message);
    return message;
}

static void append_fields(GString *out, GMimeHeaderList *fields)
{
    for (int i = 0; i < g_mime_header_list_get_count(fields); i++) {
        GMimeHeader *field = g_mime_header_list_get_header_at(fields, i);
        g_autofree char *value = g_mime_utils_header_decode_text(NULL, g_mime_header_get_value(field));
        g_string_append_printf(out, "%s: %s\n", g_mime_header_get_name(field), value);
    }
}

static void append_content(GString *out, GMimePart *part)
{
    GMimeStream *stream = g_mime_stream_mem_new();
    GMimeDataWrapper *content = g_mime_part_get_content(part);

    if (content != NULL)
        g_mime_data_wrapper_write_to_stream(content, stream);
    const GByteArray *octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    for (guint i = 0; i < octets->len; i++)
        if (octets->data[i] != '\r')
            g_string_append_c(out, (char)octets->data[i]);
    g_object_unref(stream);
}

static void append_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
    GString *out = data;

    if (!GMIME_IS_PART(part))
        return;
    g_string_append(out, "----\n");
    append_fields(out, g_mime_object_get_header_list(part));
    g_string_append_c(out, '\n');
    append_content(out, GMIME_PART(part));
}

char *noticing_read(const struct notice *notice)
{
    GMimeMessage *message = parse(notice);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s to <%s>%s\n====\n", notice_kind_name(notice->kind), notice->addressee,
                           notice->is_failure ? ", tells of a failure" : "");
    append_fields(out, g_mime_object_get_header_list(GMIME_OBJECT(message)));
    g_mime_message_foreach(message, append_part, out);
    g_object_unref(message);
    return g_string_free(out, FALSE);
}

/* ---------------------------------------------------------------- what every notice is */
static void check_lines(const struct notice *notice)
{
    g_assert_cmpuint(notice->length, <=, 8192);
    g_assert_cmpuint(notice->length, ==, strlen(notice->text));
    g_assert_true(g_str_has_suffix(notice->text, "\r\n"));
    g_auto(GStrv) lines = g_strsplit(notice->text, "\r\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_assert_null(strpbrk(*line, "\r\n"));
        for (const char *p = *line; *p != '\0'; p++)
            g_assert_true(*p >= ' ' && *p <= '~');
        g_assert_cmpuint(strlen(*line), <=, 998);
        /* What is longer cannot be folded: one word behind a blank or a name. */
        if (strlen(*line) > 78) {
            const char *word = (*line)[0] == ' ' ? *line + 1 : strstr(*line, ": ") + 2;
            g_assert_null(strchr(word, ' '));
        }
    }
}

/* The names of the header in their order, commas between: nothing was let in. */
static char *names_of(GMimeHeaderList *fields)
{
    GString *names = g_string_new(NULL);

    for (int i = 0; i < g_mime_header_list_get_count(fields); i++)
        g_string_append_printf(names, "%s%s", i > 0 ? "," : "",
                               g_mime_header_get_name(g_mime_header_list_get_header_at(fields, i)));
    return g_string_free(names, FALSE);
}

static void check_part(GMimeObject *part, const char *names)
{
    g_autofree char *found = names_of(g_mime_object_get_header_list(part));

    g_assert_cmpstr(found, ==, names);
}

static const char *const text_names = "Content-Type,Content-Transfer-Encoding";

static void check_report(GMimeObject *root)
{
    g_assert_true(GMIME_IS_MULTIPART(root));
    g_assert_cmpstr(g_mime_object_get_content_type_parameter(root, "report-type"), ==, "delivery-status");
    g_assert_cmpint(g_mime_multipart_get_count(GMIME_MULTIPART(root)), ==, 2);
    check_part(g_mime_multipart_get_part(GMIME_MULTIPART(root), 0), text_names);
    check_part(g_mime_multipart_get_part(GMIME_MULTIPART(root), 1), "Content-Type");
}

void noticing_check(const struct notice *notice)
{
    GMimeMessage *message = parse(notice);
    GMimeObject *root = g_mime_message_get_mime_part(message);
    g_autofree char *names = names_of(g_mime_object_get_header_list(GMIME_OBJECT(message)));

    check_lines(notice);
    g_assert_cmpstr(names, ==,
                    "Date,From,To,Subject,Message-ID,Auto-Submitted,X-Classification,MIME-Version");
    g_assert_cmpstr(g_mime_object_get_header(GMIME_OBJECT(message), "Auto-Submitted"), ==, "auto-generated");
    g_assert_nonnull(g_mime_message_get_date(message));
    if (notice->is_failure) {
        check_part(root, "Content-Type");
        check_report(root);
    } else {
        check_part(root, text_names);
        g_assert_true(GMIME_IS_TEXT_PART(root));
    }
    g_object_unref(message);
}
