/* chance.h - chance: a token by its probability. The numbers come from Philox, keyed by the seed
 * and counted by row, answer and step, so that a row's answer is the same whatever goes on beside
 * it.
 */
#ifndef WEFT_CHANCE_H
#define WEFT_CHANCE_H

#include <stdint.h>

/* Which of a run's draws: row and answer of it, and the step. */
typedef struct DrawAt {
    uint64_t seed, row;
    uint32_t answer, step;
} DrawAt;

/* [0, 1), number `i` of the draw. */
double draw_unit(const DrawAt *at, uint32_t i);
/* A token with the probability e^score / sum; -1: none is possible. */
int32_t draw_token(const DrawAt *at, const float *score, int64_t words);
/* What a score has to have added so that the k largest are a draw of k without replacement, in the
 * order drawn: Gumbel's distribution (Kool, van Hoof and Welling 2019). */
double draw_gumbel(const DrawAt *at, uint32_t i);

#endif
