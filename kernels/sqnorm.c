#include "kernels/vec.h"

enum { BLOCK = 4096 };
typedef double vd __attribute__((vector_size(VN * sizeof(double))));

/* Sixteen running sums, then those in order. */
static double squares(const float *x, int64_t n)
{
    vd sum = {0};
    for (int64_t i = 0; i < n; i += VN) {
        vf v = n - i >= VN ? vload(x + i) : vload_n(x + i, n - i);
        vd d = __builtin_convertvector(v, vd);
        sum += d * d;
    }
    double total = 0;
    for (int i = 0; i < VN; i++)
        total += sum[i];
    return total;
}

void K(sqnorm)(Piece *p, const Sqnorm *a)
{
    (void)p;
    double total = 0;
    for (int64_t i = 0; i < a->n; i += BLOCK)
        total += squares(a->x + i, a->n - i < BLOCK ? a->n - i : BLOCK);
    a->out[0] = total;
}
