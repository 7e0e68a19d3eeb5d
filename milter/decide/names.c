/* names: what verdicts, classes, acts and answers are called. */
#include "milter/decide/names.h"

const char *verdict_name(enum verdict verdict, enum language language)
{
    static const char *const names[][2] = {
        [VERDICT_DELIVER] = {"deliver", "投递"},
        [VERDICT_HOLD] = {"hold", "待审"},
        [VERDICT_DEFER] = {"defer", "暂缓"},
        [VERDICT_REFUSE] = {"refuse", "拒收"},
    };

    return names[verdict][language == LANGUAGE_ZH];
}

const char *sender_class_name(enum sender_class class)
{
    static const char *const names[] = {
        [SENDER_PERSON] = "person",
        [SENDER_PEER] = "peer",
        [SENDER_DEVICE] = "device",
        [SENDER_OUTSIDE] = "outside",
    };

    return names[class];
}

const char *act_name(enum act act)
{
    static const char *const names[] = {
        [ACT_ACCEPT] = "accept",
        [ACT_REFUSE] = "refuse",
        [ACT_DEFER] = "defer",
        [ACT_DISCARD] = "discard",
    };

    return names[act];
}

const char *fate_name(enum fate fate)
{
    static const char *const names[] = {
        [FATE_STAYS] = "stays",       [FATE_HELD] = "held",       [FATE_REFUSED] = "refused",
        [FATE_DEFERRED] = "deferred", [FATE_SETTLED] = "settled", [FATE_KEPT] = "kept",
    };

    return names[fate];
}

const char *answer_name(enum check_answer answer)
{
    static const char *const names[] = {
        [CHECK_PERMIT] = "permit",
        [CHECK_DENY] = "deny",
        [CHECK_UNKNOWN_TRANSIENT] = "unknown-now",
        [CHECK_UNKNOWN_PERSISTENT] = "unknown",
    };

    return names[answer];
}
