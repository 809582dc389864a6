/* attend_bwd_mma.cu - the way back through attention of bf16 or f16 by tensor cores, after
 * FlashAttention-2 (Dao 2023), without its atomics. attend_bwd.cu has the formulas.
 *
 * Queries and keys come in tiles; a warp has 16 queries of a tile, and makes of their scores and
 * of dy v', both of 16 keys at a time as fragments, p m and ds. Packed, these are what dq = ds k
 * reads; for dk and dv they go through shared memory, where a warp reads them turned, as 16 keys.
 *
 * A row of up to 64 tokens is one tile, of 32 or 64 of them, and one block a head makes all: 10
 * len^2 size flops a head, len^2 exponentials; reads q, k, v, y and dy once, writes dq, dk and dv
 * once. Of longer rows, in tiles of 64, one kernel makes dq, a block a tile of queries, and one dk
 * and dv, a block a tile of keys: 14 len^2 size flops, 2 len^2 exponentials, and what is not the
 * block's own is read once for each tile.
 *
 * DEEP is the head's size rounded up to 32, 64 or 128. Shared memory of a tile of n: 8 n (DEEP + 8)
 * + 4 n (n + 8) + 8 n bytes: 55 KiB at DEEP 64, 87 KiB at most. */
#include "kernels/attend_in.h"
#include "kernels/mma.h"

enum { STRIP = 16 /* queries or keys of a warp */, SHORT = 32, TILE = 64, LANES = 4 /* a row's */ };

template <int DEEP> struct Deep {
    static const int ROW = DEEP + 8; /* elements; eight rows of mma_load meet all banks */
    static const int STEPS = DEEP / 16, COLS = DEEP / 8; /* fragments side by side */
};

/* What a block has in shared memory, for tiles of so many. */
typedef struct Room {
    uint16_t *q, *dy, *k, *v; /* [tile, DEEP + 8] */
    uint16_t *pm, *ds;        /* [tile, tile + 8]: queries are rows */
    float *lse, *total;       /* [tile]; lse in powers of 2 */
    int tile;
} Room;

template <int DEEP> static __device__ inline Room room_of(uint16_t *shared)
{
    Room r;
    r.tile = (int)blockDim.x / WARP * STRIP;
    int part = r.tile * Deep<DEEP>::ROW, square = r.tile * (r.tile + 8);
    r.q = shared;
    r.dy = r.q + part;
    r.k = r.dy + part;
    r.v = r.k + part;
    r.pm = r.v + part;
    r.ds = r.pm + square;
    r.lse = reinterpret_cast<float *>(r.ds + square);
    r.total = r.lse + r.tile;
    return r;
}

static size_t room_bytes(int deep, int tile)
{
    return (size_t)tile * (4 * (deep + 8) + 2 * (tile + 8)) * sizeof(uint16_t) +
           (size_t)tile * 2 * sizeof(float);
}

/* Loads of a tile go 8 elements a thread and DEEP / 16 of these: its row, and from where. */
template <int DEEP> static __device__ inline int load_row(int n)
{
    return (int)(threadIdx.x + n * blockDim.x) / (DEEP / 8);
}
template <int DEEP> static __device__ inline int load_col(int n)
{
    return (int)(threadIdx.x + n * blockDim.x) % (DEEP / 8) * 8;
}

/* Eight elements of token `first` + r; 0 beyond the row's and the head's end. */
static __device__ inline uint4 eight(View v, const AttendPlace &p, int64_t token, int j, int size)
{
    if (token >= p.len || j >= size)
        return make_uint4(0, 0, 0, 0);
    return *reinterpret_cast<const uint4 *>(cuda_row(v, p.from + token) + (p.col + j) * 2);
}

template <int DEEP>
static __device__ inline void load_keys(const Attend &a, const AttendPlace &p, int64_t first,
                                        const Room &r)
{
#pragma unroll 4
    for (int n = 0; n < DEEP / 16; n++) {
        int row = load_row<DEEP>(n), j = load_col<DEEP>(n), at = row * Deep<DEEP>::ROW + j;
        uint4 k = eight(a.k, p, first + row, j, a.size), v = eight(a.v, p, first + row, j, a.size);
        *reinterpret_cast<uint4 *>(r.k + at) = k;
        *reinterpret_cast<uint4 *>(r.v + at) = v;
    }
}

