/* device.h - the table: everything that a model asks of the machine that computes it.
 *
 * model/ writes each layer once, as operations over a batch; a device decides how the batch is
 * cut. On the CPU `each` calls a stage once a piece, on a pool of threads; on CUDA once for the
 * whole batch. An operation never starts a thread and never fails: what goes wrong on a device
 * is kept and told by `wait`.
 *
 *     static void feed_forward(Piece *p, void *ctx)
 *     {
 *         View x = view_rows(c->x, p->lo, p->hi), y = view_rows(c->y, p->lo, p->hi);
 *         View f = temp_view(p, K_F32, p->hi - p->lo, 1536);
 *         dev->linear(p, &(Linear){.x = x, .w = c->up, .y = f, .act = ACT_GELU});
 *         dev->linear(p, &(Linear){.x = f, .w = c->down, .y = y});
 *     }
 *     dev->each(dev, EACH_ROWS, &batch, feed_forward, c);
 *
 * The same bits: a row's result does not depend on its neighbours, on how the batch is cut, or
 * on the number of threads. So products have a few fixed shapes, and sums a fixed order.
 *
 * kernels/ uses nothing of the other rooms. Each operation's contract is in its own header. */
#ifndef WEFT_DEVICE_H
#define WEFT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum KType { K_F32, K_BF16, K_F16, K_TYPES } KType;

/* How `pack_thin` keeps numbers (linear.h). */
typedef enum ThinForm { THIN_F32, THIN_BF16, THIN_I8, THIN_FORMS } ThinForm;

/* A matrix in device memory: rows x cols elements, rows `stride` elements apart. {0}: none. */
typedef struct View {
    void *p;
    KType type;
    int64_t rows, cols, stride;
} View;

static inline size_t ktype_size(KType t)
{
    return t == K_F32 ? 4 : 2;
}
static inline View view_of(void *p, KType type, int64_t rows, int64_t cols)
{
    return (View){p, type, rows, cols, cols};
}
/* Rows [lo, hi); columns [lo, hi). */
static inline View view_rows(View v, int64_t lo, int64_t hi)
{
    v.p = (char *)v.p + (size_t)(lo * v.stride) * ktype_size(v.type);
    v.rows = hi - lo;
    return v;
}
static inline View view_cols(View v, int64_t lo, int64_t hi)
{
    v.p = (char *)v.p + (size_t)lo * ktype_size(v.type);
    v.cols = hi - lo;
    return v;
}

/* What `each` cuts. */
typedef enum Each {
    EACH_ROWS, /* over tokens: tiles that ignore row boundaries (linear, norm, activation) */
    EACH_SEQS, /* over rows x heads, index row * heads + head (attention) */
    EACH_COLS, /* over cols: panels of a weight, or any independent items */
} Each;

typedef struct Batch {
    int64_t tokens, rows;
    const int64_t *starts;      /* [rows + 1] in device memory; row i is [starts[i], starts[i+1]) */
    const int64_t *host_starts; /* the same on the host */
    int heads;
    int64_t cols;
} Batch;

typedef struct Device Device;
typedef struct Weight Weight; /* a matrix [n, k] with its bias, as the device likes it */

/* A piece of a stage: [lo, hi) of what EACH_ says. */
typedef struct Piece {
    Device *dev;
    int64_t lo, hi;
    int thread; /* 0 .. dev->threads - 1 */
} Piece;

typedef void StageFn(Piece *p, void *ctx);

#include "kernels/ops.h"

struct Device {
    const char *name;  /* "cpu", "cuda:0" */
    const char *about; /* for people: a GPU's make, memory and driver; oneDNN and its CPU */
    int threads;       /* pieces that run at a time */
    bool panels;       /* gradients of weights are worth cutting into panels */
    KType bf16;        /* what products of bf16 weights are computed from: K_BF16, or K_F32 where
                          the machine has no fast bf16 (weights are rounded all the same) */
    KType f16;         /* likewise of f16. Where it is K_F32, as on the CPU, no operation takes or
                          gives f16; where it is K_F16, all that take bf16 take f16 too */

