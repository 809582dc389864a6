/* cublas.cc - cuBLASLt's functions that we use: D = epilogue(alpha op(A) op(B) + beta C +
 * bias), column-major, in f32, elements of f32, bf16 or f16. A dot product's order depends on its
 * length alone. */
#include "inside.h"

#include <cmath>
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <vector>

cudaError_t standin_enqueue(cudaStream_t s, std::function<void()> what);

typedef struct Desc {
    int transa, transb;
    uint32_t epilogue;
    const void *bias;
} Desc;

typedef struct Layout {
    cudaDataType type;
    uint64_t rows, cols;
    int64_t ld;
} Layout;

typedef struct Product {
    Desc how;
    float alpha, beta;
    const void *a, *b, *c;
    void *d;
    Layout la, lb, lc, ld;
} Product;

static const Desc *desc_of(cublasLtMatmulDesc_t d)
{
    return reinterpret_cast<const Desc *>(d);
}
static const Layout &layout_of(cublasLtMatrixLayout_t l)
{
    return *reinterpret_cast<const Layout *>(l);
}

static size_t size_of(cudaDataType t)
{
    return t == CUDA_R_32F ? 4 : 2;
}
static float load(const void *p, cudaDataType t, int64_t i)
{
    if (t == CUDA_R_16F)
        return __half2float(static_cast<const __half *>(p)[i]);
    return t == CUDA_R_32F ? static_cast<const float *>(p)[i]
                           : __bfloat162float(static_cast<const __nv_bfloat16 *>(p)[i]);
}
static void store(void *p, cudaDataType t, int64_t i, float f)
{
    if (t == CUDA_R_32F)
        static_cast<float *>(p)[i] = f;
    else if (t == CUDA_R_16F)
        static_cast<__half *>(p)[i] = __float2half_rn(f);
    else
        static_cast<__nv_bfloat16 *>(p)[i] = __float2bfloat16_rn(f);
}

/* ---- the product ---- */

/* op(m)'s rows (or columns, `by_cols`), one after the other, each padded with 0 to `wide`. */
static std::vector<float> lines(const void *p, const Layout &l, bool turned, bool by_cols,
                                int64_t n, int64_t k, int64_t wide)
{
    std::vector<float> v((size_t)(n * wide));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++) /* the element of op(m): i, j or j, i */
            v[(size_t)(i * wide + j)] =
                load(p, l.type, turned == by_cols ? i + j * l.ld : j + i * l.ld);
    return v;
}

enum { LANES = 16 };
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float))));

static float dot(const float *a, const float *b, int64_t wide)
{
    Lanes sum = {};
    float total = 0;
    for (int64_t j = 0; j < wide; j += LANES) {
        Lanes x, y;
        memcpy(&x, a + j, sizeof x);
        memcpy(&y, b + j, sizeof y);
        sum += x * y;
    }
    for (int i = 0; i < LANES; i++)
        total += sum[i];
    return total;
}

static float gelu_tanh(float x)
{
    return 0.5f * x * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
}

static void multiply(const Product &p)
{
    int64_t m = (int64_t)p.ld.rows, n = (int64_t)p.ld.cols;
    int64_t k = (int64_t)(p.how.transa ? p.la.rows : p.la.cols);
    int64_t wide = (k + LANES - 1) / LANES * LANES;
    bool bias = p.how.epilogue & CUBLASLT_EPILOGUE_BIAS;
    bool gelu = (p.how.epilogue & ~CUBLASLT_EPILOGUE_BIAS) == CUBLASLT_EPILOGUE_GELU;
    std::vector<float> a = lines(p.a, p.la, p.how.transa, false, m, k, wide);
    std::vector<float> b = lines(p.b, p.lb, p.how.transb, true, n, k, wide);
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++) {
            float v = p.alpha * dot(&a[(size_t)(i * wide)], &b[(size_t)(j * wide)], wide);
            if (p.beta != 0)
                v += p.beta * load(p.c, p.lc.type, i + j * p.lc.ld);
            if (bias)
                v += load(p.how.bias, p.ld.type, i);
            store(p.d, p.ld.type, i + j * p.ld.ld, gelu ? gelu_tanh(v) : v);
        }
}

/* ---- what the library would refuse ---- */

