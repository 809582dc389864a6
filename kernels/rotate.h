/* rotate.h - queries and keys turned by their tokens' places, each key and value where attention
 * looks for it; and the way back.
 *
 * x [tokens, (heads + 2 kv) * size]: queries, keys and values, head by head; `kv` divides `heads`.
 * y is shaped likewise, or [tokens, 3 * heads * size]: then a key's and a value's head stands there
 * heads / kv times, beside each other, so that every query has its own. y may be x where it is
 * shaped so.
 *   Of a head of a query or a key the first `turned` columns, h = turned / 2 of them and h more,
 * are y[i] = x[i] cos - x[i + h] sin,  y[i + h] = x[i + h] cos + x[i] sin    Su et al. 2021,
 * RoFormer by the cosines and sines of its token's place: turns[place[token] * turned + i] and
 *   turns[.. + h + i]. f32 and I32, in device memory. The other columns, and values, stay as they
 *   are
 *   query_gamma, key_gamma: f32 [size], each head is first made x / sqrt(mean x^2 + eps) * gamma;
 *     NULL: it is not
 * x and y of any type, the arithmetic is f32: within 1e-6 max(1, |x|), with a norm within 4e-6
 * max(1, |gamma|); a bf16 or f16 y is rounded once. Moves the bytes of x and y.
 *
 * Back, without norms: of dy, shaped as y, the gradient dx, shaped as x, a repeated head's being
 * the sum of its places in their order; dx may be dy where it is shaped so. Within 1e-6 of the sum
 * of |dy|, rounded once where it is 16 bits. */
#ifndef WEFT_ROTATE_H
#define WEFT_ROTATE_H

typedef struct Rotate {
    View x, y;
    int heads, kv, size, turned;
    const float *turns;
    const int32_t *place;
    const float *query_gamma, *key_gamma;
    float eps;
} Rotate;

typedef struct RotateBwd {
    View dy, dx;
    int heads, kv, size, turned;
    const float *turns;
    const int32_t *place;
} RotateBwd;

#endif
