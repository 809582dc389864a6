#include "kernels/vec.h"

/* 1 / (1 + e^-x) and 1 / (1 + e^x): their sum is 1, and neither is made by subtraction. */
VFN void sigmoids(vf x, vf *s, vf *rest)
{
    vf e = vexp(x);
    *rest = vset(1) / (vset(1) + e);
    *s = e * *rest;
}

/* d/dx x Phi(x) = Phi(x) + x phi(x). Phi by Abramowitz & Stegun 7.1.26 (error 1.5e-7), whose
 * exp(-z^2), z = |x| / sqrt 2, is phi's too. */
VFN vf gelu_slope(vf x)
{
    vf a = vmax(x, -x), e = vexp(x * x * vset(-0.5f));
    vf t = vset(1) / (vset(1) + vset(0.3275911f * 0.70710678f) * a);
    vf s = vset(1.061405429f);
    s = s * t + vset(-1.453152027f);
    s = s * t + vset(1.421413741f);
    s = s * t + vset(-0.284496736f);
    s = s * t + vset(0.254829592f);
    vf tail = vset(0.5f) * s * t * e; /* Phi(-|x|) */
    return vpick(vless(x, vset(0)), tail, vset(1) - tail) + x * e * vset(0.39894228f);
}

/* The function is x s(2u), s the sigmoid, u = sqrt(2/pi) (x + k x^3). */
VFN vf gelu_tanh_slope(vf x)
{
    const vf c = vset(2 * 0.79788456f), k = vset(0.044715f), one = vset(1);
    vf s, rest;
    sigmoids(c * (x + k * x * x * x), &s, &rest);
    return s + x * s * rest * c * (one + vset(3) * k * x * x);
}

VFN vf tanh_slope(vf x)
{
    vf s, rest;
    sigmoids(x + x, &s, &rest);
    return vset(4) * s * rest;
}

VFN vf silu_slope(vf x)
{
    vf s, rest;
    sigmoids(x, &s, &rest);
    return s + x * s * rest;
}

VFN vf slope(vf x, Act act)
{
    switch (act) {
    case ACT_NONE: return vset(1);
    case ACT_GELU: return gelu_slope(x);
    case ACT_GELU_TANH: return gelu_tanh_slope(x);
    case ACT_RELU: return vpick(vless(vset(0), x), vset(1), vset(0));
    case ACT_TANH: return tanh_slope(x);
    case ACT_SILU: return silu_slope(x);
    case ACT_COUNT: break;
    }
    return vset(0);
}

/* Called with a constant, so that each activation has a loop of its own. */
VFN void rows(const ActivateBwd *a, Act act)
{
    for (int64_t i = 0; i < a->dx.rows; i++) {
        const void *x = VROW(a->x, i), *dy = VROW(a->dy, i);
        const void *gate = a->gate.p ? VROW(a->gate, i) : NULL;
        void *dx = VROW(a->dx, i);
        for (int64_t c = 0; c < a->dx.cols; c += VN) {
            int64_t n = a->dx.cols - c;
            vf g = vget(dy, a->dy.type, c, n) * slope(vget(x, a->x.type, c, n), act);
            if (gate)
                g *= vget(gate, a->gate.type, c, n);
            vput(dx, a->dx.type, c, g, n);
        }
    }
}

void K(act_bwd)(Piece *p, const ActivateBwd *a)
{
    (void)p;
    switch (a->act) {
    case ACT_NONE: rows(a, ACT_NONE); break;
    case ACT_GELU: rows(a, ACT_GELU); break;
    case ACT_GELU_TANH: rows(a, ACT_GELU_TANH); break;
    case ACT_RELU: rows(a, ACT_RELU); break;
    case ACT_TANH: rows(a, ACT_TANH); break;
    case ACT_SILU: rows(a, ACT_SILU); break;
    case ACT_COUNT: break;
    }
}
