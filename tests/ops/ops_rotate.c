/* rotate, rotate_bwd: also in place, and in pieces. */
#include "tests/ops/ops.h"

STAGE(rotate)
STAGE(rotate_bwd)

enum { PLACES = 40 };

typedef struct Case {
    int64_t tokens;
    int heads, kv, size, turned;
    KType in, out;
    bool spread, normed;
} Case;

static double *turns_of(const Case *c, float *turns)
{
    for (int64_t i = 0; i < PLACES; i++)
        for (int k = 0; k < c->turned / 2; k++) {
            double angle = (double)i / pow(100, 2.0 * k / c->turned);
            turns[i * c->turned + k] = (float)cos(angle);
            turns[i * c->turned + c->turned / 2 + k] = (float)sin(angle);
        }
    double *wide = wants(PLACES * c->turned + 1);
    for (int64_t i = 0; i < PLACES * c->turned; i++)
        wide[i] = (double)turns[i];
    return wide;
}

/* Which head of x, or of dx, stands at a head of y, or of dy. */
static int head_at(const Case *c, int to, int times)
{
    return to < c->heads
               ? to
               : c->heads + (to - c->heads) / times; /* keys and values follow each other */
}

/* A head's columns x, turned; back: the other way. */
static void turn(const Case *c, const double *x, const double *t, bool back, double *y)
{
    int half = c->turned / 2;
    for (int i = 0; i < c->size; i++)
        y[i] = x[i];
    for (int i = 0; i < half; i++) {
        double s = back ? -t[half + i] : t[half + i];
        y[i] = x[i] * t[i] - x[half + i] * s;
        y[half + i] = x[half + i] * t[i] + x[i] * s;
    }
}

/* Column `head * size` and on of a token, through its norm. */
static double load(const Case *c, const Mat *x, int64_t t, int head, const Mat *gamma, double *to)
{
    double sum = 0, most = 1;
    for (int i = 0; i < c->size; i++) {
        to[i] = mat_at(x, t, (int64_t)head * c->size + i);
        sum += to[i] * to[i];
    }
    for (int i = 0; i < c->size; i++) {
        if (gamma)
            to[i] *= mat_at(gamma, 0, i) / sqrt(sum / c->size + 1e-6);
        most = fmax(most, fabs(to[i]));
    }
    return most;
}

static void forward(Case c)
{
    int times = c.spread ? c.heads / c.kv : 1, heads = c.heads + 2 * c.kv * times;
    int64_t cols = (int64_t)c.size * heads;
    begin("rotate", "%lld tokens, %d heads and %d of %d, %d turned, %s to %s%s%s",
          (long long)c.tokens, c.heads, c.kv, c.size, c.turned, type_name(c.in), type_name(c.out),
          c.spread ? ", spread" : "", c.normed ? ", normed" : "");
    Mat x = mat_in(c.in, c.tokens, (int64_t)c.size * (c.heads + 2 * c.kv), 3);
    Mat gamma[2] = {mat_in(K_F32, 1, c.size, 0), mat_in(K_F32, 1, c.size, 0)};
    Mat y = mat_out(c.out, c.tokens, cols, 1), same = mat_inout(c.in, c.tokens, x.v.cols, 0);
    float *turns = mem_array((size_t)(PLACES * c.turned) + 1, sizeof *turns);
    int32_t *place = mem_array((size_t)c.tokens + 1, sizeof *place);
    double *t = turns_of(&c, turns), *want = wants(c.tokens * cols), *size = wants(c.tokens * cols);
    double *head = wants(2 * c.size), *again = wants(c.tokens * cols);
    for (int64_t i = 0; i < c.tokens; i++) {
        place[i] = (int32_t)any(0, PLACES - 1);
        for (int h = 0; h < heads; h++) {
            int from = head_at(&c, h, times), kind = from < c.heads          ? 0
                                                     : from < c.heads + c.kv ? 1
                                                                             : 2;
            double most = load(&c, &x, i, from, c.normed && kind < 2 ? &gamma[kind] : NULL, head);
            if (kind < 2)
                turn(&c, head, t + (int64_t)place[i] * c.turned, false, head + c.size);
            for (int j = 0; j < c.size; j++) {
                want[i * cols + (int64_t)h * c.size + j] = head[j + (kind < 2 ? c.size : 0)];
                size[i * cols + (int64_t)h * c.size + j] = most;
            }
        }
    }
    Rotate a = {.x = x.v,
                .y = y.v,
                .heads = c.heads,
                .kv = c.kv,
                .size = c.size,
                .turned = c.turned,
                .turns = DEV_COPY(turns, PLACES * c.turned),
                .place = DEV_COPY(place, c.tokens),
                .eps = 1e-6f};
    if (c.normed) {
        a.query_gamma = gamma[0].v.p;
        a.key_gamma = gamma[1].v.p;
    }
    Bound bound = {1e-12, c.normed ? 4e-6 : 1e-6, 1};
    run(stage_rotate, &a);
    expect(&y, want, size, bound);
    if (!c.spread || c.heads == c.kv) { /* in place, of other numbers */
        for (int64_t i = 0; i < c.tokens; i++)
            for (int h = 0; h < c.heads + 2 * c.kv; h++) {
                int kind = h < c.heads ? 0 : h < c.heads + c.kv ? 1 : 2;
                double most =
                    load(&c, &same, i, h, c.normed && kind < 2 ? &gamma[kind] : NULL, head);
                if (kind < 2)
                    turn(&c, head, t + (int64_t)place[i] * c.turned, false, head + c.size);
                for (int j = 0; j < c.size; j++) {
                    again[i * cols + (int64_t)h * c.size + j] = head[j + (kind < 2 ? c.size : 0)];
                    size[i * cols + (int64_t)h * c.size + j] = most;
                }
            }
        a.x = a.y = same.v;
        run(stage_rotate, &a);
        expect(&same, again, size, bound);
    }
    free(turns);
    free(place);
    end();
}

