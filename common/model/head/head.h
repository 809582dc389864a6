/* head.h - from hidden states or vectors to logits: a checkpoint's heads, or the one that `train`
 * made.
 *
 *     Head *h = head_open(folder, dev, &e);
 *     if (head_has(h, HEAD_MASK))
 *         head_use(h, HEAD_MASK, false, &e);
 *     head_run(h, x, rows, logits, &e); // x [rows, head_width(h)], logits [rows, head_outputs(h)]
 */
#ifndef WEFT_HEAD_H
#define WEFT_HEAD_H

#include "model/head/headfile.h"
#include "model/head/headkinds.h"
#include "model/head/pooler.h"

typedef struct Head Head;

/* A folder that `train` made, or a checkpoint, which may have no head at all. */
Head *head_open(const char *folder, Device *dev, Err *e);
void head_free(Head *h);

bool head_has(const Head *h, HeadTask task);
/* The only one there is; -1: there are several. (Where there is none, head_use tells.) */
int head_only(const Head *h);
/* Makes ready the head for a task, once. all: it is to run over every token, so its weights are
 * worth packing; else they are used where they are mapped. A head that the checkpoint lacks is
 * an error that lists what it has, or says what would make one. */
int head_use(Head *h, HeadTask task, bool all, Err *e);
/* There are several: says so and asks for -T. Returns -1. */
int head_ask(const Head *h, Err *e);

/* The same for head_nll, which wants a head over the vocabulary, computed in `type`. */
int head_use_nll(Head *h, HeadTask task, KType type, Err *e);

/* What was made for, as the stream says it; "" or -1 where unknown. */
const char *head_encoder(const Head *h);
const char *head_model(const Head *h);
int64_t head_layer(const Head *h);

/* Of the head in use. */
HeadTask head_task(const Head *h);
HeadFrom head_from(const Head *h);
int64_t head_width(const Head *h); /* of the vectors it takes */
int64_t head_outputs(const Head *h);
/* The outputs' names; NULL where they are the vocabulary. */
const char *head_class(const Head *h, int64_t i);
const char *head_problem(const Head *h); /* problem_type of a class head, or "" */
/* Of a class head with one output: the class of torch.nn by which sentence-transformers makes a
 * score of the logit; "": the folder does not say. */
const char *head_activation(const Head *h);
const char *head_pool(const Head *h); /* how rows become the vectors it takes; "" unknown */
/* Turns hidden states into the vectors that the head takes, where that needs no ids: not from
 * FROM_LAST on. */
Pooler *head_pooler(Head *h);
/* FROM_LAST, FROM_EOS: which of a row's n tokens is read, or -1. */
int64_t head_token(const Head *h, const int32_t *id, int64_t n);

/* x: host memory f32 [rows, width], dense; logits: host memory f32 [rows, outputs]. */
int head_run(Head *h, const float *x, int64_t rows, float *logits, Err *e);

/* After head_use_nll: -log softmax(logits of x[i])[target[i]] into nll[i]. x: host memory [rows,
 * width], dense, f32 or bf16. The vocabulary goes by in panels: rows x vocabulary never exists. */
int head_nll(Head *h, View x, const int32_t *target, double *nll, Err *e);

#endif
