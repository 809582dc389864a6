/* attend_in.h - what the two ways to attend on CUDA share: attend.cu and attend_mma.cu. */
#ifndef WEFT_ATTEND_IN_H
#define WEFT_ATTEND_IN_H

#include "kernels/cuda.h"

/* A head of a row: where its tokens begin, how many they are, its first column. */
typedef struct AttendPlace {
    int64_t from, len, col;
} AttendPlace;

static __device__ inline AttendPlace place_of(const Attend &a, const int64_t *starts, int64_t row,
                                              int head)
{
    AttendPlace p = {starts[row], starts[row + 1] - starts[row], (int64_t)head * a.size};
    return p;
}

/* What is added where the key stands `far` tokens behind the query. */
static __device__ inline float distance_bias(const Attend &a, int head, int64_t far)
{
    int64_t at = far < -a.reach ? -a.reach : far > a.reach ? a.reach : far;
    return a.bias[head * (2 * a.reach + 1) + a.reach + at];
}

/* The rows of starts by tensor cores, if they take these views; else false. */
bool cuda_attend_mma(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows,
                     int64_t longest);

#endif
