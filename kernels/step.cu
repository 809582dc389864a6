/* step.cu - an element a thread. Adam reads p, m, v and g and writes p, m and v: 28 n bytes. The
 * order of operations is that of torch.optim's single-tensor functions. */
#include "kernels/cuda.h"

enum { THREADS = 256 };

typedef struct Adam {
    float keep, decay, w1, b2, w2, root2, eps, size;
} Adam;

static __global__ void adam(Step a, Adam k)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.n)
        return;
    float p = a.p[i], m = a.m[i], v = a.v[i];
    float g = a.g[i] * (a.clip ? *a.clip : 1) + k.decay * p;
    p = p * k.keep;
    m = m + k.w1 * (g - m);
    v = k.b2 * v + k.w2 * g * g;
    a.p[i] = p - k.size * (m / (sqrtf(v) / k.root2 + k.eps));
    a.m[i] = m;
    a.v[i] = v;
}

static __global__ void sgd(Step a, float lr, float decay, float momentum)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.n)
        return;
    float p = a.p[i], g = a.g[i] * (a.clip ? *a.clip : 1) + decay * p;
    if (momentum != 0) {
        if (a.t > 1)
            g = momentum * a.m[i] + g;
        a.m[i] = g;
    }
    a.p[i] = p - lr * g;
}

/* `apart`: decay is of the parameter, not of the gradient. */
static Adam adam_of(const Step *a, bool apart)
{
    double bias1 = 1 - pow(a->beta1, (double)a->t), bias2 = 1 - pow(a->beta2, (double)a->t);
    Adam k = {};
    k.keep = apart ? (float)(1 - a->lr * a->decay) : 1;
    k.decay = apart ? 0 : (float)a->decay;
    k.w1 = (float)(1 - a->beta1);
    k.b2 = (float)a->beta2;
    k.w2 = (float)(1 - a->beta2);
    k.root2 = (float)sqrt(bias2);
    k.eps = (float)a->eps;
    k.size = (float)(a->lr / bias1);
    return k;
}

void cuda_step(Piece *p, const Step *a)
{
    Cuda *c = cuda_of(p->dev);
    unsigned blocks = cuda_blocks(a->n, THREADS);
    if (blocks == 0)
        return;
    switch (a->kind) {
    case STEP_ADAMW: LAUNCH(c, adam, blocks, THREADS, 0, *a, adam_of(a, true)); break;
    case STEP_ADAM: LAUNCH(c, adam, blocks, THREADS, 0, *a, adam_of(a, false)); break;
    case STEP_SGD:
        LAUNCH(c, sgd, blocks, THREADS, 0, *a, (float)a->lr, (float)a->decay, (float)a->momentum);
        break;
    case STEP_KINDS: break;
    }
}