template <KType T> static __device__ inline float dot_eight(uint4 a, uint4 b)
{
    uint32_t x[] = {a.x, a.y, a.z, a.w}, y[] = {b.x, b.y, b.z, b.w};
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        float2 u = mma_unpair<T>(x[i]), w = mma_unpair<T>(y[i]);
        sum += u.x * w.x;
        sum += u.y * w.y;
    }
    return sum;
}

/* With D of each, which the threads of its row add up. */
template <int DEEP, KType T>
static __device__ inline void load_queries(const AttendBwd &b, const AttendPlace &p, int64_t first,
                                           const Room &r)
{
    const float log2e = 1.4426950408889634f;
#pragma unroll 4
    for (int n = 0; n < DEEP / 16; n++) {
        int row = load_row<DEEP>(n), j = load_col<DEEP>(n), at = row * Deep<DEEP>::ROW + j;
        uint4 q = eight(b.of.q, p, first + row, j, b.of.size);
        uint4 dy = eight(b.dy, p, first + row, j, b.of.size);
        float sum = dot_eight<T>(dy, eight(b.of.y, p, first + row, j, b.of.size));
        *reinterpret_cast<uint4 *>(r.q + at) = q;
        *reinterpret_cast<uint4 *>(r.dy + at) = dy;
        for (int m = 1; m < DEEP / 8; m *= 2)
            sum += __shfl_xor_sync(0xffffffffu, sum, m);
        if (j == 0)
            r.total[row] = sum;
    }
    for (int i = threadIdx.x; i < r.tile; i += blockDim.x)
        r.lse[i] = first + i < p.len ? b.of.lse[place_at(p, first + i)] * log2e : 0;
}

/* d [16, 16] = sixteen rows of a times sixteen rows of b; its columns 8 to 15 are d[1]. */
template <int DEEP, KType T>
static __device__ inline void multiply_rows(const uint16_t *a, const uint16_t *b, float d[2][4])
{
    typedef Deep<DEEP> S;
    int lane = threadIdx.x % WARP;
    const uint16_t *x = a + lane % 16 * S::ROW + lane / 16 * 8;
    const uint16_t *y = b + (lane / 16 * 8 + lane % 8) * S::ROW + lane / 8 % 2 * 8;
    for (int i = 0; i < 4; i++)
        d[0][i] = d[1][i] = 0;
#pragma unroll
    for (int s = 0; s < S::STEPS; s++) {
        uint32_t f[4], g[4];
        mma_load<false>(f, x + s * 16);
        mma_load<false>(g, y + s * 16);
        mma<T>(d[0], f, g);
        mma<T>(d[1], f, g + 2);
    }
}

/* out [16, DEEP] += f times sixteen rows of b. */
template <int DEEP, KType T>
static __device__ inline void add_rows(const uint32_t f[4], const uint16_t *b, float out[][4])
{
    typedef Deep<DEEP> S;
    int lane = threadIdx.x % WARP;
    const uint16_t *y = b + lane % 16 * S::ROW + lane / 16 * 8;
#pragma unroll
    for (int c = 0; c < S::COLS / 2; c++) {
        uint32_t g[4];
        mma_load<true>(g, y + c * 16);
        mma<T>(out[2 * c], f, g);
        mma<T>(out[2 * c + 1], f, g + 2);
    }
}

/* A lane's two queries. */
typedef struct Pair {
    float lse[2], total[2];
    uint64_t number[2];
    uint32_t kept; /* of the 64 keys at hand; attend_in.h */
} Pair;

static __device__ inline Pair pair_of(const Attend &a, const AttendPlace &p, int64_t first,
                                      const Room &r)
{
    int strip = threadIdx.x / WARP * STRIP, row = strip + threadIdx.x % WARP / LANES;
    Pair two = {{r.lse[row], r.lse[row + 8]}, {r.total[row], r.total[row + 8]}, {0, 0}, 0};
    if (a.drop > 0)
        drop_numbers(a, p, first + strip, two.number);
    return two;
}

/* s, the products of sixteen queries from `query` on and sixteen keys from `key` on, becomes p m;
 * d, of dy and v, becomes ds. */
