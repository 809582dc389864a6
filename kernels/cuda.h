/* cuda.h - what the .cu files share. They are compiled by nvcc into weft-cuda.so, and for tests
 * by g++ with WEFT_CUDA_STANDIN against tests/cuda-on-cpu, which runs them on the CPU.
 *
 * So that both are possible:
 *   - nothing of the toolkit is included but what this file includes;
 *   - a kernel is started by LAUNCH alone, and templates are named in parentheses:
 *         LAUNCH(c, (rows_wide<4, 8>), blocks, threads, 0, *a);
 *   - dynamic shared memory is SHARED(float, name), on 16 bytes; `__shared__` variables stand in
 *     functions that are no templates;
 *   - of what nvcc brings along, kernels use threadIdx, blockIdx, blockDim, gridDim,
 *     __syncthreads, __syncwarp, __shfl_xor_sync, __shfl_sync, __umulhi, __byte_perm, <cmath>'s
 *     functions and cuda_bf16.h's and cuda_fp16.h's conversions; linear_thin.cu also what sums
 *     bytes and rounds, with something in its place. No atomics: sums run in a fixed order.
 *     Tensor cores are used by mma.h.
 *
 * The runtime's functions in use:
 *   cudaGetDeviceCount cudaSetDevice cudaGetDeviceProperties cudaDriverGetVersion cudaMemGetInfo
 *   cudaStreamCreateWithFlags cudaStreamDestroy cudaStreamSynchronize cudaStreamWaitEvent
 *   cudaEventCreateWithFlags cudaEventDestroy cudaEventRecord cudaEventSynchronize
 *   cudaMalloc cudaFree cudaMallocHost cudaFreeHost cudaMemcpyAsync cudaMemsetAsync
 *   cudaStreamBeginCapture cudaStreamEndCapture cudaGraphInstantiateWithFlags cudaGraphLaunch
 *   cudaGraphDestroy cudaGraphExecDestroy
 *   cudaFuncSetAttribute cudaFuncGetAttributes cudaGetLastError cudaGetErrorName
 *   cudaGetErrorString
 * and cuBLASLt's (matmul.cu):
 *   cublasLtCreate cublasLtDestroy cublasLtMatmul cublasLtMatmulAlgoGetHeuristic
 *   cublasLtMatmulDescCreate cublasLtMatmulDescDestroy cublasLtMatmulDescSetAttribute
 *     (TRANSA, TRANSB, EPILOGUE, BIAS_POINTER)
 *   cublasLtMatrixLayoutCreate cublasLtMatrixLayoutDestroy
 *   cublasLtMatmulPreferenceCreate cublasLtMatmulPreferenceDestroy
 *   cublasLtMatmulPreferenceSetAttribute (MAX_WORKSPACE_BYTES, REDUCTION_SCHEME_MASK,
 *     MIN_ALIGNMENT_A_BYTES .. D_BYTES)
 *   cublasLtGetStatusString
 * in column-major order, compute type CUBLAS_COMPUTE_32F, scale type f32, with A and B both f32
 * (C and D f32), both bf16 (C and D f32 or bf16) or both f16 (C and D f32 or f16), a bias of D's
 * type, epilogues DEFAULT, BIAS, GELU and GELU_BIAS (tanh form), C = D or apart, alpha 1, beta 0
 * or 1. */
#ifndef WEFT_CUDA_H
#define WEFT_CUDA_H

#include "kernels/device.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <vector_functions.h>

#ifdef WEFT_CUDA_STANDIN
/* Supplies what nvcc would bring, and
 *     cudaError_t standin_launch(const char *kernel, dim3 grid, dim3 block, size_t shared_bytes,
 *                                cudaStream_t stream, BODY body);   body() runs one thread
 *     BODY standin_bind(KERNEL kernel, ARGS... args);   the arguments are taken now
 *     void *standin_shared(void);   the running block's dynamic shared memory
 * and gives `__shared__` the meaning of a static variable in a section of its own. */
#include "standin.h"
#define SHARED(type, name) type *name = static_cast<type *>(standin_shared())
#define CUDA_START(kernel, grid, block, shared, stream, ...)                                       \
    standin_launch(#kernel, grid, block, shared, stream,                                           \
                   standin_bind([](auto... a) { kernel(a...); }, __VA_ARGS__))
#else
#define SHARED(type, name)                                                                         \
    extern __shared__ float4 cuda_shared[];                                                        \
    type *name = reinterpret_cast<type *>(cuda_shared)
#define CUDA_START(kernel, grid, block, shared, stream, ...)                                       \
    (kernel<<<grid, block, shared, stream>>>(__VA_ARGS__), cudaGetLastError())
#endif

