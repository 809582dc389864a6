/* head.h - from hidden states or vectors to logits: the class head of a checkpoint (pooler and
 * classifier), or one that `train` made. */
#ifndef WEFT_HEAD_H
#define WEFT_HEAD_H

#include "model/config.h"
#include "model/headfile.h"
#include "model/pooling.h"

typedef struct Head Head;

/* A folder that `train` made, or a checkpoint with a class head. A checkpoint without one: the
 * message says so and what would make one. */
Head *head_load(const char *folder, Device *dev, Err *e);
void head_free(Head *h);

int64_t head_classes(const Head *h);
const char *head_class(const Head *h, int64_t i);
const char *head_problem(const Head *h); /* problem_type, or "" */
int64_t head_width(const Head *h);       /* of the vectors it takes */
/* What it was made for, as the stream says it; "" or -1 where unknown. */
const char *head_encoder(const Head *h);
const char *head_model(const Head *h);
int64_t head_layer(const Head *h);
const char *head_pool(const Head *h);
/* Turns hidden states into the vectors that the head takes. */
Pooler *head_pooler(Head *h);

/* x: host memory f32 [rows, width], dense; logits: host memory f32 [rows, classes]. */
int head_run(Head *h, const float *x, int64_t rows, float *logits, Err *e);

#endif
