/* metrics.h - how well answers agree with gold labels, as scikit-learn counts it
 * (sklearn.metrics.precision_recall_fscore_support, zero_division = 0, sample_weight):
 *     precision = right answers of the class / answers of the class
 *     recall    = right answers of the class / rows whose gold label it is
 *     f1        = 2 precision recall / (precision + recall)
 *     macro_f1  = mean of f1 over the classes that occur, as gold label or as answer
 *     weighted_f1 = mean of f1 weighted by support; micro_f1 = f1 over all rows together
 *     loss      = sum of weight * -log score(gold) / sum of weight
 * A row of weight w counts w times everywhere; without weights w is 1. */
#ifndef WEFT_METRICS_H
#define WEFT_METRICS_H

#include "base/mem.h"
#include "measure/classes.h"

typedef struct Metrics {
    int64_t classes, rows;
    double *confusion;   /* [classes, classes]: gold, answer */
    double loss, weight; /* sums */
} Metrics;

enum { METRICS_CLASSES = 4096 };
/* -1: more than METRICS_CLASSES are no classes to count confusions of, a number for each two. */
int metrics_fit(int64_t classes, Err *e);
Metrics metrics_new(int64_t classes);
/* A choice among m->classes: its best class against the gold label. -1: no number, no label, or
 * one that is no class. */
int metrics_choice(Metrics *m, const Classes *c, const float *logit, Str label, double weight,
                   Err *e);
void metrics_add(Metrics *m, int64_t gold, int64_t answer, double nll, double weight);
void metrics_free(Metrics *m);

typedef struct ClassMetrics {
    double precision, recall, f1, support;
    bool occurs;
} ClassMetrics;

typedef struct Summary {
    double loss, accuracy, macro_f1, micro_f1, weighted_f1;
} Summary;

/* per_class: room for m->classes, or NULL. Everything is 0 where nothing was counted. */
Summary metrics_sum(const Metrics *m, ClassMetrics *per_class);

/* The report of `score --eval`: tables, or one JSON object on a line. */
void metrics_put(Buf *b, const Metrics *m, const Classes *c, bool json);

#endif
