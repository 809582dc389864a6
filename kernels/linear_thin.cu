/* linear_thin.cu - weights for few rows, and the products with them (linear.h). A warp computes an
 * output of up to eight rows, or several outputs: it reads each weight once for all of them, n k
 * sizes in all. Lanes take sixteen bytes of weights in turn, each adds what is its own in order,
 * and then the lanes are added: the order is that of k alone. Of few rows time is waiting for
 * memory, so the weights of several turns are asked for before the first is multiplied; and the
 * bias, the activation and the residual are a lane's, an output each, in the same kernel. */
#include "kernels/cuda_act.h"

#include <cstdlib>

enum {
    THREADS = 128,
    WARPS = THREADS / WARP,
    FEW_THREADS = 64, /* where outputs are few, so that every multiprocessor has some */
    STEP = 16,
    MANY = 32,       /* rows */
    MANY_COLS = 8192 /* outputs */
};

/* How weights of a form are kept, and what they are multiplied by: EACH inputs in sixteen bytes. */
template <ThinForm FORM> struct Kept;
template <> struct Kept<THIN_F32> {
    typedef float Number, Input, Sum;
    enum { EACH = 4 };
};
template <> struct Kept<THIN_BF16> {
    typedef uint16_t Number;
    typedef float Input, Sum;
    enum { EACH = 8 };
};
template <> struct Kept<THIN_I8> {
    typedef int8_t Number, Input;
    typedef int32_t Sum;
    enum { EACH = 16 };
};

/* Bytes */

typedef struct Scale {
    float up, down;
} Scale;

/* The largest in size of x's every `every`th from `first` on that its lanes have, as its bits;
 * every lane gets it. */
static __device__ inline int32_t warp_top(const float *x, int64_t step, int64_t n, int first,
                                          int every)
{
    int32_t top = 0;
#pragma unroll 8
    for (int64_t i = first; i < n; i += every) {
        int32_t u;
        memcpy(&u, x + i * step, sizeof u);
        u &= 0x7fffffff;
        top = u > top ? u : top;
    }
    for (int m = WARP / 2; m > 0; m /= 2) {
        int32_t u = __shfl_xor_sync(0xffffffffu, top, m);
        top = u > top ? u : top;
    }
    return top;
}

static __device__ inline Scale scale_of(int32_t top)
{
    float max;
    memcpy(&max, &top, sizeof max);
    Scale s = {0, 0};
    if (top >= 0x7f800000) /* infinite, or NaN */
        s.down = NAN;
    else if (max >= 0x1p-100f)
        s = {127.0f / max, max / 127.0f};
    return s;
}

/* Each product and sum rounded, as on the CPU. */
static __device__ inline float times(float a, float b)
{
#ifdef __CUDA_ARCH__
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}
static __device__ inline float plus(float a, float b)
{
#ifdef __CUDA_ARCH__
    return __fadd_rn(a, b);
#else
    return a + b;
#endif
}

/* Where no scale is to be had `up` is 0: x may be NaN then, or infinite. */
static __device__ inline int8_t to_byte(float x, Scale s)
{
    return s.up > 0 ? (int8_t)rintf(times(x, s.up)) : (int8_t)0;
}

/* c and the sum of four products of bytes. */
static __device__ inline int32_t dot4(int32_t a, int32_t b, int32_t c)
{
#ifdef __CUDA_ARCH__
    return __dp4a(a, b, c);
#else
    int8_t x[4], y[4];
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int i = 0; i < 4; i++)
        c += x[i] * y[i];
    return c;
#endif
}

/* Weights */

static __device__ inline void keep(float x, Scale, float *to)
{
    *to = x;
}
/* Not by memcpy: nvcc 13.0 then stores two bytes, and the lower one is not the number's. */
static __device__ inline void keep(float x, Scale, uint16_t *to)
{
    *to = __bfloat16_as_ushort(__float2bfloat16_rn(x));
}
static __device__ inline void keep(float x, Scale s, int8_t *to)
{
    *to = to_byte(x, s);
}

