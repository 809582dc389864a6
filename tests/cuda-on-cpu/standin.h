/* standin.h - CUDA without a GPU, for tests: what nvcc would bring to a kernel, for g++. The
 * real toolkit's headers are in use; these files supply the functions behind them.
 *
 * A kernel runs on the CPU, block after block, each thread of a block on a stack of its own
 * (fiber.cc), in an order that WEFT_STANDIN_SEED chooses: what needs a barrier and has none
 * goes wrong. Streams are lazy: nothing runs before somebody waits for it, and then streams run
 * in an order by chance, too (runtime.cc): a host that does not wait, or a stream that does not
 * wait for another's event, goes wrong. Shared memory and fresh device memory hold NaN.
 *
 * What stops the program (exit 99), naming kernel, block and thread:
 *   - threads of a block that wait at different barriers, or for each other for ever;
 *   - lanes that meet in different warp operations or with different masks, or outside their
 *     own;
 *   - mma and ldmatrix without the whole warp, ldmatrix from elsewhere than shared memory;
 *   - access beside an allocation, or by the host to device memory (memory.cc);
 *   - access to a vector off its boundary (-fsanitize=alignment, which traps). */
#ifndef STANDIN_H
#define STANDIN_H

#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>

#define __launch_bounds__(...)
#undef __shared__
#define __shared__ static __attribute__((section("standin_shared")))

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
enum { warpSize = 32 };

/* kernel(args), its arguments taken now, as a launch takes them. */
template <class F, class... A> std::function<void()> standin_bind(F kernel, A... args)
{
    return [=, all = std::make_tuple(args...)] { std::apply(kernel, all); };
}
cudaError_t standin_launch(const char *kernel, dim3 grid, dim3 block, size_t shared_bytes,
                           cudaStream_t stream, std::function<void()> body);
void *standin_shared(void);

void standin_barrier(int line);
#define __syncthreads() standin_barrier(__LINE__)

/* All lanes of mask meet in the operation `what`; gives what lane `source` brought, all bits
 * set if that lane is not among them. */
uint64_t standin_meet(const char *what, unsigned mask, uint64_t mine, int source);
/* The lanes of mask that brought something else than 0. */
unsigned standin_vote(const char *what, unsigned mask, bool mine);
int standin_lane(void);

template <class T> T standin_exchange(const char *what, unsigned mask, T v, int source)
{
    static_assert(sizeof v <= 8, "shuffles move 8 bytes at most");
    uint64_t u = 0;
    memcpy(&u, &v, sizeof v);
    u = standin_meet(what, mask, u, source);
    memcpy(&v, &u, sizeof v);
    return v;
}

/* The lane that is `width` wide group's lane i; mine where that lies outside. */
static inline int standin_source(int i, int width)
{
    int lane = standin_lane(), first = lane / width * width;
    return i >= 0 && i < width ? first + i : lane;
}

template <class T> T __shfl_sync(unsigned mask, T v, int lane, int width = warpSize)
{
    return standin_exchange("__shfl_sync", mask, v, standin_source(lane & (width - 1), width));
}
template <class T> T __shfl_xor_sync(unsigned mask, T v, int with, int width = warpSize)
{
    int to = (standin_lane() % width) ^ with;
    return standin_exchange("__shfl_xor_sync", mask, v, standin_source(to, width));
}
template <class T> T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = warpSize)
{
    int to = standin_lane() % width + (int)by;
    return standin_exchange("__shfl_down_sync", mask, v, standin_source(to, width));
}
template <class T> T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = warpSize)
{
    int to = standin_lane() % width - (int)by;
    return standin_exchange("__shfl_up_sync", mask, v, standin_source(to, width));
}
static inline void __syncwarp(unsigned mask = 0xffffffffu)
{
    standin_meet("__syncwarp", mask, 0, standin_lane());
}
static inline unsigned __ballot_sync(unsigned mask, int v)
{
    return standin_vote("__ballot_sync", mask, v != 0);
}
static inline int __any_sync(unsigned mask, int v)
{
    return standin_vote("__any_sync", mask, v != 0) != 0;
}
static inline int __all_sync(unsigned mask, int v)
{
    return standin_vote("__all_sync", mask, v == 0) == 0;
}

/* The whole warp meets; then fn runs once, with what each lane brought. */
void standin_together(const char *what, void *mine, void (*fn)(void *const lane[warpSize]));
/* mma.cc: what mma.m16n8k16 (f16, or bf16) and ldmatrix.x4 do. */
void standin_mma(bool f16, float d[4], const uint32_t a[4], const uint32_t b[2]);
void standin_ldmatrix(bool turned, uint32_t r[4], const void *row);
bool standin_is_shared(const void *p, size_t bytes);

/* One thread runs at a time. */
template <class T> T atomicAdd(T *p, T v)
{
    T old = *p;
    *p = old + v;
    return old;
}
template <class T> T atomicMax(T *p, T v)
{
    T old = *p;
    *p = v > old ? v : old;
    return old;
}
template <class T> T atomicCAS(T *p, T when, T v)
{
    T old = *p;
    if (old == when)
        *p = v;
    return old;
}

static inline unsigned __umulhi(unsigned a, unsigned b)
{
    return (unsigned)((uint64_t)a * b >> 32);
}
/* Byte i is that of b:a whose number is digit i of `which`. */
static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned which)
{
    uint64_t both = (uint64_t)b << 32 | a;
    unsigned r = 0;
    for (int i = 0; i < 4; i++)
        r |= (unsigned)(both >> (which >> 4 * i & 7) * 8 & 255) << 8 * i;
    return r;
}

#endif