static bool shapes_fit(const Product &p)
{
    uint64_t m = p.how.transa ? p.la.cols : p.la.rows, ka = p.how.transa ? p.la.rows : p.la.cols;
    uint64_t n = p.how.transb ? p.lb.rows : p.lb.cols, kb = p.how.transb ? p.lb.cols : p.lb.rows;
    for (const Layout *l : {&p.la, &p.lb, &p.lc, &p.ld})
        if (l->ld < (int64_t)l->rows || l->rows == 0 || l->cols == 0)
            return false;
    return ka == kb && p.ld.rows == m && p.ld.cols == n && p.lc.rows == m && p.lc.cols == n &&
           p.la.type == p.lb.type && p.lc.type == p.ld.type &&
           (p.ld.type == CUDA_R_32F || p.ld.type == p.la.type);
}

static void must_lie(const char *name, const void *p, const Layout &l)
{
    size_t bytes = ((size_t)l.ld * (l.cols - 1) + l.rows) * size_of(l.type);
    if (memory_from(p) < bytes || (uintptr_t)p % size_of(l.type))
        standin_fault("cublasLtMatmul: %s's %zu bytes do not lie in an allocation", name, bytes);
}

static bool epilogue_known(uint32_t e)
{
    return e == CUBLASLT_EPILOGUE_DEFAULT || e == CUBLASLT_EPILOGUE_BIAS ||
           e == CUBLASLT_EPILOGUE_GELU || e == CUBLASLT_EPILOGUE_GELU_BIAS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t how, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t la, const void *b,
                              cublasLtMatrixLayout_t lb, const void *beta, const void *c,
                              cublasLtMatrixLayout_t lc, void *d, cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *, void *, size_t, cudaStream_t stream)
{
    Product p = {
        *desc_of(how), *(const float *)alpha, *(const float *)beta, a, b, c, d, layout_of(la),
        layout_of(lb), layout_of(lc),         layout_of(ld)};
    if (!shapes_fit(p) || !epilogue_known(p.how.epilogue) || (c == d && p.lc.ld != p.ld.ld))
        return CUBLAS_STATUS_INVALID_VALUE;
    must_lie("A", a, p.la);
    must_lie("B", b, p.lb);
    must_lie("D", d, p.ld);
    if (p.beta != 0)
        must_lie("C", c, p.lc);
    if (p.how.epilogue & CUBLASLT_EPILOGUE_BIAS)
        must_lie("the bias", p.how.bias, {p.ld.type, p.ld.rows, 1, (int64_t)p.ld.rows});
    standin_enqueue(stream, [=] {
        memory_open("cublasLtMatmul");
        multiply(p);
        memory_close();
    });
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- descriptions ---- */

cublasStatus_t cublasLtCreate(cublasLtHandle_t *h)
{
    *h = reinterpret_cast<cublasLtHandle_t>(new char);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t h)
{
    delete reinterpret_cast<char *>(h);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *d = reinterpret_cast<cublasLtMatmulDesc_t>(new Desc{0, 0, CUBLASLT_EPILOGUE_DEFAULT, NULL});
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
    delete reinterpret_cast<Desc *>(d);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                              cublasLtMatmulDescAttributes_t what, const void *v,
                                              size_t n)
{
    Desc *d = reinterpret_cast<Desc *>(desc);
    struct {
        cublasLtMatmulDescAttributes_t what;
        void *to;
        size_t size;
    } const known[] = {
        {CUBLASLT_MATMUL_DESC_TRANSA, &d->transa, sizeof d->transa},
        {CUBLASLT_MATMUL_DESC_TRANSB, &d->transb, sizeof d->transb},
        {CUBLASLT_MATMUL_DESC_EPILOGUE, &d->epilogue, sizeof d->epilogue},
        {CUBLASLT_MATMUL_DESC_BIAS_POINTER, &d->bias, sizeof d->bias},
    };
    for (const auto &k : known)
        if (k.what == what && k.size == n) {
            memcpy(k.to, v, n);
            return CUBLAS_STATUS_SUCCESS;
        }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType type,
                                          uint64_t rows, uint64_t cols, int64_t ld)
{
    if (type != CUDA_R_32F && type != CUDA_R_16BF && type != CUDA_R_16F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *l = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, cols, ld});
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
    delete reinterpret_cast<Layout *>(l);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p)
{
    *p = reinterpret_cast<cublasLtMatmulPreference_t>(new char);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
    delete reinterpret_cast<char *>(p);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t,
                                                    const void *, size_t)
{
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t, int asked,
                                              cublasLtMatmulHeuristicResult_t best[], int *found)
{
    *found = asked > 0;
    if (asked > 0)
        memset(best, 0, sizeof *best);
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasLtGetStatusString(cublasStatus_t s)
{
    return s == CUBLAS_STATUS_SUCCESS         ? "success"
           : s == CUBLAS_STATUS_INVALID_VALUE ? "invalid value"
           : s == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported"
                                              : "failed";
}
