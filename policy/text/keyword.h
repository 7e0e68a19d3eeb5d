/*
 * keyword: the words of the languages, English and Chinese, from keyword.def (language.md section 6).
 *
 * Constant tables: any thread. KEYWORD(id, "english words", "中文|second twin"); a keyword of several words
 * is matched word by word, Latin letters in any case. Nothing is reserved: a keyword counts only where a
 * grammar asks for it.
 */
#ifndef POLICY_TEXT_KEYWORD_H
#define POLICY_TEXT_KEYWORD_H

#include "policy/text/tree.h"

enum keyword {
#define KEYWORD(id, english, chinese) KW_##id,
#include "policy/text/keyword.def"
#undef KEYWORD
    KW_COUNT
};

/* The words as a file would write them; constant. The Chinese ones are the first twin; both languages mix
 * freely. */
const char *keyword_english(enum keyword keyword);
const char *keyword_chinese(enum keyword keyword);

/* Is the word the first one of the keyword, English or Chinese? */
gboolean keyword_is_word(enum keyword keyword, const char *word);

/* How many items, from item `first` of the statement on, spell the keyword; 0 if they do not. */
guint keyword_match(enum keyword keyword, const struct statement *statement, guint first);

/* Could this word begin any keyword of any language? Tells a misplaced keyword from a value in messages. */
gboolean keyword_begins_with(const char *word);

/* Chinese words that were written together, cut by longest match over keywords, numbers and the names in
 * `more` (levels; NULL or NULL-terminated): "任一附件 包含 身份证号 至少 3 次". New string; NULL if it cannot
 * be cut whole into two pieces or more (language.md 1: only ever a help, never a reading). */
char *keyword_cut(const char *word, const char *const *more);

#endif
