#include "kernels/vec.h"

#include <math.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

VFN vf vsqrt(vf v)
{
    float a[VN];
    vstore(a, v);
#if defined __AVX512F__
    _mm512_storeu_ps(a, _mm512_sqrt_ps(_mm512_loadu_ps(a)));
#elif defined __AVX__
    for (int i = 0; i < VN; i += 8)
        _mm256_storeu_ps(a + i, _mm256_sqrt_ps(_mm256_loadu_ps(a + i)));
#elif defined __SSE2__
    for (int i = 0; i < VN; i += 4)
        _mm_storeu_ps(a + i, _mm_sqrt_ps(_mm_loadu_ps(a + i)));
#else
    for (int i = 0; i < VN; i++)
        a[i] = sqrtf(a[i]);
#endif
    return vload(a);
}

VFN vf at(const float *p, int64_t i, int64_t n)
{
    return vget(p + i, K_F32, 0, n);
}

/* `apart`: decay is of the parameter, not of the gradient. The order of operations is that of
 * torch.optim's single-tensor functions. */
static void adam(const Step *a, float clip, bool apart)
{
    double bias1 = 1 - pow(a->beta1, (double)a->t), bias2 = 1 - pow(a->beta2, (double)a->t);
    const vf keep = vset(apart ? (float)(1 - a->lr * a->decay) : 1), scale = vset(clip);
    const vf decay = vset(apart ? 0 : (float)a->decay), w1 = vset((float)(1 - a->beta1));
    const vf b2 = vset((float)a->beta2), w2 = vset((float)(1 - a->beta2));
    const vf root2 = vset((float)sqrt(bias2)), eps = vset((float)a->eps);
    const vf size = vset((float)(a->lr / bias1));

    for (int64_t i = 0; i < a->n; i += VN) {
        int64_t n = a->n - i;
        vf p = at(a->p, i, n), m = at(a->m, i, n), v = at(a->v, i, n);
        vf g = at(a->g, i, n) * scale + decay * p;
        p = p * keep;
        m = m + w1 * (g - m);
        v = b2 * v + w2 * g * g;
        p = p - size * (m / (vsqrt(v) / root2 + eps));
        vput(a->p + i, K_F32, 0, p, n);
        vput(a->m + i, K_F32, 0, m, n);
        vput(a->v + i, K_F32, 0, v, n);
    }
}

static void sgd(const Step *a, float clip)
{
    const vf scale = vset(clip), decay = vset((float)a->decay), lr = vset((float)a->lr);
    const vf momentum = vset((float)a->momentum);

    for (int64_t i = 0; i < a->n; i += VN) {
        int64_t n = a->n - i;
        vf p = at(a->p, i, n), g = at(a->g, i, n) * scale + decay * p;
        if (a->momentum != 0) {
            if (a->t > 1)
                g = momentum * at(a->m, i, n) + g;
            vput(a->m + i, K_F32, 0, g, n);
        }
        vput(a->p + i, K_F32, 0, p - lr * g, n);
    }
}

void K(step)(Piece *p, const Step *a)
{
    (void)p;
    float clip = a->clip ? *a->clip : 1;
    switch (a->kind) {
    case STEP_ADAMW: adam(a, clip, true); break;
    case STEP_ADAM: adam(a, clip, false); break;
    case STEP_SGD: sgd(a, clip); break;
    case STEP_KINDS: break;
    }
}
