/* act.cu - activations, four elements a thread, with their gate and the residual that `linear`
 * adds after them. Moves rows * cols * (sizes of x, gate, r and y). */
#include "kernels/cuda.h"

enum { THREADS = 256 };

/* Called with a constant, so that each activation has a kernel of its own. */
static __device__ inline float activated(float x, Act act)
{
    switch (act) {
    case ACT_NONE: return x;
    case ACT_GELU: return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case ACT_GELU_TANH:
        return 0.5f * x * (1.0f + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
    case ACT_RELU: return x < 0 ? 0 : x; /* NaN stays */
    case ACT_TANH: return tanhf(x);
    case ACT_SILU: return x / (1.0f + expf(-x));
    case ACT_COUNT: break;
    }
    return x;
}

template <Act ACT, int W> static __global__ void act_add(View x, View gate, View r, View y)
{
    int64_t each = y.cols / W, at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = at % each * W;
    if (i >= y.rows)
        return;
    Wide<W> v = cuda_load<W>(cuda_row(x, i), x.type, j);
    for (int k = 0; k < W; k++)
        v.v[k] = activated(v.v[k], ACT);
    if (gate.p) {
        Wide<W> by = cuda_load<W>(cuda_row(gate, i), gate.type, j);
        for (int k = 0; k < W; k++)
            v.v[k] *= by.v[k];
    }
    if (r.p) {
        Wide<W> add = cuda_load<W>(cuda_row(r, i), r.type, j);
        for (int k = 0; k < W; k++)
            v.v[k] += add.v[k];
    }
    cuda_store<W>(cuda_row(y, i), y.type, j, v);
}

template <Act ACT> static void start(Cuda *c, View x, View gate, View r, View y)
{
    int64_t n = y.rows * y.cols;
    if (cuda_by_four(x) && cuda_by_four(gate) && cuda_by_four(r) && cuda_by_four(y))
        LAUNCH(c, (act_add<ACT, 4>), cuda_blocks(n / 4, THREADS), THREADS, 0, x, gate, r, y);
    else
        LAUNCH(c, (act_add<ACT, 1>), cuda_blocks(n, THREADS), THREADS, 0, x, gate, r, y);
}

static void activate(Cuda *c, View x, View gate, View r, View y, Act act)
{
    if (y.rows == 0 || y.cols == 0)
        return;
    switch (act) {
    case ACT_NONE: start<ACT_NONE>(c, x, gate, r, y); break;
    case ACT_GELU: start<ACT_GELU>(c, x, gate, r, y); break;
    case ACT_GELU_TANH: start<ACT_GELU_TANH>(c, x, gate, r, y); break;
    case ACT_RELU: start<ACT_RELU>(c, x, gate, r, y); break;
    case ACT_TANH: start<ACT_TANH>(c, x, gate, r, y); break;
    case ACT_SILU: start<ACT_SILU>(c, x, gate, r, y); break;
    case ACT_COUNT: break;
    }
}

void cuda_activate(Cuda *c, View x, View r, View y, Act act)
{
    activate(c, x, View(), r, y, act);
}

void cuda_act(Piece *p, const Activate *a)
{
    activate(cuda_of(p->dev), a->x, a->gate, View(), a->y, a->act);
}
