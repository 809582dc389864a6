#include "kernels/matmul.h"

#include "kernels/hugemem.h"

#include <dnnl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* libgomp's; the library's threads come from OpenMP, and ours is the only pool. */
extern void omp_set_num_threads(int);

enum { SIZES = 3, OUTS = 2 };
static const int64_t size_rows[SIZES] = {64, 128, 256};

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t Desc;
#define DESC(d) (d)
#else
typedef dnnl_memory_desc_t Desc;
#define DESC(d) (&(d))
#endif

/* One product of a shape, shared by all weights of that shape. */
typedef struct Product {
    int64_t m, n, k;
    KType in, out;
    bool bias;
    dnnl_primitive_t run;
    Desc x, w, b, y; /* w: the layout that this product wants */
    Desc s;          /* its scratchpad */
    size_t scratch;  /* bytes of it */
    struct Product *next;
} Product;

struct Packed {
    int64_t n, k;
    KType type;
    bool bias, by_input;
    dnnl_primitive_t fill; /* from a plain matrix to ours */
    Desc plain;
    void *data, *bias_data;
    dnnl_memory_t w, b;
    Product *_Atomic product[SIZES][OUTS];
};

/* The product of two matrices that lie plain, the first one turned. */
typedef struct OuterProduct {
    Outer of; /* what it was made for, but for the pointers */
    dnnl_primitive_t run;
    Desc a, b, c, s;
    size_t scratch;
    struct OuterProduct *next;
} OuterProduct;

static struct {
    dnnl_engine_t engine;
    pthread_mutex_t lock;
    Product *products;
    OuterProduct *_Atomic outers; /* grows at its head, under the lock */
    dnnl_stream_t stream[MATMUL_THREADS];
    void *scratch[MATMUL_THREADS];
    size_t scratch_size[MATMUL_THREADS];
} lib = {.lock = PTHREAD_MUTEX_INITIALIZER};

MatmulIsa matmul_isa(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx)
        return ISA_AMX;
    if ((isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16)
        return ISA_BF16;
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core)
        return ISA_AVX512;
    if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2)
        return ISA_AVX2;
    return (isa & dnnl_cpu_isa_avx) == dnnl_cpu_isa_avx ? ISA_AVX : ISA_SSE41;
}

bool matmul_vnni(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_vnni) == dnnl_cpu_isa_avx512_core_vnni;
}

const char *matmul_isa_name(void)
{
    static const char *const names[] = {"SSE4.1", "AVX", "AVX2", "AVX-512", "AVX-512 with bf16",
                                        "AMX"};
    return names[matmul_isa()];
}

void matmul_version(int *major, int *minor, int *patch)
{
    const dnnl_version_t *v = dnnl_version();
    *major = v->major;
    *minor = v->minor;
    *patch = v->patch;
}

void matmul_thread_start(void)
{
    omp_set_num_threads(1);
}

static dnnl_data_type_t type_of(KType t)
{
    return t == K_BF16 ? dnnl_bf16 : dnnl_f32;
}

static bool desc_tag(Desc *d, int64_t rows, int64_t cols, KType t, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = {rows, cols};
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_tag(d, 2, dims, type_of(t), tag) == dnnl_success;
#else
    return dnnl_memory_desc_init_by_tag(d, 2, dims, type_of(t), tag) == dnnl_success;
#endif
}

static size_t desc_size(Desc *d)
{
    return dnnl_memory_desc_get_size(DESC(*d));
}

static void desc_copy(Desc *to, const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_clone(to, dnnl_primitive_desc_query_md(pd, what, 0));
#else
    *to = *dnnl_primitive_desc_query_md(pd, what, 0);
#endif
}

