/* cuda_drop.h - which elements dropout keeps, for the .cu files: mix.h has the rule. One call of
 * the generator decides on four columns, 16 apart, of a span of 64. */
#ifndef WEFT_CUDA_DROP_H
#define WEFT_CUDA_DROP_H

#include "kernels/cuda.h"

enum { DROP_LANES = 16, DROP_WORDS = 4, DROP_SPAN = DROP_WORDS * DROP_LANES };

/* One lane of philox4x32 (philox.h). */
static __device__ inline void philox(uint32_t c[DROP_WORDS], uint32_t key0, uint32_t key1)
{
#pragma unroll
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xd2511f53 * c[0], b = (uint64_t)0xcd9e8d57 * c[2];
        c[0] = (uint32_t)(b >> 32) ^ c[1] ^ key0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c[3] ^ key1;
        c[3] = (uint32_t)a;
        key0 += 0x9e3779b9;
        key1 += 0xbb67ae85;
    }
}

/* A word below it drops its element. */
static __device__ __host__ inline uint32_t drop_least(float rate)
{
    return (uint32_t)((double)rate * 4294967296.0);
}

/* Of columns 64 * span + 16 * w + lane of that row, the word[w] that decides on each. */
static __device__ inline void drop_words(uint64_t seed, uint32_t site, uint64_t row, int64_t span,
                                         unsigned lane, uint32_t word[DROP_WORDS])
{
    word[0] = (uint32_t)span * DROP_LANES + lane;
    word[1] = site;
    word[2] = (uint32_t)row;
    word[3] = (uint32_t)(row >> 32);
    philox(word, (uint32_t)seed, (uint32_t)(seed >> 32));
}

/* Bit w: is column 64 * span + 16 * w + lane of that row kept? */
static __device__ inline unsigned drop_keeps(uint64_t seed, uint32_t site, uint64_t row,
                                             int64_t span, unsigned lane, uint32_t least)
{
    uint32_t word[DROP_WORDS];
    unsigned kept = 0;
    drop_words(seed, site, row, span, lane, word);
    for (int w = 0; w < DROP_WORDS; w++)
        kept |= (unsigned)(word[w] >= least) << w;
    return kept;
}

#endif
