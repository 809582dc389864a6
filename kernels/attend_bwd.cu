/* attend_bwd.cu - the way back through attention in f32, for what tensor cores do not take
 * (attend_bwd_mma.cu). With p the weights, m what dropout multiplies them by, and D = dy y':
 *     dv = (p m)' dy     ds = p (m (dy v') - D)     dq = scale ds k     dk = scale ds' q
 * One kernel makes dq and one dk and dv. A block keeps 32 queries (keys), a warp MINE of them, and
 * walks through the row's keys (queries), 32 at a time, which lie in shared memory: for the two
 * products that make ds a lane is one of these, for what is added up it is every 32nd column. So
 * p is made twice, 14 len^2 size flops a head; each sum runs in order of the tokens.
 *
 * DEEP is the head's size rounded up: 32, 64, 128 or 256. D is made first, by a kernel of its own:
 * all in all dy is read twice and more, y once, and what walks past once for each 32 that stay.
 *
 * The gradient by distance is attend_bwd_bias.cu's. */
#include "kernels/attend_in.h"

enum { MINE = 8, THEIRS = WARP, TOTALS = 4 /* warps of a block */ };

template <int DEEP> struct Shape {
    static const int WARPS = DEEP > 128 ? 2 : 4;
    static const int ROW = DEEP + 1;     /* lanes that walk down rows meet all banks */
    static const int COLS = DEEP / WARP; /* of the sums, a lane */
    static const int BLOCK = WARPS * MINE;
    /* floats: the two matrices of those that stay, of all warps; those that walk past; the weights
     * of all warps, for both sums */
    static const int STAY = 0, PAST = STAY + 2 * BLOCK * DEEP,
                     WEIGHT = PAST + (2 * THEIRS * ROW + 3) / 4 * 4,
                     FLOATS = WEIGHT + 2 * BLOCK * THEIRS;
};

/* D of all tokens and heads, a warp each. */
static __global__ void attend_totals(AttendBwd b, int64_t tokens, int heads, float *total)
{
    int64_t at = (int64_t)blockIdx.x * TOTALS + threadIdx.y, token = at / heads;
    int64_t col = at % heads * b.of.size;
    float sum = 0;
    if (token >= tokens)
        return;
    for (int j = threadIdx.x; j < b.of.size; j += WARP)
        sum += cuda_load<1>(cuda_row(b.dy, token), b.dy.type, col + j).v[0] *
               cuda_load<1>(cuda_row(b.of.y, token), b.of.y.type, col + j).v[0];
    sum = warp_sum(sum);
    if (threadIdx.x == 0)
        total[at] = sum;
}

/* Those that stay, [first, first + BLOCK); eight side by side for each column, so that a lane reads
 * them as two vectors. */
template <int DEEP>
static __device__ inline void load_stay(View a, View b, const AttendPlace &p, int64_t first,
                                        int size, bool four, float *to)
{
    typedef Shape<DEEP> S;
    for (int e = threadIdx.x; e < S::BLOCK * DEEP / 4; e += S::WARPS * WARP) {
        int q = e / (DEEP / 4), j = e % (DEEP / 4) * 4;
        Wide<4> x = elements(a, p, first + q, j, size, four);
        Wide<4> y = elements(b, p, first + q, j, size, four);
        for (int k = 0; k < 4; k++) {
            float *at = to + (q / MINE * DEEP + j + k) * MINE + q % MINE;
            at[0] = x.v[k];
            at[S::BLOCK * DEEP] = y.v[k];
        }
    }
}

template <int DEEP>
static __device__ inline void load_past(View a, View b, const AttendPlace &p, int64_t first,
                                        int size, bool four, float *to)
{
    typedef Shape<DEEP> S;
    for (int e = threadIdx.x; e < THEIRS * DEEP / 4; e += S::WARPS * WARP) {
        int r = e / (DEEP / 4), j = e % (DEEP / 4) * 4;
        Wide<4> x = elements(a, p, first + r, j, size, four);
        Wide<4> y = elements(b, p, first + r, j, size, four);
        for (int k = 0; k < 4; k++) {
            to[r * S::ROW + j + k] = x.v[k];
            to[(THEIRS + r) * S::ROW + j + k] = y.v[k];
        }
    }
}

