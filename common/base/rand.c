#include "base/rand.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

Rand rand_new(uint64_t seed)
{
    Rand r = {0};
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&seed);
    return r;
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rand_u64(Rand *r)
{
    uint64_t *s = r->s, out = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return out;
}

uint64_t rand_below(Rand *r, uint64_t n)
{
    /* The high half of x * n is the answer; low halves under 2^64 mod n would make some answers
     * likelier than others and are drawn again. */
    unsigned __int128 m = (unsigned __int128)rand_u64(r) * n;
    if ((uint64_t)m < n)
        for (uint64_t least = -n % n; (uint64_t)m < least;)
            m = (unsigned __int128)rand_u64(r) * n;
    return (uint64_t)(m >> 64);
}

double rand_unit(Rand *r)
{
    return (double)(rand_u64(r) >> 11) * 0x1p-53;
}

double rand_normal(Rand *r)
{
    if (r->spares) {
        r->spares = 0;
        return r->spare;
    }
    double x, y, q;
    do {
        x = 2 * rand_unit(r) - 1;
        y = 2 * rand_unit(r) - 1;
        q = x * x + y * y;
    } while (q >= 1 || q == 0);
    double scale = sqrt(-2 * log(q) / q);
    r->spare = y * scale;
    r->spares = 1;
    return x * scale;
}

void rand_shuffle(Rand *r, int64_t *v, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)rand_below(r, (uint64_t)i + 1), held = v[i];
        v[i] = v[j];
        v[j] = held;
    }
}
