/* balance.h - what --class-weight says, as a factor a class. */
#ifndef WEFT_BALANCE_H
#define WEFT_BALANCE_H

#include "learn/examples.h"

/* `balanced`: rows / (classes * rows of the class), as scikit-learn's class_weight; a class
 * without rows, which nothing is multiplied by, has 1. `X,Y,...`: a number a class, in order.
 * [c->n], to be freed; NULL and a message where the text does not fit the classes. */
float *class_weights(const char *text, const Examples *v, const Classes *c, Err *e);
/* The rows of each class, [n], to be freed. */
int64_t *class_counts(const Examples *v, int64_t n);

#endif
