/* linear_dw.cu - dW' (+)= x' dy by one product of cuBLAS over all tokens, 2 m n k flops; the bias
 * by column sums (colsum.cu). */
#include "kernels/cuda.h"

void cuda_linear_dw(Piece *p, const LinearDw *a)
{
    int64_t tokens = a->x.rows, n = a->hi - a->lo;
    if (n <= 0)
        return;
    View dy = view_cols(a->dy, a->lo, a->hi), dw = view_rows(a->dw, a->lo, a->hi);
    CudaProduct m = {};
    m.a = {a->x.p, a->x.type, a->x.cols, tokens, a->x.stride, false};
    m.b = {dy.p, dy.type, n, tokens, dy.stride, true};
    m.d = {dw.p, K_F32, dw.cols, n, dw.stride, false};
    m.c = a->add ? dw.p : NULL;
    m.c_stride = dw.stride;
    m.any_inner = true;
    if (tokens > 0)
        cuda_product(cuda_of(p->dev), &m);
    for (int64_t j = 0; tokens == 0 && !a->add && j < n; j++)
        cuda_fill(p->dev, cuda_row(dw, j), 0, (size_t)dw.cols * sizeof(float));
    Colsum b = {a->dy, a->db, a->lo, a->hi, a->add};
    if (a->db)
        cuda_colsum(p, &b);
}
