/* matmul.h - the one file that knows oneDNN (matmul.c builds against 2.6 and 3.x). A Packed is
 * a weight matrix in the layout that the library likes best on this CPU, and the products it
 * takes part in: y = x W' + b for a few fixed numbers of rows of x, on the calling thread. */
#ifndef WEFT_MATMUL_H
#define WEFT_MATMUL_H

#include "kernels/device.h"

typedef struct Packed Packed;

enum { MATMUL_THREADS = 1024 };

/* What the CPU has: ordered, each includes those before it. */
typedef enum MatmulIsa { ISA_SSE41, ISA_AVX, ISA_AVX2, ISA_AVX512, ISA_BF16, ISA_AMX } MatmulIsa;
MatmulIsa matmul_isa(void); /* honours ONEDNN_MAX_CPU_ISA */
const char *matmul_isa_name(void);
bool matmul_vnni(void); /* AVX-512's sums of products of bytes; honours it too */
void matmul_version(int *major, int *minor, int *patch);
/* Once on every thread that multiplies: the library is to use that thread alone. */
void matmul_thread_start(void);

/* w f32 [n, k] or (by_input) [k, n], dense, bias f32 [n] or NULL. type is both that of the
 * packed weight and of x. NULL: out of memory, or the library refuses. */
Packed *packed_new(const float *w, const float *bias, int64_t n, int64_t k, bool by_input,
                   KType type);
void packed_free(Packed *p);
KType packed_type(const Packed *p);
/* New numbers in its place: of the same shape, from a matrix that lies the same way. 0, or -1. */
int packed_renew(Packed *p, const float *w, const float *bias);

/* The number of rows of the product that is used where m rows are left: 64, 128 or 256. */
int64_t packed_rows(const Packed *p, int64_t m);
/* One product: x [m, k] dense of the packed type, y [m, n] dense of type `out`; m from
 * packed_rows. `thread` owns a scratchpad. NULL, or why there is no product. */
const char *packed_run(Packed *p, int64_t m, const void *x, void *y, KType out, int thread);

/* c [rows, cols] = a' b, or c += a' b: a [depth, rows], b [depth, cols], both of `type`, rows of
 * theirs lda and ldb elements apart; c dense f32. depth is a multiple of OUTER_STEP, at most
 * OUTER_DEPTH. NULL, or why there is no product. */
enum { OUTER_STEP = 64, OUTER_DEPTH = 512 };
typedef struct Outer {
    const void *a, *b;
    KType type;
    int64_t rows, cols, depth, lda, ldb;
    float *c;
    bool add;
} Outer;
const char *matmul_outer(const Outer *o, int thread);

#endif
