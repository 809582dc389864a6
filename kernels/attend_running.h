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

/* Of eight queries: out[q][n] += weights [32 keys, 8] times the values [32 keys, 32 COLS], of which
 * this lane has every 32nd column. */
template <int COLS>
static __device__ inline void take_values(const float *weight, const float *value,
                                          float out[8][COLS])
{
    int lane = threadIdx.x % WARP;
    for (int k = 0; k < WARP; k++) {
        float4 w0 = reinterpret_cast<const float4 *>(weight + k * 8)[0];
        float4 w1 = reinterpret_cast<const float4 *>(weight + k * 8)[1];
#pragma unroll
        for (int n = 0; n < COLS; n++) {
            float v = value[(k * COLS + n) * WARP + lane];
            out[0][n] += w0.x * v;
            out[1][n] += w0.y * v;
            out[2][n] += w0.z * v;
            out[3][n] += w0.w * v;
            out[4][n] += w1.x * v;
            out[5][n] += w1.y * v;
            out[6][n] += w1.z * v;
            out[7][n] += w1.w * v;
        }
    }
}

/* The eight queries from `first` on, to y and lse. */
template <int COLS>
static __device__ inline void give_out(const Attend &a, const AttendPlace &p, int64_t first,
                                       const Running run[8], const float out[8][COLS])
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int q = 0; q < 8; q++) {
#pragma unroll
        for (int n = 0; n < COLS; n++) {
            Wide<1> y = {{out[q][n] / run[q].sum}};
            if (first + q < p.len && n * WARP + lane < a.size)
                cuda_store<1>(cuda_row(a.y, p.from + first + q), a.y.type, p.col + n * WARP + lane,
                              y);
        }
        if (a.lse && lane == 0 && first + q < p.len)
            a.lse[place_at(p, first + q)] = run[q].top + logf(run[q].sum);
    }
}

/* A warp makes `keys` scores, the largest of which among its own is `top`, their softmax; 0 from
 * there to `len`. */
static __device__ inline void row_softmax(float *to, int64_t keys, int64_t len, float top)
{
    float sum = 0;
    top = warp_max(top);
    for (int64_t k = threadIdx.x; k < keys; k += WARP) {
        to[k] = expf(to[k] - top);
        sum += to[k];
    }
    sum = warp_sum(sum);
    for (int64_t k = threadIdx.x; k < len; k += WARP)
        to[k] = k < keys ? to[k] / sum : 0;
}

#endif
