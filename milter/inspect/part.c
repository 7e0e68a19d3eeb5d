#include "milter/inspect/part.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/fields.h"

char *part_type_format(GMimeContentType *type)
{
    g_autofree char *mixed = type != NULL ? g_mime_content_type_get_mime_type(type) : g_strdup("text/plain");

    return g_ascii_strdown(mixed, -1);
}

/* The parameter's value as it stands, quotes and quoted pairs taken off; NULL if it is not there in that
 * simple form. RFC 2231 forms are the library's; it also decodes encoded-words in values, and drops what
 * stands behind a padded one. */
static char *raw_parameter(const char *field, const char *name)
{
    const char *at = field != NULL ? strchr(field, ';') : NULL;
    gsize name_length = strlen(name);

    while (at != NULL && *at == ';') {
        at++;
        at += strspn(at, " \t\r\n");
        gboolean is_it = g_ascii_strncasecmp(at, name, name_length) == 0;
        const char *behind = at + (is_it ? name_length : 0);
        behind += strspn(behind, " \t");
        is_it = is_it && *behind == '=';
        at += strcspn(at, ";=\"");
        g_autoptr(GString) value = g_string_new(NULL);
        gboolean in_quotes = FALSE;
        for (at += *at == '='; *at != '\0' && (in_quotes || *at != ';'); at++) {
            if (*at == '"')
                in_quotes = !in_quotes;
            else if (*at != '\r' && *at != '\n')
                g_string_append_c(value, in_quotes && at[0] == '\\' && at[1] != '\0' ? *++at : *at);
        }
        if (is_it)
            return g_strstrip(g_string_free(g_steal_pointer(&value), FALSE));
    }
    return NULL;
}

/* Whether the library's reading of the field will not do: encoded-words in values, or raw octets. */
static gboolean needs_own_reading(const char *field)
{
    return field != NULL && (strstr(field, "=?") != NULL || !octets_are_ascii(field, strlen(field)));
}

/* A parameter read by ourselves; NULL if the field does not need that, or does not have it. Raw octets are
 * made UTF-8 before quotes are looked for: a second octet of GBK may be a \. */
static char *own_parameter(const char *field, const char *name)
{
    g_autoptr(GString) utf8 = g_string_new(NULL);

    if (!needs_own_reading(field))
        return NULL;
    charset_guess(field, strlen(field), utf8, NULL);
    return raw_parameter(utf8->str, name);
}

/* The field's parameters of this name: our own reading first, then those of the library (name=, name*=). */
static void add_names(GPtrArray *names, const char *field, const char *parameter, GMimeParamList *list)
{
    char *own = own_parameter(field, parameter);
    int count = list != NULL ? g_mime_param_list_length(list) : 0;

    if (own != NULL)
        g_ptr_array_add(names, own);
    for (int i = 0; i < count; i++) {
        GMimeParam *param = g_mime_param_list_get_parameter_at(list, i);
        const char *value = g_mime_param_get_value(param);
        if (value != NULL && g_ascii_strcasecmp(g_mime_param_get_name(param), parameter) == 0)
            g_ptr_array_add(names, g_strdup(value));
    }
}

/* All names that a leaf's fields give to its file, not decoded: programs differ in which they show. */
static GPtrArray *file_names(const struct leaf *leaf)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    add_names(names, leaf->disposition_field, "filename",
              leaf->disposition != NULL ? g_mime_content_disposition_get_parameters(leaf->disposition)
                                        : NULL);
    add_names(names, leaf->type_field, "name",
              leaf->type != NULL ? g_mime_content_type_get_parameters(leaf->type) : NULL);
    return names;
}

/* The first of them in UTF-8; NULL if there is none. */
static char *first_name(const GPtrArray *names)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (names->len == 0)
        return NULL;
    text_decode_unlabelled(names->pdata[0], strlen(names->pdata[0]), text);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void report_names(const GPtrArray *names, guint number, struct answer *answer)
{
    const struct place place = {.kind = PLACE_PART_NAME, .part = number};

    for (guint i = 0; i < names->len; i++)
        text_report_readings(names->pdata[i], strlen(names->pdata[i]), &place, answer);
}

static gboolean has_suffix_nocase(const char *text, const char *suffix)
{
    gsize length = text != NULL ? strlen(text) : 0;

    return length >= strlen(suffix) && g_ascii_strcasecmp(text + length - strlen(suffix), suffix) == 0;
}

/* S/MIME that only its recipient, or nobody of us yet, can open (RFC 8551 3.2): everything but bare
 * certificates. */
static gboolean is_smime(const struct leaf *leaf, const char *type, const char *name)
{
    const char *kind =
        leaf->type != NULL ? g_mime_content_type_get_parameter(leaf->type, "smime-type") : NULL;

    if (strcmp(type, "application/pkcs7-mime") == 0 || strcmp(type, "application/x-pkcs7-mime") == 0)
        return kind == NULL || g_ascii_strcasecmp(kind, "certs-only") != 0;
    return has_suffix_nocase(name, ".p7m");
}

