/* attend.c - the exercise: attention within each row of a batch. kernels/attend.h has the formula
 * and says what the arguments are. Three functions are to be written; the rest, which calls them,
 * also does what the others need: biases by distance, dropout, and the weights for looking at. make
 * -C examples/from-scratch check says when it is right. kernels/attend.c is one answer, which is
 * fast, too. */
#include "kernels/drop.h"
#include "kernels/vec.h"

#include <math.h>

/* Yours, 1: s[j] = scale * (q . k[j]) for the keys j < seen. q: [size], k: [seen, size], row after
 * row. */
static void scores(const float *q, const float *k, int64_t seen, int64_t size, float scale,
                   float *s)
{
    (void)q, (void)k, (void)size, (void)scale;
    for (int64_t j = 0; j < seen; j++)
        s[j] = 0;
}

/* Yours, 2: the softmax of s[0, seen) in its place; returns the logarithm of the sum of the scores'
 * exponentials. exp(100) is no f32: mind large scores. */
static float softmax(float *s, int64_t seen)
{
    for (int64_t j = 0; j < seen; j++)
        s[j] = 1;
    return 0;
}

/* Yours, 3: y[c] = sum over j of w[j] v[j][c]. v: [seen, size]. */
static void mix(const float *w, const float *v, int64_t seen, int64_t size, float *y)
{
    (void)w, (void)v, (void)seen;
    for (int64_t c = 0; c < size; c++)
        y[c] = 0;
}

/* ---- what calls them ---- */

/* A view of any type as f32, and back. */
static void read_all(View v, int64_t rows, int64_t size, float *to)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < size; c += VN)
            vstore_n(to + i * size + c, vget(VROW(v, i), v.type, c, size - c),
                     size - c < VN ? size - c : VN);
}

static void write_row(View v, int64_t i, const float *from, int64_t size)
{
    for (int64_t c = 0; c < size; c += VN)
        vput(VROW(v, i), v.type, c, vload_n(from + c, size - c < VN ? size - c : VN), size - c);
}

static void add_bias(const Attend *a, int64_t head, int64_t i, int64_t seen, float *s)
{
    const float *bias = a->bias + head * (2 * a->reach + 1) + a->reach;
    for (int64_t j = 0; j < seen; j++) {
        int64_t far = j - i;
        s[j] += bias[far < -a->reach ? -a->reach : far > a->reach ? a->reach : far];
    }
}

/* w has room for whole vectors. */
static void drop(const Attend *a, int64_t head, int64_t token, int64_t seen, float *w)
{
    uint64_t row = (uint64_t)a->numbers[token];
    Dropper d = drop_begin(a->drop, a->seed, a->site + (uint32_t)head, row);
    for (int64_t j = 0; j < seen; j += VN)
        vstore(w + j, drop_kept(&d, vload(w + j), j) * vset(1 / (1 - a->drop)));
}

static int64_t whole(int64_t n)
{
    return (n + VN - 1) / VN * VN;
}

/* One head of one row of len tokens; token `from` is its first. */
static void one_head(Piece *p, const Attend *a, int64_t row, int64_t head)
{
    const Batch *b = a->batch;
    int64_t from = b->starts[row], len = b->starts[row + 1] - from, size = a->size;
    float *probs = a->probs ? a->probs + a->probs_at[row] + head * len * len : NULL;
    float *q = p->dev->temp(p, (size_t)(3 * len * size + whole(len) + size) * sizeof *q);
    float *k = q + len * size, *v = k + len * size, *w = v + len * size, *y = w + whole(len);
    View part[] = {a->q, a->k, a->v, a->y};
    for (int i = 0; i < 4; i++) {
        part[i] = view_cols(view_rows(part[i], from, from + len), head * size, (head + 1) * size);
        if (i < 3)
            read_all(part[i], len, size, q + i * len * size);
    }
    for (int64_t i = 0; i < len; i++) {
        int64_t seen = a->causal ? i + 1 : len;
        scores(q + i * size, k, seen, size, a->scale, w);
        if (a->bias)
            add_bias(a, head, i, seen, w);
        float lse = softmax(w, seen);
        for (int64_t j = seen; j < whole(len); j++)
            w[j] = 0;
        for (int64_t j = 0; probs && j < len; j++)
            probs[i * len + j] = w[j];
        if (a->lse)
            a->lse[(from + i) * b->heads + head] = lse;
        if (a->drop > 0)
            drop(a, head, from + i, seen, w);
        mix(w, v, seen, size, y);
        write_row(part[3], i, y, size);
    }
}

void K(attend)(Piece *p, const Attend *a)
{
    for (int64_t at = p->lo; at < p->hi; at++)
        one_head(p, a, at / a->batch->heads, at % a->batch->heads);
}
