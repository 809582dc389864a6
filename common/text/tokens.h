/* tokens.h - what texts become: ids, special ones among them. */
#ifndef WEFT_TOKENS_H
#define WEFT_TOKENS_H

#include "base/mem.h"

/* The special tokens that a tokenizer may have. */
typedef enum Special { TOK_CLS, TOK_SEP, TOK_PAD, TOK_MASK, TOK_UNK, TOK_SPECIALS } Special;

/* Ids with the bytes [start, end) of the text they stand for; grows. */
typedef struct Tokens {
    int32_t *id;
    int32_t (*span)[2];
    size_t n, cap;
    const char *failed; /* why a text has not all of its tokens, as the tokenizer's work keeps it;
                           NULL: it has */
} Tokens;

void tokens_free(Tokens *t);

static inline void tokens_room(Tokens *t, size_t more)
{
    if (t->n + more <= t->cap)
        return;
    t->cap = (t->n + more) * 2 < 256 ? 256 : (t->n + more) * 2;
    t->id = mem_resize(t->id, t->cap, sizeof *t->id);
    t->span = mem_resize(t->span, t->cap, sizeof *t->span);
}

static inline void tokens_add(Tokens *t, int32_t id, int32_t start, int32_t end)
{
    tokens_room(t, 1);
    t->id[t->n] = id;
    t->span[t->n][0] = start;
    t->span[t->n++][1] = end;
}

#endif
