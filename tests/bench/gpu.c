/* gpu - what the operations of the device behind -D cuda reach on this card.
 *
 *     gpu [-D cuda:N]
 *
 * Markdown, a line an operation at the shape that encoders give it: milliseconds, TFLOP/s and
 * their share of a large product by cuBLAS (8,192 each way, the same type), GB/s and their share
 * of a large copy by the runtime (1 GiB). Data is random: products with zeros run faster than
 * real ones. The numbers of bytes and flops are those in the headers of kernels/. */
#include "tests/bench/gpu.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/opt.h"
#include "base/rand.h"

#include <cuda_runtime_api.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TOKENS = 16384, LARGE = 8192, ROW = 128 };
static const size_t COPY = (size_t)1 << 30;

static const char *const names[] = {"f32", "bf16", "f16"};
Device *gpu_dev;
static double peak[K_TYPES], copied; /* flops a second by type, bytes a second */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void settle(void)
{
    char why[512];
    if (gpu_dev->wait(gpu_dev, why, sizeof why) < 0)
        dief("%s", why);
}

static void *room(size_t bytes)
{
    void *p = gpu_dev->alloc(gpu_dev, bytes);
    if (!p)
        dief("out of memory on %s (%zu bytes asked for)", gpu_dev->name, bytes);
    return p;
}

STAGE(linear, Linear)
STAGE(attend, Attend)
STAGE(norm, Norm)
STAGE(act, Activate)
STAGE(mix, Mix)
STAGE(gather, Gather)
STAGE(embed, Embed)
STAGE(step, Step)

void gpu_free(View v)
{
    gpu_dev->free(gpu_dev, v.p);
}

/* v in that type; v goes. */
static View rounded(View v, KType type)
{
    Batch one = {.cols = 1};
    View y = view_of(room((size_t)(v.rows * v.cols) * ktype_size(type)), type, v.rows, v.cols);
    gpu_dev->each(gpu_dev, EACH_COLS, &one, run_mix, &(Mix){.x = v, .y = y, .a = 1});
    settle();
    gpu_free(v);
    return y;
}

/* A matrix of numbers in [-1, 1). */
View gpu_noise(KType type, int64_t rows, int64_t cols)
{
    static Rand r;
    size_t n = (size_t)(rows * cols);
    if (!r.s[0])
        r = rand_new(1);
    View v = view_of(room(n * sizeof(float)), K_F32, rows, cols);
    float *host = mem_array(n, sizeof *host);
    for (size_t i = 0; i < n; i++)
        host[i] = (float)(2 * rand_unit(&r) - 1);
    gpu_dev->put(gpu_dev, v.p, host, n * sizeof *host);
    settle();
    free(host);
    return type == K_F32 ? v : rounded(v, type);
}

/* Seconds of one call: as many as fill a quarter of a second, after one that chooses kernels. */
double gpu_seconds(StageFn *fn, void *ctx)
{
    Batch one = {.cols = 1};
    double t = 0;
    gpu_dev->each(gpu_dev, EACH_COLS, &one, fn, ctx);
    settle();
    for (int64_t n = 1;; n *= 2) {
        double start = now();
        for (int64_t i = 0; i < n; i++)
            gpu_dev->each(gpu_dev, EACH_COLS, &one, fn, ctx);
        settle();
        t = now() - start;
        if (t > 0.25)
            return t / (double)n;
    }
}

void gpu_line(const char *what, KType type, const char *shape, double s, double flops, double bytes)
{
    printf("| %s | %s | %s | %.4f |", what, names[type], shape, 1e3 * s);
    if (flops > 0)
        printf(" %.1f | %.0f %% |", 1e-12 * flops / s, 100 * flops / s / peak[type]);
    else
        printf(" | |");
    printf(" %.0f | %.0f %% |\n", 1e-9 * bytes / s, 100 * bytes / s / copied);
}

