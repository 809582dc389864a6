#include "filter/pool_filter.h"
#include "filter/filter_device.h"

#include "model/find.h"

#include <stdlib.h>

/* Reads what the folder says of pooling, and the pooler's weights if they are needed. */
static int load(PoolFilter *f, const char *given, Err *e)
{
    Config c = {0};
    Weights *w = NULL;
    char *folder = NULL, *encoder = NULL;
    bool model = f->want.kind == POOL_NONE || f->want.kind == POOL_POOLER;
    f->used = f->want;
    if (!f->dev && !(f->dev = filter_device(f->common, false, e)))
        return -1;
    if (!model)
        return (f->pooler = pooler_new(f->used, f->dev, NULL, NULL, e)) ? 0 : -1;
    if ((folder = model_find(given, e)) && (encoder = model_encoder_folder(folder, e)) &&
        config_load(encoder, &c, e) == 0 && (w = weights_open(encoder, c.family->prefix, e)) &&
        (f->want.kind != POOL_NONE || pooling_default(encoder, &c, w, &f->used, e) == 0)) {
        f->used.normalize |= f->want.normalize;
        f->pooler = pooler_new(f->used, f->dev, &c, w, e);
    }
    weights_close(w);
    config_clear(&c);
    free(folder);
    free(encoder);
    return f->pooler ? 0 : -1;
}

int pool_vectors(Pooler *p, Frame *frame, Err *e)
{
    Tensor *x = frame_need(frame, "token.hidden", DT_COUNT, 2, e);
    Tensor *starts = x ? frame_need(frame, "row.tokens", DT_I64, 1, e) : NULL;
    if (!starts)
        return -1;
    if (x->type != DT_F32 && x->type != DT_BF16)
        return err_set(e, "token.hidden is of type %s: F32 or BF16 is wanted", dtype_name(x->type));
    PoolIn in = {.hidden =
                     view_of(x->data, x->type == DT_F32 ? K_F32 : K_BF16, x->shape[0], x->shape[1]),
                 .starts = starts->data,
                 .rows = frame->rows};
    Block *b = block_new((size_t)(frame->rows * x->shape[1]) * sizeof(float));
    if (pooler_run(p, &in, b->p, e) < 0) {
        block_drop(b);
        return -1;
    }
    frame_adopt(frame, "row.vector", DT_F32, 2, (int64_t[]){frame->rows, x->shape[1]}, b, b->p);
    return 0;
}

int pool_frame(void *filter, Frame *frame, Err *e)
{
    PoolFilter *f = filter;
    if (frame->rows == 0 && !frame_get(frame, "token.hidden"))
        return 0;
    const char *given = f->common->model ? f->common->model : frame_meta(frame, "model");
    if (!f->pooler && load(f, given, e) < 0)
        return -1;
    if (pool_vectors(f->pooler, frame, e) < 0)
        return -1;
    frame_drop_tokens(frame);
    frame_set_meta(frame, "pool", pooling_name(f->used));
    return 0;
}

void pool_end(PoolFilter *f)
{
    pooler_free(f->pooler);
    if (f->dev)
        f->dev->close(f->dev);
}