/* sum[q] = row `past` times the warp's q. */
template <int DEEP>
static __device__ inline void multiply(const float *stay, const float *past, float sum[MINE])
{
    for (int q = 0; q < MINE; q++)
        sum[q] = 0;
#pragma unroll 8
    for (int j = 0; j < DEEP; j++) {
        float x = past[j];
        float4 a = reinterpret_cast<const float4 *>(stay + j * MINE)[0];
        float4 b = reinterpret_cast<const float4 *>(stay + j * MINE)[1];
        sum[0] += a.x * x;
        sum[1] += a.y * x;
        sum[2] += a.z * x;
        sum[3] += a.w * x;
        sum[4] += b.x * x;
        sum[5] += b.y * x;
        sum[6] += b.z * x;
        sum[7] += b.w * x;
    }
}

/* out += the weights of the 32 that walk past, times their rows. */
template <int DEEP>
static __device__ inline void gather(const float *weight, const float *past,
                                     float out[MINE][Shape<DEEP>::COLS])
{
    typedef Shape<DEEP> S;
    for (int k = 0; k < THEIRS; k++) {
        float4 a = reinterpret_cast<const float4 *>(weight + k * MINE)[0];
        float4 b = reinterpret_cast<const float4 *>(weight + k * MINE)[1];
#pragma unroll
        for (int n = 0; n < S::COLS; n++) {
            float x = past[k * S::ROW + n * WARP + threadIdx.x % WARP];
            out[0][n] += a.x * x;
            out[1][n] += a.y * x;
            out[2][n] += a.z * x;
            out[3][n] += a.w * x;
            out[4][n] += b.x * x;
            out[5][n] += b.y * x;
            out[6][n] += b.z * x;
            out[7][n] += b.w * x;
        }
    }
}

template <int DEEP>
static __device__ inline void store(View v, const AttendPlace &p, int64_t first, int size,
                                    float scale, float out[MINE][Shape<DEEP>::COLS])
{
#pragma unroll
    for (int q = 0; q < MINE; q++)
#pragma unroll
        for (int n = 0; n < Shape<DEEP>::COLS; n++) {
            Wide<1> x = {{out[q][n] * scale}};
            int j = n * WARP + threadIdx.x % WARP;
            if (first + q < p.len && j < size)
                cuda_store<1>(cuda_row(v, p.from + first + q), v.type, p.col + j, x);
        }
}

/* KEYS: keys stay and queries walk past, for dk and dv; else the other way about, for dq. */
template <int DEEP, bool KEYS>
static __global__ void attend_bwd_tiles(AttendBwd b, const float *total, const int64_t *starts,
                                        int heads, bool four)
{
    typedef Shape<DEEP> S;
    SHARED(float, shared);
    const Attend &a = b.of;
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    AttendPlace p = place_of(a, starts, blockIdx.x / heads, (int)(blockIdx.x % heads), heads);
    int64_t first = (int64_t)blockIdx.y * S::BLOCK, mine = first + warp * MINE;
    if (first >= p.len)
        return; /* the whole block: the grid is as high as the longest row asks for */
    int64_t last = first + S::BLOCK < p.len ? first + S::BLOCK : p.len;
    int64_t from = KEYS && a.causal ? first / THEIRS * THEIRS : 0;
    int64_t to = !KEYS && a.causal ? last : p.len;
    View stay[] = {KEYS ? a.k : a.q, KEYS ? a.v : b.dy};
    View past[] = {KEYS ? a.q : a.k, KEYS ? b.dy : a.v};
    const float *my = shared + S::STAY + warp * MINE * DEEP;
    float *their = shared + S::PAST, *ds = shared + S::WEIGHT + warp * MINE * THEIRS;
    float *pm = ds + S::BLOCK * THEIRS;
    float out[2][MINE][S::COLS] = {};
    load_stay<DEEP>(stay[0], stay[1], p, first, a.size, four, shared + S::STAY);
    for (int64_t at = from; at < to; at += THEIRS) {
        float s[MINE], d[MINE];
        __syncthreads(); /* all are done with those before */
        load_past<DEEP>(past[0], past[1], p, at, a.size, four, their);
        __syncthreads();
        multiply<DEEP>(my, their + lane * S::ROW, s);
        multiply<DEEP>(my + S::BLOCK * DEEP, their + (THEIRS + lane) * S::ROW, d);
#pragma unroll
        for (int q = 0; q < MINE; q++) {
            int64_t query = KEYS ? at + lane : mine + q, key = KEYS ? mine + q : at + lane;
            float t = query < p.len ? total[place_at(p, query)] : 0;
            Slope w = slope_of(a, p, query, key, s[q], d[q], t);
            ds[lane * MINE + q] = w.ds;
            if (KEYS)
                pm[lane * MINE + q] = w.pm;
        }
        __syncwarp();
        gather<DEEP>(ds, their, out[0]);
        if (KEYS)
            gather<DEEP>(pm, their + THEIRS * S::ROW, out[1]);
    }
    store<DEEP>(KEYS ? b.dk : b.dq, p, mine, a.size, a.scale, out[0]);
    if (KEYS)
        store<DEEP>(b.dv, p, mine, a.size, 1, out[1]);
}

