#include "milter/inspect/structure.h"

#include <gmime/gmime.h>
#include <string.h>

#include "milter/inspect/part.h"
#include "milter/inspect/stream.h"

/* One walk through one message. */
struct walk {
    struct answer *answer;
    const struct inspect_limits *limits;
    GArray *texts;
    const char *body;
    gsize body_length, prefix_length; /* the parser's stream is a prefix of fields, then the body */
    guint parts, alternatives, warnings;
    gboolean has_text, is_full;
};

void structure_prepare(void)
{
    g_mime_init();
}

/* ---------------------------------------------------------------- what the parser says */

/* The finding of each warning; its item, if any, is the name of a field or parameter. */
static const struct {
    GMimeParserWarning warning;
    enum finding_id finding;
    const char *detail; /* NULL: the item */
} warnings[] = {
    {GMIME_WARN_DUPLICATED_HEADER, FINDING_IRREGULAR, "repeated field"},
    {GMIME_WARN_DUPLICATED_PARAMETER, FINDING_IRREGULAR, "repeated parameter"},
    {GMIME_WARN_UNENCODED_8BIT_HEADER, FINDING_IRREGULAR, "8-bit field"},
    {GMIME_WARN_INVALID_CONTENT_TYPE, FINDING_MALFORMED, "Content-Type"},
    {GMIME_WARN_INVALID_RFC2047_HEADER_VALUE, FINDING_IRREGULAR, "encoded-word"},
    {GMIME_WARN_MALFORMED_MULTIPART, FINDING_MISSING_BOUNDARY, NULL},
    {GMIME_WARN_TRUNCATED_MESSAGE, FINDING_MISSING_BOUNDARY, "never ends"},
    {GMIME_WARN_MALFORMED_MESSAGE, FINDING_MALFORMED, "message"},
    {GMIME_CRIT_INVALID_HEADER_NAME, FINDING_BAD_FIELD, "in a part"},
    {GMIME_CRIT_CONFLICTING_HEADER, FINDING_IRREGULAR, "repeated field"},
    {GMIME_CRIT_CONFLICTING_PARAMETER, FINDING_MALFORMED, NULL},
    {GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY, FINDING_MISSING_BOUNDARY, NULL},
    {GMIME_WARN_INVALID_PARAMETER, FINDING_IRREGULAR, "parameter"},
    {GMIME_WARN_INVALID_ADDRESS_LIST, FINDING_IRREGULAR, "address list"},
    {GMIME_CRIT_NESTING_OVERFLOW, FINDING_TOO_DEEP, NULL},
    {GMIME_WARN_PART_WITHOUT_CONTENT, FINDING_IRREGULAR, "part without content"},
    {GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT, FINDING_MALFORMED, "empty part"},
};

static void on_warning(gint64 offset, GMimeParserWarning warning, const char *item, gpointer data)
{
    struct walk *walk = data;
    gboolean is_twice = warning == GMIME_WARN_DUPLICATED_HEADER || warning == GMIME_CRIT_CONFLICTING_HEADER;
    gboolean is_parameter =
        warning == GMIME_WARN_DUPLICATED_PARAMETER || warning == GMIME_CRIT_CONFLICTING_PARAMETER;

    walk->warnings++;
    if (is_twice && item != NULL && g_ascii_strcasecmp(item, "Content-Type") == 0) {
        answer_finding(walk->answer, FINDING_DUPLICATE_CONTENT_TYPE, 0, NULL);
        return;
    }
    if (is_twice && item != NULL && g_ascii_strncasecmp(item, "Content-", 8) == 0) {
        answer_finding(walk->answer, FINDING_MALFORMED, 0, item);
        return;
    }
    if (is_parameter && item != NULL && g_ascii_strcasecmp(item, "boundary") == 0) {
        answer_finding(walk->answer, FINDING_DUPLICATE_BOUNDARY, 0, NULL);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(warnings); i++) {
        if (warnings[i].warning == warning) {
            answer_finding(walk->answer, warnings[i].finding, 0,
                           warnings[i].detail != NULL ? warnings[i].detail : item);
            return;
        }
    }
    answer_finding(walk->answer, FINDING_MALFORMED, 0, "parser"); /* a warning of a newer library */
}

static GMimeParserOptions *options_new(struct walk *walk)
{
    GMimeParserOptions *options = g_mime_parser_options_new();

    g_mime_parser_options_set_warning_callback(options, on_warning, walk);
    return options;
}

/* ---------------------------------------------------------------- the tree */