/* w NULL: the library chooses the weight's layout. */
static Product *product_make(int64_t m, int64_t n, int64_t k, KType in, KType out, bool bias,
                             const Desc *w)
{
    Product *p = calloc(1, sizeof *p);
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    Desc any;

    if (!p || dnnl_primitive_attr_create(&attr) != dnnl_success)
        goto fail;
    *p = (Product){.m = m, .n = n, .k = k, .in = in, .out = out, .bias = bias};
    dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (!desc_tag(&p->x, m, k, in, dnnl_ab) || !desc_tag(&p->y, m, n, out, dnnl_ab) ||
        !desc_tag(&p->b, 1, n, K_F32, dnnl_ab) || !desc_tag(&any, k, n, in, dnnl_format_tag_any))
        goto fail;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t s = dnnl_matmul_primitive_desc_create(&pd, lib.engine, p->x, w ? *w : any,
                                                        bias ? p->b : NULL, p->y, attr);
#else
    dnnl_matmul_desc_t desc;
    dnnl_status_t s = dnnl_matmul_desc_init(&desc, &p->x, w ? w : &any, bias ? &p->b : NULL, &p->y);
    if (s == dnnl_success)
        s = dnnl_primitive_desc_create(&pd, &desc, attr, lib.engine, NULL);
#endif
    if (s != dnnl_success || dnnl_primitive_create(&p->run, pd) != dnnl_success)
        goto fail;
    desc_copy(&p->w, pd, dnnl_query_weights_md);
    desc_copy(&p->s, pd, dnnl_query_scratchpad_md);
    p->scratch = desc_size(&p->s);
    dnnl_primitive_desc_destroy(pd);
    dnnl_primitive_attr_destroy(attr);
    return p;
fail:
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    free(p);
    return NULL;
}

/* Finds or makes, under the lock. */
static Product *product_get(int64_t m, int64_t n, int64_t k, KType in, KType out, bool bias,
                            const Desc *w)
{
    pthread_mutex_lock(&lib.lock);
    Product *p = lib.products;
    while (p && !(p->m == m && p->n == n && p->k == k && p->in == in && p->out == out &&
                  p->bias == bias))
        p = p->next;
    if (!p && (lib.engine || dnnl_engine_create(&lib.engine, dnnl_cpu, 0) == dnnl_success) &&
        (p = product_make(m, n, k, in, out, bias, w))) {
        p->next = lib.products;
        lib.products = p;
    }
    pthread_mutex_unlock(&lib.lock);
    return p;
}

KType packed_type(const Packed *p)
{
    return p->type;
}

/* bf16 products of different heights give different bits, so there is one height. f32 products
 * do not: short batches take the low one. */
static int size_of(const Packed *p, int64_t m)
{
    if (p->type == K_BF16)
        return 0;
    for (int i = 0; i < SIZES - 1; i++)
        if (m <= size_rows[i])
            return i;
    return SIZES - 1;
}

int64_t packed_rows(const Packed *p, int64_t m)
{
    return size_rows[size_of(p, m)];
}

static dnnl_stream_t stream_of(int thread)
{
    if (!lib.stream[thread])
        dnnl_stream_create(&lib.stream[thread], lib.engine, dnnl_stream_default_flags);
    return lib.stream[thread];
}

/* Where the numbers come from lies plain: [n, k], or [k, n] by input. */
static bool make_fill(Packed *p, const Desc *want)
{
    dnnl_primitive_desc_t pd = NULL;
    bool ok = desc_tag(&p->plain, p->k, p->n, K_F32, p->by_input ? dnnl_ab : dnnl_ba) &&
              dnnl_reorder_primitive_desc_create(&pd, DESC(p->plain), lib.engine, DESC(*want),
                                                 lib.engine, NULL) == dnnl_success &&
              dnnl_primitive_create(&p->fill, pd) == dnnl_success &&
              dnnl_memory_create(&p->w, DESC(*want), lib.engine, p->data) == dnnl_success;
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return ok;
}

int packed_renew(Packed *p, const float *w, const float *bias)
{
    dnnl_memory_t src = NULL;
    dnnl_stream_t stream = NULL;
    bool ok = dnnl_memory_create(&src, DESC(p->plain), lib.engine, (void *)(uintptr_t)w) ==
                  dnnl_success &&
              dnnl_stream_create(&stream, lib.engine, dnnl_stream_default_flags) == dnnl_success;
    if (ok) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, p->w}};
        ok = dnnl_primitive_execute(p->fill, stream, 2, args) == dnnl_success &&
             dnnl_stream_wait(stream) == dnnl_success;
    }
    if (p->bias)
        memcpy(p->bias_data, bias, (size_t)p->n * sizeof *bias);
    if (stream)
        dnnl_stream_destroy(stream);
    if (src)
        dnnl_memory_destroy(src);
    return ok ? 0 : -1;
}

