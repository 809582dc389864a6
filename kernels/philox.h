/* philox.h - Philox4x32-10, a generator without a state: the key and a counter give four words
 * (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Sixteen counters at a time, word j of counter i in c[j][i], in place. */
#ifndef WEFT_PHILOX_H
#define WEFT_PHILOX_H

#include <stdint.h>

enum { PHILOX_LANES = 16 };

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
