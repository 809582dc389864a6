/* matmul.cu - the one CUDA source that knows cuBLASLt: d = a b (+ c) (+ bias) column by column,
 * in f32 without TF32, in bf16 or in f16, sums always in f32. 2 rows cols inner flops.
 *
 * What the library's heuristic chose is kept for each shape. Where the number of columns is that
 * of the tokens (any_cols), the choice is made once for USUAL_COLS of them and holds for every
 * number, and inner sums are not split over blocks: a token's bits do not depend on how many go
 * with it. Elsewhere sums may be split, their parts added in a fixed order; never by atomics. Where
 * the tokens are what is summed over (any_inner), a choice is made for each power of two: a batch
 * has a number of its own, and the library takes its time to choose. */
#include "kernels/cuda.h"

#include <cublasLt.h>

#include <cstdlib>
#include <cstring>

enum { CHOICES = 64, USUAL_COLS = 8192, ALIGNED = 256 };
static const size_t WORKSPACE = (size_t)32 << 20;

/* What the heuristic looks at; compared as bytes. */
typedef struct Key {
    int64_t shape[3][3]; /* of a, b, d: rows, cols, stride */
    int64_t c_stride;
    uint32_t aligned[5]; /* a, b, c, d, bias */
    int32_t type[2], turned[2], epilogue, split;
} Key;

typedef struct Choice {
    Key key;
    cublasLtMatmulAlgo_t algo;
} Choice;

struct CudaMatmul {
    cublasLtHandle_t lt;
    void *workspace;
    Choice choice[CHOICES];
    int choices, oldest;
};

/* The library's descriptions of one product. */
typedef struct Described {
    cublasLtMatmulDesc_t what;
    cublasLtMatrixLayout_t a, b, c, d;
    cublasLtMatmulPreference_t preference;
} Described;

static bool blas_check(Cuda *c, cublasStatus_t s, const char *what)
{
    if (s != CUBLAS_STATUS_SUCCESS)
        cuda_fail(c, what, cublasLtGetStatusString(s));
    return s == CUBLAS_STATUS_SUCCESS;
}

CudaMatmul *cuda_matmul_new(Cuda *c)
{
    CudaMatmul *m = (CudaMatmul *)calloc(1, sizeof *m);
    if (!m) {
        cuda_fail(c, "matrix products", "out of memory");
        return NULL;
    }
    if (!blas_check(c, cublasLtCreate(&m->lt), "cuBLASLt")) {
        free(m);
        return NULL;
    }
    m->workspace = cuda_alloc(&c->table, WORKSPACE);
    if (!m->workspace)
        cuda_fail(c, "matrix products", "out of memory");
    return m;
}

void cuda_matmul_free(CudaMatmul *m)
{
    cublasLtDestroy(m->lt);
    free(m);
}

static uint32_t aligned(const void *p)
{
    uintptr_t u = (uintptr_t)p | ALIGNED;
    return (uint32_t)(u & -u);
}

static Key key_of(const CudaProduct *p)
{
    const CudaOperand *o[] = {&p->a, &p->b, &p->d};
    const void *c = p->c ? p->c : p->d.p;
    const void *at[] = {p->a.p, p->b.p, c, p->d.p, p->bias};
    Key k;
    memset(&k, 0, sizeof k);
    for (int i = 0; i < 3; i++) {
        k.shape[i][0] = o[i]->rows;
        k.shape[i][1] = o[i]->cols;
        k.shape[i][2] = o[i]->stride;
    }
    for (int i = 0; i < 5; i++)
        k.aligned[i] = aligned(at[i]);
    k.c_stride = p->c ? p->c_stride : p->d.stride;
    k.type[0] = p->a.type;
    k.type[1] = p->d.type;
    k.turned[0] = p->a.turned;
    k.turned[1] = p->b.turned;
    k.epilogue = p->gelu_tanh ? (p->bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU)
                              : (p->bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT);
    k.split = !p->any_cols;
    return k;
}

static cudaDataType_t data_type(int32_t t)
{
    return t == K_F32 ? CUDA_R_32F : t == K_BF16 ? CUDA_R_16BF : CUDA_R_16F;
}

static bool layout(cublasLtMatrixLayout_t *l, int32_t type, const int64_t *shape, int64_t stride)
{
    return cublasLtMatrixLayoutCreate(l, data_type(type), (uint64_t)shape[0], (uint64_t)shape[1],
                                      stride) == CUBLAS_STATUS_SUCCESS;
}

static bool set(Described *d, cublasLtMatmulDescAttributes_t at, const void *v, size_t bytes)
{
    return cublasLtMatmulDescSetAttribute(d->what, at, v, bytes) == CUBLAS_STATUS_SUCCESS;
}

static bool prefer(Described *d, cublasLtMatmulPreferenceAttributes_t at, const void *v,
                   size_t bytes)
{
    return cublasLtMatmulPreferenceSetAttribute(d->preference, at, v, bytes) ==
           CUBLAS_STATUS_SUCCESS;
}

