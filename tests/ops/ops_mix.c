#include "kernels/philox.h"
#include "tests/ops/ops.h"

STAGE(mix)

static void mix(int64_t rows, int64_t cols, int64_t pad, int types, float drop, bool residual)
{
    KType tx = types & 1 ? half() : K_F32, tr = types & 2 ? half() : K_F32;
    KType ty = types & 4 ? half() : K_F32;
    begin("mix", "[%lld, %lld], %s to %s, drop %g%s%s, pad %lld", (long long)rows, (long long)cols,
          type_name(tx), type_name(ty), (double)drop, residual ? " and " : "",
          residual ? type_name(tr) : "", (long long)pad);
    bool in_place = tx == ty && cols % 3 == 0, numbered = cols % 2;
    Mat x = in_place ? mat_inout(tx, rows, cols, pad) : mat_in(tx, rows, cols, pad), r = {0};
    Mat y = in_place ? x : mat_out(ty, rows, cols, pad);
    double *want = wants(rows * cols);
    int64_t *number = mem_array((size_t)rows, sizeof *number);
    if (residual)
        r = mat_in(tr, rows, cols, pad);
    Mix a = {.x = x.v,
             .y = y.v,
             .r = r.v,
             .a = 1.5f,
             .b = -0.5f,
             .drop = drop,
             .seed = rand_u64(&rng),
             .site = (uint32_t)any(0, 99),
             .row0 = 5000000000};
    for (int64_t i = 0; i < rows; i++) {
        number[i] = numbered ? any(0, (int64_t)1 << 40) : (int64_t)a.row0 + i;
        for (int64_t j = 0; j < cols; j++) {
            double v = mat_at(&x, i, j) / (1 - (double)drop);
            if (drop > 0 && dropped(drop, a.seed, a.site, (uint64_t)number[i], j))
                v = 0;
            want[i * cols + j] = 1.5 * v - (residual ? 0.5 * mat_at(&r, i, j) : 0);
        }
    }
    if (numbered)
        a.rows = DEV_COPY(number, rows);
    run(stage_mix, &a);
    expect(&y, want, NULL, (Bound){1e-13, 1e-6, 0});
    free(number);
    end();
}

/* Random123's kat_vectors, philox4x32 10. */
static void philox(void)
{
    static const uint32_t kat[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    begin("mix", "the generator's known answers");
    for (int k = 0; k < 3; k++) {
        uint32_t c[4][PHILOX_LANES];
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < PHILOX_LANES; i++)
                c[j][i] = kat[k][j];
        philox4x32(c, kat[k][4], kat[k][5]);
        for (int j = 0; j < 4; j++)
            if (c[j][0] != kat[k][6 + j] || c[j][PHILOX_LANES - 1] != kat[k][6 + j])
                fail("vector %d, word %d: %08x", k, j, c[j][0]);
    }
    end();
}

/* What a dropout leaves of ones, rows x cols. */
static void kept(Mix a, int64_t rows, int64_t cols, float *out)
{
    size_t n = (size_t)(rows * cols);
    float *y = dev->alloc(dev, n * sizeof *y);
    for (size_t i = 0; i < n; i++)
        out[i] = 1;
    dev->put(dev, y, out, n * sizeof *y);
    a.x = a.y = view_of(y, K_F32, rows, cols);
    a.a = 1;
    run(stage_mix, &a);
    fetch(y, out, n * sizeof *y);
    dev->free(dev, y);
}

enum { ROWS = 50, COLS = 200 };

/* The same rows in another order and packing, fewer columns of them; another seed, site or row
 * drops others. */