static double product_seconds(KType type, int64_t m, int64_t n, int64_t k, Act act)
{
    float *host = mem_array((size_t)(n * k), sizeof *host), *bias = mem_array((size_t)n, 4);
    Rand r = rand_new(2);
    for (int64_t i = 0; i < n * k; i++)
        host[i] = (float)(2 * rand_unit(&r) - 1);
    for (int64_t i = 0; i < n; i++)
        bias[i] = host[i];
    View w = view_of(host, K_F32, n, k), x = gpu_noise(type, m, k), y = gpu_noise(type, m, n);
    Weight *packed = gpu_dev->pack(gpu_dev, &w, (const float *const[]){bias}, 1, false, type);
    if (!packed)
        dief("out of memory on %s", gpu_dev->name);
    double s = gpu_seconds(run_linear, &(Linear){.x = x, .w = packed, .y = y, .act = act});
    gpu_dev->unpack(gpu_dev, packed);
    gpu_free(x);
    gpu_free(y);
    free(host);
    free(bias);
    return s;
}

static void product(KType type, int64_t n, int64_t k, Act act, const char *what)
{
    double e = (double)ktype_size(type), m = TOKENS;
    char shape[64];
    snprintf(shape, sizeof shape, "%d x %lld x %lld", TOKENS, (long long)n, (long long)k);
    gpu_line(what, type, shape, product_seconds(type, TOKENS, n, k, act),
             2 * m * (double)n * (double)k,
             e * (m * (double)(n + k) + (double)(n * k)) + (act ? 2 * e * m * (double)n : 0));
}

static void attention(KType type, int64_t len, int64_t size)
{
    int64_t h = HEADS * size, rows = TOKENS / len;
    int64_t *starts = mem_array((size_t)rows + 1, sizeof *starts);
    for (int64_t i = 0; i <= rows; i++)
        starts[i] = i * len;
    View x = gpu_noise(type, TOKENS, 3 * h), y = gpu_noise(type, TOKENS, h);
    size_t bytes = (size_t)(rows + 1) * sizeof *starts;
    const void *held = gpu_dev->hold(gpu_dev, starts, bytes);
    Batch b = {
        .tokens = TOKENS, .rows = rows, .starts = held, .host_starts = starts, .heads = HEADS};
    Attend a = {.q = view_cols(x, 0, h),
                .k = view_cols(x, h, 2 * h),
                .v = view_cols(x, 2 * h, 3 * h),
                .y = y,
                .batch = &b,
                .size = (int)size,
                .scale = 1 / sqrtf((float)size)};
    char shape[64];
    snprintf(shape, sizeof shape, "%lld rows of %lld, heads of %lld", (long long)rows,
             (long long)len, (long long)size);
    gpu_line("attend", type, shape, gpu_seconds(run_attend, &a), 4.0 * TOKENS * (double)(len * h),
             4.0 * TOKENS * (double)h * (double)ktype_size(type));
    gpu_dev->release(gpu_dev, held);
    gpu_free(x);
    gpu_free(y);
    free(starts);
}

