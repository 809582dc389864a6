/* gflops - what oneDNN reaches alone on the products of a model: the roof over `encode`.
 *
 *     gflops [THREADS] [SECONDS]
 *
 * Markdown, a line a shape: GFLOP/s of all threads together, f32 and bf16 (where the CPU has
 * it), each thread with its own weights, inputs and outputs. Data is random: products with
 * zeros run faster than real ones. The last line is one layer of all-MiniLM-L6-v2: its four
 * products weighed by their work. */
#include "base/dtype.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "kernels/matmul.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Shape {
    int64_t m, n, k;
    const char *what;
} Shape;

static const Shape shapes[] = {
    {256, 1152, 384, "q, k, v"},
    {256, 384, 384, "attention's output"},
    {256, 1536, 384, "feed-forward up"},
    {256, 384, 1536, "feed-forward down"},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct Job {
    Shape s;
    KType type;
    int thread;
    double seconds;
    pthread_barrier_t *start;
    double gflops; /* the answer; 0: the library has no such product */
} Job;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *random_floats(int64_t n, uint32_t seed)
{
    float *p = mem_aligned((size_t)n * sizeof *p);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (float)(seed >> 8) / (1 << 24) - 0.5f;
    }
    return p;
}

static void *run_job(void *arg)
{
    Job *j = arg;
    Shape s = j->s;
    matmul_thread_start();
    float *w = random_floats(s.n * s.k, 1), *bias = random_floats(s.n, 2);
    float *x = random_floats(s.m * s.k, 3), *y = mem_aligned((size_t)(s.m * s.n) * sizeof *y);
    if (j->type == K_BF16)
        for (int64_t i = 0; i < s.m * s.k; i++)
            ((uint16_t *)x)[i] = bf16_from_f32(x[i]); /* in place: writes stay behind reads */
    Packed *p = packed_new(w, bias, s.n, s.k, false, j->type);
    bool able = p && packed_rows(p, s.m) <= s.m;
    int64_t m = able ? packed_rows(p, s.m) : 0;
    for (int i = 0; able && i < 20; i++)
        able = !packed_run(p, m, x, y, K_F32, j->thread);
    pthread_barrier_wait(j->start);
    int64_t runs = 0;
    double begin = now(), end = begin;
    while (able && end < begin + j->seconds) {
        for (int i = 0; i < 10; i++)
            packed_run(p, m, x, y, K_F32, j->thread);
        runs += 10;
        end = now();
    }
    j->gflops = runs ? 2e-9 * (double)(runs * m * s.n * s.k) / (end - begin) : 0;
    packed_free(p);
    free(w), free(bias), free(x), free(y);
    return NULL;
}

/* All threads at once on one shape; their GFLOP/s together. */
static double measure(Shape s, KType type, int threads, double seconds)
{
    pthread_barrier_t start;
    pthread_t id[MATMUL_THREADS];
    Job job[MATMUL_THREADS];
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        job[i] = (Job){s, type, i, seconds, &start, 0};
        if (pthread_create(&id[i], NULL, run_job, &job[i]) != 0)
            dief("cannot start thread %d", i + 1);
    }
    double sum = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        sum += job[i].gflops;
    }
    pthread_barrier_destroy(&start);
    return sum;
}

int main(int argc, char **argv)
{
    msg_prog = "gflops";
    int64_t threads = 1;
    double seconds = 1;
    Err e = {0};
    if (argc > 3 || (argc > 1 && num_int(argv[1], 1, MATMUL_THREADS, &threads, &e) < 0) ||
        (argc > 2 && num_real(argv[2], 0.01, 60, &seconds, &e) < 0))
        die_usage("usage: gflops [THREADS] [SECONDS]%s%s", *e.text ? ": " : "", e.text);
    int v[3];
    matmul_version(&v[0], &v[1], &v[2]);
    bool fast16 = matmul_isa() >= ISA_BF16;
    printf("oneDNN %d.%d.%d alone (%s), %d thread%s, GFLOP/s\n\n", v[0], v[1], v[2],
           matmul_isa_name(), (int)threads, threads == 1 ? "" : "s");
    printf("| product | M x N x K | f32 | bf16 |\n|---|---|---:|---:|\n");
    double work = 0, time32 = 0, time16 = 0;
    for (int i = 0; i < SHAPES; i++) {
        Shape s = shapes[i];
        double flop = 2e-9 * (double)(s.m * s.n * s.k);
        double a = measure(s, K_F32, (int)threads, seconds);
        double b = fast16 ? measure(s, K_BF16, (int)threads, seconds) : 0;
        work += flop;
        time32 += flop / a;
        time16 += b > 0 ? flop / b : 0;
        printf("| %s | %d x %d x %d | %.0f | %.0f |\n", s.what, (int)s.m, (int)s.n, (int)s.k, a, b);
    }
    printf("| a layer's four | | %.0f | %.0f |\n", work / time32, time16 > 0 ? work / time16 : 0);
    return 0;
}
