#include "filter/pool_filter.h"
#include "filter/check.h"
#include "filter/filter_device.h"

#include "base/num.h"
#include "model/bag.h"
#include "model/find.h"

#include <stdlib.h>
#include <string.h>

/* Of static embeddings, which say no more than what is done to the rows' vectors. */
static int load_bag(PoolFilter *f, const char *home, const char *encoder, const BagFacts *facts,
                    Err *e)
{
    if (f->want.kind == POOL_POOLER)
        return err_set(e, "%s: static embeddings have no pooler: leave --pooler out", encoder);
    Bag *b = bag_load(encoder, f->dev, e);
    if (!b)
        return -1;
    Config c = {.hidden = bag_width(b)};
    f->bag = true;
    f->width = c.hidden;
    bag_identity(b, f->encoder);
    bag_free(b);
    if (pooling_of_bag(home, facts->normalize, &f->used, e) < 0)
        return -1;
    f->used.normalize |= f->want.normalize;
    f->pooler = pooler_new(&f->used, f->dev, &c, NULL, home, e);
    f->folder = mem_str(encoder);
    return f->pooler ? 0 : -1;
}

static int load_transformer(PoolFilter *f, const char *home, const char *encoder, Err *e)
{
    Config c = {0};
    Weights *w = NULL;
    if (config_load(encoder, &c, e) == 0 && (w = weights_open(encoder, c.family->prefix, e)) &&
        (f->want.kind != POOL_NONE || pooling_default(home, &c, w, &f->used, e) == 0)) {
        f->used.normalize |= f->want.normalize;
        f->pooler = pooler_new(&f->used, f->dev, &c, w, home, e);
        f->folder = mem_str(encoder);
        f->width = c.hidden;
        if (f->used.kind == POOL_POOLER || f->used.modules)
            transformer_fingerprint(w, &c, f->encoder);
    }
    weights_close(w);
    config_clear(&c);
    return f->pooler ? 0 : -1;
}

/* Reads what the folder says of pooling, and the pooler's weights if they are needed. */
static int load(PoolFilter *f, const char *given, Err *e)
{
    BagFacts facts;
    char *folder = NULL, *home = NULL, *encoder = NULL;
    bool model = f->want.kind == POOL_NONE || f->want.kind == POOL_POOLER;
    f->used = f->want;
    if (!f->dev && !(f->dev = filter_device(f->common, false, e)))
        return -1;
    if (!model)
        return (f->pooler = pooler_new(&f->used, f->dev, NULL, NULL, NULL, e)) ? 0 : -1;
    if ((folder = model_find(given, e)) && (home = model_home(folder, e)) &&
        (encoder = model_encoder_folder(folder, e))) {
        int bag = bag_is(encoder, &facts, e);
        if (bag > 0)
            load_bag(f, home, encoder, &facts, e);
        else if (bag == 0)
            load_transformer(f, home, encoder, e);
    }
    free(folder);
    free(home);
    free(encoder);
    return f->pooler ? 0 : -1;
}

/* How many tokens of each row are a prompt's, as `tok` has told. */
static int64_t prompt_of(const Frame *frame)
{
    const char *said = frame_meta(frame, "prompt");
    int64_t n = 0;
    return said && num_int(said, 0, INT32_MAX, &n, NULL) == 0 ? n : 0;
}

static int pool_rows(Pooler *p, Frame *frame, const PoolIn *in, Err *e)
{
    int64_t wide = pooler_width(p, in->hidden.cols);
    Block *b = block_new((size_t)(frame->rows * wide) * sizeof(float));
    if (pooler_run(p, in, b->p, e) < 0) {
        block_drop(b);
        return -1;
    }
    frame_adopt(frame, "row.vector", DT_F32, 2, (int64_t[]){frame->rows, wide}, b, b->p);
    return 0;
}

int pool_vectors(Pooler *p, Frame *frame, int64_t width, const char *taker, Err *e)
{
    const Tensor *x = check_states(frame, width, taker, e);
    if (!x)
        return -1;
    PoolIn in = {.hidden =
                     view_of(x->data, x->type == DT_F32 ? K_F32 : K_BF16, x->shape[0], x->shape[1]),
                 .starts = frame_get(frame, "row.tokens")->data,
                 .rows = frame->rows,
                 .prompt = prompt_of(frame)};
    return pool_rows(p, frame, &in, e);
}

/* A pooler's weights say nothing sensible of what another encoder made. */
static int fits(const PoolFilter *f, const Frame *frame, Err *e)
{
    const char *encoder = frame_meta(frame, "encoder"), *model = frame_meta(frame, "model");
    if (!*f->encoder || !encoder || strcmp(encoder, f->encoder) == 0)
        return 0;
    return err_set(e,
                   "the hidden states come from %s, but the pooler of %s belongs to another "
                   "encoder: use one model in the whole pipeline",
                   model ? model : "another encoder", f->folder);
}

/* What `embed` made of static embeddings: means already, and no tokens any more. */
static bool are_means(const PoolFilter *f, const Frame *frame)
{
    const char *pool = frame_meta(frame, "pool"), *layer = frame_meta(frame, "layer");
    return (f->bag || !f->folder) && !frame_get(frame, "token.hidden") &&
           frame_get(frame, "row.vector") && pool && layer && strcmp(pool, "mean") == 0 &&
           strcmp(layer, "0") == 0;
}

/* What is done to vectors behind their mean. */
static int finish_means(PoolFilter *f, Frame *frame, Err *e)
{
    const Tensor *x = check_vectors(frame, f->folder ? f->width : ANY_WIDTH, f->folder, e);
    if (!x)
        return -1;
    if (f->used.kind != POOL_MEAN || f->used.joins)
        return err_set(e, "the stream has the rows' means, no tokens to pool otherwise: run the "
                          "ids through `encode` in place of `embed`");
    if (!f->used.modules && !f->used.normalize)
        return 0;
    return pool_rows(
        f->pooler, frame,
        &(PoolIn){.hidden = view_of(x->data, K_F32, x->shape[0], x->shape[1]), .rows = frame->rows},
        e);
}

int pool_frame(void *filter, Frame *frame, Err *e)
{
    PoolFilter *f = filter;
    if (frame->rows == 0 && !frame_get(frame, "token.hidden"))
        return 0;
    const char *given = f->common->model ? f->common->model : frame_meta(frame, "model");
    if (!f->pooler && load(f, given, e) < 0)
        return -1;
    if (fits(f, frame, e) < 0 ||
        (are_means(f, frame) ? finish_means(f, frame, e)
                             : pool_vectors(f->pooler, frame, f->width, f->folder, e)) < 0)
        return -1;
    frame_drop_tokens(frame);
    frame_set_meta(frame, "pool", pooling_name(&f->used));
    return 0;
}

void pool_end(PoolFilter *f)
{
    pooler_free(f->pooler);
    free(f->folder);
    if (f->dev)
        f->dev->close(f->dev);
}
