#include "filter/encode_filter.h"
#include "filter/check.h"
#include "filter/filter_device.h"
#include "filter/same_vocab.h"

#include "base/mem.h"
#include "model/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_A_THREAD = 1024 };

static int load_bag(EncodeFilter *f, const char *folder, Err *e)
{
    if (f->layers > 0 || f->attention)
        return err_set(e, "%s: static embeddings have no layers: leave %s out", folder,
                       f->attention ? "--attention" : "-L");
    if ((f->bag = bag_load(folder, f->dev, e)))
        bag_identity(f->bag, f->fingerprint);
    return f->bag ? 0 : -1;
}

static int load_transformer(EncodeFilter *f, const char *folder, Err *e)
{
    f->enc = transformer_load(folder, f->dev,
                              f->common->bf16  ? K_BF16
                              : f->common->f16 ? K_F16
                                               : K_F32,
                              f->layers, e);
    if (f->enc)
        transformer_identity(f->enc, f->fingerprint);
    return f->enc ? 0 : -1;
}

static int load(EncodeFilter *f, const char *given, Err *e)
{
    if (!f->dev && !(f->dev = filter_device(f->common, f->layers != 0, e)))
        return -1;
    if (f->in)
        in_want(f->in, (int64_t)TOKENS_A_THREAD * f->dev->threads);
    char *folder = model_find(given, e);
    char *encoder = folder ? model_encoder_folder(folder, e) : NULL;
    int bag = encoder ? bag_is(encoder, NULL, e) : -1;
    int r = bag < 0 ? -1 : (bag ? load_bag : load_transformer)(f, encoder, e);
    if (r == 0) {
        f->name = model_name(given, folder);
        f->folder = mem_str(encoder);
    }
    free(folder);
    free(encoder);
    return r;
}

int encode_begin(EncodeFilter *f, Err *e)
{
    return f->common->model ? load(f, f->common->model, e) : 0;
}

static int fits(EncodeFilter *f, const Frame *frame, Err *e)
{
    if (f->checked || !frame_meta(frame, "vocab"))
        return 0;
    f->checked = true;
    return same_vocab(frame, f->name, f->folder, e);
}

int encode_open(EncodeFilter *f, const Frame *frame, Err *e)
{
    return !f->enc && !f->bag && load(f, frame_meta(frame, "model"), e) < 0 ? -1
                                                                            : fits(f, frame, e);
}

/* Numbers that belong to another encoder do not survive in the frame. */
static void tell_maker(const EncodeFilter *f, Frame *frame)
{
    char layer[24];
    snprintf(layer, sizeof layer, "%lld", f->bag ? 0 : (long long)transformer_layers(f->enc));
    if (f->common->model || !frame_meta(frame, "model"))
        frame_set_meta(frame, "model", f->name);
    frame_set_meta(frame, "encoder", f->fingerprint);
    frame_set_meta(frame, "layer", layer);
}

static int64_t longest(const TransformerIn *in)
{
    int64_t n = 0;
    for (int64_t r = 0; r < in->rows; r++)
        if (in->starts[r + 1] - in->starts[r] > n)
            n = in->starts[r + 1] - in->starts[r];
    return n;
}

/* The vectors of static embeddings: the rows', or each token's. */
static int look_up(EncodeFilter *f, Frame *frame, const TransformerIn *of, Err *e)
{
    int64_t wide = bag_width(f->bag);
    bool half = f->common->bf16 && !f->means;
    BagIn in = {.id = of->id, .starts = of->starts, .rows = of->rows, .tokens = of->tokens};
    if (bag_check(f->bag, &in, e) < 0)
        return -1;
    int64_t shape[] = {f->means ? in.rows : in.tokens, wide};
    Block *b = block_new((size_t)(shape[0] * wide) * (half ? 2 : sizeof(float)));
    int r = f->means ? bag_means(f->bag, &in, b->p, e)
                     : bag_tokens(f->bag, &in, half ? K_BF16 : K_F32, b->p, e);
    if (r < 0) {
        block_drop(b);
        return -1;
    }
    frame_adopt(frame, f->means ? "row.vector" : "token.hidden", half ? DT_BF16 : DT_F32, 2, shape,
                b, b->p);
    tell_maker(f, frame);
    if (f->means) {
        frame_drop_tokens(frame);
        frame_set_meta(frame, "pool", "mean");
    }
    return 0;
}

/* Asks for the frame's hidden states; they are there when the mark has been finished. */
static int ask(EncodeFilter *f, Frame *frame, int64_t *mark, Err *e)
{
    *mark = 0;
    if (frame->rows == 0 && !frame_get(frame, "token.id"))
        return 0;
    TransformerIn in;
    if (check_ids(frame, &in, e) < 0 || encode_open(f, frame, e) < 0)
        return -1;
    if (f->bag)
        return look_up(f, frame, &in, e);
    if (transformer_check(f->enc, &in, e) < 0)
        return -1;
    const Config *c = transformer_config(f->enc);
    int64_t wide = longest(&in);
    int64_t shape[] = {in.tokens, c->hidden};
    int64_t probs_shape[] = {in.tokens, transformer_layers(f->enc), c->heads, wide};
    void *out = frame_add(frame, "token.hidden", f->common->bf16 ? DT_BF16 : DT_F32, 2, shape);
    float *probs = NULL;
    if (f->attention) {
        probs = frame_add(frame, "token.attention", DT_F32, 4, probs_shape);
        memset(probs, 0, frame_get(frame, "token.attention")->bytes);
    }
    tell_maker(f, frame);
    return in.tokens ? transformer_start(f->enc, &in, out, probs, wide, mark, e) : 0;
}

int encode_frame(void *filter, Frame *frame, Err *e)
{
    EncodeFilter *f = filter;
    int64_t mark;
    int r = ask(f, frame, &mark, e);
    return r == 0 && mark ? transformer_finish(f->enc, mark, e) : r;
}

int encode_start(void *filter, Frame *frame, Err *e)
{
    EncodeFilter *f = filter;
    int64_t *mark = &f->mark[f->started % 2];
    if (ask(f, frame, mark, e) < 0)
        return -1;
    f->started += *mark != 0;
    return *mark != 0;
}

int encode_finish(void *filter, Frame *frame, Err *e)
{
    EncodeFilter *f = filter;
    (void)frame;
    return transformer_finish(f->enc, f->mark[f->finished++ % 2], e);
}

void encode_end(EncodeFilter *f)
{
    transformer_free(f->enc);
    bag_free(f->bag);
    if (f->dev)
        f->dev->close(f->dev);
    free(f->name);
    free(f->folder);
}
