/* linear_dx.cu - dx' = W' dy' (+ r') by one product of cuBLAS: 2 m n k flops. */
#include "kernels/cuda.h"

void cuda_linear_dx(Piece *p, const LinearDx *a)
{
    const Weight *w = a->w;
    View dy = cuda_as_type(p, a->dy, w->type);
    CudaProduct m = {};
    if (w->by_input)
        m.a = {w->w, w->type, w->n, w->k, w->stride, true};
    else
        m.a = {w->w, w->type, w->k, w->n, w->stride, false};
    m.b = {dy.p, dy.type, dy.cols, dy.rows, dy.stride, false};
    m.d = {a->dx.p, a->dx.type, a->dx.cols, a->dx.rows, a->dx.stride, false};
    m.c = a->r.p;
    m.c_stride = a->r.stride;
    m.any_cols = true;
    cuda_product(cuda_of(p->dev), &m);
}
