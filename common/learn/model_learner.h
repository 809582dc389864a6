/* model_learner.h - a whole model as something that the training loop can train: a transformer, and
 * the head that the objective wants. */
#ifndef WEFT_MODEL_LEARNER_H
#define WEFT_MODEL_LEARNER_H

#include "learn/learner.h"
#include "learn/lora.h"
#include "model/head/head_learn.h"
#include "model/head/words_learn.h"

typedef struct ModelSpec {
    Transformer *t;  /* planned; the learner's from here on */
    HeadLearn *head; /* of its objective, or */
    WordsLearn *words;
    Lora *lora;                /* planned; NULL: matrices themselves learn */
    const Classes *classes;    /* of objectives that have them */
    const float *class_weight; /* [classes], or NULL */
    double smooth, mask_ratio; /* mask_ratio: of LEARN_MLM */
    bool whole_word;
    const Tokenizer *tokenizer; /* of LEARN_SPAN, where there are rows to measure */
    uint64_t seed;              /* masks are drawn by it */
    int32_t mask;               /* the mask token's id; -1: none */
    const uint8_t *special;     /* [vocab] ids that are never masked; NULL: none */
    const uint8_t *inside;      /* [vocab] ids that go on with a word; for whole_word */
    /* Which parameters stay as they are; NULL: none. */
    bool (*frozen)(const void *ctx, const Param *p);
    const void *frozen_ctx;
    bool drops; /* some rate of dropout is not 0 */
} ModelSpec;

/* NULL: no room on the device, or a tensor is missing. */
Learner *model_learner_new(const ModelSpec *spec, const Examples *rows, Err *e);

#endif