/* Whether one more part may be reported here. */
static gboolean within_limits(struct walk *walk, guint parent, guint depth)
{
    if (depth > walk->limits->depth)
        answer_finding(walk->answer, FINDING_TOO_DEEP, parent, NULL);
    else if (walk->is_full || ++walk->parts > walk->limits->parts) {
        walk->is_full = TRUE;
        answer_finding(walk->answer, FINDING_TOO_MANY_PARTS, 0, NULL);
    } else {
        return TRUE;
    }
    return FALSE;
}

static const char *raw_field(GMimeObject *object, const char *name)
{
    GMimeHeader *field = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);

    return field != NULL ? g_mime_header_get_raw_value(field) : NULL;
}

/* Where a leaf's content stands in the body. */
static void find_content(const struct walk *walk, GMimePart *part, struct leaf *leaf)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *stream = content != NULL ? g_mime_data_wrapper_get_stream(content) : NULL;
    gint64 begin = stream != NULL ? stream->bound_start - (gint64)walk->prefix_length : 0;
    gint64 end = stream != NULL ? stream->bound_end - (gint64)walk->prefix_length : 0;

    leaf->octets = walk->body;
    leaf->length = 0;
    if (begin < 0 || end <= begin || (guint64)begin >= walk->body_length)
        return;
    leaf->octets = walk->body + begin;
    leaf->length = MIN((gsize)end, walk->body_length) - begin;
}

/* A node to be reported: where it hangs, and what it is to a reader of the message. */
struct node {
    GMimeObject *object;
    guint parent, depth;
    gboolean is_own, is_form;
    guint alternative;
};

static void walk_leaf(struct walk *walk, const struct node *node)
{
    GMimeObject *object = node->object;
    struct leaf leaf = {
        .type = g_mime_object_get_content_type(object),
        .disposition = g_mime_object_get_content_disposition(object),
        .type_field = raw_field(object, "Content-Type"),
        .disposition_field = raw_field(object, "Content-Disposition"),
        .encoding_field = raw_field(object, "Content-Transfer-Encoding"),
        .parent = node->parent,
        .depth = node->depth,
    };
    struct standing standing = {node->is_own, node->is_own && !walk->has_text, node->is_form,
                                node->alternative};
    guint before = walk->texts->len;

    leaf.octets = walk->body;
    if (GMIME_IS_PART(object))
        find_content(walk, GMIME_PART(object), &leaf);
    part_report(&leaf, &standing, walk->answer, walk->texts);
    walk->has_text = walk->has_text || walk->texts->len > before;
}

static gboolean has_subtype(GMimeObject *object, const char *subtype)
{
    return g_mime_content_type_is_type(g_mime_object_get_content_type(object), "multipart", subtype);
}

static void walk_node(struct walk *walk, const struct node *node);

/* Which children of a multipart are the message's own: of signed and report the first only, of related also
 * those behind it if it names its root, which may be any of them (RFC 2387 3.2). */
static gboolean is_own_child(GMimeObject *multipart, int index)
{
    if (index == 0 || has_subtype(multipart, "signed") || has_subtype(multipart, "report"))
        return index == 0;
    return !has_subtype(multipart, "related") ||
           g_mime_content_type_get_parameter(g_mime_object_get_content_type(multipart), "start") != NULL;
}

static void walk_multipart(struct walk *walk, const struct node *node)
{
    g_autofree char *type = part_type_format(g_mime_object_get_content_type(node->object));
    struct part_words words = {.type = type};
    GMimeMultipart *multipart = GMIME_MULTIPART(node->object);
    enum transfer_encoding encoding = transfer_find(raw_field(node->object, "Content-Transfer-Encoding"));
    int count = g_mime_multipart_get_count(multipart);
    guint number = answer_part(walk->answer, node->parent, node->depth, PART_CONTAINER, &words);
    guint alternative = node->alternative;

    if (alternative == 0 && has_subtype(node->object, "alternative"))
        alternative = ++walk->alternatives;
    if (number == 0)
        return;
    if (encoding != TRANSFER_PLAIN)
        answer_finding(walk->answer, FINDING_ENCODED_MULTIPART, number, type);
    if (count == 0 && !answer_has_finding(walk->answer, FINDING_MISSING_BOUNDARY))
        answer_finding(walk->answer, FINDING_MISSING_BOUNDARY, number, "no parts");
    if (has_subtype(node->object, "encrypted")) {
        answer_finding(walk->answer, FINDING_ENCRYPTED, number, "multipart/encrypted");
        answer_part_flag(walk->answer, number, PART_ENCRYPTED);
    }
    for (int i = 0; i < count && !walk->is_full; i++) {
        struct node child = {g_mime_multipart_get_part(multipart, i),
                             number,
                             node->depth + 1,
                             node->is_own && is_own_child(node->object, i),
                             has_subtype(node->object, "alternative"),
                             alternative};
        walk_node(walk, &child);
    }
}

