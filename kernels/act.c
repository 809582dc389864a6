#include "kernels/vec.h"

/* Phi(x) - 1/2 = x P(x^2) / Q(x^2) on [-5.5, 5.5], beyond which f32 knows only 0 and 1. Fitted
 * by iterated weighted least squares to the double-precision erf; error of x Phi(x) 6e-8. */
VFN vf phi(vf x)
{
    const vf end = vset(5.5f);
    vf c = vmin(vmax(x, -end), end), z = c * c;
    vf p = vset(1.1078476904246938e-10f);
    p = p * z + vset(-2.2868734508001948e-08f);
    p = p * z + vset(3.5882779895190695e-06f);
    p = p * z + vset(1.9755163096165e-4f);
    p = p * z + vset(4.67575244343608e-3f);
    p = p * z + vset(3.842523183573972e-2f);
    p = p * z + vset(0.3989419334377824f);
    vf q = vset(7.187187480136789e-05f);
    q = q * z + vset(1.983488600187265e-3f);
    q = q * z + vset(3.0558608301864326e-2f);
    q = q * z + vset(0.26297943778218874f);
    q = q * z + vset(1.0f);
    return vset(0.5f) + c * (p / q);
}

VFN vf tanh_of(vf x)
{
    const vf end = vset(9.01f); /* beyond it tanh is +-1 in f32 */
    vf e = vexp(vset(2.0f) * vmin(vmax(x, -end), end));
    vf t = (e - vset(1.0f)) / (e + vset(1.0f));
    /* Near 0 that loses digits; x - x^3/3 does not. */
    vf small = x - x * x * x * vset(1.0f / 3);
    vi near = vless(x, vset(0.02f)) & vless(vset(-0.02f), x);
    return vpick(near, small, t);
}

VFN vf activate(vf x, Act act)
{
    switch (act) {
    case ACT_NONE: return x;
    case ACT_GELU: return x * phi(x);
    case ACT_GELU_TANH: {
        vf u = vset(0.7978845608f) * (x + vset(0.044715f) * x * x * x);
        return vset(0.5f) * x * (vset(1.0f) + tanh_of(u));
    }
    case ACT_RELU: return vpick(vless(x, vset(0.0f)), vset(0.0f), x); /* NaN stays */
    case ACT_TANH: return vpick(x == x, tanh_of(x), x);
    case ACT_SILU: return x / (vset(1.0f) + vexp(-vmin(vmax(x, vset(-87.0f)), vset(87.0f))));
    case ACT_COUNT: break;
    }
    return x;
}

/* One loop an activation and type, so that neither is asked for inside it. */
#define LOOP(kind)                                                                                 \
    case kind:                                                                                     \
        for (int64_t i = 0; i < a->x.rows; i++) {                                                  \
            const void *x = VROW(a->x, i);                                                         \
            void *y = VROW(a->y, i);                                                               \
            int64_t n = a->x.cols, j = 0;                                                          \
            if (a->x.type == K_F32 && a->y.type == K_F32)                                          \
                for (; j + VN <= n; j += VN)                                                       \
                    vstore((float *)y + j, activate(vload((const float *)x + j), kind));           \
            for (; j < n; j += VN)                                                                 \
                vput(y, a->y.type, j, activate(vget(x, a->x.type, j, n - j), kind), n - j);        \
        }                                                                                          \
        break;

#define GATED(kind)                                                                                \
    case kind:                                                                                     \
        for (int64_t i = 0; i < a->x.rows; i++) {                                                  \
            const void *x = VROW(a->x, i), *gate = VROW(a->gate, i);                               \
            void *y = VROW(a->y, i);                                                               \
            for (int64_t n = a->x.cols, j = 0; j < n; j += VN) {                                   \
                vf v = activate(vget(x, a->x.type, j, n - j), kind);                               \
                vput(y, a->y.type, j, v *vget(gate, a->gate.type, j, n - j), n - j);               \
            }                                                                                      \
        }                                                                                          \
        break;

#define ALL(LOOP)                                                                                  \
    switch (a->act) {                                                                              \
        LOOP(ACT_NONE)                                                                             \
        LOOP(ACT_GELU)                                                                             \
        LOOP(ACT_GELU_TANH)                                                                        \
        LOOP(ACT_RELU)                                                                             \
        LOOP(ACT_TANH)                                                                             \
        LOOP(ACT_SILU)                                                                             \
    case ACT_COUNT: break;                                                                         \
    }

void K(act)(Piece *p, const Activate *a)
{
    (void)p;
    if (a->gate.p)
        ALL(GATED)
    else
        ALL(LOOP)
}
