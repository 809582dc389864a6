/* head_learn.h - a head that learns on a transformer that does: from its last states to logits, and
 * back. Heads over the vocabulary are words_learn.h's.
 *
 *     HeadLearn *h = head_learn_new(t, &spec, &e);  // before transformer_learns(t)
 *     transformer_forward(t, ...);
 *     View logits = head_learn_forward(h, &items, drops, &e);
 *     ... logits become the loss's gradient by them ...
 *     head_learn_backward(h, logits, &learn, &e);   // fills transformer_states_grad(t)
 */
#ifndef WEFT_HEAD_LEARN_H
#define WEFT_HEAD_LEARN_H

#include "model/head/headfile.h"
#include "model/head/headkinds.h"
#include "model/head/pooling.h"
#include "model/transformer/transformer_learn.h"

typedef enum HeadMake {
    HEAD_MAKE_FAMILY, /* as the family's class for the task has it */
    HEAD_MAKE_STACK,  /* Linear layers with ReLU between them on a pooled row */
} HeadMake;

typedef struct HeadSpec {
    HeadTask task; /* HEAD_CLASS, HEAD_TOKEN, HEAD_SPAN */
    HeadMake make;
    int hidden;                 /* of HEAD_MAKE_STACK: layers before the last, */
    int64_t width[HEAD_LAYERS]; /* and their widths */
    PoolKind pool;              /* of it: POOL_POOLER, POOL_CLS or POOL_MEAN */
    int64_t outputs;
    float drop;       /* of HEAD_MAKE_STACK, before each layer; else the config's rate counts */
    bool fresh;       /* a new last layer (other classes) */
    const Weights *w; /* what the checkpoint has; NULL: nothing */
} HeadSpec;

typedef struct HeadLearn HeadLearn;
HeadLearn *head_learn_new(Transformer *t, const HeadSpec *s, Err *e);
void head_learn_free(HeadLearn *h);
HeadFrom head_learn_from(const HeadLearn *h); /* FROM_POOLER, FROM_FIRST, ..., FROM_TOKENS */
bool head_learn_means(const HeadLearn *h);    /* of all tokens, instead */
int64_t head_learn_token(const HeadLearn *h, const int32_t *id, int64_t n); /* head_token() */

/* What the head looks at, of the transformer's batch. */
typedef struct HeadItems {
    int64_t n;
    const int64_t *token;   /* [n] host; NULL: all tokens, or those that were read */
    const int64_t *starts;  /* [n + 1] host: the mean of these tokens instead */
    const int64_t *numbers; /* [n] host: of each in all batches, for dropout */
    int64_t tokens;
    const float *given; /* [n, hidden] host: what it reads, as head_learn_read() gave it, instead of
                           the transformer's states; then nothing below it learns */
} HeadItems;

/* What the head reads of the batch, before any layer of its own: [n, hidden] f32, device. {0}: *e.
 */
View head_learn_read(HeadLearn *h, const HeadItems *items, Err *e);
/* [n, outputs] f32, device; the caller's until the next call. {0}: *e. drops NULL: none. */
View head_learn_forward(HeadLearn *h, const HeadItems *items, const Drops *drops, Err *e);
/* dlogits: where head_learn_forward's logits were. */
int head_learn_backward(HeadLearn *h, const HeadItems *items, const Learn *l, Err *e);

#endif