static __device__ inline void through_softmax(const Attend &a, const AttendPlace &p,
                                              const Pair &two, int64_t query, int64_t key,
                                              float s[2][4], float d[2][4])
{
    const float log2e = 1.4426950408889634f;
    int lane = threadIdx.x % WARP;
    uint32_t kept = two.kept >> (key / STRIP % DROP_WORDS * 8);
    float more = 1 / (1 - a.drop);
#pragma unroll
    for (int t = 0; t < 2; t++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int64_t from = query + lane / LANES + i / 2 * 8;
            int64_t to = key + t * 8 + lane % LANES * 2 + i % 2;
            bool seen = from < p.len && to < p.len && (!a.causal || to <= from);
            float x = s[t][i] * (a.scale * log2e), m = 1;
            if (a.bias && seen)
                x += distance_bias(a, p.head, to - from) * log2e;
            if (a.drop > 0)
                m = kept >> (i / 2 * 4 + t * 2 + i % 2) & 1 ? more : 0;
            float w = seen ? exp2f(x - two.lse[i / 2]) : 0;
            s[t][i] = w * m;
            d[t][i] = w * (m * d[t][i] - two.total[i / 2]);
        }
}

/* As the first operand of a product: two fragments of results side by side. */
template <KType T> static __device__ inline void pack(const float d[2][4], uint32_t f[4])
{
    f[0] = mma_pair<T>(d[0][0], d[0][1]);
    f[1] = mma_pair<T>(d[0][2], d[0][3]);
    f[2] = mma_pair<T>(d[1][0], d[1][1]);
    f[3] = mma_pair<T>(d[1][2], d[1][3]);
}

/* Sixteen rows and columns of pm or ds. */
static __device__ inline void put_square(uint16_t *to, int stride, const uint32_t f[4])
{
    int lane = threadIdx.x % WARP;
    to += lane / LANES * stride + lane % LANES * 2;
    for (int i = 0; i < 4; i++)
        *reinterpret_cast<uint32_t *>(to + i % 2 * 8 * stride + i / 2 * 8) = f[i];
}

/* And back, turned. */
static __device__ inline void get_square(uint32_t f[4], const uint16_t *from, int stride)
{
    int lane = threadIdx.x % WARP;
    mma_load<true>(f, from + (lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * 8);
}

/* Do none of sixteen queries see any of sixteen keys? */
static __device__ inline bool apart(const Attend &a, int64_t query, int64_t key)
{
    return a.causal && key >= query + STRIP;
}

/* The warp's queries of a tile against a tile of keys: for DQ into dq, for DKV into shared memory.
 * `query` and `key` are where the tiles begin. */
template <int DEEP, KType T, bool DQ, bool DKV>
static __device__ inline void queries_of(const Attend &a, const AttendPlace &p, const Room &r,
                                         int64_t query, int64_t key, Pair two, float dq[][4])
{
    typedef Deep<DEEP> S;
    int strip = threadIdx.x / WARP * STRIP;
    uint32_t least = drop_least(a.drop);
    if (query + strip >= p.len)
        return;
    for (int t = 0; t < r.tile && key + t < p.len && !apart(a, query + strip, key + t);
         t += STRIP) {
        float s[2][4], d[2][4];
        uint32_t f[4];
        if (a.drop > 0 && t % DROP_SPAN == 0)
            two.kept = drop_fragments(a, p, two.number, (key + t) / DROP_SPAN, least);
        multiply_rows<DEEP, T>(r.q + strip * S::ROW, r.k + t * S::ROW, s);
        multiply_rows<DEEP, T>(r.dy + strip * S::ROW, r.v + t * S::ROW, d);
        through_softmax(a, p, two, query + strip, key + t, s, d);
        pack<T>(d, f);
        if (DQ)
            add_rows<DEEP, T>(f, r.k + t * S::ROW, dq);
        if (DKV) {
            int stride = r.tile + 8, at = strip * stride + t;
            put_square(r.ds + at, stride, f);
            pack<T>(s, f);
            put_square(r.pm + at, stride, f);
        }
    }
}

/* The warp's keys of a tile against a tile of queries. */
template <int DEEP, KType T>
static __device__ inline void keys_of(const Attend &a, const AttendPlace &p, const Room &r,
                                      int64_t query, int64_t key, float dk[][4], float dv[][4])
{
    typedef Deep<DEEP> S;
    int strip = threadIdx.x / WARP * STRIP, stride = r.tile + 8;
    if (key + strip >= p.len)
        return;
    for (int t = 0; t < r.tile && query + t < p.len; t += STRIP) {
        uint32_t f[4];
        if (apart(a, query + t, key + strip))
            continue;
        get_square(f, r.pm + t * stride + strip, stride);
        add_rows<DEEP, T>(f, r.dy + t * S::ROW, dv);
        get_square(f, r.ds + t * stride + strip, stride);
        add_rows<DEEP, T>(f, r.q + t * S::ROW, dk);
    }
}

/* The warp's rows of a tile that begins with token `first`. */
template <int DEEP, KType T>
static __device__ inline void store_strip(View v, const AttendPlace &p, int64_t first, int size,
                                          float scale, const float out[][4])
{
    int lane = threadIdx.x % WARP;
    first += threadIdx.x / WARP * STRIP + lane / LANES;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        if (first + r * 8 >= p.len)
            continue;
        char *to = cuda_row(v, p.from + first + r * 8) + (p.col + lane % LANES * 2) * 2;
#pragma unroll
        for (int c = 0; c < Deep<DEEP>::COLS; c++)
            if (c * 8 < size)
                *reinterpret_cast<uint32_t *>(to + c * 16) =
                    mma_pair<T>(out[c][2 * r] * scale, out[c][2 * r + 1] * scale);
    }
}

