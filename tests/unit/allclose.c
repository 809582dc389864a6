/* allclose - do two tensors hold the same numbers?
 *
 *     allclose A B TENSOR[=TENSOR_OF_B] TOLERANCE
 *
 * A and B are streams or safetensors files; the rows of all their frames are laid end to end.
 * Prints the largest absolute difference. Exit 1 where it is over TOLERANCE, where either side
 * has a NaN, and where shapes differ. TOLERANCE 0 compares types and bits. */
#include "base/msg.h"
#include "base/num.h"
#include "io/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of all frames: `data` grows, the shape is that of one row. */
typedef struct Whole {
    DType type;
    int rank;
    int64_t shape[FRAME_RANKS]; /* shape[0] is not used */
    Buf data;
    int frames; /* that have it */
} Whole;

static void append(Whole *w, const Tensor *t, const char *place)
{
    if (w->frames++ == 0) {
        w->type = t->type;
        w->rank = t->rank;
        for (int i = 0; i < t->rank; i++)
            w->shape[i] = t->shape[i];
    }
    bool same = w->type == t->type && w->rank == t->rank;
    for (int i = 1; same && i < t->rank; i++)
        same = w->shape[i] == t->shape[i];
    if (!same)
        dief("%s: %s changes its type or shape from frame to frame", place, t->name);
    buf_add(&w->data, t->data, t->bytes);
}

static Whole read_whole(char *path, const char *name)
{
    Whole w = {0};
    Err e = {0};
    Frame *f;
    In *in = in_open(&path, 1);
    int k;
    while ((k = in_next(in, &f, &e)) > 0) {
        const Tensor *t = frame_get(f, name);
        if (t)
            append(&w, t, path);
        else if (f->rows > 0)
            dief("%s: a frame has no %s", path, name);
        frame_free(f);
    }
    if (k < 0)
        die(&e);
    if (w.frames == 0)
        dief("%s: no %s", path, name);
    in_close(in);
    return w;
}

static int64_t row_size(const Whole *w)
{
    int64_t n = 1;
    for (int i = 1; i < w->rank; i++)
        n *= w->shape[i];
    return n;
}

static bool same_bits(const Whole *a, const Whole *b)
{
    return a->type == b->type && a->data.n == b->data.n &&
           (a->data.n == 0 || memcmp(a->data.p, b->data.p, a->data.n) == 0);
}

int main(int argc, char **argv)
{
    msg_prog = "allclose";
    double bound;
    Err e = {0};
    if (argc != 5)
        die_usage("usage: allclose A B TENSOR[=TENSOR_OF_B] TOLERANCE");
    if (num_real(argv[4], 0, 1e30, &bound, &e) < 0)
        die_usage("%s", e.text);
    char *name = argv[3], *other = strchr(name, '=');
    if (other)
        *other++ = '\0';
    Whole a = read_whole(argv[1], name), b = read_whole(argv[2], other ? other : name);
    int64_t n = (int64_t)(a.data.n / dtype_size(a.type));
    int64_t m = (int64_t)(b.data.n / dtype_size(b.type));
    if (n != m || a.rank != b.rank || row_size(&a) != row_size(&b))
        dief("%s has %lld numbers, %lld a row, rank %d; %s %lld, %lld, %d", argv[1], (long long)n,
             (long long)row_size(&a), a.rank, argv[2], (long long)m, (long long)row_size(&b),
             b.rank);
    double worst = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs(dtype_get(a.type, a.data.p, i) - dtype_get(b.type, b.data.p, i));
        if (!(d <= worst)) { /* a NaN is the worst there is */
            worst = d;
            at = i;
            if (isnan(d))
                break;
        }
    }
    bool pass = worst <= bound && (bound > 0 || same_bits(&a, &b));
    printf("%s: %lld numbers, largest difference %.3g at row %lld\n", name, (long long)n, worst,
           n ? (long long)(at / row_size(&a)) : 0LL);
    free(a.data.p);
    free(b.data.p);
    return pass ? 0 : 1;
}