/* What is limited by memory alone. */
static void passes(KType type)
{
    int64_t h = 768, rows = TOKENS / ROW;
    double e = (double)ktype_size(type), n = (double)TOKENS * (double)h;
    View x = gpu_noise(K_F32, TOKENS, h), r = gpu_noise(K_F32, TOKENS, h),
         y = gpu_noise(type, TOKENS, h);
    View gamma = gpu_noise(K_F32, 1, h), table = gpu_noise(K_F32, 30522, h),
         v = gpu_noise(K_F32, rows, h);
    int32_t *index = mem_array(TOKENS, sizeof *index);
    int64_t *starts = mem_array((size_t)rows + 1, sizeof *starts);
    for (int i = 0; i < TOKENS; i++)
        index[i] = i * 7919 % 30522;
    for (int64_t i = 0; i <= rows; i++)
        starts[i] = i * ROW;
    const int32_t *ids = gpu_dev->hold(gpu_dev, index, TOKENS * sizeof *index);
    const int64_t *at = gpu_dev->hold(gpu_dev, starts, (size_t)(rows + 1) * sizeof *starts);
    const char *shape = "16384 x 768";
    gpu_line("norm", type, shape,
             gpu_seconds(
                 run_norm,
                 &(Norm){.x = x, .r = r, .y = y, .gamma = gamma.p, .beta = gamma.p, .eps = 1e-12f}),
             0, n * (8 + e));
    gpu_line("act (GELU)", type, shape,
             gpu_seconds(run_act, &(Activate){.x = y, .y = y, .act = ACT_GELU}), 0, 2 * n * e);
    gpu_line("mix", type, shape,
             gpu_seconds(run_mix, &(Mix){.x = x, .r = r, .y = y, .a = 1, .b = 1}), 0, n * (8 + e));
    gpu_line("mix (dropout)", type, shape,
             gpu_seconds(run_mix, &(Mix){.x = x, .r = r, .y = y, .a = 1, .b = 1, .drop = 0.1f}), 0,
             n * (8 + e));
    gpu_line("embed", type, shape,
             gpu_seconds(run_embed, &(Embed){.table = {table}, .index = {ids}, .y = y}), 0,
             n * (4 + e));
    gpu_line("gather (mean)", type, shape,
             gpu_seconds(run_gather, &(Gather){.x = y, .y = v, .starts = at}), 0, n * e);
    gpu_dev->release(gpu_dev, ids);
    gpu_dev->release(gpu_dev, at);
    free(index);
    free(starts);
    View all[] = {x, r, y, gamma, table, v};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        gpu_free(all[i]);
}

static void optimizer(void)
{
    int64_t n = 1 << 26;
    View p = gpu_noise(K_F32, 1, n), g = gpu_noise(K_F32, 1, n), m = gpu_noise(K_F32, 1, n);
    void *v = room((size_t)n * sizeof(float));
    gpu_dev->fill(gpu_dev, v, 0, (size_t)n * sizeof(float));
    Step a = {.kind = STEP_ADAMW,
              .p = p.p,
              .g = g.p,
              .m = m.p,
              .v = v,
              .n = n,
              .lr = 1e-9,
              .beta1 = 0.9,
              .beta2 = 0.999,
              .eps = 1e-8,
              .t = 1};
    gpu_line("step (AdamW)", K_F32, "67,108,864", gpu_seconds(run_step, &a), 0, 28 * (double)n);
}

/* A frame as encode has it: ids go in, a product, hidden states come out. */
static void frame(View x, Linear *a, int32_t *ids, float *out)
{
    Batch one = {.cols = 1};
    gpu_dev->put(gpu_dev, x.p, ids, TOKENS * sizeof *ids);
    for (int i = 0; i < 8; i++)
        gpu_dev->each(gpu_dev, EACH_COLS, &one, run_linear, a);
    gpu_dev->get(gpu_dev, out, a->y.p, (size_t)(a->y.rows * a->y.cols) * sizeof *out);
}

