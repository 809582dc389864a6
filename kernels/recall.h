/* recall.h - attention of new tokens over keys and values that are kept.
 *
 * For each index i in [lo, hi) of the piece, row i / heads and head i % heads:
 *     y = softmax(q k' * scale + bias) v   over the keys that the row's slots name
 *   q, y: [tokens, heads * size], whole batch; head j is columns [j * size, (j + 1) * size). f32 or
 *     bf16, of one type
 *   k, v: the new tokens' keys and values, shaped and typed as q, put into the store before anyone
 *     looks; {0}: all are there already
 *   keys, values: the store, [slots, heads * size] each, of one type: f32, bf16 (k and v are
 *     rounded to it, and widened where they are read). Often two views of one matrix. Without k
 *     and v they may have fewer heads, n times as few: head j looks at j / n
 *   slot: where a row's keys lie, oldest first, in device memory: row r's are slot[at[r]] ..
 *     slot[at[r + 1] - 1]. The last n of them, n being how many tokens the row has in the batch,
 *     are the new tokens' where k is given; then they are that row's own. Others may be shared by
 *     rows
 *   at: [rows + 1], in device memory; host_at: the same on the host
 *   causal: token t of the row's n sees the first len - n + t + 1 of its len keys; else all
 *   bias, reach: as in attend.h, by the distance from query to key, the query's own place being
 *     len - n + t
 * Where there is f16 (device.h) it goes wherever bf16 does. A query that sees no key gets 0.
 *
 * The same bits: a query's y depends on its q and on the keys and values it sees, in their order:
 * not on where they lie, nor on how many queries there are beside it. One token at a time makes
 * what all at once make.
 *
 * Within 5e-6 max(1, softmax |v|) of double precision for values of unit variance, normalised mean
 * squared error 1e-11; a bf16 or f16 y is rounded once.  4 size flops for each key that a query
 * sees; keys and values are read once for up to 32 queries of a row. */
#ifndef WEFT_RECALL_H
#define WEFT_RECALL_H

typedef struct Recall {
    View q, y, k, v, keys, values;
    const Batch *batch;
    const int32_t *slot;
    const int64_t *at, *host_at;
    int size;
    float scale;
    bool causal;
    const float *bias;
    int64_t reach;
} Recall;

#endif
