#include "tests/ops/ops_attend.h"

STAGE(attend)
STAGE(attend_bwd)

enum { DQ, DK, DV, SIDES };

/* Gradients of q, k, v [tokens, heads * size] and of the bias [rows, heads, span], and how large
 * the terms are that add up to them: what is rounded on the way is rounded in proportion. */
typedef struct Want {
    double *d[SIDES], *size[SIDES], *bias, *bias_size;
} Want;

/* One query and one key of a head. */
typedef struct Term {
    int64_t query, key; /* tokens */
    double pm, ds, size /* of what makes ds */;
} Term;

static void add_term(const Case *c, Side q, Side k, Side dy, int64_t head, const Term *t, Want *w)
{
    int64_t wide = c->heads * c->size;
    double scale = 1 / sqrt(c->size);
    for (int s = 0; s < c->size; s++) {
        int64_t i = t->query * wide + head * c->size + s, j = t->key * wide + head * c->size + s;
        double qs = side_at(q, c, t->query, head, s), ks = side_at(k, c, t->key, head, s);
        double ys = side_at(dy, c, t->query, head, s);
        w->d[DQ][i] += scale * t->ds * ks;
        w->size[DQ][i] += scale * t->size * fabs(ks);
        w->d[DK][j] += scale * t->ds * qs;
        w->size[DK][j] += scale * t->size * fabs(qs);
        w->d[DV][j] += t->pm * ys;
        w->size[DV][j] += t->pm * fabs(ys);
    }
}

/* attend.h's formulas, of a head of a row, and y with them. */
static void head(const Case *c, Side q, Side k, Side v, Side dy, int64_t row, int64_t head, Want *w,
                 double *y, double *lse)
{
    int64_t from = c->starts[row], len = c->len[row], wide = c->heads * c->size;
    int64_t span = 2 * c->reach + 1, at = (row * c->heads + head) * span;
    double *p = mem_array((size_t)(4 * len * len + len), sizeof *p), *m = p + len * len;
    double *dp = m + len * len, *dp_size = dp + len * len, *row_lse = dp_size + len * len;
    attend_weights(c, q, k, row, head, p, m, row_lse);
    for (int64_t i = 0; i < len; i++) {
        double total = 0, total_size = 0;
        lse[(from + i) * c->heads + head] = row_lse[i];
        for (int64_t j = 0; j < len; j++) {
            int64_t e = i * len + j;
            dp[e] = dp_size[e] = 0;
            for (int s = 0; s < c->size; s++) {
                double vs = side_at(v, c, from + j, head, s), d = side_at(dy, c, from + i, head, s);
                dp[e] += d * vs;
                dp_size[e] += fabs(d * vs);
                y[(from + i) * wide + head * c->size + s] += p[e] * m[e] * vs;
            }
            total += p[e] * m[e] * dp[e];
            total_size += p[e] * m[e] * dp_size[e];
        }
        for (int64_t j = 0; j < (c->causal ? i + 1 : len); j++) {
            int64_t e = i * len + j, far = j - i;
            Term t = {from + i, from + j, p[e] * m[e], p[e] * (m[e] * dp[e] - total),
                      p[e] * (m[e] * dp_size[e] + total_size)};
            add_term(c, q, k, dy, head, &t, w);
            far = far < -c->reach ? -c->reach : far > c->reach ? c->reach : far;
            w->bias[at + c->reach + far] += t.ds;
            w->bias_size[at + c->reach + far] += t.size;
        }
    }
    free(p);
}

/* attend.h: f32 within 2e-5 max(1, |d|); with 16 bits y, the weights and ds are rounded, and the
 * results. */
static Bound bound(const Case *c)
{
    return c->in == K_F32 ? (Bound){1e-11, 2e-5, 0} : (Bound){1e-11, 2e-5, 2};
}

typedef struct Matrices {
    Mat q, k, v, y, dy, lse, d[SIDES], dbias;
    Side side[3];
    AttendBwd args;
} Matrices;

