/* linear_dx.cu - dx' (+)= W' dy' by one product of cuBLAS: 2 m n k flops. */
#include "kernels/cuda.h"

void cuda_linear_dx(Piece *p, const LinearDx *a)
{
    const Weight *w = a->w;
    CudaProduct m = {};
    m.a = {w->w, w->type, w->k, w->n, w->stride, false};
    m.b = {a->dy.p, a->dy.type, a->dy.cols, a->dy.rows, a->dy.stride, false};
    m.d = {a->dx.p, a->dx.type, a->dx.cols, a->dx.rows, a->dx.stride, false};
    m.c = a->add ? a->dx.p : NULL;
    m.c_stride = a->dx.stride;
    m.any_cols = true;
    cuda_product(cuda_of(p->dev), &m);
}
