/* ops.h - what the tests of operations share: matrices in device memory between guards, the
 * comparison with double precision, a case's name and what was seen worst.
 *
 *     begin("norm", "%d rows", rows);
 *     Mat x = mat_in(K_F32, rows, cols, PAD), y = mat_out(K_F32, rows, cols, 0);
 *     run(stage_norm, &(Norm){.x = x.v, .y = y.v, ...});
 *     expect(&y, want, NULL, (Bound){1e-12, 1e-6});
 *     end();                                 everything but y's elements must be as it was
 *
 * Outputs begin as NaN, and so do the guards before, after and between the rows of a matrix. */
#ifndef WEFT_OPS_TEST_H
#define WEFT_OPS_TEST_H

#include "base/mem.h"
#include "base/rand.h"
#include "kernels/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POISON = 0xff };

extern Device *dev;
extern Rand rng;
extern bool one_is_enough; /* the program ends with the first case that fails */

typedef struct Mat {
    View v;     /* in device memory */
    char *host; /* the whole block as it was put */
    size_t at;  /* where the view begins in it */
} Mat;

/* Normal numbers, or poison; `pad` columns (odd: the view begins off every boundary) stand
 * beside the view's own in each row. in and out: numbers to begin with, but they may change. */
Mat mat_in(KType type, int64_t rows, int64_t cols, int64_t pad);
Mat mat_out(KType type, int64_t rows, int64_t cols, int64_t pad);
Mat mat_inout(KType type, int64_t rows, int64_t cols, int64_t pad);
Mat mat_twin(const Mat *m);                        /* another that begins with the same bytes */
double mat_at(const Mat *m, int64_t i, int64_t j); /* as it was put */
/* Changes what stands there before anything runs. */
void mat_set(const Mat *m, int64_t i, int64_t j, double x);
void mat_scale(const Mat *m, double by);
void mat_fill(const Mat *m, const double *x); /* all of it, [rows, cols] */
/* Host bytes as device memory; they must stay as they are. */
void *dev_copy(const void *host, size_t bytes);
#define DEV_COPY(array, n) dev_copy(array, (size_t)(n) * sizeof *(array))

/* An element of `got` may be off by max * scale, where scale is max(1, |want|) or as given, and
 * where it is bf16 or f16 by half a unit of |want| (1/256; 1/2048, but 2^-25 at least) more; or, if
 * there are more roundings on the way, of `scale` for each. The normalised mean squared error is
 * sum (got - want)^2 / sum want^2, and asked of 16 elements or more. */
typedef struct Bound {
    double nmse, max;
    int roundings; /* on the way to a bf16 or f16 result; 0 means 1 */
} Bound;

void begin(const char *op, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void run(StageFn *fn, void *args); /* as one piece, and waits */
void run_each(Each kind, const Batch *b, StageFn *fn, void *args);
/* The same bits however they are cut: fn over [0, n), `step` at a time; on the CPU, by so many
 * threads (elsewhere as run_each). */
void run_parts(int64_t n, int64_t step, StageFn *fn, void *args);
void run_threads(int threads, Each kind, const Batch *b, StageFn *fn, void *args);
bool on_cpu(void);
void must(int r, const char *why); /* ends the tests if r < 0: a device fails but once */
void expect(Mat *y, const double *want, const double *scale, Bound b);
void expect_same(const Mat *a, const Mat *b); /* twins: the same bits */
double *wants(int64_t n);                     /* zeros that live until end() */
void fetch(const void *from, void *to, size_t bytes);
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void end(void);

#define STAGE(op)                                                                                  \
    static void stage_##op(Piece *p, void *args)                                                   \
    {                                                                                              \
        p->dev->op(p, args);                                                                       \
    }

double rounded(KType type, double x); /* as a matrix of that type would hold it */
bool takes(KType type);               /* do the operations of this device? */
KType half(void); /* bf16 or f16, by chance, where operations take both; else bf16 */
const char *type_name(KType type);
int64_t any(int64_t lo, int64_t hi); /* a random number in [lo, hi] */
double activation(double x, Act act);
/* Does dropout drop that element (mix.h)? */
bool dropped(float drop, uint64_t seed, uint32_t site, uint64_t row, int64_t col);

void ops_memory(void);
void ops_linear(void);
void ops_thin(void);   /* linear of weights for few rows */
void ops_follow(void); /* linear and linear_dx of weights that follow their matrix */
void ops_gradients(void);
void ops_norm(void);
void ops_sums(void); /* colsum, norm_dw */
void ops_act(void);
void ops_mix(void);
void ops_rows(void); /* embed, gather, segmax */
void ops_attend(void);
void ops_attend_bwd(void);
void ops_recall(void);
void ops_rotate(void);
void ops_vocab(void);  /* lse, lse_bwd, topk */
void ops_losses(void); /* xent, point_loss */
void ops_learn(void);  /* sqnorm, clip, step */

#endif
