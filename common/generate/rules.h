/* rules.h - what is done to the scores of the next token before one is chosen: transformers' logits
 * processors, in its order, and the warpers that only sampling has. */
#ifndef WEFT_RULES_H
#define WEFT_RULES_H

#include "generate/choices.h"

/* A token, and what it is sorted by. */
typedef struct Keyed {
    float key;
    int32_t id;
} Keyed;

/* Memory that the rules work in; one a thread. */
typedef struct RuleWork {
    int64_t words;
    uint32_t *seen, mark; /* [words] */
    Keyed *of;            /* [words] */
    int32_t *next;        /* of choices */
} RuleWork;

RuleWork *rulework_new(int64_t words, const Choices *c);
void rulework_free(RuleWork *w);

/* An answer so far. */
typedef struct Said {
    const int32_t *id; /* with what stands before it: the prompt, or the decoder's start */
    int64_t n, first;  /* tokens; those that are not the answer's */
    const int32_t *source;
    int64_t sources; /* what was read, or the prompt */
    int64_t max_length, min_length, min_new;
} Said;

/* score: [words]; -INFINITY is a token that cannot come. */
void rules_apply(const Settings *s, const Choices *c, RuleWork *w, const Said *said, float *score);
/* For sampling; keep: so many tokens stay in any case. */
void rules_warp(const Settings *s, RuleWork *w, int64_t keep, float *score);
/* The log of the sum of the scores' exponentials. */
double rules_log_sum(const float *score, int64_t words);
/* What comes last. */
void rules_end(const Settings *s, float *score, int64_t words);

#endif
