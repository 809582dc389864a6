/* rand.h - numbers that look random and repeat: xoshiro256** (Blackman and Vigna, "Scrambled
 * linear pseudorandom number generators", 2021), its state filled from the seed by four steps
 * of SplitMix64. A seed gives the same numbers on every machine. */
#ifndef WEFT_RAND_H
#define WEFT_RAND_H

#include <stdint.h>

typedef struct Rand {
    uint64_t s[4];
    double spare; /* rand_normal makes two at a time */
    int spares;
} Rand;

Rand rand_new(uint64_t seed);
uint64_t rand_u64(Rand *r);
/* [0, n), each equally likely (Lemire, "Fast random integer generation in an interval", 2019);
 * n >= 1. */
uint64_t rand_below(Rand *r, uint64_t n);
double rand_unit(Rand *r);   /* [0, 1): 53 bits */
double rand_normal(Rand *r); /* mean 0, variance 1 (Marsaglia's polar method) */
/* Puts v[0..n) in random order (Fisher-Yates from the end: for i = n-1 .. 1, swap v[i] with
 * v[rand_below(i + 1)]). */
void rand_shuffle(Rand *r, int64_t *v, int64_t n);

#endif