/* Starts a kernel on the device's stream, unless something has failed before. */
#define LAUNCH(c, kernel, grid, block, shared, ...)                                                \
    do {                                                                                           \
        if (cuda_fine(c))                                                                          \
            cuda_check(                                                                            \
                c, CUDA_START(kernel, dim3(grid), dim3(block), shared, (c)->stream, __VA_ARGS__),  \
                #kernel);                                                                          \
    } while (0)

/* The host's side */

typedef struct CudaMemory CudaMemory; /* cuda_memory.cu */
typedef struct CudaMatmul CudaMatmul; /* matmul.cu */
typedef struct CudaAgain CudaAgain;   /* cuda_again.cu */

typedef struct Cuda {
    Device table; /* first: a Device * is a Cuda * */
    char name[16], about[160];
    int index;
    bool mma;              /* tensor cores of sm_80 and later, in our code as in the card */
    cudaStream_t stream;   /* everything runs on it, in order */
    cudaStream_t up, down; /* but the way from the host and to it (cuda_memory.cu) */
    CudaMemory *memory;
    CudaMatmul *matmul;
    CudaAgain *again; /* NULL: nothing came again so far */
    char fault[224];  /* the first failure; "" while there is none */
} Cuda;

static inline Cuda *cuda_of(Device *d)
{
    return reinterpret_cast<Cuda *>(d);
}
static inline bool cuda_fine(const Cuda *c)
{
    return c->fault[0] == '\0';
}
/* Keeps the first failure, for `wait` to tell. */
void cuda_fail(Cuda *c, const char *what, const char *why);
/* False, and the failure kept, where e is an error. */
bool cuda_check(Cuda *c, cudaError_t e, const char *what);

/* cuda_memory.cu: a cache of device memory, the arena of stages, pinned staging buffers. */
CudaMemory *cuda_memory_new(Cuda *c);
void cuda_memory_free(Cuda *c); /* everything, whoever still holds it */
void *cuda_alloc(Device *d, size_t bytes);
void cuda_free(Device *d, void *p);
const void *cuda_hold(Device *d, const void *host, size_t bytes);
void cuda_release(Device *d, const void *held);
void cuda_put(Device *d, void *dst, const void *host, size_t bytes);
void cuda_get(Device *d, void *host, const void *src, size_t bytes);
void cuda_fill(Device *d, void *dst, int byte, size_t bytes);
void *cuda_temp(Piece *p, size_t bytes);
void cuda_arena_reset(Cuda *c); /* a new stage begins */
int64_t cuda_mark(Device *d);
void cuda_hand_over(Cuda *c, int64_t mark); /* what `get` asked for before that mark */
void cuda_settle(Cuda *c);                  /* all of it, and waits for the rest */
int64_t cuda_era(const Cuda *c);            /* another one whenever memory is taken or given back */

/* cuda_again.cu */
void cuda_again(Device *d, const void *key, size_t bytes, void (*fn)(void *ctx), void *ctx);
void cuda_again_free(CudaAgain *a);

/* linear.cu */
struct Weight {
    void *w; /* [n, k], or [k, n] where by_input; rows `stride` apart */
    KType type;
    int64_t n, k, stride;
    bool by_input, owned;
    const void *bias[K_TYPES]; /* [n] as f32 and, of owned bf16 or f16 weights, as that; or NULL */
    bool thin; /* for few rows: as `form` says, rows of whole sixteens (linear_thin.cu); x is f32 */
    ThinForm form;
    float *scale; /* [n], of THIN_I8 */
    View from;    /* what an owned one follows, and its f32 bias then, are not ours; {0}: nothing */
};
Weight *cuda_pack(Device *d, const View *part, const float *const *bias, int parts, bool by_input,
                  KType type);
Weight *cuda_refer(Device *d, View w, const float *bias);
Weight *cuda_follow(Device *d, View w, const float *bias, bool by_input, KType type);
void cuda_renew(Piece *p, Weight *w);
void cuda_unpack(Device *d, Weight *w);
/* x, or where it is of another type a copy in temporary memory. */
View cuda_as_type(Piece *p, View x, KType type);
/* A matrix of the host's, f32, to dense rows; the biases of parts, one after another. */
void cuda_put_rows(Device *d, float *to, View part);
float *cuda_stacked_bias(Device *d, const View *part, const float *const *bias, int parts,
                         bool by_input, int64_t n);

/* linear_thin.cu */
Weight *cuda_pack_thin(Device *d, const View *part, const float *const *bias, int parts,
                       bool by_input, ThinForm form);
/* y = act(x W' + b) (+ r) of the outputs [col0, col0 + y.cols); x f32. */
void cuda_thin(Piece *p, const Weight *w, int64_t col0, View x, Act act, View r, View y);

/* matmul.cu: d = a b (+ c) (+ bias) as cuBLASLt sees it, column by column. */
typedef struct CudaOperand {
    const void *p;
    KType type;
    int64_t rows, cols, stride; /* as it lies in memory, column-major; stride between columns */
    bool turned;                /* the product takes its transpose */
} CudaOperand;
typedef struct CudaProduct {
    CudaOperand a, b, d;
    const void *c; /* added, of d's type and shape, columns c_stride apart; or NULL */
    int64_t c_stride;
    const void *bias; /* one a row of d, of d's type; or NULL */
    bool gelu_tanh;
    bool any_cols;  /* b and d may have any number of columns: one choice of algorithm for all,
                       so that a column's bits do not depend on how many there are */
    bool any_inner; /* a and b likewise: one choice up to each power of two */
} CudaProduct;
CudaMatmul *cuda_matmul_new(Cuda *c);
void cuda_matmul_free(CudaMatmul *m);
void cuda_product(Cuda *c, const CudaProduct *p);

/* act.cu: y = act(x) + r, r {0}: none; y may be x or r. */
void cuda_activate(Cuda *c, View x, View r, View y, Act act);

/* The operations */
#define DECLARE(name, Args) void cuda_##name(Piece *, const Args *);
OPS(DECLARE, DECLARE)
#undef DECLARE

/* The device's side */

enum { WARP = 32 };

/* Blocks of `each` that cover n. */
static inline unsigned cuda_blocks(int64_t n, int64_t each)
{
    return (unsigned)((n + each - 1) / each);
}

static __device__ __host__ inline char *cuda_row(View v, int64_t i)
{
    return (char *)v.p + i * v.stride * (v.type == K_F32 ? 4 : 2);
}

/* W neighbouring elements, widened. W of 4 wants the address on 4 elements. */
template <int W> struct Wide {
    float v[W];
};

template <int W> static __device__ inline Wide<W> cuda_load(const void *p, KType t, int64_t i)
{
    Wide<W> w;
    if (t == K_F32) {
        if constexpr (W == 4) {
            float4 f = *reinterpret_cast<const float4 *>((const float *)p + i);
            w.v[0] = f.x, w.v[1] = f.y, w.v[2] = f.z, w.v[3] = f.w;
        } else {
            w.v[0] = ((const float *)p)[i];
        }
    } else if (t == K_F16) {
        if constexpr (W == 4) {
            uint2 u = *reinterpret_cast<const uint2 *>((const __half *)p + i);
            __half_raw h[4];
            memcpy(h, &u, sizeof h);
            for (int k = 0; k < 4; k++)
                w.v[k] = __half2float(__half(h[k]));
        } else {
            w.v[0] = __half2float(((const __half *)p)[i]);
        }
    } else if constexpr (W == 4) {
        uint2 u = *reinterpret_cast<const uint2 *>((const __nv_bfloat16 *)p + i);
        uint32_t bits[] = {u.x << 16, u.x & 0xffff0000, u.y << 16, u.y & 0xffff0000};
        memcpy(w.v, bits, sizeof bits); /* the upper half of an f32 each */
    } else {
        w.v[0] = __bfloat162float(((const __nv_bfloat16 *)p)[i]);
    }
    return w;
}

template <int W> static __device__ inline void cuda_store(void *p, KType t, int64_t i, Wide<W> w)
{
    if (t == K_F32) {
        if constexpr (W == 4)
            *reinterpret_cast<float4 *>((float *)p + i) =
                make_float4(w.v[0], w.v[1], w.v[2], w.v[3]);
        else
            ((float *)p)[i] = w.v[0];
    } else if (t == K_F16) {
        if constexpr (W == 4) {
            __half2 h[2] = {__floats2half2_rn(w.v[0], w.v[1]), __floats2half2_rn(w.v[2], w.v[3])};
            uint2 u;
            memcpy(&u, h, sizeof u);
            *reinterpret_cast<uint2 *>((__half *)p + i) = u;
        } else {
            ((__half *)p)[i] = __float2half_rn(w.v[0]);
        }
    } else if constexpr (W == 4) {
        __nv_bfloat162 h[2] = {__floats2bfloat162_rn(w.v[0], w.v[1]),
                               __floats2bfloat162_rn(w.v[2], w.v[3])};
        uint2 u;
        memcpy(&u, h, sizeof u);
        *reinterpret_cast<uint2 *>((__nv_bfloat16 *)p + i) = u;
    } else {
        ((__nv_bfloat16 *)p)[i] = __float2bfloat16_rn(w.v[0]);
    }
}

/* May rows of v be read and written four elements at a time? Those of {0} may. */
static inline bool cuda_by_four(View v)
{
    return !v.p ||
           (v.cols % 4 == 0 && v.stride % 4 == 0 && (uintptr_t)v.p % (4 * ktype_size(v.type)) == 0);
}

/* Over the 32 lanes of a warp, all of them there; every lane gets the result. */
template <class T> static __device__ inline T warp_sum(T v)
{
    for (int m = WARP / 2; m > 0; m /= 2)
        v += __shfl_xor_sync(0xffffffffu, v, m);
    return v;
}
static __device__ inline float warp_max(float v)
{
    for (int m = WARP / 2; m > 0; m /= 2)
        v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, m));
    return v;
}

#endif
