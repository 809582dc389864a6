/* words.h - tokenizers put together of the library's parts: any normalizer of normal/, or BERT's;
 * pre-tokenizers one behind the other; words in pieces (WordPiece) or whole (WordLevel). BERT's own
 * put together is bert.h's, which is faster. */
#ifndef WEFT_WORDS_H
#define WEFT_WORDS_H

#include "text/tokenizer_in.h"

typedef enum CutKind {
    CUT_SPACES,    /* WhitespaceSplit: white space goes */
    CUT_WORDS,     /* Whitespace: runs of \w, and of what is neither that nor white space */
    CUT_PUNCT,     /* Punctuation */
    CUT_DIGITS,    /* Digits: what Unicode calls numeric */
    CUT_CHARACTER, /* CharDelimiterSplit */
} CutKind;

/* What becomes of what is cut at. */
typedef enum CutHow {
    CUT_REMOVED,
    CUT_ISOLATED,
    CUT_TO_PREVIOUS,
    CUT_TO_NEXT,
    CUT_CONTIGUOUS,
} CutHow;

typedef struct Cut {
    CutKind kind;
    CutHow how;
    uint32_t at; /* CUT_CHARACTER's */
} Cut;

/* [begin, end) of a text's bytes. */
typedef struct Word {
    size_t begin, end;
} Word;

typedef struct WordList {
    Word *word;
    size_t n, room;
} WordList;

/* Cuts each of the words; `spare` is room of its own. */
void words_cut(const Cut *c, const char *text, WordList *words, WordList *spare);
void words_add(WordList *l, size_t begin, size_t end);

#endif
