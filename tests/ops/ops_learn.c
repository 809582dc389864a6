#include "tests/ops/ops.h"

STAGE(sqnorm)
STAGE(clip)
STAGE(step)

/* sqnorm.h: in double, 1e-12. */
static void sqnorm(int64_t n)
{
    begin("sqnorm", "%lld", (long long)n);
    Mat x = mat_in(K_F32, 1, n, 0);
    double want = 0, got = NAN, *out = dev->alloc(dev, sizeof *out);
    for (int64_t i = 0; i < n; i++)
        want += mat_at(&x, 0, i) * mat_at(&x, 0, i);
    dev->put(dev, out, &got, sizeof got);
    run(stage_sqnorm, &(Sqnorm){.x = x.v.p, .n = n, .out = out});
    fetch(out, &got, sizeof got);
    if (!(fabs(got - want) <= 1e-12 * want))
        fail("%.17g, not %.17g", got, want);
    dev->free(dev, out);
    end();
}

/* clip.h: in double, the factor rounded to f32. */
static void clip(int64_t n, double most)
{
    begin("clip", "%lld, at most %g", (long long)n, most);
    double *square = mem_array((size_t)n, sizeof *square), sum = 0, norm = NAN;
    double *dev_norm = dev->alloc(dev, sizeof *dev_norm);
    Mat factor = mat_out(K_F32, 1, 1, 0);
    for (int64_t i = 0; i < n; i++) {
        square[i] = rand_normal(&rng);
        square[i] *= square[i];
        sum += square[i];
    }
    double want = most > 0 ? fmin(1, most / (sqrt(sum) + 1e-6)) : 1;
    run(stage_clip, &(Clip){.square = DEV_COPY(square, n),
                            .n = n,
                            .most = most,
                            .factor = factor.v.p,
                            .norm = dev_norm});
    expect(&factor, &want, NULL, (Bound){0, 1e-7, 0});
    fetch(dev_norm, &norm, sizeof norm);
    if (!(fabs(norm - sqrt(sum)) <= 1e-14 * norm))
        fail("norm %.17g, not %.17g", norm, sqrt(sum));
    dev->free(dev, dev_norm);
    free(square);
    end();
}

/* One parameter's step, as torch.optim's documentation has it. */
static double step_one(const Step *s, double clip, double p, double g, double *m, double *v)
{
    g *= clip;
    switch (s->kind) {
    case STEP_ADAMW: p -= s->lr * s->decay * p; break;
    case STEP_ADAM: g += s->decay * p; break;
    case STEP_SGD:
        g += s->decay * p;
        *m = s->t == 1 || s->momentum == 0 ? g : s->momentum * *m + g;
        return p - s->lr * *m;
    case STEP_KINDS: return NAN;
    }
    *m = s->beta1 * *m + (1 - s->beta1) * g;
    *v = s->beta2 * *v + (1 - s->beta2) * g * g;
    double m_hat = *m / (1 - pow(s->beta1, (double)s->t));
    double v_hat = *v / (1 - pow(s->beta2, (double)s->t));
    return p - s->lr * m_hat / (sqrt(v_hat) + s->eps);
}

