/* attend_running.h - a softmax on CUDA that takes in 32 scores at a time (Milakov & Gimelshein
 * 2018): attend.cu's and attend_far.cu's. */
#ifndef WEFT_ATTEND_RUNNING_H
#define WEFT_ATTEND_RUNNING_H

#include "kernels/attend_in.h"

#include <cfloat>

/* The running softmax of one query: its largest score and the sum of e^(score - largest). */
typedef struct Running {
    float top, sum;
} Running;

/* Takes in 32 scores, one a lane; returns this lane's weight and, in *keep, what the sums so far
 * are to be multiplied by. */
static __device__ inline float take_in(Running *r, float score, bool seen, float *keep)
{
    float top = fmaxf(r->top, warp_max(seen ? score : -FLT_MAX));
    float weight = seen ? expf(score - top) : 0;
    *keep = expf(r->top - top);
    r->top = top;
    r->sum = r->sum * *keep + warp_sum(weight);
    return weight;
}

#endif