static bool describe(Described *d, const Key *k, const void *bias)
{
    cublasOperation_t op[2];
    for (int i = 0; i < 2; i++)
        op[i] = k->turned[i] ? CUBLAS_OP_T : CUBLAS_OP_N;
    memset(d, 0, sizeof *d);
    return cublasLtMatmulDescCreate(&d->what, CUBLAS_COMPUTE_32F, CUDA_R_32F) ==
               CUBLAS_STATUS_SUCCESS &&
           layout(&d->a, k->type[0], k->shape[0], k->shape[0][2]) &&
           layout(&d->b, k->type[0], k->shape[1], k->shape[1][2]) &&
           layout(&d->c, k->type[1], k->shape[2], k->c_stride) &&
           layout(&d->d, k->type[1], k->shape[2], k->shape[2][2]) &&
           set(d, CUBLASLT_MATMUL_DESC_TRANSA, &op[0], sizeof op[0]) &&
           set(d, CUBLASLT_MATMUL_DESC_TRANSB, &op[1], sizeof op[1]) &&
           set(d, CUBLASLT_MATMUL_DESC_EPILOGUE, &k->epilogue, sizeof k->epilogue) &&
           (!bias || set(d, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias));
}

static void forget(Described *d)
{
    if (d->preference)
        cublasLtMatmulPreferenceDestroy(d->preference);
    cublasLtMatrixLayout_t l[] = {d->a, d->b, d->c, d->d};
    for (int i = 0; i < 4; i++)
        if (l[i])
            cublasLtMatrixLayoutDestroy(l[i]);
    if (d->what)
        cublasLtMatmulDescDestroy(d->what);
}

static bool preferences(Described *d, const Key *k)
{
    static const cublasLtMatmulPreferenceAttributes_t align[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    uint32_t scheme =
        k->split ? CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE : CUBLASLT_REDUCTION_SCHEME_NONE;
    if (cublasLtMatmulPreferenceCreate(&d->preference) != CUBLAS_STATUS_SUCCESS ||
        !prefer(d, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &WORKSPACE, sizeof WORKSPACE) ||
        !prefer(d, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &scheme, sizeof scheme))
        return false;
    for (int i = 0; i < 4; i++)
        if (!prefer(d, align[i], &k->aligned[i], sizeof k->aligned[i]))
            return false;
    return true;
}

/* The algorithm for products like this one: the one that was chosen before, or the library's
 * choice now. NULL: it has none. */
static const cublasLtMatmulAlgo_t *choose(CudaMatmul *m, const Key *k, const void *bias)
{
    for (int i = 0; i < m->choices; i++)
        if (memcmp(&m->choice[i].key, k, sizeof *k) == 0)
            return &m->choice[i].algo;
    Described d;
    cublasLtMatmulHeuristicResult_t best;
    int found = 0;
    bool ok = describe(&d, k, bias) && preferences(&d, k) &&
              cublasLtMatmulAlgoGetHeuristic(m->lt, d.what, d.a, d.b, d.c, d.d, d.preference, 1,
                                             &best, &found) == CUBLAS_STATUS_SUCCESS;
    forget(&d);
    if (!ok || found == 0)
        return NULL;
    Choice *c = &m->choice[m->oldest];
    m->oldest = (m->oldest + 1) % CHOICES;
    m->choices += m->choices < CHOICES;
    c->key = *k;
    c->algo = best.algo;
    return &c->algo;
}

static cublasStatus_t multiply(Cuda *c, const CudaProduct *p, const Key *k,
                               const cublasLtMatmulAlgo_t *algo)
{
    const float one = 1, beta = p->c ? 1 : 0;
    Described d;
    cublasStatus_t s = CUBLAS_STATUS_ALLOC_FAILED;
    if (describe(&d, k, p->bias))
        s = cublasLtMatmul(c->matmul->lt, d.what, &one, p->a.p, d.a, p->b.p, d.b, &beta,
                           p->c ? p->c : p->d.p, d.c, const_cast<void *>(p->d.p), d.d, algo,
                           c->matmul->workspace, WORKSPACE, c->stream);
    forget(&d);
    return s;
}

/* Where the library has no product with this epilogue: the product, then passes of our own. */
static void by_parts(Cuda *c, const CudaProduct *p)
{
    CudaProduct alone = *p;
    View d = {const_cast<void *>(p->d.p), p->d.type, p->d.cols, p->d.rows, p->d.stride};
    View bias = {const_cast<void *>(p->bias), d.type, d.rows, d.cols, 0}; /* one row for all */
    alone.bias = NULL;
    alone.gelu_tanh = false;
    cuda_product(c, &alone);
    if (p->bias)
        cuda_activate(c, d, bias, d, ACT_NONE);
    if (p->gelu_tanh)
        cuda_activate(c, d, View(), d, ACT_GELU_TANH);
}

static int64_t power_of_two(int64_t least)
{
    int64_t n = 1;
    while (n < least)
        n *= 2;
    return n;
}

void cuda_product(Cuda *c, const CudaProduct *p)
{
    if (!cuda_fine(c) || p->d.rows == 0 || p->d.cols == 0)
        return;
    Key k = key_of(p), usual = k;
    if (p->any_cols)
        usual.shape[1][1] = usual.shape[2][1] = USUAL_COLS;
    if (p->any_inner)
        usual.shape[0][1] = usual.shape[1][1] = power_of_two(p->a.cols);
    const cublasLtMatmulAlgo_t *algo = choose(c->matmul, &usual, p->bias);
    if (algo && multiply(c, p, &k, algo) == CUBLAS_STATUS_SUCCESS)
        return;
    /* A choice that does not hold for this number: one of its own. */
    algo = choose(c->matmul, &k, p->bias);
    if (!algo && (p->bias || p->gelu_tanh))
        by_parts(c, p);
    else if (!algo)
        cuda_fail(c, "matrix product", "cuBLASLt has no algorithm for this shape");
    else
        blas_check(c, multiply(c, p, &k, algo), "matrix product");
}
