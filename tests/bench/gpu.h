/* gpu.h - what the parts of gpu share. */
#ifndef WEFT_BENCH_GPU_H
#define WEFT_BENCH_GPU_H

#include "kernels/device.h"

enum { HEADS = 12 };

extern Device *gpu_dev;

#define STAGE(name, type)                                                                          \
    static void run_##name(Piece *p, void *ctx)                                                    \
    {                                                                                              \
        p->dev->name(p, (const type *)ctx);                                                        \
    }

/* A matrix of numbers in [-1, 1), which gpu_free releases. */
View gpu_noise(KType type, int64_t rows, int64_t cols);
void gpu_free(View v);
/* Seconds of one call: as many as fill a quarter of a second, after one that chooses kernels. */
double gpu_seconds(StageFn *fn, void *ctx);
/* A line of the table; flops 0: not told. */
void gpu_line(const char *what, KType type, const char *shape, double s, double flops,
              double bytes);

/* gpu_tweets.c: operations at the shapes that training on tweets gives them. */
void gpu_tweets(void);

#endif