Packed *packed_new(const float *w, const float *bias, int64_t n, int64_t k, bool by_input,
                   KType type)
{
    Packed *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (Packed){.n = n, .k = k, .type = type, .bias = bias != NULL, .by_input = by_input};
    /* The layout is the low product's; the higher ones are made to take the same. */
    Product *first = product_get(size_rows[0], n, k, type, K_F32, p->bias, NULL);
    if (!first)
        goto fail;
    size_t bytes = desc_size(&first->w), bias_bytes = (size_t)n * sizeof *bias;
    if (!(p->data = huge_alloc(bytes)) || !(p->bias_data = huge_alloc(bias_bytes)))
        goto fail;
    if (bias && dnnl_memory_create(&p->b, DESC(first->b), lib.engine, p->bias_data) != dnnl_success)
        goto fail;
    if (!make_fill(p, &first->w) || packed_renew(p, w, bias) < 0)
        goto fail;
    p->product[0][K_F32] = first;
    return p;
fail:
    packed_free(p);
    return NULL;
}

void packed_free(Packed *p)
{
    if (!p)
        return;
    if (p->fill)
        dnnl_primitive_destroy(p->fill);
    if (p->w)
        dnnl_memory_destroy(p->w);
    if (p->b)
        dnnl_memory_destroy(p->b);
    huge_free(p->data);
    huge_free(p->bias_data);
    free(p);
}

static void *scratch_of(int thread, size_t bytes)
{
    if (lib.scratch_size[thread] < bytes) {
        free(lib.scratch[thread]);
        lib.scratch_size[thread] = 0;
        if (posix_memalign(&lib.scratch[thread], 4096, bytes) != 0)
            return lib.scratch[thread] = NULL;
        lib.scratch_size[thread] = bytes;
    }
    return lib.scratch[thread];
}

static const char no_memory[] = "out of memory for a matrix product";
static const char refused[] = "oneDNN refused a matrix product";

const char *packed_run(Packed *p, int64_t m, const void *x, void *y, KType out, int thread)
{
    int size = size_of(p, m);
    Product *q = p->product[size][out];
    if (!q) {
        q = product_get(m, p->n, p->k, p->type, out, p->bias, &p->product[0][K_F32]->w);
        if (!q)
            return refused;
        p->product[size][out] = q;
    }
    dnnl_memory_t mx = NULL, my = NULL, ms = NULL;
    void *scratch = q->scratch ? scratch_of(thread, q->scratch) : NULL;
    if (q->scratch && !scratch)
        return no_memory;
    dnnl_status_t s = dnnl_memory_create(&mx, DESC(q->x), lib.engine, (void *)(uintptr_t)x);
    if (s == dnnl_success)
        s = dnnl_memory_create(&my, DESC(q->y), lib.engine, y);
    if (s == dnnl_success && scratch)
        s = dnnl_memory_create(&ms, DESC(q->s), lib.engine, scratch);
    if (s == dnnl_success) {
        dnnl_exec_arg_t args[5] = {
            {DNNL_ARG_SRC, mx}, {DNNL_ARG_WEIGHTS, p->w}, {DNNL_ARG_DST, my}};
        int n = 3;
        if (p->bias)
            args[n++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, p->b};
        if (scratch)
            args[n++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, ms};
        s = dnnl_primitive_execute(q->run, stream_of(thread), n, args);
    }
    if (mx)
        dnnl_memory_destroy(mx);
    if (my)
        dnnl_memory_destroy(my);
    if (ms)
        dnnl_memory_destroy(ms);
    return s == dnnl_success ? NULL : s == dnnl_out_of_memory ? no_memory : refused;
}

/* ---- plain by plain ---- */

static bool desc_strides(Desc *d, int64_t rows, int64_t cols, int64_t down, int64_t along, KType t)
{
    dnnl_dims_t dims = {rows, cols}, strides = {down, along};
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_strides(d, 2, dims, type_of(t), strides) == dnnl_success;
#else
    return dnnl_memory_desc_init_by_strides(d, 2, dims, type_of(t), strides) == dnnl_success;
#endif
}

