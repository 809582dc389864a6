/* tokmodel.h - what stands between tokenizer.c and one kind of tokenizer (bert.c, bpe.c,
 * unigram.c, marian.c). A kind normalises, splits into words and splits words into pieces; how it
 * divides that up is its own affair. The special tokens that stand in a text are cut out before it
 * sees the rest. */
#ifndef WEFT_TOKMODEL_H
#define WEFT_TOKMODEL_H

#include "text/tokens.h"
#include "text/vocab.h"

/* Normalised text; for each of its bytes the bytes of the original it comes from. */
typedef struct Normal {
    char *p;
    int32_t (*span)[2];
    size_t n, cap;
} Normal;

typedef struct TokModel TokModel;
struct TokModel {
    void *(*work_new)(const TokModel *m);
    void (*work_free)(void *work);
    /* A piece of text that begins at byte `at` of the whole. */
    void (*encode)(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out);
    /* The same in two steps, for added tokens that are sought in normalised text. Both NULL: the
     * kind takes texts as they are. */
    void (*normalise)(const TokModel *m, void *work, Str text, int32_t at, Normal *out);
    void (*encode_normal)(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                          size_t limit, Tokens *out);
    /* The bytes of `text` that the word takes in, as the kind cuts words, that holds byte `at`
     * (which stands in one). NULL: the kind has no words. */
    void (*word)(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2]);
    /* Appends the text of n tokens. NULL: the tokenizer's decoder does. */
    void (*join)(const TokModel *m, const Str *token, size_t n, Buf *out);
    void (*free)(TokModel *m);
};

#endif