template <int DEEP, bool KEYS>
static void start(Cuda *c, const AttendBwd *b, const float *total, int64_t longest, bool four)
{
    typedef Shape<DEEP> S;
    const Batch *batch = b->of.batch;
    size_t bytes = S::FLOATS * sizeof(float);
    void (*kernel)(AttendBwd, const float *, const int64_t *, int, bool) =
        attend_bwd_tiles<DEEP, KEYS>;
    if (cuda_fine(c) && bytes > 48 << 10)
        cuda_check(c,
                   cudaFuncSetAttribute((const void *)kernel,
                                        cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes),
                   "attend_bwd: shared memory");
    LAUNCH(c, (attend_bwd_tiles<DEEP, KEYS>),
           dim3((unsigned)(batch->rows * batch->heads), cuda_blocks(longest, S::BLOCK)),
           S::WARPS * WARP, bytes, *b, total, batch->starts, batch->heads, four);
}

template <bool KEYS>
static void start_deep(Cuda *c, const AttendBwd *b, const float *total, int64_t longest)
{
    const Attend *a = &b->of;
    bool four = a->size % 4 == 0 && cuda_by_four(a->q) && cuda_by_four(a->k) &&
                cuda_by_four(a->v) && cuda_by_four(b->dy);
    if (a->size <= 32)
        start<32, KEYS>(c, b, total, longest, four);
    else if (a->size <= 64)
        start<64, KEYS>(c, b, total, longest, four);
    else if (a->size <= 128)
        start<128, KEYS>(c, b, total, longest, four);
    else if (a->size <= 256)
        start<256, KEYS>(c, b, total, longest, four);
    else
        cuda_fail(c, "attend_bwd", "heads of more than 256 columns");
}

View attend_kept_queries(Piece *p, const AttendBwd *b)
{
    View q = b->of.q;
    if (b->dq.p != q.p)
        return q;
    Mix m = {};
    m.x = q;
    m.y = temp_view(p, q.type, q.rows, q.cols);
    m.a = 1;
    cuda_mix(p, &m);
    return m.y;
}

int64_t attend_longest(const Batch *b)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < b->rows; i++) {
        int64_t len = b->host_starts[i + 1] - b->host_starts[i];
        longest = len > longest ? len : longest;
    }
    return longest;
}

void cuda_attend_bwd(Piece *p, const AttendBwd *b)
{
    Cuda *c = cuda_of(p->dev);
    const Batch *batch = b->of.batch;
    int64_t longest = attend_longest(batch), items = batch->tokens * batch->heads;
    bool mma = cuda_attend_bwd_mma_takes(c, b);
    float *total = NULL;
    AttendBwd then = *b;
    if (items > 0 && (!mma || b->dbias)) {
        total = (float *)cuda_temp(p, (size_t)items * sizeof *total);
        LAUNCH(c, attend_totals, cuda_blocks(items, TOTALS), dim3(WARP, TOTALS), 0, *b,
               batch->tokens, batch->heads, total);
    }
    if (b->dbias && batch->rows > 0)
        cuda_attend_bwd_bias(c, b, total);
    if (longest == 0)
        return;
    if (mma) {
        cuda_attend_bwd_mma(p, b, longest);
        return;
    }
    then.of.q = attend_kept_queries(p, b);
    start_deep<false>(c, b, total, longest);
    start_deep<true>(c, &then, total, longest);
}
