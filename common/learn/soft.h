/* soft.h - soft targets: of each row a share for each class instead of one label, as another model
 * gives them. They lie in Examples.number, columns by Examples.labels. */
#ifndef WEFT_SOFT_H
#define WEFT_SOFT_H

#include "learn/examples.h"

/* What `score -k 0 --json` said of the same rows: a JSON array of {"label", "score"} a line, the
 * classes in the order of the first. Fails where lines are more or fewer than rows, where one names
 * other classes than the first, or where its scores do not add up to 1. */
int soft_read(Examples *x, const char *path, Err *e);
/* A row's shares, as row.target has them: finite, not negative, and some. */
int soft_check(const float *share, int64_t n, Err *e);
/* The class of the largest share. */
int32_t soft_top(const float *share, int64_t n);
/* Columns in the order of c; label smoothing on top: shares (1 - smooth) p + smooth / classes. */
int soft_number(Examples *x, const Classes *c, Err *e);
void soft_smooth(Examples *x, double smooth);
/* What a row's logits of n classes lose: -sum p log softmax(logit), or -log softmax(logit)[target]
 * where it has a label. */
double soft_nll(const Examples *x, int64_t row, const float *logit, int64_t n);

#endif
