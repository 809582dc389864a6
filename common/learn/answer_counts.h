/* answer_counts.h - how many answers are right, as SQuAD counts (measure/squad.h): of each record
 * the likeliest answer of its windows against the gold one, as `score --eval` finds it; with no
 * answer as one of them where any of the rows has none (score --impossible). */
#ifndef WEFT_ANSWER_COUNTS_H
#define WEFT_ANSWER_COUNTS_H

#include "learn/examples.h"
#include "measure/window.h"

typedef struct AnswerCounts {
    double exact, f1, weight; /* sums over records by their weights */
    /* private: */
    const Examples *x;
    WindowWork work;
    AnswerSet set;
    CharAt at;
    double null;
    int64_t open; /* the first row of the record; -1: none */
} AnswerCounts;

/* Of rows that were read with their texts. */
AnswerCounts answer_counts_new(const Examples *x, const Tokenizer *t);
/* The next row; logit [tokens of it, 2]. */
int answer_counts_add(AnswerCounts *k, int64_t row, const float *logit, Err *e);
void answer_counts_end(AnswerCounts *k); /* no row follows */
void answer_counts_free(AnswerCounts *k);

#endif
