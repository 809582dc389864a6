/* faults NAME: what the stand-in promises, one case each. Those of `right` must end well; the
 * others must be stopped. tests/standin.bats says what each is to print. */
#include "kernels/mma.h"

#include <cstdlib>

static cudaStream_t stream;

#define START(kernel, blocks, threads, shared, ...)                                                \
    check(CUDA_START(kernel, dim3(blocks), dim3(threads), shared, stream, __VA_ARGS__))

static void check(cudaError_t e)
{
    if (e != cudaSuccess) {
        fprintf(stderr, "%s\n", cudaGetErrorString(e));
        exit(2);
    }
}

static float *device_floats(size_t n)
{
    void *p;
    check(cudaMalloc(&p, n * sizeof(float)));
    check(cudaMemsetAsync(p, 0, n * sizeof(float), stream));
    return (float *)p;
}

static float first_of(const float *p)
{
    float f;
    check(cudaMemcpyAsync(&f, p, sizeof f, cudaMemcpyDeviceToHost, stream));
    check(cudaStreamSynchronize(stream));
    return f;
}

static void expect(float got, float want)
{
    if (!(got == want)) {
        fprintf(stderr, "%g, not %g\n", (double)got, (double)want);
        exit(1);
    }
}

/* ---- right ---- */

/* Sums of all kinds; the last 30 threads leave at once. */
static __global__ void sums(float *out, unsigned *count)
{
    __shared__ float part[3];
    unsigned t = threadIdx.x;
    if (t >= 66)
        return;
    atomicAdd(count, 1u);
    atomicMax(count + 1, t);
    unsigned mask = t < 64 ? 0xffffffffu : 3u;
    float v = 1;
    for (unsigned m = t < 64 ? 16 : 1; m > 0; m /= 2)
        v += __shfl_xor_sync(mask, v, (int)m);
    if (__ballot_sync(mask, t % 2) != (mask & 0xaaaaaaaau) || !__any_sync(mask, t % 2) ||
        __all_sync(mask, t % 2))
        v = 1000;
    if (__shfl_sync(mask, t, 1) != t / 32 * 32 + 1 || __shfl_down_sync(mask, t, 1) < t)
        v = 2000;
    if (t % 32 == 0)
        part[t / 32] = v;
    __syncthreads();
    if (t == 65)
        out[0] = part[0] + part[1] + part[2];
}

