#include "kernels/vec.h"

#include <math.h>

/* Puts x where it belongs among the k, the last of which it is better than. */
static void insert(float *value, int32_t *index, int k, float x, int32_t column)
{
    int at = k - 1;
    for (; at > 0 && (x > value[at - 1] || (x == value[at - 1] && column < index[at - 1])); at--) {
        value[at] = value[at - 1];
        index[at] = index[at - 1];
    }
    value[at] = x;
    index[at] = column;
}

static inline bool better(float x, int32_t column, float than, int32_t than_column)
{
    return x > than || (x == than && (than_column < 0 || column < than_column));
}

static void row_topk(const float *x, int64_t n, int32_t col0, int k, float *value, int32_t *index)
{
    for (int64_t j = 0; j < n; j += VN) {
        int64_t count = n - j < VN ? n - j : VN;
        vf v = count == VN ? vload(x + j) : vload_n(x + j, count);
        /* Most sixteens hold nothing that is good enough. */
        vi hit = v >= vset(value[k - 1]);
        vf any = vpick(hit, vset(1), vset(0));
        if (vtop(any) == 0)
            continue;
        for (int64_t c = j; c < j + count; c++)
            if (better(x[c], col0 + (int32_t)c, value[k - 1], index[k - 1]))
                insert(value, index, k, x[c], col0 + (int32_t)c);
    }
}

void K(topk)(Piece *p, const Topk *a)
{
    (void)p;
    for (int64_t i = 0; i < a->x.rows; i++) {
        float *value = a->value + i * a->k;
        int32_t *index = a->index + i * a->k;
        for (int c = 0; a->begin && c < a->k; c++) {
            value[c] = -INFINITY;
            index[c] = -1;
        }
        row_topk((const float *)VROW(a->x, i), a->x.cols, (int32_t)a->col0, a->k, value, index);
    }
}