static void walk_message(struct walk *walk, const struct node *node)
{
    g_autofree char *type = part_type_format(g_mime_object_get_content_type(node->object));
    struct part_words words = {.type = type};
    GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(node->object));
    GMimeObject *content = message != NULL ? g_mime_message_get_mime_part(message) : NULL;
    struct node child = {.object = content, .depth = node->depth + 1};

    child.parent = answer_part(walk->answer, node->parent, node->depth, PART_MESSAGE, &words);
    if (child.parent != 0 && content != NULL)
        walk_node(walk, &child);
}

static void walk_node(struct walk *walk, const struct node *node)
{
    if (node->object == NULL || !within_limits(walk, node->parent, node->depth))
        return;
    if (GMIME_IS_MULTIPART(node->object))
        walk_multipart(walk, node);
    else if (GMIME_IS_MESSAGE_PART(node->object))
        walk_message(walk, node);
    else
        walk_leaf(walk, node);
}

/* ---------------------------------------------------------------- the way in */

/* The fields Content-… as the parser's stream begins with, and an empty line. */
static GString *content_fields(const struct header *header)
{
    GString *prefix = g_string_sized_new(512);

    for (guint i = 0; i < header->fields->len; i++) {
        const struct header_field *field = &g_array_index(header->fields, struct header_field, i);
        if (field->name_length < 8 || g_ascii_strncasecmp(field->name, "Content-", 8) != 0)
            continue;
        g_string_append_len(prefix, field->name, field->name_length);
        g_string_append_c(prefix, ':');
        g_string_append_len(prefix, field->value, field->value_length);
        g_string_append_c(prefix, '\n');
    }
    g_string_append_c(prefix, '\n');
    return prefix;
}

static void walk_tree(struct walk *walk, const struct header *header)
{
    g_autoptr(GString) prefix = content_fields(header);
    GMimeStream *stream = part_stream_new(prefix->str, prefix->len, walk->body, walk->body_length);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeParserOptions *options = options_new(walk);
    GMimeObject *root = g_mime_parser_construct_part(parser, options);

    walk->prefix_length = prefix->len;
    if (root != NULL) {
        struct node node = {.object = root, .is_own = TRUE};
        if (GMIME_IS_MULTIPART(root) && has_subtype(root, "report"))
            answer_is_report(walk->answer);
        walk_node(walk, &node);
        g_object_unref(root);
    } else {
        answer_finding(walk->answer, FINDING_MALFORMED, 0, "message");
    }
    g_object_unref(parser);
    g_object_unref(stream);
    g_mime_parser_options_free(options);
}

/* The last type that the library had nothing to say against. Most messages of a site name one of a few, and
 * to make one, a GObject, is a tenth of the work on a small message. */
static struct {
    char field[200];
    GMimeContentType *type;
} known;

static GMimeContentType *parse_type(struct walk *walk, GMimeParserOptions *options, const char *field)
{
    GMimeContentType *type;

    if (known.type != NULL && strcmp(known.field, field) == 0)
        return g_object_ref(known.type);
    type = g_mime_content_type_parse(options, field);
    if (walk->warnings == 0 && strlen(field) < sizeof known.field) {
        g_strlcpy(known.field, field, sizeof known.field);
        g_set_object(&known.type, type);
    }
    return type;
}

/* A message of one part. */
static void report_single(struct walk *walk, const struct header *header, const char *type_field)
{
    g_autofree char *disposition_field = header_last_value(header, "Content-Disposition");
    g_autofree char *encoding_field = header_last_value(header, "Content-Transfer-Encoding");
    GMimeParserOptions *options = options_new(walk);
    struct leaf leaf = {
        .type = type_field != NULL ? parse_type(walk, options, type_field) : NULL,
        .disposition =
            disposition_field != NULL ? g_mime_content_disposition_parse(options, disposition_field) : NULL,
        .type_field = type_field,
        .disposition_field = disposition_field,
        .encoding_field = encoding_field,
        .octets = walk->body,
        .length = walk->body_length,
    };
    const struct standing standing = {TRUE, TRUE, FALSE, 0};

    part_report(&leaf, &standing, walk->answer, walk->texts);
    g_clear_object(&leaf.type);
    g_clear_object(&leaf.disposition);
    g_mime_parser_options_free(options);
}

void structure_report(const struct header *header, struct bytes body, const struct inspect_limits *limits,
                      struct answer *answer, GArray *texts)
{
    struct walk walk = {
        .answer = answer, .limits = limits, .texts = texts, .body = body.data, .body_length = body.length};
    g_autofree char *type = header_last_value(header, "Content-Type");

    /* Only what surely has no structure goes the short way. */
    if (type == NULL || g_ascii_strncasecmp(type, "text/", 5) == 0)
        report_single(&walk, header, type);
    else
        walk_tree(&walk, header);
}