static __global__ void turned(float *out)
{
    SHARED(float, shared);
    shared[threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    out[blockIdx.x * blockDim.x + threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

/* d = a b with a[r][k] = r + 2 k and b[k][c] = c - k from shared memory, summed up by lane. */
static __global__ void fragments(float *out)
{
    __shared__ __align__(16) uint16_t m[32][8];
    unsigned l = threadIdx.x, g = l / 4, i = l % 4 * 2;
    uint32_t a[4], b[4];
    float d[4] = {};
    for (int r = 0; r < 4; r++) {
        float row = (float)(g + r % 2 * 8), k = (float)(i + r / 2 * 8);
        a[r] = mma_pair<K_F16>(row + 2 * k, row + 2 * (k + 1));
    }
    for (unsigned c = 0; c < 8; c++) { /* rows 0 .. 15 of b, and again */
        uint32_t u = mma_pair<K_F16>((float)c - (float)(l % 16), 0);
        m[l][c] = (uint16_t)u;
    }
    __syncwarp();
    mma_load<true>(b, m[l]);
    mma<K_F16>(d, a, b);
    for (int r = 0; r < 4; r++) {
        float row = (float)(g + r / 2 * 8), col = (float)(i + r % 2), want = 0;
        for (float k = 0; k < 16; k++)
            want += (row + 2 * k) * (col - k);
        out[l * 4 + r] = d[r] - want;
    }
}

static void right(void)
{
    float *out = device_floats(256), *count = device_floats(2);
    START(sums, 1, 96, 0, out, (unsigned *)count);
    expect(first_of(out), 66);
    union {
        float f;
        unsigned u;
    } n = {first_of(count)};
    expect((float)n.u, 66);
    START(turned, 4, 64, 64 * sizeof(float), out);
    expect(first_of(out), 63);
    expect(first_of(out + 255), 0);
    START(fragments, 1, 32, 0, out);
    for (int i = 0; i < 128; i++)
        expect(first_of(out + i), 0);
}

/* 98,304 threads with 9 barriers. */
static __global__ void many(float *out)
{
    for (int i = 0; i < 9; i++)
        __syncthreads();
    if (blockIdx.x == 0 && threadIdx.x == 0)
        *out = 1;
}

static void barriers(void)
{
    float *out = device_floats(1);
    START(many, 384, 256, 0, out);
    expect(first_of(out), 1);
}

/* What is asked for is done when it is waited for, no earlier. */
static void lazy(void)
{
    float *p = device_floats(1), staged = 7, got = 1;
    check(cudaMemcpyAsync(p, &staged, sizeof staged, cudaMemcpyHostToDevice, stream));
    staged = 8;
    check(cudaMemcpyAsync(&got, p, sizeof got, cudaMemcpyDeviceToHost, stream));
    expect(got, 1);
    check(cudaStreamSynchronize(stream));
    expect(got, 8);
}

/* Two streams and a value that goes from one to the other, by the event or without it. */
static void two_streams(bool wait)
{
    float *p = device_floats(1), staged = 7, got = 0;
    cudaStream_t other;
    cudaEvent_t ready;
    check(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
    check(cudaEventCreateWithFlags(&ready, cudaEventDisableTiming));
    check(cudaMemcpyAsync(p, &staged, sizeof staged, cudaMemcpyHostToDevice, stream));
    check(cudaEventRecord(ready, stream));
    if (wait)
        check(cudaStreamWaitEvent(other, ready, 0));
    check(cudaMemcpyAsync(&got, p, sizeof got, cudaMemcpyDeviceToHost, other));
    check(cudaStreamSynchronize(other));
    expect(got, 7);
    check(cudaEventDestroy(ready));
    check(cudaStreamDestroy(other));
}
static void event(void)
{
    two_streams(true);
}

/* ---- wrong ---- */

static void no_event(void)
{
    for (int i = 0; i < 8; i++)
        two_streams(false);
}

static __global__ void unwritten(float *out)
{
    __shared__ float part[32];
    SHARED(float, shared);
    if (threadIdx.x == 1)
        part[1] = shared[1] = 0;
    __syncthreads();
    out[0] = part[0] + shared[0];
}
static void poison(void)
{
    float *p = device_floats(1);
    START(unwritten, 1, 2, 64, p);
    expect(first_of(p), 0);
}

static __global__ void unordered(float *out)
{
    __shared__ float part[64];
    part[threadIdx.x] = 1;
    atomicAdd(out, part[63 - threadIdx.x]);
}
static void missing(void)
{
    float *p = device_floats(1);
    START(unordered, 1, 64, 0, p);
    expect(first_of(p), 64);
}

static __global__ void two_barriers(float *out)
{
    if (threadIdx.x < 8)
        __syncthreads();
    else
        __syncthreads();
    *out = 1;
}
static void barrier(void)
{
    START(two_barriers, 2, 64, 0, device_floats(1));
}

static __global__ void barrier_in_warp(float *out)
{
    if (threadIdx.x < 8)
        __syncthreads();
    *out = __shfl_sync(0xffffffffu, 1.0f, 9);
}
static void half_there(void)
{
    START(barrier_in_warp, 1, 32, 0, device_floats(1));
}

static __global__ void foreign_mask(float *out)
{
    *out = __shfl_xor_sync(0x0000ffffu, 1.0f, 1);
}
static void lane(void)
{
    START(foreign_mask, 1, 32, 0, device_floats(1));
}

static __global__ void two_masks(float *out)
{
    *out = __shfl_xor_sync(threadIdx.x < 16 ? 0xffffffffu : 0xffff8000u, 1.0f, 1);
}
static void masks(void)
{
    START(two_masks, 1, 32, 0, device_floats(1));
}

static __global__ void half_product(float *out)
{
    uint32_t a[4] = {}, b[2] = {};
    if (threadIdx.x < 16)
        mma<K_BF16>(out, a, b);
}
static void half_warp(void)
{
    START(half_product, 1, 32, 0, device_floats(4));
}

static __global__ void odd_row(float *out)
{
    SHARED(uint16_t, shared);
    uint32_t r[4];
    mma_load<false>(r, shared + threadIdx.x * 4);
    *out = (float)r[0];
}
static void odd_rows(void)
{
    START(odd_row, 1, 32, 1024, device_floats(1));
}

static __global__ void write_at(float *p, int64_t i)
{
    if (threadIdx.x == 3 && blockIdx.x == 1)
        p[i] = 1;
}
static void past(void)
{
    START(write_at, 2, 8, 0, device_floats(64), 64);
}
static void before(void)
{
    START(write_at, 2, 8, 0, device_floats(64), -8);
}
static void odd_end(void)
{
    START(write_at, 2, 8, 0, device_floats(61), 61);
}

static __global__ void past_shared(float *out, int n)
{
    SHARED(float, shared);
    *out = shared[n + (int)threadIdx.x];
}
static void shared_end(void)
{
    START(past_shared, 1, 4, 256, device_floats(1), 62);
}

static __global__ void by_four(const float *x, float *out)
{
    float4 v = *reinterpret_cast<const float4 *>(x + threadIdx.x);
    *out = v.x + v.y + v.z + v.w;
}
static void misaligned(void)
{
    START(by_four, 1, 2, 0, device_floats(64), device_floats(1));
}

static void host(void)
{
    volatile float *p = device_floats(4);
    printf("%g\n", (double)p[1]);
}

static void too_many(void)
{
    START(many, 1, 1025, 0, device_floats(1));
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"right", right},        {"barriers", barriers}, {"lazy", lazy},
    {"poison", poison},      {"missing", missing},   {"barrier", barrier},
    {"event", event},        {"no-event", no_event}, {"half", half_there},
    {"lane", lane},          {"masks", masks},       {"past", past},
    {"half-mma", half_warp}, {"odd-row", odd_rows},  {"before", before},
    {"odd-end", odd_end},    {"shared", shared_end}, {"misaligned", misaligned},
    {"host", host},          {"too-many", too_many},
};

int main(int, char **argv)
{
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    for (const auto &c : cases)
        if (argv[1] && strcmp(argv[1], c.name) == 0) {
            c.run();
            check(cudaStreamSynchronize(stream));
            puts("ok");
            return 0;
        }
    fprintf(stderr, "faults: no such case\n");
    return 2;
}
