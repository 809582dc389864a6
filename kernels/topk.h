/* topk.h - the k largest of each row, which comes in panels.
 *
 * For each row of x [rows, cols], which are the columns [col0, col0 + cols) of a whole: the k
 * largest so far, falling; of equal ones the lower column first.
 *   value f32 [rows, k], index I32 [rows, k]; index -1 (value -infinity) where there are fewer
 * begin: the first panel, which sets both. NaN is never among them. x f32. Exact. Reads x once,
 * on CUDA k times from the cache where there are many rows. */
#ifndef WEFT_TOPK_H
#define WEFT_TOPK_H

typedef struct Topk {
    View x;
    int64_t col0;
    int k;
    bool begin;
    float *value;
    int32_t *index;
} Topk;

#endif