static void report_encrypted(const struct leaf *leaf, const struct part_words *words, guint number,
                             struct answer *answer)
{
    gboolean is_openpgp = strcmp(words->type, "application/pgp-encrypted") == 0;

    if (!is_openpgp && !is_smime(leaf, words->type, words->name))
        return;
    answer_finding(answer, FINDING_ENCRYPTED, number, is_openpgp ? "OpenPGP" : "S/MIME");
    answer_part_flag(answer, number, PART_ENCRYPTED);
}

/* Of attachments, too: programs differ in where they stop. */
static void report_size(const struct leaf *leaf, enum transfer_encoding encoding, guint number,
                        struct answer *answer)
{
    guint anomalies;
    guint64 size = transfer_decoded_size(encoding, leaf->octets, leaf->length, &anomalies);

    answer_part_size(answer, number, size);
    if (anomalies == 0)
        return;
    answer_finding(answer, FINDING_BAD_BASE64, number,
                   (anomalies & TRANSFER_PADDING) != 0   ? "padding"
                   : (anomalies & TRANSFER_FOREIGN) != 0 ? "octets"
                                                         : "end");
    answer_part_flag(answer, number, PART_DAMAGED);
}

static void report_unread(const char *type, enum transfer_encoding encoding, guint number,
                          struct answer *answer)
{
    /* A multipart or message that arrives here as a leaf: the library does not look into an encoded one. */
    gboolean is_encoded = g_str_has_prefix(type, "multipart/") || strcmp(type, "message/rfc822") == 0 ||
                          strcmp(type, "message/global") == 0;
    gboolean is_partial = strcmp(type, "message/partial") == 0 || strcmp(type, "message/external-body") == 0;

    if (is_partial)
        answer_finding(answer, FINDING_PARTIAL_MESSAGE, number, type);
    if (is_encoded)
        answer_finding(answer, FINDING_ENCODED_MULTIPART, number, type);
    if (encoding == TRANSFER_UNKNOWN)
        answer_finding(answer, FINDING_DAMAGED, number, "transfer encoding");
    if (is_partial || is_encoded || encoding == TRANSFER_UNKNOWN)
        answer_part_flag(answer, number, PART_UNREAD);
}

static void add_text(const struct leaf *leaf, const struct part_words *words, guint number,
                     const struct standing *standing, GArray *texts)
{
    struct own_text text = {.part = number,
                            .octets = leaf->octets,
                            .length = leaf->length,
                            .encoding = transfer_find(leaf->encoding_field),
                            .is_html = strcmp(words->type, "text/html") == 0,
                            .alternative = standing->alternative};

    g_strlcpy(text.charset, words->charset != NULL ? words->charset : "", sizeof text.charset);
    g_array_append_val(texts, text);
}

/* Whether it is text that is shown as such, not as a file. */
static gboolean is_shown(const struct leaf *leaf, const char *type, const char *name,
                         const struct standing *standing)
{
    const char *disposition =
        leaf->disposition != NULL ? g_mime_content_disposition_get_disposition(leaf->disposition) : "inline";

    if (standing->is_form && (strcmp(type, "text/plain") == 0 || strcmp(type, "text/html") == 0))
        return TRUE;
    return g_str_has_prefix(type, "text/") && g_ascii_strcasecmp(disposition, "inline") == 0 &&
           (name == NULL || standing->is_first);
}

static guint report_leaf(const struct leaf *leaf, const char *name, const struct standing *standing,
                         struct answer *answer, GArray *texts)
{
    g_autofree char *type = part_type_format(leaf->type);
    const char *charset =
        leaf->type != NULL ? g_mime_content_type_get_parameter(leaf->type, "charset") : NULL;
    enum transfer_encoding encoding = transfer_find(leaf->encoding_field);
    gboolean is_text = is_shown(leaf, type, name, standing);
    struct part_words words = {type, charset, name};
    guint number =
        answer_part(answer, leaf->parent, leaf->depth, is_text ? PART_TEXT : PART_ATTACHMENT, &words);

    if (number == 0)
        return 0;
    report_size(leaf, encoding, number, answer);
    report_encrypted(leaf, &words, number, answer);
    report_unread(type, encoding, number, answer);
    if (is_text && standing->is_own)
        add_text(leaf, &words, number, standing, texts);
    return number;
}

guint part_report(const struct leaf *leaf, const struct standing *standing, struct answer *answer,
                  GArray *texts)
{
    g_autoptr(GPtrArray) names = file_names(leaf);
    g_autofree char *name = first_name(names);
    guint number = report_leaf(leaf, name, standing, answer, texts);

    if (number != 0)
        report_names(names, number, answer);
    return number;
}