/* Of one matrix, or each of its own and of odd places; in place, the gradients lie over them. */
static void lay(const Case *c, Matrices *m)
{
    int64_t wide = c->heads * c->size, cols = c->apart ? wide : 3 * wide;
    Mat (*make)(KType, int64_t, int64_t, int64_t) = c->in_place ? mat_inout : mat_in;
    View *to[] = {&m->args.of.q, &m->args.of.k, &m->args.of.v};
    View *back[] = {&m->args.dq, &m->args.dk, &m->args.dv};
    m->q = make(c->in, c->tokens, cols, c->apart ? 3 : 0);
    m->k = c->apart ? make(c->in, c->tokens, wide, 1) : m->q;
    m->v = c->apart ? make(c->in, c->tokens, wide, 5) : m->q;
    Mat *from[] = {&m->q, &m->k, &m->v};
    for (int i = 0; i < SIDES; i++) {
        int64_t col = c->apart ? 0 : i * wide;
        m->side[i] = (Side){from[i], col};
        *to[i] = view_cols(from[i]->v, col, col + wide);
        m->d[i] = *from[i];
        if (!c->in_place)
            m->d[i] = c->apart || i == 0 ? mat_out(c->in, c->tokens, cols, c->apart ? 2 * i : 0)
                                         : m->d[0];
        *back[i] = view_cols(m->d[i].v, col, col + wide);
    }
}

/* The gradients as one matrix, where they lie in one; else each. */
static void expect_all(const Case *c, Matrices *m, const Want *w)
{
    int64_t wide = c->heads * c->size;
    if (c->apart) {
        for (int i = 0; i < SIDES; i++)
            expect(&m->d[i], w->d[i], w->size[i], bound(c));
        return;
    }
    double *want = wants(3 * c->tokens * wide), *size = wants(3 * c->tokens * wide);
    for (int64_t t = 0; t < c->tokens; t++)
        for (int64_t j = 0; j < 3 * wide; j++) {
            want[t * 3 * wide + j] = w->d[j / wide][t * wide + j % wide];
            size[t * 3 * wide + j] = w->size[j / wide][t * wide + j % wide];
        }
    expect(&m->d[0], want, size, bound(c));
}

/* Twins of all that comes out, and of what is overwritten. */
static Matrices twins(const Case *c, const Matrices *m)
{
    Matrices t = *m;
    View *to[] = {&t.args.of.q, &t.args.of.k, &t.args.of.v};
    View *back[] = {&t.args.dq, &t.args.dk, &t.args.dv};
    int64_t wide = c->heads * c->size;
    for (int i = 0; i < SIDES; i++) {
        int64_t col = c->apart ? 0 : i * wide;
        t.d[i] = c->apart || i == 0 ? mat_twin(&m->d[i]) : t.d[0];
        *back[i] = view_cols(t.d[i].v, col, col + wide);
        if (c->in_place)
            *to[i] = *back[i];
    }
    t.dbias = mat_twin(&m->dbias);
    t.args.dbias = m->args.dbias ? t.dbias.v.p : NULL;
    return t;
}

static void expect_twins(const Case *c, const Matrices *a, const Matrices *b)
{
    for (int i = 0; i < (c->apart ? SIDES : 1); i++)
        expect_same(&a->d[i], &b->d[i]);
    expect_same(&a->dbias, &b->dbias);
}

/* Row by row. */
static void run_alone(const Case *c, const Matrices *m)
{
    int64_t span = 2 * c->reach + 1;
    for (int64_t i = 0; i < c->rows; i++) {
        Batch one;
        AttendBwd a = m->args;
        View *view[] = {&a.dy, &a.dq, &a.dk, &a.dv};
        a.of = attend_alone(c, a.of, i, &one);
        for (int k = 0; k < 4; k++)
            *view[k] = view_rows(*view[k], c->starts[i], c->starts[i + 1]);
        a.dbias = a.dbias ? a.dbias + i * c->heads * span : NULL;
        run_each(EACH_SEQS, &one, stage_attend_bwd, &a);
    }
}

static void fill(const Case *c, Matrices *m, Want *w)
{
    int64_t wide = c->heads * c->size, n = c->tokens * wide;
    int64_t biases = c->rows * c->heads * (2 * c->reach + 1);
    double *y = wants(n), *lse = wants(c->tokens * c->heads);
    for (int i = 0; i < SIDES; i++) {
        w->d[i] = wants(n);
        w->size[i] = wants(n);
    }
    w->bias = wants(biases);
    w->bias_size = wants(biases);
    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t h = 0; h < c->heads; h++)
            head(c, m->side[0], m->side[1], m->side[2], (Side){&m->dy, 0}, i, h, w, y, lse);
    mat_fill(&m->y, y);
    mat_fill(&m->lse, lse);
    /* In f32 nothing is rounded in proportion to what small terms are made of. */
    for (int k = 0; k < SIDES; k++)
        for (int64_t i = 0; i < n && c->in == K_F32; i++)
            w->size[k][i] = fmax(1, fabs(w->d[k][i]));
    for (int64_t i = 0; i < biases; i++)
        w->bias_size[i] = c->in == K_F32 ? fmax(1, fabs(w->bias[i])) : fmax(1, w->bias_size[i]);
}

