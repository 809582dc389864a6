/* clip.cu - one thread: some hundred numbers, so the time is the launch. */
#include "kernels/cuda.h"

static __global__ void clip_factor(Clip a)
{
    double sum = 0;
    for (int64_t i = 0; i < a.n; i++)
        sum += a.square[i];
    double norm = sqrt(sum), factor = a.most / (norm + 1e-6);
    a.norm[0] = norm;
    a.factor[0] = a.most > 0 && factor < 1 ? (float)factor : 1.0f;
}

void cuda_clip(Piece *p, const Clip *a)
{
    LAUNCH(cuda_of(p->dev), clip_factor, 1, 1, 0, *a);
}