static void back(Case c)
{
    int times = c.spread ? c.heads / c.kv : 1, heads = c.heads + 2 * c.kv * times;
    int64_t cols = (int64_t)c.size * (c.heads + 2 * c.kv);
    begin("rotate_bwd", "%lld tokens, %d heads and %d of %d, %d turned, %s to %s%s",
          (long long)c.tokens, c.heads, c.kv, c.size, c.turned, type_name(c.in), type_name(c.out),
          c.spread ? ", spread" : "");
    Mat dy = mat_in(c.in, c.tokens, (int64_t)c.size * heads, 1);
    Mat dx = mat_out(c.out, c.tokens, cols, 5);
    float *turns = mem_array((size_t)(PLACES * c.turned) + 1, sizeof *turns);
    int32_t *place = mem_array((size_t)c.tokens + 1, sizeof *place);
    double *t = turns_of(&c, turns), *want = wants(c.tokens * cols), *size = wants(c.tokens * cols);
    double *head = wants(2 * c.size);
    for (int64_t i = 0; i < c.tokens; i++) {
        place[i] = (int32_t)any(0, PLACES - 1);
        for (int h = 0; h < heads; h++) {
            int to = head_at(&c, h, times);
            double most = load(&c, &dy, i, h, NULL, head);
            if (to < c.heads + c.kv)
                turn(&c, head, t + (int64_t)place[i] * c.turned, true, head + c.size);
            for (int j = 0; j < c.size; j++) {
                want[i * cols + (int64_t)to * c.size + j] +=
                    head[j + (to < c.heads + c.kv ? c.size : 0)];
                size[i * cols + (int64_t)to * c.size + j] += most;
            }
        }
    }
    RotateBwd a = {.dy = dy.v,
                   .dx = dx.v,
                   .heads = c.heads,
                   .kv = c.kv,
                   .size = c.size,
                   .turned = c.turned,
                   .turns = DEV_COPY(turns, PLACES * c.turned),
                   .place = DEV_COPY(place, c.tokens)};
    run(stage_rotate_bwd, &a);
    expect(&dx, want, size, (Bound){1e-12, 1e-6, 1});
    free(turns);
    free(place);
    end();
}

void ops_rotate(void)
{
    static const Case cases[] = {
        {.tokens = 0, .heads = 2, .kv = 1, .size = 8, .turned = 8},
        {.tokens = 1, .heads = 1, .kv = 1, .size = 2, .turned = 2},
        {.tokens = 5, .heads = 4, .kv = 2, .size = 64, .turned = 64},
        {.tokens = 3, .heads = 6, .kv = 2, .size = 10, .turned = 4},
        {.tokens = 9, .heads = 4, .kv = 1, .size = 80, .turned = 80},
        {.tokens = 2, .heads = 3, .kv = 3, .size = 128, .turned = 32},
        {.tokens = 7, .heads = 8, .kv = 2, .size = 34, .turned = 34},
        {.tokens = 4, .heads = 2, .kv = 2, .size = 7, .turned = 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bits = 0; bits < 8; bits++) {
            Case c = cases[i];
            c.spread = bits & 1;
            c.normed = bits & 2;
            c.in = bits & 4 ? half() : K_F32;
            c.out = any(0, 1) ? c.in : K_F32;
            forward(c);
            back(c);
        }
}