static void back(Case c)
{
    int64_t wide = c.heads * c.size, span = 2 * c.reach + 1;
    Matrices m = {0};
    Want w;
    attend_begin("attend_bwd", &c);
    m.args.of = attend_args(&c);
    lay(&c, &m);
    m.y = mat_in(c.in, c.tokens, wide, c.apart ? 7 : 0);
    m.dy = mat_in(c.in, c.tokens, wide, c.apart ? 1 : 0);
    m.lse = mat_in(K_F32, c.tokens, c.heads, 0);
    m.dbias = mat_out(K_F32, c.bias ? c.rows * c.heads : 0, span, 0);
    fill(&c, &m, &w);
    m.args.of.y = m.y.v;
    m.args.of.lse = m.lse.v.p;
    m.args.dy = m.dy.v;
    m.args.dbias = c.bias ? m.dbias.v.p : NULL;
    Matrices alone = twins(&c, &m), threads = twins(&c, &m);
    run_each(EACH_SEQS, &c.batch, stage_attend_bwd, &m.args);
    expect_all(&c, &m, &w);
    if (c.bias) /* of one distance all is a sum of 0 */
        expect(&m.dbias, w.bias, w.bias_size,
               c.in == K_F32 ? (Bound){c.reach ? 1e-11 : INFINITY, 2e-5, 0}
                             : (Bound){c.reach ? 1e-4 : INFINITY, 1.0 / 256, 0});
    run_alone(&c, &alone);
    expect_twins(&c, &m, &alone);
    run_threads(5, EACH_SEQS, &c.batch, stage_attend_bwd, &threads.args);
    expect_twins(&c, &m, &threads);
    attend_end(&c);
}

/* Of what attend itself left: y and lse of its own. */
static void there_and_back(Case c)
{
    int64_t wide = c.heads * c.size;
    Matrices m = {0};
    Want w;
    attend_begin("attend_bwd", &c);
    m.args.of = attend_args(&c);
    lay(&c, &m);
    m.y = mat_inout(c.in, c.tokens, wide, 0);
    m.dy = mat_in(c.in, c.tokens, wide, 0);
    m.lse = mat_inout(K_F32, c.tokens, c.heads, 0);
    fill(&c, &m, &w);
    m.args.of.y = m.y.v;
    m.args.of.lse = m.lse.v.p;
    m.args.dy = m.dy.v;
    run_each(EACH_SEQS, &c.batch, stage_attend, &m.args.of);
    run_each(EACH_SEQS, &c.batch, stage_attend_bwd, &m.args);
    expect_all(&c, &m, &w);
    attend_end(&c);
}

void ops_attend_bwd(void)
{
    static const Case cases[] = {
        {.rows = 0, .heads = 2, .size = 32},
        {.rows = 1, .len = {1}, .heads = 1, .size = 32},
        {.rows = 6, .len = {5, 1, 0, 17, 31, 2}, .heads = 3, .size = 12},
        {.rows = 6, .len = {5, 1, 0, 17, 32, 2}, .heads = 3, .size = 8},
        {.rows = 4, .len = {33, 64, 4, 48}, .heads = 2, .size = 32},
        {.rows = 2, .len = {100, 3}, .heads = 2, .size = 64},
        {.rows = 2, .len = {29, 65}, .heads = 2, .size = 80},
        {.rows = 1, .len = {66}, .heads = 2, .size = 96},
        {.rows = 2, .len = {40, 129}, .heads = 1, .size = 128},
        {.rows = 2, .len = {18, 3}, .heads = 1, .size = 40},
        {.rows = 1, .len = {35}, .heads = 4, .size = 7},
        {.rows = 1, .len = {35}, .heads = 1, .size = 130},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bits = 0; bits < 16; bits++) {
            Case c = cases[i];
            c.in = bits & 1 ? half() : K_F32;
            c.causal = bits & 2;
            c.apart = bits & 4;
            c.in_place = bits & 8;
            c.drop = any(0, 1) ? 0.3f : 0;
            c.bias = any(0, 1);
            c.reach = any(0, 70);
            back(c);
        }
    for (KType in = 0; in < K_TYPES; in++)
        if (takes(in)) {
            Case c = {.rows = 3, .len = {70, 29, 150}, .heads = 2, .size = 64, .in = in};
            c.in_place = true;
            back(c);
            there_and_back(c);
            c.drop = 0.1f;
            c.causal = c.bias = true;
            c.reach = 20;
            there_and_back(c);
        }
}
