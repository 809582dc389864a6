/* attend_in.h - what the ways to attend on CUDA share, there (attend.cu, attend_mma.cu) and back
 * (attend_bwd.cu, attend_bwd_mma.cu, attend_bwd_bias.cu). */
#ifndef WEFT_ATTEND_IN_H
#define WEFT_ATTEND_IN_H

#include "kernels/cuda_drop.h"

/* A head of a row: where its tokens begin, how many they are, its first column; which of how many
 * it is. */
typedef struct AttendPlace {
    int64_t from, len, col;
    int head, heads;
} AttendPlace;

static __device__ inline AttendPlace place_of(const Attend &a, const int64_t *starts, int64_t row,
                                              int head, int heads)
{
    AttendPlace p = {starts[row], starts[row + 1] - starts[row], (int64_t)head * a.size, head,
                     heads};
    return p;
}

/* What is added where the key stands `far` tokens behind the query. */
static __device__ inline float distance_bias(const Attend &a, int head, int64_t far)
{
    int64_t at = far < -a.reach ? -a.reach : far > a.reach ? a.reach : far;
    return a.bias[head * (2 * a.reach + 1) + a.reach + at];
}

/* Of a query's lse or what else a token has one of for each head. */
static __device__ inline int64_t place_at(const AttendPlace &p, int64_t token)
{
    return (p.from + token) * p.heads + p.head;
}

/* What dropout multiplies that weight by. */
static __device__ inline float drop_factor(const Attend &a, const AttendPlace &p, int64_t query,
                                           int64_t key, uint32_t least)
{
    if (a.drop <= 0)
        return 1;
    unsigned kept =
        drop_keeps(a.seed, a.site + (uint32_t)p.head, (uint64_t)a.numbers[p.from + query],
                   key / DROP_SPAN, (unsigned)(key % DROP_LANES), least);
    return kept >> (key / DROP_LANES % DROP_WORDS) & 1 ? 1 / (1 - a.drop) : 0;
}

/* The same of a lane's elements of a product by tensor cores (mma.h): rows are two queries, of the
 * numbers given, columns the keys [64 span, 64 span + 64). Byte w is of the keys from 16 w on; its
 * bits 0 to 3 are of the first query and columns i, i + 1, i + 8, i + 9, 4 to 7 of the second. */
static __device__ inline uint32_t drop_fragments(const Attend &a, const AttendPlace &p,
                                                 const uint64_t number[2], int64_t span,
                                                 uint32_t least)
{
    unsigned i = threadIdx.x % 4 * 2;
    uint32_t bits = 0;
#pragma unroll 1 /* eight calls at a time would want more registers than there are */
    for (int r = 0; r < 2; r++) {
        uint64_t row = r ? number[1] : number[0];
        uint32_t part = 0;
#pragma unroll
        for (int n = 0; n < 4; n++) {
            uint32_t word[DROP_WORDS];
            drop_words(a.seed, a.site + (uint32_t)p.head, row, span, i + n % 2 + n / 2 * 8, word);
#pragma unroll
            for (int w = 0; w < DROP_WORDS; w++)
                part |= word[w] >= least ? 1u << (8 * w + n) : 0;
        }
        bits |= part << 4 * r;
    }
    return bits;
}

/* Of the two queries of a lane; 0 beyond the row's end. */
static __device__ inline void drop_numbers(const Attend &a, const AttendPlace &p, int64_t query,
                                           uint64_t number[2])
{
    for (int r = 0; r < 2; r++) {
        int64_t token = query + threadIdx.x % WARP / 4 + r * 8;
        number[r] = token < p.len ? (uint64_t)a.numbers[p.from + token] : 0;
    }
}

static __device__ inline float element(View v, const AttendPlace &p, int64_t token, int64_t j)
{
    return cuda_load<1>(cuda_row(v, p.from + token), v.type, p.col + j).v[0];
}

/* Columns [j, j + 4) of a token of v, 0 beyond the row's and the head's end. */
static __device__ inline Wide<4> elements(View v, const AttendPlace &p, int64_t token, int j,
                                          int size, bool four)
{
    Wide<4> w = {};
    if (token >= p.len)
        return w;
    if (four && j < size) /* then size comes in fours too */
        return cuda_load<4>(cuda_row(v, p.from + token), v.type, p.col + j);
    for (int k = 0; k < 4 && j + k < size; k++)
        w.v[k] = element(v, p, token, j + k);
    return w;
}

/* A weight of query for key, and what becomes of it: p m, and ds of d = dy v'. */
typedef struct Slope {
    float pm, ds;
} Slope;

static __device__ inline Slope slope_of(const Attend &a, const AttendPlace &p, int64_t query,
                                        int64_t key, float s, float d, float total)
{
    Slope r = {0, 0};
    if (query >= p.len || key >= p.len || (a.causal && key > query))
        return r;
    s *= a.scale;
    if (a.bias)
        s += distance_bias(a, p.head, key - query);
    float w = expf(s - a.lse[place_at(p, query)]);
    float m = drop_factor(a, p, query, key, drop_least(a.drop));
    r.pm = w * m;
    r.ds = w * (m * d - total);
    return r;
}

/* May rows be read 16 bytes at a time, of 16 bits an element? */
static inline bool by_eight(View v)
{
    return v.stride % 8 == 0 && (uintptr_t)v.p % 16 == 0;
}

/* So many rows of batch->starts, from `starts` on, by tensor cores, if they take these views; else
 * false. */
bool cuda_attend_mma(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows);

/* attend_far.cu: the same where queries and keys meet distances. */
void cuda_attend_far(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows,
                     int64_t longest);

/* attend_bwd.cu: where dq takes the place of q, a copy of q, for what is read after dq is there. */
View attend_kept_queries(Piece *p, const AttendBwd *b);
int64_t attend_longest(const Batch *b);

/* attend_bwd_bias.cu: dbias; `total` is D of each token and head. */
void cuda_attend_bwd_bias(Cuda *c, const AttendBwd *b, const float *total);

/* attend_bwd_mma.cu: do tensor cores take these views? dq, dk and dv by them. */
bool cuda_attend_bwd_mma_takes(const Cuda *c, const AttendBwd *b);
void cuda_attend_bwd_mma(Piece *p, const AttendBwd *b, int64_t longest);

#endif