/* Milliseconds a frame, waiting for each, and waiting for each when the next is asked for. */
static void frames(void)
{
    enum { WIDE = 768, COUNT = 32 };
    char why[512];
    float *host = mem_array((size_t)WIDE * WIDE, sizeof *host);
    float *out[2] = {mem_array((size_t)TOKENS * WIDE, sizeof(float)),
                     mem_array((size_t)TOKENS * WIDE, sizeof(float))};
    int32_t *ids = mem_zero(TOKENS, sizeof *ids);
    Rand r = rand_new(3);
    for (int i = 0; i < WIDE * WIDE; i++)
        host[i] = (float)(2 * rand_unit(&r) - 1);
    View w = view_of(host, K_F32, WIDE, WIDE), x = gpu_noise(K_F32, TOKENS, WIDE);
    View y = gpu_noise(K_F32, TOKENS, WIDE), in = gpu_noise(K_F32, 1, TOKENS);
    Linear a = {.x = x, .w = gpu_dev->pack(gpu_dev, &w, NULL, 1, false, K_F32), .y = y};
    double t[2];
    for (int late = 0; late < 2; late++)
        for (int again = 0; again < 2; again++) { /* once to make staging */
            int64_t mark = 0;
            double start = now();
            for (int i = 0; i < COUNT; i++) {
                int64_t last = mark;
                frame(in, &a, ids, out[i % 2]);
                mark = gpu_dev->mark(gpu_dev);
                if (gpu_dev->reach(gpu_dev, late ? last : mark, why, sizeof why) < 0)
                    dief("%s", why);
            }
            settle();
            t[late] = (now() - start) / COUNT;
        }
    printf("\nA frame of %d ids in, 8 products of %d each way, %d MB out: %.2f ms waiting for "
           "each, %.2f ms with the next one under way.\n",
           TOKENS, WIDE, (int)((size_t)TOKENS * WIDE * sizeof(float) >> 20), 1e3 * t[0],
           1e3 * t[1]);
}

/* By the runtime itself, on memory of the device's. */
static double copy_rate(void)
{
    char *from = room(COPY), *to = room(COPY);
    double best = 0;
    gpu_dev->fill(gpu_dev, from, 1, COPY);
    settle();
    for (int i = 0; i < 20; i++) {
        double start = now();
        if (cudaMemcpy(to, from, COPY, cudaMemcpyDeviceToDevice) != cudaSuccess ||
            cudaDeviceSynchronize() != cudaSuccess)
            dief("the copy failed: %s", cudaGetErrorString(cudaGetLastError()));
        best = fmax(best, 2.0 * (double)COPY / (now() - start));
    }
    gpu_dev->free(gpu_dev, from);
    gpu_dev->free(gpu_dev, to);
    return best;
}

int main(int argc, char **argv)
{
    char why[512];
    static const Program gpu = {
        .name = "gpu", .synopsis = "[option ...]", .about = "what the operations reach on a GPU"};
    Args a = args_read(&gpu, (const Opt[]){{0}}, NULL, argc, argv);
    gpu_dev = device_open(a.common.device ? a.common.device : "cuda", 1, why, sizeof why);
    if (!gpu_dev)
        dief("%s", why);
    copied = copy_rate();
    for (int t = 0; t < K_TYPES; t++)
        peak[t] = 2.0 * LARGE * LARGE * LARGE / product_seconds(t, LARGE, LARGE, LARGE, ACT_NONE);
    printf("%s: %s\n\nA product of %d each way: %.1f TFLOP/s in f32, %.1f in bf16, %.1f in f16. "
           "A copy of 1 GiB: %.0f GB/s read and written.\n\n"
           "| operation | type | shape | ms | TFLOP/s | of product | GB/s | of copy |\n"
           "|---|---|---|---|---|---|---|---|\n",
           gpu_dev->name, gpu_dev->about, LARGE, 1e-12 * peak[K_F32], 1e-12 * peak[K_BF16],
           1e-12 * peak[K_F16], 1e-9 * copied);
    for (int t = 0; t < K_TYPES; t++) {
        product(t, 1152, 384, ACT_NONE, "linear (MiniLM q, k, v)");
        product(t, 1536, 384, ACT_GELU, "linear (MiniLM up, GELU)");
        product(t, 384, 1536, ACT_NONE, "linear (MiniLM down)");
        product(t, 3072, 768, ACT_GELU, "linear (base up, GELU)");
        product(t, 768, 3072, ACT_NONE, "linear (base down)");
        attention(t, 32, 32);
        attention(t, 128, 64);
        attention(t, 512, 64);
        passes(t);
    }
    gpu_tweets();
    optimizer();
    frames();
    gpu_dev->close(gpu_dev);
    return 0;
}
