/*
 * letter: a notice before it is written: what happened to whom, in both languages; and the writing of it as a
 * whole message: in the languages of the configuration, with what tells of failures as a delivery status
 * notification (RFC 3464), never above NOTICE_BYTES. compose.h says who is told what. Pure; any thread.
 */
#ifndef MILTER_REVIEW_LETTER_H
#define MILTER_REVIEW_LETTER_H

#include "policy/autoptr.h"
#include "milter/conf/snapshot.h"
#include "milter/store/outbox.h"

enum notice_text {
#define NOTICE(id, en, zh) NOTICE_##id,
#include "milter/review/notice.def"
#undef NOTICE
    NOTICE_TEXT_COUNT
};
/* Places filled in; new. */
char *notice_text(enum notice_text id, enum language language, const char *const *args);

struct letter_recipient {
    char *address;      /* as the sender typed it, printable */
    char *original;     /* ORCPT as given; NULL */
    char *sentences[2]; /* by enum language: why; NULL: the heading says it */
    char *status;       /* "5.7.1"; failures only, like the diagnostic, which is ASCII */
    char *diagnostic;
};

/* Recipients to whom the same happened. */
struct letter_section {
    enum notice_text head;   /* the line above the list */
    enum notice_text advice; /* below it */
    gboolean is_failure;     /* a delivery status notification lists them */
    char *note;              /* the reviewer's; NULL */
    GPtrArray *recipients;   /* struct letter_recipient *; none: only head and advice */
};

struct letter {
    const struct snapshot *snapshot; /* borrowed */
    char *addressee;
    char *reference;  /* "MIJI-k3x9qa"; NULL: of none */
    char *unique;     /* what the Message-ID is made of */
    char *subject[2]; /* by enum language */
    GPtrArray *sections;
    GPtrArray *lines[2];          /* char *, more lines in each language: the references of a digest */
    gint64 sent_s;                /* when the message came; 0: not said */
    char *sender, *label, *title; /* of the message; NULL: not said */
    char *envelope_id;            /* ENVID, decoded; NULL */
    gint64 now_s;
};

struct letter *letter_new(const struct snapshot *snapshot, const char *addressee, gint64 now_s);
void letter_free(struct letter *letter);
DEFINE_AUTOPTR(letter, letter_free)
void letter_set_subject(struct letter *letter, enum notice_text id, const char *number);
struct letter_section *letter_add_section(struct letter *letter, enum notice_text head,
                                          enum notice_text advice, gboolean is_failure);
/* Borrowed, to be filled in. given: RCPT's octets. */
struct letter_recipient *letter_add_recipient(struct letter_section *section, const char *given);

/* What the reply would have been: "550 STATUS text [REFERENCE]"; failures only. english: any text. */
void letter_diagnose(struct letter_recipient *recipient, const char *status, const char *english,
                     const char *reference);

gboolean letter_is_failure(const struct letter *letter);
/* The message, lines ending in CRLF; new. */
char *letter_write(const struct letter *letter, gsize *length);

/* The letter written, for the outbox. addressee: for RCPT, as it is. about: see notice. New. */
struct notice *letter_notice(const struct letter *letter, enum notice_kind kind, const char *addressee,
                             const char *about);

/* Whence notices come: `from` of the configuration, or miji@ the first inside domain; new. */
char *letter_from(const struct snapshot *snapshot);

#endif
