/* safetensors - a file of weights: every view lies within it, and what is written anew is the same.
 */
#include "store/safetensors.h"
#include "tests/fuzz/fuzz.h"

static void look(const StFile *s, size_t n)
{
    MUST(st_bytes(s) == n);
    for (int i = 0; i < st_count(s); i++) {
        StView v = st_at(s, i), found;
        size_t bytes = dtype_size(v.type);
        for (int k = 0; k < v.rank; k++)
            bytes *= (size_t)v.shape[k];
        MUST(bytes == v.bytes && v.bytes <= n);
        MUST(st_find(s, v.name, &found) == 0 && found.data == v.data);
        fuzz_touch(v.data, v.bytes);
        st_done(s, v.data, v.bytes);
    }
}

/* The header as st_format writes it says what it said. */
static void again(const uint8_t *p, size_t n)
{
    StHeader h = {0}, g = {0};
    Err e = {0};
    Buf b = {0};
    if (st_parse((const char *)p + 8, n - 8, &h, &e) < 0) {
        MUST(e.text[0]);
        st_clear(&h);
        return;
    }
    st_format(&h, &b);
    MUST(b.n % 8 == 0 && st_parse(b.p + 8, b.n - 8, &g, &e) == 0);
    MUST(g.count == h.count && g.keys == h.keys && g.data == h.data);
    for (int i = 0; i < h.count; i++) {
        const StTensor *x = &h.tensor[i], *y = &g.tensor[i];
        MUST(strcmp(x->name, y->name) == 0 && x->type == y->type && x->rank == y->rank);
        MUST(memcmp(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape) == 0);
        MUST(x->begin == y->begin && x->end == y->end);
    }
    for (int i = 0; i < h.keys; i++)
        MUST(strcmp(h.key[i], g.key[i]) == 0 && strcmp(h.value[i], g.value[i]) == 0);
    st_clear(&h);
    st_clear(&g);
    free(b.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Str stream = fuzz_stream(p, n);
    p = (const uint8_t *)stream.p;
    n = stream.n;
    Err e = {0};
    StFile *s = st_open(fuzz_file("model.safetensors", p, n), &e);
    MUST(s || e.text[0]);
    if (s) {
        look(s, n);
        st_close(s);
    }
    if (n > 8)
        again(p, n);
    free((char *)stream.p);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_stream(p, n, most, seed, 0);
}