static __device__ inline AttendPlace place_here(const AttendBwd &b, const int64_t *starts,
                                                int heads)
{
    return place_of(b.of, starts, blockIdx.x / heads, (int)(blockIdx.x % heads), heads);
}

/* All of a row of more than `more` tokens that is one tile. */
template <int DEEP, KType T>
static __global__ void __launch_bounds__(TILE / STRIP * WARP)
    attend_bwd_short(AttendBwd b, const int64_t *starts, int heads, int more)
{
    typedef Deep<DEEP> S;
    SHARED(uint16_t, shared);
    Room r = room_of<DEEP>(shared);
    AttendPlace p = place_here(b, starts, heads);
    if (p.len <= more || p.len > r.tile)
        return; /* the whole block */
    load_keys<DEEP>(b.of, p, 0, r);
    load_queries<DEEP, T>(b, p, 0, r);
    __syncthreads();
    {
        float dq[S::COLS][4] = {};
        queries_of<DEEP, T, true, true>(b.of, p, r, 0, 0, pair_of(b.of, p, 0, r), dq);
        store_strip<DEEP, T>(b.dq, p, 0, b.of.size, b.of.scale, dq);
    }
    __syncthreads();
    float dk[S::COLS][4] = {}, dv[S::COLS][4] = {};
    keys_of<DEEP, T>(b.of, p, r, 0, 0, dk, dv);
    store_strip<DEEP, T>(b.dk, p, 0, b.of.size, b.of.scale, dk);
    store_strip<DEEP, T>(b.dv, p, 0, b.of.size, 1, dv);
}

/* dq of a tile of queries of a row of several tiles. */
template <int DEEP, KType T>
static __global__ void __launch_bounds__(TILE / STRIP * WARP)
    attend_bwd_queries(AttendBwd b, const int64_t *starts, int heads)
{
    SHARED(uint16_t, shared);
    Room r = room_of<DEEP>(shared);
    AttendPlace p = place_here(b, starts, heads);
    int64_t first = (int64_t)blockIdx.y * TILE, last = first + TILE < p.len ? first + TILE : p.len;
    int64_t keys = b.of.causal ? last : p.len;
    float dq[Deep<DEEP>::COLS][4] = {};
    if (p.len <= TILE || first >= p.len)
        return; /* the whole block */
    load_queries<DEEP, T>(b, p, first, r);
    for (int64_t at = 0; at < keys; at += TILE) {
        __syncthreads(); /* all are done with the keys before */
        load_keys<DEEP>(b.of, p, at, r);
        __syncthreads();
        queries_of<DEEP, T, true, false>(b.of, p, r, first, at, pair_of(b.of, p, first, r), dq);
    }
    store_strip<DEEP, T>(b.dq, p, first, b.of.size, b.of.scale, dq);
}

