/* filters - what computes, on any frame: encode, pool, head, near. A byte says which with what
 * model, then comes a stream. What comes out is a frame that a reader takes. */
#include "filter/encode_filter.h"
#include "filter/head_filter.h"
#include "filter/nearest.h"
#include "filter/pool_filter.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

enum { ENCODE, POOL, HEAD, NEAR, WAYS, MODELS = 8 };

static const Common *common(unsigned model)
{
    static const char *const name[MODELS] = {"bert-class", "bert-mask",      "bert-token",
                                             "bert-span",  "gpt2-class",     "t5",
                                             "bert-next",  "distilbert-mask"};
    static Common c[MODELS];
    if (!c[model].model) {
        char *below = mem_fmt("models/%s", name[model]);
        c[model] = (Common){.model = fuzz_golden(below), .device = "cpu", .threads = 1};
        free(below);
    }
    return &c[model];
}

static int encode(unsigned model, Frame *f, Err *e)
{
    static EncodeFilter filter[MODELS];
    EncodeFilter *x = &filter[model];
    if (!x->common) {
        *x = (EncodeFilter){.common = common(model), .layers = -1};
        MUST(encode_begin(x, e) == 0);
    }
    return encode_frame(x, f, e);
}

/* Without a model where `model` names a way that needs none. */
static int pool(unsigned model, Frame *f, Err *e)
{
    static PoolFilter filter[MODELS];
    static const PoolKind kind[MODELS] = {POOL_NONE, POOL_MEAN, POOL_CLS,    POOL_MAX,
                                          POOL_LAST, POOL_MEAN, POOL_POOLER, POOL_MAX};
    PoolFilter *x = &filter[model];
    if (!x->common)
        *x = (PoolFilter){.common = common(0),
                          .want = {.kind = kind[model], .normalize = model % 2}};
    return pool_frame(x, f, e);
}

static int head(unsigned model, Frame *f, Err *e)
{
    static HeadFilter filter[MODELS];
    HeadFilter *x = &filter[model];
    if (!x->common) {
        *x = (HeadFilter){.common = common(model == 5 ? 0 : model), .task = -1, .mask = -1};
        MUST(head_begin(x, e) == 0);
    }
    int64_t rows = head_part(x, f, 0, e);
    return rows < 0 ? -1 : head_frame(x, f, e);
}

static int nearest(Frame *f, Err *e)
{
    static Device *dev;
    enum { K = 3 };
    if (!dev)
        MUST((dev = device_open("cpu", 1, (char[64]){0}, 64)));
    Corpus *c = corpus_new(dev);
    int status = corpus_add(c, f, e) < 0 || corpus_ready(c, e) < 0 ? -1 : 0;
    if (status == 0 && corpus_rows(c)) {
        Near *near = mem_array((size_t)f->rows * K, sizeof *near);
        status = corpus_fits(c, f, e);
        if (status == 0)
            status = corpus_nearest(c, frame_get(f, "row.vector")->data, f->rows, K, near, e);
        for (int64_t i = 0; status == 0 && i < f->rows * K; i++)
            MUST(near[i].row >= -1 && near[i].row < corpus_rows(c));
        free(near);
    }
    corpus_free(c);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    unsigned how = fuzz_byte(&p, &n), model = how / WAYS % MODELS;
    int frames, end;
    Str stream = fuzz_stream(p, n);
    Frame **f = fuzz_frames(stream, 0, &frames, &end);
    for (int i = 0; i < frames; i++) {
        Err e = {0};
        int status = how % WAYS == ENCODE ? encode(model, f[i], &e)
                     : how % WAYS == POOL ? pool(model, f[i], &e)
                     : how % WAYS == HEAD ? head(model, f[i], &e)
                                          : nearest(f[i], &e);
        MUST((status == 0) == !e.text[0]);
        MUST(status < 0 || frame_check(f[i], &e) == 0);
    }
    fuzz_frames_free(f, frames);
    free((char *)stream.p);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_stream(p, n, most, seed, 1);
}
