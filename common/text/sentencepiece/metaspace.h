/* metaspace.h - what Unigram and SentencePiece's BPE have in common: text is normalised
 * (normal.h), cut into words by WhitespaceSplit, Punctuation and Metaspace, which puts a mark where
 * a word begins, and words are split into pieces by the one or the other.
 *
 * Words of ASCII that the normalizer leaves alone, which most are, go from the text to a cache
 * of words. Everything else is normalised between two such words, so that memory does not grow
 * with the text. */
#ifndef WEFT_METASPACE_H
#define WEFT_METASPACE_H

#include "text/normal/normal.h"

/* A piece of a word: bytes [begin, end). */
typedef struct Subword {
    int32_t id;
    uint32_t begin, end;
} Subword;

typedef struct Subwords {
    Subword *piece;
    size_t n, cap;
} Subwords;

typedef struct WordRules {
    bool spaces;    /* WhitespaceSplit first */
    bool punct;     /* Punctuation first: each is a word */
    bool metaspace; /* spaces become marks, and a mark is put before */
    bool split;     /* every mark begins a word */
    bool runs;      /* or every run of marks, where no piece has one behind a letter */
    enum { MARK_ALWAYS, MARK_FIRST, MARK_NEVER } put; /* before what begins without one */
    char mark[5];                                     /* one character */
} WordRules;

/* A kind: splits a word of n bytes, at least 1; may stop at more than `limit` pieces. */
typedef struct WordSplitter {
    void *(*work_new)(const void *self);
    void (*work_free)(void *work);
    void (*split)(const void *self, void *work, const char *word, size_t n, size_t limit,
                  Subwords *out);
    void (*free)(void *self);
} WordSplitter;

/* tokenizer.json's pre_tokenizer (NULL or null: none). */
int words_read(WordRules *r, const json_t *o, Err *e);
void words_describe(const WordRules *r, Buf *to);

/* Takes over `normalizer` and `self`. */
TokModel *words_model(Normalizer *normalizer, const WordRules *rules, const WordSplitter *splitter,
                      void *self);

static inline void subwords_add(Subwords *p, int32_t id, size_t begin, size_t end)
{
    if (p->n == p->cap) {
        p->cap = p->cap * 2 + 64;
        p->piece = mem_resize(p->piece, p->cap, sizeof *p->piece);
    }
    p->piece[p->n++] = (Subword){id, (uint32_t)begin, (uint32_t)end};
}

#endif