static dnnl_status_t outer_desc(dnnl_primitive_desc_t *pd, OuterProduct *p,
                                dnnl_primitive_attr_t attr)
{
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_matmul_primitive_desc_create(pd, lib.engine, p->a, p->b, NULL, p->c, attr);
#else
    dnnl_matmul_desc_t desc;
    dnnl_status_t s = dnnl_matmul_desc_init(&desc, &p->a, &p->b, NULL, &p->c);
    return s == dnnl_success ? dnnl_primitive_desc_create(pd, &desc, attr, lib.engine, NULL) : s;
#endif
}

static OuterProduct *outer_make(const Outer *o)
{
    OuterProduct *p = calloc(1, sizeof *p);
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t pd = NULL;
    bool ok = p && dnnl_primitive_attr_create(&attr) == dnnl_success &&
              dnnl_post_ops_create(&post) == dnnl_success;
    if (ok) {
        p->of = *o;
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
#if DNNL_VERSION_MAJOR >= 3
        ok = !o->add || dnnl_post_ops_append_sum(post, 1, 0, dnnl_f32) == dnnl_success;
#else
        ok = !o->add || dnnl_post_ops_append_sum(post, 1) == dnnl_success;
#endif
        ok = ok && dnnl_primitive_attr_set_post_ops(attr, post) == dnnl_success &&
             desc_strides(&p->a, o->rows, o->depth, 1, o->lda, o->type) &&
             desc_strides(&p->b, o->depth, o->cols, o->ldb, 1, o->type) &&
             desc_tag(&p->c, o->rows, o->cols, K_F32, dnnl_ab) &&
             outer_desc(&pd, p, attr) == dnnl_success &&
             dnnl_primitive_create(&p->run, pd) == dnnl_success;
    }
    if (ok) {
        desc_copy(&p->s, pd, dnnl_query_scratchpad_md);
        p->scratch = desc_size(&p->s);
    }
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (post)
        dnnl_post_ops_destroy(post);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (ok)
        return p;
    free(p);
    return NULL;
}

static OuterProduct *outer_find(const Outer *o)
{
    OuterProduct *p = lib.outers;
    while (p && !(p->of.rows == o->rows && p->of.cols == o->cols && p->of.depth == o->depth &&
                  p->of.lda == o->lda && p->of.ldb == o->ldb && p->of.type == o->type &&
                  p->of.add == o->add))
        p = p->next;
    return p;
}

static OuterProduct *outer_get(const Outer *o)
{
    OuterProduct *p = outer_find(o);
    if (p)
        return p;
    pthread_mutex_lock(&lib.lock);
    if (!(p = outer_find(o)) &&
        (lib.engine || dnnl_engine_create(&lib.engine, dnnl_cpu, 0) == dnnl_success) &&
        (p = outer_make(o))) {
        p->next = lib.outers;
        lib.outers = p;
    }
    pthread_mutex_unlock(&lib.lock);
    return p;
}

const char *matmul_outer(const Outer *o, int thread)
{
    OuterProduct *p = outer_get(o);
    if (!p)
        return refused;
    void *scratch = p->scratch ? scratch_of(thread, p->scratch) : NULL;
    if (p->scratch && !scratch)
        return no_memory;
    dnnl_memory_t a = NULL, b = NULL, c = NULL, s = NULL;
    bool ok =
        dnnl_memory_create(&a, DESC(p->a), lib.engine, (void *)(uintptr_t)o->a) == dnnl_success &&
        dnnl_memory_create(&b, DESC(p->b), lib.engine, (void *)(uintptr_t)o->b) == dnnl_success &&
        dnnl_memory_create(&c, DESC(p->c), lib.engine, o->c) == dnnl_success &&
        (!scratch || dnnl_memory_create(&s, DESC(p->s), lib.engine, scratch) == dnnl_success);
    if (ok) {
        dnnl_exec_arg_t args[] = {
            {DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}, {DNNL_ARG_SCRATCHPAD, s}};
        ok = dnnl_primitive_execute(p->run, stream_of(thread), scratch ? 4 : 3, args) ==
             dnnl_success;
    }
    dnnl_memory_t all[] = {a, b, c, s};
    for (int i = 0; i < 4; i++)
        if (all[i])
            dnnl_memory_destroy(all[i]);
    return ok ? NULL : refused;
}
