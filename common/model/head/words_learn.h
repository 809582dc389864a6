/* words_learn.h - a head over the vocabulary that learns: masked words, next words. The vocabulary
 * goes by in panels, some rows at a time: rows x vocabulary never exists. Its matrix may be that of
 * the word embeddings: one parameter, one gradient. */
#ifndef WEFT_WORDS_LEARN_H
#define WEFT_WORDS_LEARN_H

#include "model/head/headkinds.h"
#include "model/transformer/transformer_learn.h"

typedef struct WordsLearn WordsLearn;

/* task: HEAD_MASK or HEAD_LM. Before transformer_learns(t); w: what the checkpoint has, or NULL. */
WordsLearn *words_learn_new(Transformer *t, const Weights *w, HeadTask task, Err *e);
void words_learn_free(WordsLearn *h);
/* After transformer_learns(t). */
int words_learn_ready(WordsLearn *h, Err *e);
/* Once parameters have changed, beside transformer_renew. */
void words_learn_renew(WordsLearn *h);

/* Chosen tokens of the transformer's batch; host memory. */
typedef struct WordsItems {
    int64_t n;
    const int64_t *token;  /* [n]; NULL: the states are those of the items alone */
    const int32_t *target; /* [n] ids */
    const float *weight;   /* [n] of each in the loss */
    float smooth;
} WordsItems;

/* The losses of items, [n] device, and where `l` is not NULL the gradients: of the head's
 * parameters and, into transformer_states_grad(t), of the states. NULL: *e. */
const float *words_learn_pass(WordsLearn *h, const WordsItems *items, const Learn *l, Err *e);

#endif
