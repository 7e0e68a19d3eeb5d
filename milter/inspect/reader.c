#include "milter/inspect/reader.h"

#include <libxml/parser.h>
#include <locale.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/fields.h"
#include "milter/inspect/header.h"
#include "milter/inspect/prescan.h"
#include "milter/inspect/structure.h"
#include "milter/inspect/text.h"

static void be_silent(void *context, const char *format, ...)
{
}

gboolean inspect_prepare(void)
{
    static gboolean is_done;

    if (!is_done) {
        setlocale(LC_CTYPE, "C.UTF-8"); /* names of files in archives (facts 2.3) */
        structure_prepare();
        xmlInitParser();
        xmlSetGenericErrorFunc(NULL, be_silent);
        is_done = charset_open_all();
    }
    return is_done;
}

void inspect_limits_init(struct inspect_limits *limits)
{
    *limits = (struct inspect_limits){
        .text_size_bytes = 20 << 20,
        .unpacked_bytes = 500 << 20,
        .memory_bytes = 512 << 20,
        .parts = 2000,
        .depth = 12,
        .helpers = g_get_num_processors(),
        .time_ms = 30000,
        .cpu_ms = 20000,
    };
}

/* What stands in the body: only if header and pre-scan let it pass. */
static void inspect_body(const struct header *header, const char *body, gsize length,
                         const struct inspect_limits *limits, struct answer *answer)
{
    g_autofree char *type = header_last_value(header, "Content-Type");
    struct prescan scan;
    char name[64];

    if (body_begins_with_fields(body, length, type, name, sizeof name))
        answer_finding(answer, FINDING_FIELDS_IN_BODY, 0, name);
    prescan_body(&scan, body, length);
    if (scan.has_nul)
        answer_finding(answer, FINDING_BARE_NUL, 0, NULL);
    if (scan.is_too_large) {
        answer_finding(answer, scan.limit, 0, "body");
        return;
    }
    g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(struct own_text));
    structure_report(header, (struct bytes){body, length}, limits, answer, texts);
    texts_report(texts, limits, answer);
}

void inspect_message(const void *data, gsize length, const struct inspect_limits *limits,
                     struct answer *answer)
{
    const char *octets = length > 0 ? data : "";
    struct header header;

    answer_clear(answer);
    header_split(&header, octets, length);
    fields_report(&header, answer);
    if (!header.is_too_large)
        inspect_body(&header, octets + header.body, length - header.body, limits, answer);
    header_clear(&header);
}

struct facts *inspect_octets(const void *data, gsize length, const struct inspect_limits *limits)
{
    g_autoptr(answer) answer = answer_new();
    g_autoptr(GError) error = NULL;
    const GByteArray *flat;
    struct facts *facts;

    g_assert(inspect_prepare());
    inspect_message(data, length, limits, answer);
    flat = answer_finish(answer, length);
    facts = facts_read(flat->data, flat->len, &error);
    if (facts == NULL)
        g_error("our own answer: %s", error->message);
    return facts;
}
