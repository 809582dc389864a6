/* model_learner_in.h - what model_learner's files share: model_learner.c makes and trains,
 * model_batch.c lays rows out, model_loss.c has the objectives' losses, model_evaluate.c measures.
 */
#ifndef WEFT_MODEL_LEARNER_IN_H
#define WEFT_MODEL_LEARNER_IN_H

#include "learn/model_learner.h"
#include "model/transformer/space.h"

enum { NUMBER_SHIFT = 24 }; /* a token's number: the row's, and behind it its place */
enum { SPACE_TARGET, SPACE_WEIGHT, SPACE_NUMBER, SPACE_CLASSES, SPACE_LOSS, LEARN_SPACES };

/* Some rows as a batch, on the host. */
typedef struct ModelBatch {
    TransformerIn in;
    int32_t *id;
    uint8_t *kind;
    int64_t *starts, *numbers;
    int64_t token_room, row_room, number_room;
    /* What the head looks at: */
    HeadItems items;
    int64_t *token, *item_numbers;
    int32_t *target; /* of each item; -1: none */
    float *weight;   /* of each item in the loss, its class aside */
    float *number;   /* [items, numbers] */
} ModelBatch;

/* What the head reads of each row (or of each token), where nothing below it learns: in an unlinked
 * file, mapped. */
typedef struct ModelStill {
    const Examples *x; /* whose they are; NULL: nobody's yet */
    float *p;          /* [rows or tokens, width] */
    int64_t width;
    size_t bytes;
} ModelStill;

typedef struct ModelLearner {
    Learner base; /* first */
    ModelSpec spec;
    const Examples *rows;
    bool *trains, *wanted; /* by parameter: which learn; whose gradients are made */
    Learn learn;
    ModelBatch batch;
    uint8_t *seen;
    int64_t *fresh, freshes, fresh_room;
    int64_t most_tokens; /* of a batch so far */
    bool still;          /* the head alone learns */
    ModelStill cache[2]; /* of the rows to learn from, of those to measure by */
    float *given;        /* the batch's part of it */
    int64_t given_room;
    /* Device memory of the batch's targets. */
    Space space[LEARN_SPACES];
} ModelLearner;

/* Rows of `x` as a batch; epoch -1: as they are, to be measured. */
int model_batch(ModelLearner *m, const Examples *x, const int64_t *row, int64_t n, int64_t epoch,
                double total, Err *e);
void model_batch_free(ModelBatch *b);
/* Runs the transformer over all rows of x, where that has not been done: before model_batch(). 0, 1
 * (told to stop meanwhile), -1. */
int model_still_ready(ModelLearner *m, const Examples *x, Err *e);
/* Of a batch that has been laid out, what its head reads: the items' `given`. */
void model_still_give(ModelLearner *m, const Examples *x, const int64_t *row, int64_t n);
void model_still_free(ModelLearner *m);
/* What a row weighs in the loss, by its class too. */
double model_weight(const ModelLearner *m, const Examples *x, int64_t row, int64_t epoch);
/* Ids of a row with words masked, and what stood there (-1: not masked); returns how many. */
int64_t model_mask(const ModelLearner *m, const Examples *x, int64_t row, int64_t epoch,
                   int32_t *id, int32_t *target);

/* The objective's loss of the batch's logits, whose gradient takes their place; a value an item,
 * device memory. */
const float *model_loss(ModelLearner *m, View logits, Err *e);
int model_evaluate(Learner *l, const Examples *x, Summary *s, Err *e);

static inline bool is_words(Objective o)
{
    return o == LEARN_MLM || o == LEARN_CLM;
}

#endif