/* n outputs of k inputs, `down` and `along` apart, to rows of `padded` numbers, a warp each. */
template <class T>
static __global__ void arrange(const float *from, int64_t down, int64_t along, int64_t n, int64_t k,
                               T *to, int64_t padded, float *scale)
{
    int64_t j = (int64_t)blockIdx.x * WARPS + threadIdx.x / WARP;
    if (j >= n)
        return;
    Scale s = {0, 0};
    if (scale) {
        s = scale_of(warp_top(from + j * down, along, k, threadIdx.x % WARP, WARP));
        scale[j] = s.down;
    }
    for (int64_t i = threadIdx.x % WARP; i < padded; i += WARP)
        keep(i < k ? from[j * down + i * along] : 0, s, to + j * padded + i);
}

template <class T>
static void arranged(Device *d, Weight *w, int64_t at, const float *from, int64_t n)
{
    int64_t down = w->by_input ? 1 : w->k, along = w->by_input ? n : 1;
    LAUNCH(cuda_of(d), arrange<T>, cuda_blocks(n, WARPS), THREADS, 0, from, down, along, n, w->k,
           (T *)w->w + at * w->stride, w->stride, w->scale ? w->scale + at : NULL);
}

static size_t number_size(ThinForm form)
{
    return form == THIN_F32 ? 4 : form == THIN_BF16 ? 2 : 1;
}

/* Part after part, through device memory for one of them. */
static bool fill_thin(Device *d, Weight *w, const View *part, int parts)
{
    int64_t at = 0;
    for (int i = 0; i < parts; i++) {
        int64_t n = w->by_input ? part[i].cols : part[i].rows;
        float *plain = (float *)cuda_alloc(d, (size_t)(n * w->k) * sizeof *plain);
        if (!plain)
            return false;
        cuda_put_rows(d, plain, part[i]);
        if (n > 0)
            switch (w->form) {
            case THIN_F32: arranged<float>(d, w, at, plain, n); break;
            case THIN_BF16: arranged<uint16_t>(d, w, at, plain, n); break;
            case THIN_I8: arranged<int8_t>(d, w, at, plain, n); break;
            case THIN_FORMS: break;
            }
        cuda_free(d, plain);
        at += n;
    }
    return cuda_fine(cuda_of(d));
}

Weight *cuda_pack_thin(Device *d, const View *part, const float *const *bias, int parts,
                       bool by_input, ThinForm form)
{
    Weight *w = (Weight *)calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->owned = w->thin = true;
    w->form = form;
    w->by_input = by_input;
    w->k = by_input ? part[0].rows : part[0].cols;
    for (int i = 0; i < parts; i++)
        w->n += by_input ? part[i].cols : part[i].rows;
    w->stride = (w->k + STEP - 1) / STEP * STEP;
    w->w = cuda_alloc(d, (size_t)(w->n * w->stride) * number_size(form));
    if (form == THIN_I8)
        w->scale = (float *)cuda_alloc(d, (size_t)w->n * sizeof *w->scale);
    if (bias)
        w->bias[K_F32] = cuda_stacked_bias(d, part, bias, parts, by_input, w->n);
    if (w->w && (w->scale || form != THIN_I8) && (w->bias[K_F32] || !bias) &&
        (form != THIN_I8 || w->k <= THIN_K) && fill_thin(d, w, part, parts))
        return w;
    cuda_unpack(d, w);
    return NULL;
}

/* The product */

/* Rows of x, padded with zeros; of bytes, with what makes numbers of them. */
typedef struct Rows {
    const void *p;
    int64_t stride;
    const float *scale;
} Rows;

static __global__ void pad_rows(View x, float *to, int64_t padded)
{
    int64_t i = (int64_t)blockIdx.x * WARPS + threadIdx.x / WARP;
    if (i >= x.rows)
        return;
    const float *from = (const float *)cuda_row(x, i);
    for (int64_t j = threadIdx.x % WARP; j < padded; j += WARP)
        to[i * padded + j] = j < x.cols ? from[j] : 0;
}

/* A block a row, for few of them are there. */
static __global__ void bytes_of_rows(View x, int8_t *to, int64_t padded, float *scale)
{
    __shared__ int32_t tops[WARPS];
    int64_t i = blockIdx.x;
    const float *from = (const float *)cuda_row(x, i);
    int32_t top = warp_top(from, 1, x.cols, threadIdx.x, THREADS);
    if (threadIdx.x % WARP == 0)
        tops[threadIdx.x / WARP] = top;
    __syncthreads();
    for (int w = 0; w < WARPS; w++)
        top = tops[w] > top ? tops[w] : top;
    Scale s = scale_of(top);
    if (threadIdx.x == 0)
        scale[i] = s.down;
#pragma unroll 8
    for (int64_t j = threadIdx.x; j < padded; j += THREADS)
        keep(j < x.cols ? from[j] : 0, s, to + i * padded + j);
}