/* dk and dv of a tile of keys. */
template <int DEEP, KType T>
static __global__ void __launch_bounds__(TILE / STRIP * WARP)
    attend_bwd_keys(AttendBwd b, const int64_t *starts, int heads)
{
    typedef Deep<DEEP> S;
    SHARED(uint16_t, shared);
    Room r = room_of<DEEP>(shared);
    AttendPlace p = place_here(b, starts, heads);
    int64_t first = (int64_t)blockIdx.y * TILE;
    float dk[S::COLS][4] = {}, dv[S::COLS][4] = {};
    if (p.len <= TILE || first >= p.len)
        return; /* the whole block */
    load_keys<DEEP>(b.of, p, first, r);
    for (int64_t at = b.of.causal ? first : 0; at < p.len; at += TILE) {
        __syncthreads(); /* all are done with the queries before */
        load_queries<DEEP, T>(b, p, at, r);
        __syncthreads();
        queries_of<DEEP, T, false, true>(b.of, p, r, at, first, pair_of(b.of, p, at, r), NULL);
        __syncthreads();
        keys_of<DEEP, T>(b.of, p, r, at, first, dk, dv);
    }
    store_strip<DEEP, T>(b.dk, p, first, b.of.size, b.of.scale, dk);
    store_strip<DEEP, T>(b.dv, p, first, b.of.size, 1, dv);
}

/* Which rows there are: of so many tokens? */
static bool any_row(const Batch *b, int64_t more, int64_t most)
{
    for (int64_t i = 0; i < b->rows; i++) {
        int64_t len = b->host_starts[i + 1] - b->host_starts[i];
        if (len > more && len <= most)
            return true;
    }
    return false;
}

static void allow(Cuda *c, const void *kernel, size_t bytes)
{
    if (cuda_fine(c) && bytes > 48 << 10)
        cuda_check(
            c,
            cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes),
            "attend_bwd: shared memory");
}

template <int DEEP, KType T> static void start(Piece *p, const AttendBwd *b, int64_t longest)
{
    Cuda *c = cuda_of(p->dev);
    const Batch *batch = b->of.batch;
    int heads = batch->heads;
    unsigned blocks = (unsigned)(batch->rows * heads);
    void (*one)(AttendBwd, const int64_t *, int, int) = attend_bwd_short<DEEP, T>;
    void (*queries)(AttendBwd, const int64_t *, int) = attend_bwd_queries<DEEP, T>;
    void (*keys)(AttendBwd, const int64_t *, int) = attend_bwd_keys<DEEP, T>;
    AttendBwd then = *b;
    size_t bytes = room_bytes(DEEP, TILE);
    allow(c, (const void *)one, bytes);
    if (longest > TILE)
        then.of.q = attend_kept_queries(p, b);
    if (any_row(batch, 0, SHORT))
        LAUNCH(c, (attend_bwd_short<DEEP, T>), blocks, SHORT / STRIP * WARP,
               room_bytes(DEEP, SHORT), *b, batch->starts, heads, 0);
    if (any_row(batch, SHORT, TILE))
        LAUNCH(c, (attend_bwd_short<DEEP, T>), blocks, TILE / STRIP * WARP, bytes, *b,
               batch->starts, heads, SHORT);
    if (longest <= TILE)
        return;
    dim3 tiles(blocks, cuda_blocks(longest, TILE));
    allow(c, (const void *)queries, bytes);
    allow(c, (const void *)keys, bytes);
    LAUNCH(c, (attend_bwd_queries<DEEP, T>), tiles, TILE / STRIP * WARP, bytes, *b, batch->starts,
           heads);
    LAUNCH(c, (attend_bwd_keys<DEEP, T>), tiles, TILE / STRIP * WARP, bytes, then, batch->starts,
           heads);
}

template <KType T> static void start_deep(Piece *p, const AttendBwd *b, int64_t longest)
{
    if (b->of.size <= 32)
        start<32, T>(p, b, longest);
    else if (b->of.size <= 64)
        start<64, T>(p, b, longest);
    else
        start<128, T>(p, b, longest);
}

bool cuda_attend_bwd_mma_takes(const Cuda *c, const AttendBwd *b)
{
    const Attend *a = &b->of;
    View all[] = {a->q, a->k, a->v, a->y, b->dy, b->dq, b->dk, b->dv};
    for (int i = 0; i < 8; i++)
        if (all[i].type != a->q.type || !by_eight(all[i]))
            return false;
    return c->mma && a->q.type != K_F32 && a->size <= 128 && a->size % 8 == 0;
}

void cuda_attend_bwd_mma(Piece *p, const AttendBwd *b, int64_t longest)
{
    if (b->of.q.type == K_F16)
        start_deep<K_F16>(p, b, longest);
    else
        start_deep<K_BF16>(p, b, longest);
}