/* step.h: 2e-6, from any state. */
static void step(StepKind kind, int64_t n, double decay, double momentum, int64_t t, bool clipped)
{
    begin("step", "%d of %lld, decay %g, momentum %g, step %lld%s", kind, (long long)n, decay,
          momentum, (long long)t, clipped ? " clipped" : "");
    bool uses_m = kind != STEP_SGD || momentum != 0, uses_v = kind != STEP_SGD;
    Mat p = mat_inout(K_F32, 1, n, 0), g = mat_in(K_F32, 1, n, 0);
    Mat m = uses_m ? mat_inout(K_F32, 1, n, 0) : (Mat){0};
    Mat v = uses_v ? mat_inout(K_F32, 1, n, 0) : (Mat){0};
    float clip = 0.3f;
    double *want = wants(n), *want_m = wants(n), *want_v = wants(n);
    Step a = {.kind = kind,
              .p = p.v.p,
              .m = m.v.p,
              .v = v.v.p,
              .g = g.v.p,
              .n = n,
              .lr = 0.01,
              .decay = decay,
              .beta1 = 0.9,
              .beta2 = 0.999,
              .eps = 1e-8,
              .momentum = momentum,
              .t = t,
              .clip = clipped ? DEV_COPY(&clip, 1) : NULL};
    for (int64_t i = 0; i < n && uses_v; i++)
        mat_set(&v, 0, i, fabs(mat_at(&v, 0, i)) + 0.1);
    for (int64_t i = 0; i < n; i++) {
        want_m[i] = uses_m ? mat_at(&m, 0, i) : 0;
        want_v[i] = uses_v ? mat_at(&v, 0, i) : 0;
        want[i] = step_one(&a, clipped ? (double)clip : 1, mat_at(&p, 0, i), mat_at(&g, 0, i),
                           &want_m[i], &want_v[i]);
    }
    run(stage_step, &a);
    expect(&p, want, NULL, (Bound){1e-12, 2e-6, 0});
    if (uses_m)
        expect(&m, want_m, NULL, (Bound){1e-12, 2e-6, 0});
    if (uses_v)
        expect(&v, want_v, NULL, (Bound){1e-12, 2e-6, 0});
    end();
}

/* Five steps from nothing, clipped and not by turns. */
static void steps(StepKind kind, double decay, double momentum)
{
    enum { N = 37 };
    begin("step", "five of %d, decay %g, momentum %g", kind, decay, momentum);
    Mat p = mat_inout(K_F32, 1, N, 0), m = mat_inout(K_F32, 1, N, 0);
    Mat v = mat_inout(K_F32, 1, N, 0);
    double *want = wants(N), want_m[N] = {0}, want_v[N] = {0};
    float clip = 0.5f, *dev_clip = DEV_COPY(&clip, 1);
    bool uses_m = kind != STEP_SGD || momentum != 0;
    mat_scale(&m, 0);
    mat_scale(&v, 0);
    for (int i = 0; i < N; i++)
        want[i] = mat_at(&p, 0, i);
    for (int t = 1; t <= 5; t++) {
        Mat g = mat_in(K_F32, 1, N, 0);
        Step a = {.kind = kind,
                  .p = p.v.p,
                  .m = uses_m ? m.v.p : NULL,
                  .v = kind == STEP_SGD ? NULL : v.v.p,
                  .g = g.v.p,
                  .n = N,
                  .lr = 0.01,
                  .decay = decay,
                  .beta1 = 0.9,
                  .beta2 = 0.999,
                  .eps = 1e-8,
                  .momentum = momentum,
                  .t = t,
                  .clip = t % 2 ? dev_clip : NULL};
        run(stage_step, &a);
        for (int i = 0; i < N; i++)
            want[i] = step_one(&a, t % 2 ? (double)clip : 1, want[i], mat_at(&g, 0, i), &want_m[i],
                               &want_v[i]);
    }
    expect(&p, want, NULL, (Bound){1e-12, 2e-6, 0});
    end();
}

void ops_learn(void)
{
    for (int64_t n = 0; n < 30000; n = 3 * n + 1)
        sqnorm(n);
    for (int64_t n = 0; n < 1000; n = 5 * n + 1)
        for (int bits = 0; bits < 3; bits++)
            clip(n, bits == 0 ? 0 : bits == 1 ? 0.25 : 100);
    for (int64_t n = 0; n < 2000; n = 11 * n + 5)
        for (int bits = 0; bits < 8; bits++) {
            double decay = bits & 1 ? 0.1 : 0;
            int64_t t = bits & 2 ? 1 : 7;
            for (StepKind kind = 0; kind < STEP_KINDS; kind++)
                step(kind, n, decay, 0, t, bits & 4);
            step(STEP_SGD, n, decay, 0.9, t, bits & 4);
        }
    for (int bits = 0; bits < 4; bits++)
        for (StepKind kind = 0; kind < STEP_KINDS; kind++)
            if (kind == STEP_SGD || bits < 2)
                steps(kind, bits & 1 ? 0.1 : 0, bits & 2 ? 0.9 : 0);
}
