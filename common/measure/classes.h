/* classes.h - what the logits of a class task mean: the names on their last axis, and how they
 * turn into scores (the rules of transformers' text-classification pipeline). */
#ifndef WEFT_CLASSES_H
#define WEFT_CLASSES_H

#include "io/frame.h"

/* By the metadata `problem`, which is config.json's problem_type. */
typedef enum Problem {
    ONE_OF, /* softmax: the classes exclude each other */
    ANY_OF, /* sigmoid, each class by itself: one logit, or "multi_label_classification" */
    VALUE,  /* the logits themselves: "regression" */
} Problem;

typedef struct Classes {
    char **name;
    int64_t n;
    Problem problem;
    int64_t *sorted; /* private: indices by name */
} Classes;

/* Of a frame whose metadata are those that `head` sets, for n logits a row. A frame that names
 * no classes has LABEL_0, LABEL_1, .... Fails where the names are no JSON array of n strings,
 * or two are the same. What makes a score of one logit is the metadata's `activation`, where that
 * is there: Sigmoid, Identity, and no other. */
int classes_read(Classes *c, const Frame *f, int64_t n, Err *e);
/* The same from a JSON array and a word of the metadata (either may be NULL). */
int classes_parse(Classes *c, const char *json, const char *problem, int64_t n, Err *e);
void classes_clear(Classes *c);

int64_t classes_find(const Classes *c, Str name); /* -1: not there */
/* "a, b, c" for messages, cut short after some; release with free(). */
char *classes_list(const Classes *c);

/* n scores from n finite logits; in double, so that they add up to 1. */
void class_scores(Problem p, const float *logit, int64_t n, double *score);
/* -log softmax(logit)[gold] */
double class_nll(const float *logit, int64_t n, int64_t gold);
/* The k <= n indices of the highest logits, highest first; equal ones in class order. */
void class_top(const float *logit, int64_t n, int64_t k, int64_t *order);
/* log(sum exp(logit)), in double */
double class_log_sum(const float *logit, int64_t n);
/* The class that a row's gold label names; -1 and a message where it names none. */
int64_t class_gold(const Classes *c, Str label, Err *e);
/* Are n logits numbers? Else -1 and a message. */
int class_finite(const float *logit, int64_t n, Err *e);

#endif