static Rows rows_of(Piece *p, const Weight *w, View x)
{
    Cuda *c = cuda_of(p->dev);
    bool bytes = w->form == THIN_I8;
    if (!bytes && x.cols == w->stride && cuda_by_four(x))
        return {x.p, x.stride, NULL};
    void *to = cuda_temp(p, (size_t)(x.rows * w->stride) * (bytes ? 1 : sizeof(float)));
    float *scale = bytes ? (float *)cuda_temp(p, (size_t)x.rows * sizeof *scale) : NULL;
    if (bytes)
        LAUNCH(c, bytes_of_rows, (unsigned)x.rows, THREADS, 0, x, (int8_t *)to, w->stride, scale);
    else
        LAUNCH(c, pad_rows, cuda_blocks(x.rows, WARPS), THREADS, 0, x, (float *)to, w->stride);
    return {to, w->stride, scale};
}

static __device__ inline uint4 sixteen(const void *p)
{
    return *reinterpret_cast<const uint4 *>(p);
}

/* Sixteen bytes of weights, and their inputs, as they are multiplied. */
static __device__ inline void widen(uint4 u, float (&to)[4])
{
    memcpy(to, &u, sizeof u);
}
static __device__ inline void widen(uint4 u, float (&to)[8])
{
    uint32_t bits[] = {u.x << 16, u.x & 0xffff0000, u.y << 16, u.y & 0xffff0000,
                       u.z << 16, u.z & 0xffff0000, u.w << 16, u.w & 0xffff0000};
    memcpy(to, bits, sizeof bits);
}
static __device__ inline void widen(uint4 u, int8_t (&to)[16])
{
    memcpy(to, &u, sizeof u);
}
template <int EACH, class T> static __device__ inline void fetch_x(const T *x, T *to)
{
    for (int i = 0; i < EACH; i += 16 / (int)sizeof(T)) {
        uint4 u = sixteen(x + i);
        memcpy(to + i, &u, sizeof u);
    }
}
template <int EACH> static __device__ inline float add(float sum, const float *w, const float *x)
{
    for (int i = 0; i < EACH; i++)
        sum = fmaf(w[i], x[i], sum);
    return sum;
}
template <int EACH>
static __device__ inline int32_t add(int32_t sum, const int8_t *w, const int8_t *x)
{
    for (int i = 0; i < EACH; i += 4) {
        int32_t a, b;
        memcpy(&a, w + i, sizeof a);
        memcpy(&b, x + i, sizeof b);
        sum = dot4(a, b, sum);
    }
    return sum;
}

static __device__ inline float finished(float sum, float, float, float bias)
{
    return plus(sum, bias);
}
static __device__ inline float finished(int32_t sum, float down, float scale, float bias)
{
    return plus(times(times(down, scale), (float)sum), bias);
}

/* Outputs [0, y.cols) of a weight's, and what becomes of them. */
typedef struct Outputs {
    const void *w;
    int64_t stride;
    const float *scale, *bias;
    Act act;
    View r, y;
} Outputs;