static void packings(const Mix *a, const float *all)
{
    static float some[ROWS * COLS];
    const int64_t back[3] = {1000000000049, 1000000000007, 1000000000007};
    const Mix others[] = {
        {.drop = 0.25f, .seed = 8, .site = 3, .row0 = 1000000000000},
        {.drop = 0.25f, .seed = 7ull | 1ull << 40, .site = 3, .row0 = 1000000000000},
        {.drop = 0.25f, .seed = 7, .site = 4, .row0 = 1000000000000},
        {.drop = 0.25f, .seed = 7, .site = 3, .row0 = 1000}};
    Mix b = *a;
    b.rows = DEV_COPY(back, 3);
    kept(b, 3, COLS, some);
    for (int i = 0; i < 3; i++)
        if (memcmp(some + i * COLS, all + (back[i] - 1000000000000) * COLS, COLS * sizeof *all))
            fail("row %lld alone is another", (long long)back[i]);
    kept(b, 1, 70, some);
    if (memcmp(some, all + 49 * COLS, 70 * sizeof *all) != 0)
        fail("fewer columns are others");
    for (int k = 0; k < 4; k++) {
        int differ = 0;
        kept(others[k], ROWS, COLS, some);
        for (int i = 0; i < ROWS * COLS; i++)
            differ += some[i] != all[i];
        if (differ <= ROWS * COLS / 4)
            fail("with another seed, site or row (%d) %d elements differ", k, differ);
    }
}

/* As mix.h says: column 83 of row 0 is word 83 / 16 % 4 of counter {16 + 3, 4, 0, 0}. */
static void one_column(void)
{
    float some[COLS];
    uint32_t c[4][PHILOX_LANES] = {{19}, {4}};
    philox4x32(c, 9, 0);
    double edge = (double)c[1][0] / 4294967296.0;
    kept((Mix){.drop = (float)(edge * 0.999), .seed = 9, .site = 4}, 1, COLS, some);
    if (!(some[83] > 0))
        fail("column 83 is dropped too soon");
    kept((Mix){.drop = (float)(edge * 1.001), .seed = 9, .site = 4}, 1, COLS, some);
    if (some[83] != 0)
        fail("column 83 is %g, not dropped", (double)some[83]);
}

static void dropout(void)
{
    static float all[ROWS * COLS];
    Mix a = {.drop = 0.25f, .seed = 7, .site = 3, .row0 = 1000000000000};
    int gone = 0;
    begin("mix", "which a dropout keeps");
    kept(a, ROWS, COLS, all);
    for (int i = 0; i < ROWS * COLS; i++) {
        gone += all[i] == 0;
        if (all[i] != 0 && !(fabs((double)all[i] - 4.0 / 3) <= 1e-6))
            fail("%g is kept", (double)all[i]);
    }
    if (gone <= ROWS * COLS * 0.23 || gone >= ROWS * COLS * 0.27)
        fail("%d of %d are dropped", gone, ROWS * COLS);
    packings(&a, all);
    one_column();
    end();
}

/* To a narrower type, rounded once, and back without loss. */
static void narrow(KType type)
{
    enum { MANY = 3, WIDE = 37 };
    begin("mix", "f32 to %s and back", type_name(type));
    Mat x = mat_in(K_F32, MANY, WIDE, 0), h = mat_out(type, MANY, WIDE, 0);
    Mat y = mat_out(K_F32, MANY, WIDE, 0);
    double *want = wants(MANY * WIDE);
    for (int i = 0; i < MANY * WIDE; i++)
        want[i] = rounded(type, 2 * mat_at(&x, i / WIDE, i % WIDE));
    run(stage_mix, &(Mix){.x = x.v, .y = h.v, .a = 2});
    run(stage_mix, &(Mix){.x = h.v, .y = y.v, .a = 1});
    expect(&y, want, NULL, (Bound){0, 0, 0});
    end();
}

void ops_mix(void)
{
    static const int64_t shape[][3] = {{0, 8, 0},   {1, 1, 0},  {512, 6, 5},
                                       {3, 100, 0}, {9, 83, 1}, {40, 384, 0}};
    for (int s = 0; s < 6; s++)
        for (int types = 0; types < 8; types++)
            for (int residual = 0; residual < 2; residual++) {
                const int64_t *n = shape[s];
                mix(n[0], n[1], n[2], types, 0, residual);
                mix(n[0], n[1], n[2], types, 0.25f, residual);
            }
    for (KType type = 0; type < K_TYPES; type++)
        if (takes(type))
            narrow(type);
    philox();
    dropout();
}
