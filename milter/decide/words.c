#include "milter/decide/words.h"

#include "milter/decide/reply_text.h"

char *decision_words(const struct inputs *inputs, const struct decision *decision,
                     const struct decided_recipient *recipient)
{
    /* Only read: a hearing that is over. */
    const struct hearing hearing = {.inputs = inputs, .decision = (struct decision *)decision};

    return recipient->leading != NULL ? reply_text_words(&hearing, recipient->leading) : NULL;
}