/* COLS outputs of ROWS rows a warp. */
template <ThinForm FORM, int ROWS, int COLS> static __global__ void multiply(Rows x, Outputs o)
{
    typedef typename Kept<FORM>::Number Number;
    typedef typename Kept<FORM>::Input Input;
    typedef typename Kept<FORM>::Sum Sum;
    enum { EACH = Kept<FORM>::EACH, TURN = WARP * EACH };
    const int RUN = COLS > 2 ? 1 : ROWS > 1 ? 4 : 6 / COLS; /* turns */
    int64_t j = ((int64_t)blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP) * COLS;
    int64_t i = (int64_t)blockIdx.y * ROWS;
    int lane = threadIdx.x % WARP;
    if (j >= o.y.cols)
        return;
    /* What the lane puts out in the end, and what that takes. */
    int64_t at = i + lane / COLS, to = j + lane % COLS;
    bool puts = lane < ROWS * COLS && at < o.y.rows && to < o.y.cols;
    float bias = puts && o.bias ? o.bias[to] : 0, more = 0;
    float scale = puts && o.scale ? o.scale[to] : 0, down = puts && x.scale ? x.scale[at] : 0;
    if (puts && o.r.p)
        more = cuda_load<1>(cuda_row(o.r, at), o.r.type, to).v[0];
    const Number *row[COLS]; /* what lies beyond the end is the first once more, and told to none */
    const Input *in[ROWS];
    Sum sum[ROWS][COLS] = {};
    for (int c = 0; c < COLS; c++)
        row[c] = (const Number *)o.w + (j + c < o.y.cols ? j + c : j) * o.stride;
    for (int r = 0; r < ROWS; r++)
        in[r] = (const Input *)x.p + (i + r < o.y.rows ? i + r : i) * x.stride;
    for (int64_t k0 = 0; k0 < o.stride; k0 += RUN * TURN) {
        int64_t k = k0 + lane * EACH;
        uint4 raw[RUN][COLS];
        Input u[ROWS == 1 ? RUN : 1][EACH];
#pragma unroll
        for (int n = 0; n < RUN; n++)
            if (k + n * TURN < o.stride) {
                for (int c = 0; c < COLS; c++)
                    raw[n][c] = sixteen(row[c] + k + n * TURN);
                if (ROWS == 1)
                    fetch_x<EACH>(in[0] + k + n * TURN, u[n]);
            }
        if (RUN > 1) /* or the compiler asks for one, waits, and asks for the next */
            __syncwarp(0xffffffffu);
#pragma unroll
        for (int n = 0; n < RUN; n++)
            if (k + n * TURN < o.stride) {
                Input v[COLS][EACH];
                for (int c = 0; c < COLS; c++)
                    widen(raw[n][c], v[c]);
                for (int r = 0; r < ROWS; r++) {
                    Input *with = u[ROWS == 1 ? n : 0];
                    if (ROWS > 1)
                        fetch_x<EACH>(in[r] + k + n * TURN, with);
                    for (int c = 0; c < COLS; c++)
                        sum[r][c] = add<EACH>(sum[r][c], v[c], with);
                }
            }
    }
    Sum mine = 0;
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            Sum all = warp_sum(sum[r][c]);
            mine = lane == r * COLS + c ? all : mine;
        }
    if (!puts)
        return;
    Wide<1> y = {{cuda_activated(finished(mine, down, scale, bias), o.act)}};
    if (o.r.p)
        y.v[0] = plus(y.v[0], more);
    cuda_store<1>(cuda_row(o.y, at), o.y.type, to, y);
}

template <ThinForm FORM, int ROWS, int COLS> static void start(Cuda *c, Rows x, const Outputs *o)
{
    int threads = o->y.cols < MANY_COLS && o->y.rows <= MANY ? FEW_THREADS : THREADS;
    dim3 grid(cuda_blocks(o->y.cols, threads / WARP * COLS), cuda_blocks(o->y.rows, ROWS));
    LAUNCH(c, (multiply<FORM, ROWS, COLS>), grid, threads, 0, x, *o);
}

template <ThinForm FORM> static void by_rows(Cuda *c, Rows x, const Outputs *o)
{
    int64_t rows = o->y.rows;
    if (rows > MANY)
        start<FORM, 8, 4>(c, x, o);
    else if (rows > 4)
        start<FORM, 8, 1>(c, x, o);
    else if (rows > 2)
        start<FORM, 4, 1>(c, x, o);
    else if (rows > 1)
        start<FORM, 2, 1>(c, x, o);
    else if (o->y.cols >= MANY_COLS)
        start<FORM, 1, 2>(c, x, o);
    else
        start<FORM, 1, 1>(c, x, o);
}

void cuda_thin(Piece *p, const Weight *w, int64_t col0, View x, Act act, View r, View y)
{
    Cuda *c = cuda_of(p->dev);
    if (y.rows == 0 || y.cols == 0)
        return;
    Rows rows = rows_of(p, w, x);
    const float *bias = (const float *)w->bias[K_F32];
    Outputs o = {(const char *)w->w + (size_t)(col0 * w->stride) * number_size(w->form),
                 w->stride,
                 w->scale ? w->scale + col0 : NULL,
                 bias ? bias + col0 : NULL,
                 act,
                 r,
                 y};
    switch (w->form) {
    case THIN_F32: by_rows<THIN_F32>(c, rows, &o); break;
    case THIN_BF16: by_rows<THIN_BF16>(c, rows, &o); break;
    case THIN_I8: by_rows<THIN_I8>(c, rows, &o); break;
    case THIN_FORMS: break;
    }
}
