#include "milter/decide/reply.h"

#include <string.h>

#include "milter/decide/limits.h"
#include "milter/decide/reply_text.h"

/* What everybody outside hears, whatever the reason is (semantics.md 8). */
#define NEUTRAL_TEXT "Message not accepted under the security policy of this site"
#define NEUTRAL_CODE 550
#define NEUTRAL_DSN "5.7.1"
/* For a refusal whose row only knows "try again later". */
#define UNCHECKED_TEXT "This message cannot be checked"

#define REPLY_TEXT_BYTES (REPLY_LINE_BYTES - sizeof "550 " + 1 - sizeof "\r\n" + 1)

void reply_clear(struct reply *reply)
{
    g_clear_pointer(&reply->dsn, g_free);
    g_clear_pointer(&reply->text, g_free);
    reply->code = 0;
}

/* Text and reference in one line; a text that is too long gives way to the reference. */
static struct reply make(guint code, const char *dsn, const char *text, const char *reference)
{
    struct reply reply = {.code = code, .dsn = g_strdup(dsn)};
    gsize room = REPLY_TEXT_BYTES - strlen(dsn) - 1;
    g_autofree char *tail = reference != NULL ? g_strdup_printf(" [%s]", reference) : g_strdup("");
    g_autofree char *shown = reply_text_ascii(text, room - strlen(tail));

    reply.text = g_strconcat(shown, tail, NULL);
    return reply;
}

static struct reply accepted(void)
{
    return (struct reply){.code = 250, .dsn = g_strdup("2.0.0"), .text = g_strdup("Accepted")};
}

struct reply reply_plain(enum reason_id reason, const char *reference)
{
    const struct reason_row *row = reason_row(reason);
    const struct reason bare = {.id = reason};
    g_autofree char *named = g_strconcat(REFERENCE_PREFIX, reference, NULL);
    g_autofree char *text = reply_text_of(&bare);

    return make(row->smtp, row->dsn, text, named);
}

struct answer {
    guint code;
    const char *dsn;
    char *text; /* owned */
};

/* The leading reason in words that this sender may hear. Rows told to outsiders say nothing of people; all
 * else is neutral for them, so that all refusals sound alike. A row that only knows "try again later" has
 * nothing to say of a refusal. */
static struct answer answer_for(const struct hearing *hearing)
{
    const struct decision *decision = hearing->decision;
    const struct reason_row *row = reason_row(decision->leading->id);
    gboolean unfit = decision->act == ACT_REFUSE && row->smtp / 100 != 5;
    gboolean insider = decision->sender.told || decision->sender.class == SENDER_DEVICE;
    struct answer answer = {.code = NEUTRAL_CODE, .dsn = NEUTRAL_DSN};

    if (insider ? row->told == TOLD_NEUTRAL : unfit || !row->told_outside) {
        answer.text = g_strdup(NEUTRAL_TEXT);
        return answer;
    }
    if (!unfit) {
        answer.code = row->smtp;
        answer.dsn = row->dsn;
    }
    if (insider)
        answer.text = reply_text_configured(hearing, decision->leading);
    if (answer.text == NULL)
        answer.text = unfit ? g_strdup(UNCHECKED_TEXT) : reply_text_of(decision->leading);
    return answer;
}

/* The same reason as a 4xx: where a refusal must not be one (local socket), or the configuration says defer.
 */
static void soften(struct answer *answer, char dsn[static 8])
{
    if (answer->code / 100 == 4)
        return;
    g_snprintf(dsn, 8, "4%s", answer->dsn + 1);
    answer->code = 451;
    answer->dsn = dsn;
}

struct reply reply_make(const struct hearing *hearing)
{
    const struct decision *decision = hearing->decision;
    struct answer answer;
    char dsn[8];

    if (decision->act == ACT_ACCEPT || decision->act == ACT_DISCARD)
        return accepted();
    answer = answer_for(hearing);
    g_autofree char *text = answer.text;
    if (decision->act == ACT_DEFER)
        soften(&answer, dsn);
    return make(answer.code, answer.dsn, text,
                decision->leading->id == REASON_HIDDEN ? NULL : decision->reference);
}
