/* philox.h - Philox4x32-10, a generator without a state: the key and a counter give four words
 * (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Sixteen counters at a time, word j of counter i in c[j][i], in place. */
#ifndef WEFT_PHILOX_H
#define WEFT_PHILOX_H

#include <stdint.h>

#if defined __AVX2__
#include <immintrin.h>
#endif

enum { PHILOX_LANES = 16 };

#if defined __AVX2__
/* The products of eight words, as their upper and lower halves: the instruction takes every second
 * word. */
static inline void philox_product(__m256i x, __m256i by, __m256i *upper, __m256i *lower)
{
    __m256i even = _mm256_mul_epu32(x, by), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), by);
    *upper = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    *lower = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

static inline void philox4x32(uint32_t c[4][PHILOX_LANES], uint32_t key0, uint32_t key1)
{
    const __m256i by0 = _mm256_set1_epi32((int)0xd2511f53),
                  by2 = _mm256_set1_epi32((int)0xcd9e8d57);
    __m256i w[2][4];
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < 4; j++)
            w[h][j] = _mm256_loadu_si256((const __m256i *)(c[j] + 8 * h));
    for (int round = 0; round < 10; round++) {
        const __m256i k0 = _mm256_set1_epi32((int)key0), k1 = _mm256_set1_epi32((int)key1);
        for (int h = 0; h < 2; h++) {
            __m256i *v = w[h], a, b, lower_a, lower_b;
            philox_product(v[0], by0, &a, &lower_a);
            philox_product(v[2], by2, &b, &lower_b);
            v[0] = _mm256_xor_si256(_mm256_xor_si256(b, v[1]), k0);
            v[2] = _mm256_xor_si256(_mm256_xor_si256(a, v[3]), k1);
            v[1] = lower_b;
            v[3] = lower_a;
        }
        key0 += 0x9e3779b9;
        key1 += 0xbb67ae85;
    }
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < 4; j++)
            _mm256_storeu_si256((__m256i *)(c[j] + 8 * h), w[h][j]);
}
#else
static inline void philox4x32(uint32_t c[4][PHILOX_LANES], uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < PHILOX_LANES; i++) {
            uint64_t a = (uint64_t)0xd2511f53 * c[0][i], b = (uint64_t)0xcd9e8d57 * c[2][i];
            c[0][i] = (uint32_t)(b >> 32) ^ c[1][i] ^ key0;
            c[1][i] = (uint32_t)b;
            c[2][i] = (uint32_t)(a >> 32) ^ c[3][i] ^ key1;
            c[3][i] = (uint32_t)a;
        }
        key0 += 0x9e3779b9;
        key1 += 0xbb67ae85;
    }
}
#endif

#endif
