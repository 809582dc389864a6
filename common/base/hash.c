#include "base/hash.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct Hash {
    XXH3_state_t *state;
};

Hash *hash_new(void)
{
    Hash *h = mem_alloc(sizeof *h);
    h->state = mem_aligned(sizeof *h->state);
    XXH3_128bits_reset(h->state);
    return h;
}

void hash_add(Hash *h, const void *p, size_t n)
{
    XXH3_128bits_update(h->state, p, n);
}

void hash_end(Hash *h, char out[HASH_TEXT])
{
    XXH128_hash_t v = XXH3_128bits_digest(h->state);
    snprintf(out, HASH_TEXT, "%016llx%016llx", (unsigned long long)v.high64,
             (unsigned long long)v.low64);
    free(h->state);
    free(h);
}
