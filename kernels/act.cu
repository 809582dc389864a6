/* act.cu - activations with their gate and the residual that `linear` adds after them. Of dense
 * views of one type a thread has EACH times 16 bytes, a block's width apart, which are all read
 * before the first is made; of others four elements or one. Moves rows * cols * (sizes of x, gate,
 * r and y); GELU is 16 instructions an element, of which two are special functions. */
#include "kernels/cuda_act.h"
#include "kernels/cuda_raw.h"

enum { THREADS = 256, EACH = 2 };

/* `units` of 16 bytes. */
template <Act ACT, KType T>
static __global__ void __launch_bounds__(THREADS)
    act_dense(const void *x, const void *gate, const void *r, void *y, uint32_t units)
{
    const int W = T == K_F32 ? 4 : 8;
    uint32_t first = blockIdx.x * (THREADS * EACH) + threadIdx.x;
    Raw<T, W> in[EACH], by[EACH], add[EACH];
#pragma unroll
    for (int n = 0; n < EACH; n++) {
        uint32_t at = first + n * THREADS;
        if (at >= units)
            continue;
        in[n] = raw_load<T, W>(x, at);
        if (gate)
            by[n] = raw_load<T, W>(gate, at);
        if (r)
            add[n] = raw_load<T, W>(r, at);
    }
#pragma unroll
    for (int n = 0; n < EACH; n++) {
        uint32_t at = first + n * THREADS;
        if (at >= units)
            continue;
        Wide<W> v = raw_widen(in[n]);
        for (int k = 0; k < W; k++)
            v.v[k] = cuda_activated(v.v[k], ACT);
        if (gate) {
            Wide<W> times = raw_widen(by[n]);
            for (int k = 0; k < W; k++)
                v.v[k] *= times.v[k];
        }
        if (r) {
            Wide<W> more = raw_widen(add[n]);
            for (int k = 0; k < W; k++)
                v.v[k] += more.v[k];
        }
        raw_store(y, at, raw_narrow<T, W>(v));
    }
}

/* A piece has less than 2^32 elements: 64 bits would be divided by many instructions. */
template <Act ACT, int W> static __global__ void act_add(View x, View gate, View r, View y)
{
    uint32_t each = (uint32_t)(y.cols / W), at = blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = (int64_t)(at % each) * W;
    if (i >= y.rows)
        return;
    Wide<W> v = cuda_load<W>(cuda_row(x, i), x.type, j);
    for (int k = 0; k < W; k++)
        v.v[k] = cuda_activated(v.v[k], ACT);
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

template <Act ACT, KType T> static bool start_dense(Cuda *c, View x, View gate, View r, View y)
{
    int64_t n = y.rows * y.cols, w = T == K_F32 ? 4 : 8;
    if (y.cols % w || !raw_takes(x, T) || !raw_takes(gate, T) || !raw_takes(r, T) ||
        !raw_takes(y, T))
        return false;
    LAUNCH(c, (act_dense<ACT, T>), cuda_blocks(n / w, THREADS * EACH), THREADS, 0, x.p, gate.p, r.p,
           y.p, (uint32_t)(n / w));
    return true;
}

template <Act ACT> static void start(Cuda *c, View x, View gate, View r, View y)
{
    int64_t n = y.rows * y.cols;
    if (start_dense<ACT, K_BF16>(c, x, gate, r, y) || start_dense<ACT, K_F32>(c, x, gate, r, y) ||
        start_dense<ACT, K_F16>(c, x, gate, r, y))
        return;
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
