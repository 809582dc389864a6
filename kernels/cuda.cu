/* cuda.cu - a CUDA GPU as a device: one stream, on which everything runs in the order in which it
 * was asked for, and one each way to the host and from it. A stage is called once over the whole
 * batch, or once a piece of PIECE_ROWS tokens, which bounds its temporary memory. The first failure
 * is kept, nothing is started after it, and `wait` tells it. */
#include "kernels/cuda.h"
#include "kernels/plugin.h"

#include <cstdlib>

static const int64_t PIECE_ROWS = 1 << 16;
static const size_t LEAST_MEMORY = (size_t)256 << 20;
enum { BATCHES = 8 }; /* `threads`: how much larger than a CPU thread's a good batch is */

void cuda_fail(Cuda *c, const char *what, const char *why)
{
    if (cuda_fine(c))
        snprintf(c->fault, sizeof c->fault, "%s: %s: %s", c->name, what, why);
}

bool cuda_check(Cuda *c, cudaError_t e, const char *what)
{
    if (e == cudaSuccess)
        return true;
    char why[128];
    snprintf(why, sizeof why, "%s (%s)", cudaGetErrorString(e), cudaGetErrorName(e));
    cuda_fail(c, what, why);
    return false;
}

static int cuda_wait(Device *d, char *why, size_t n)
{
    Cuda *c = cuda_of(d);
    cuda_settle(c);
    if (cuda_fine(c))
        return 0;
    snprintf(why, n, "%s; -D cpu computes without CUDA", c->fault);
    return -1;
}

static int cuda_reach(Device *d, int64_t mark, char *why, size_t n)
{
    Cuda *c = cuda_of(d);
    cuda_hand_over(c, mark);
    return cuda_fine(c) ? 0 : cuda_wait(d, why, n);
}

static void cuda_each(Device *d, Each kind, const Batch *b, StageFn *fn, void *ctx)
{
    int64_t total = kind == EACH_ROWS   ? b->tokens
                    : kind == EACH_SEQS ? b->rows * b->heads
                                        : b->cols;
    int64_t step = kind == EACH_ROWS ? PIECE_ROWS : total;
    for (int64_t lo = 0; lo < total; lo += step) {
        cuda_arena_reset(cuda_of(d));
        Piece p = {d, lo, lo + step < total ? lo + step : total, 0};
        fn(&p, ctx);
    }
}

static void cuda_close(Device *d)
{
    Cuda *c = cuda_of(d);
    cudaStream_t all[] = {c->stream, c->up, c->down};
    for (int i = 0; i < 3; i++)
        if (all[i])
            cudaStreamSynchronize(all[i]);
    cuda_again_free(c->again);
    if (c->matmul)
        cuda_matmul_free(c->matmul);
    if (c->memory)
        cuda_memory_free(c);
    for (int i = 0; i < 3; i++)
        if (all[i])
            cudaStreamDestroy(all[i]);
    free(c);
}

/* Opening */

static __global__ void probe()
{
}

/* Is there a device of that number, and does it run what we were compiled for? Fills `about`. */
static cudaError_t look(Cuda *c, const char **why)
{
    int devices = 0, driver = 0;
    size_t spare = 0, all = 0;
    cudaDeviceProp about;
    cudaFuncAttributes code;
    cudaError_t e = cudaGetDeviceCount(&devices);
    *why = "no CUDA device answers: is the NVIDIA driver installed and the device allowed?";
    if (e != cudaSuccess)
        return e;
    *why = devices ? "there is no device of that number" : "there is no CUDA device";
    if (c->index >= devices)
        return cudaErrorInvalidDevice;
    *why = "the device can't be used";
    if ((e = cudaSetDevice(c->index)) != cudaSuccess ||
        (e = cudaGetDeviceProperties(&about, c->index)) != cudaSuccess ||
        (e = cudaDriverGetVersion(&driver)) != cudaSuccess ||
        (e = cudaMemGetInfo(&spare, &all)) != cudaSuccess)
        return e;
    snprintf(c->about, sizeof c->about,
             "%.80s, %.1f GiB, %.1f GiB free, capability %d.%d, driver for CUDA %d.%d", about.name,
             (double)all / (1 << 30), (double)spare / (1 << 30), about.major, about.minor,
             driver / 1000, driver % 1000 / 10);
    *why = "weft-cuda.so was not compiled for this device: make CUDA_ARCH=sm_NN";
    if ((e = cudaFuncGetAttributes(&code, (const void *)probe)) != cudaSuccess)
        return e;
    c->mma = code.ptxVersion >= 80;
    *why = "less than 256 MiB of its memory are free: wait for other programs to end";
    return spare < LEAST_MEMORY ? cudaErrorMemoryAllocation : cudaSuccess;
}

static void fill_table(Cuda *c)
{
    Device t = {};
    t.name = c->name;
    t.about = c->about;
    t.threads = BATCHES;
    t.bf16 = K_BF16;
    t.f16 = K_F16;
    t.alloc = cuda_alloc;
    t.free = cuda_free;
    t.hold = cuda_hold;
    t.release = cuda_release;
    t.put = cuda_put;
    t.get = cuda_get;
    t.fill = cuda_fill;
    t.temp = cuda_temp;
    t.wait = cuda_wait;
    t.mark = cuda_mark;
    t.reach = cuda_reach;
    t.close = cuda_close;
    t.pack = cuda_pack;
    t.pack_thin = cuda_pack_thin;
    t.refer = cuda_refer;
    t.follow = cuda_follow;
    t.renew = cuda_renew;
    t.unpack = cuda_unpack;
    t.each = cuda_each;
    t.again = cuda_again;
#define TAKE(name, Args) t.name = cuda_##name;
    OPS(TAKE, TAKE)
    c->table = t;
}

/* What the plug-in exports; plugin.c finds it by name. */
#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED TableBuild weft_cuda_build(void)
{
    return table_build();
}

/* `threads` says nothing here: a device has its own. */
EXPORTED Device *weft_cuda_open(int index, int threads, char *why, size_t n)
{
    (void)threads;
    const char *what;
    Cuda *c = (Cuda *)calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, n, "out of memory");
        return NULL;
    }
    c->index = index;
    snprintf(c->name, sizeof c->name, "cuda:%d", index);
    cudaError_t e = look(c, &what);
    if (e != cudaSuccess) {
        snprintf(why, n, "%s (%s)", what, cudaGetErrorString(e));
        cudaGetLastError();
        free(c);
        return NULL;
    }
    fill_table(c);
    cudaStream_t *all[] = {&c->stream, &c->up, &c->down};
    for (int i = 0; i < 3 && cuda_fine(c); i++)
        cuda_check(c, cudaStreamCreateWithFlags(all[i], cudaStreamNonBlocking), "stream");
    if (cuda_fine(c) && (c->memory = cuda_memory_new(c)) && cuda_fine(c))
        c->matmul = cuda_matmul_new(c);
    if (c->matmul && cuda_fine(c))
        return &c->table;
    snprintf(why, n, "%s", c->fault);
    cuda_close(&c->table);
    return NULL;
}
