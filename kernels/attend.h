/* attend.h - attention within each row of the batch, and the way back.
 *
 * For each index i in [lo, hi) of the piece, row i / heads and head i % heads:
 *     y = dropout(softmax(q k' * scale)) v   over the tokens of that row only    Vaswani et al.
 * 2017 q, k, v, y: [tokens, heads * size], whole batch; head j is columns [j * size, (j+1) * size).
 *     All of one type (f32, bf16 or f16; the arithmetic is f32). Usually three views of one matrix.
 *   causal: token t sees tokens up to itself
 *   bias: added to q k' * scale before the softmax, by the distance from query to key: head h's
 *     row is the 2 * reach + 1 numbers at bias + h * (2 * reach + 1), and query i takes for key j
 *     (both counted within the row) entry clamp(j - i, -reach, reach) + reach. f32 in device
 *     memory; NULL: none                                    T5's, Raffel et al. 2020, 2.1
 *   far: what query i and key j make of their distance, multiplied by scale too:
 *     q_i . far->key[e] + k_j . far->query[e],  e = far->entry[clamp(i - j, -reach, reach) + reach]
 *     far->key and query f32 [entries, heads * size], heads side by side as those of q; {0}: that
 *     one adds nothing. `entry` I32 in device memory, which ascends by 0 or 1. NULL: nothing. Not
 *     on the way back. A row reads the entries of its own distances alone, 8 len^2 size flops a
 *     head more. On CUDA heads have at most 128 columns then, and all is computed in f32.
 *                                                         DeBERTa's, He et al. 2021, 3.1
 *   probs: where the attention weights go, f32, for looking at: row r's are heads x len x len at
 *     probs + probs_at[r]; NULL: nowhere
 *   lse: f32 [tokens, heads], log of the sum of the scores' exponentials, for the way back; NULL:
 *     nowhere
 *   drop: the rate of dropout, as mix.h has it: query t's weights are a row whose number is
 *     numbers[t], keys are its columns, and head h is site + h. numbers I64 [tokens].
 * Within 5e-6 of double precision for values of unit variance, normalised mean squared error
 * 1e-11; a bf16 or f16 y is rounded once. CUDA multiplies bf16 and f16 by tensor cores, where
 * heads have at most 128 columns in eights and views lie on 16 bytes: then the weights are rounded
 * as y is, which adds u * softmax |v| to the error, u being 1/256 for bf16 and 1/2048 for f16.
 * Nothing larger than a few rows of len weights is ever stored.  4 len^2 size flops a head.
 *
 * Back: of dy the gradients dq, dk, dv, shaped and typed as q is (dy and y likewise), which are
 * overwritten and may be q, k and v. The weights are made again from q, k and lse, so 10 len^2 size
 * flops a head. dbias: f32 [rows, heads, 2 * reach + 1], each row's own sums of the gradient by
 * bias; NULL: not wanted Within 2e-5 max(1, |d|) for values of unit variance, rounded once where
 * they are 16 bits. */
#ifndef WEFT_ATTEND_H
#define WEFT_ATTEND_H

typedef struct AttendFar {
    View key, query;
    const int32_t *entry;
    int64_t reach;
} AttendFar;

typedef struct Attend {
    View q, k, v, y;
    const Batch *batch;
    int size;
    float scale;
    bool causal;
    const float *bias;
    int64_t reach;
    const AttendFar *far; /* in host memory */
    float *probs;
    const int64_t *probs_at;
    float *lse;
    float drop;
    uint64_t seed;
    uint32_t site;
    const int64_t *numbers;
} Attend;

typedef struct AttendBwd {
    Attend of; /* the call that is taken back; probs is not asked for */
    View dy, dq, dk, dv;
    float *dbias;
} AttendBwd;

#endif