    /* Device memory; NULL when there is no more. On 64 bytes. */
    void *(*alloc)(Device *d, size_t bytes);
    void (*free)(Device *d, void *p);
    /* Host memory as device memory, from hold to release: the CPU uses it in place. It must not
     * change or go away in between. NULL: out of memory. */
    const void *(*hold)(Device *d, const void *host, size_t bytes);
    void (*release)(Device *d, const void *held);
    /* put has its own copy of the host's bytes when it returns; what get asks for is there after
     * the next wait, or is zeros if that fails. */
    void (*put)(Device *d, void *dst, const void *host, size_t bytes);
    void (*get)(Device *d, void *host, const void *src, size_t bytes);
    void (*fill)(Device *d, void *dst, int byte, size_t bytes);
    /* Memory of the running piece, valid until its stage function returns. Where there is no more
     * the piece may end there and then (on the CPU by longjmp), so a stage function holds neither
     * a lock nor memory of the host's; `wait` tells it. */
    void *(*temp)(Piece *p, size_t bytes);
    /* Waits for all that was asked. 0, or -1 and why (at most n bytes) if any of it failed. */
    int (*wait)(Device *d, char *why, size_t n);
    /* A mark behind what was asked so far; 0 where all of it is done, as on the CPU. `reach` waits
     * until what get asked for before the mark is there, while the device goes on with what came
     * after it. 0, or -1 and why, as `wait`. */
    int64_t (*mark)(Device *d);
    int (*reach)(Device *d, int64_t mark, char *why, size_t n);
    void (*close)(Device *d);

    /* Stacks `parts` host matrices f32 [n_i, k] (or [k, n_i] where by_input: GPT-2's Conv1D)
     * into one weight of `type`. bias[i] is f32 [n_i] or NULL; bias NULL: none at all. */
    Weight *(*pack)(Device *d, const View *part, const float *const *bias, int parts, bool by_input,
                    KType type);
    /* The same for products of few rows, which are as fast as their weights are read; `linear`
     * takes them, for outputs from col0 on too. The parts are read where they lie, of which no
     * other f32 copy is made on the host. NULL: no memory, or more inputs than THIN_I8 can sum. */
    Weight *(*pack_thin)(Device *d, const View *part, const float *const *bias, int parts,
                         bool by_input, ThinForm form);
    /* A weight that uses a device matrix f32 [n, k] where it lies: for small ones, and for those
     * that change every step. bias f32 [n] in device memory, or NULL. */
    Weight *(*refer)(Device *d, View w, const float *bias);
    /* The same for large ones, computed in `type`, that may lie [k, n] (by_input); linear_dx takes
     * them too. What they are computed from is made anew by `renew`, in a stage over columns, once
     * the matrix has changed, and before the first product. */
    Weight *(*follow)(Device *d, View w, const float *bias, bool by_input, KType type);
    void (*renew)(Piece *p, Weight *w);
    void (*unpack)(Device *d, Weight *w); /* releases any; NULL is fine */

    void (*each)(Device *d, Each kind, const Batch *b, StageFn *fn, void *ctx);
    /* Stages that come again and again, as a text's next word does. fn asks for stages and for
     * nothing else, and what they ask for depends on the key alone: on shapes and addresses, not on
     * what lies there. The device may keep what fn asked for, and ask for it by itself where the
     * next call has the same key, as long as no memory was taken or given back in between. */
    void (*again)(Device *d, const void *key, size_t bytes, void (*fn)(void *ctx), void *ctx);

#define FIELD(name, Args) void (*name)(Piece *, const Args *);
    OPS(FIELD, FIELD)
#undef FIELD
};

static inline View temp_view(Piece *p, KType type, int64_t rows, int64_t cols)
{
    void *m = p->dev->temp(p, (size_t)(rows * cols) * ktype_size(type));
    return view_of(m, type, rows, cols);
}

/* The CPU with so many threads. NULL: no memory. */
Device *device_cpu(int threads);
/* "cpu", "cuda", "cuda:N"; NULL: the first GPU if there is one, else the CPU. NULL and why (at
 * most n bytes) if what was asked for is not to be had. */
Device *device_open(const char *name, int threads, char *why, size_t n);

#endif
