#include "filter/check.h"

#include <inttypes.h>

static const Tensor *check_width(const Tensor *t, int64_t width, const char *taker, Err *e)
{
    if (t->shape[1] > 0 && (width == ANY_WIDTH || t->shape[1] == width))
        return t;
    if (width == ANY_WIDTH)
        err_set(e, "%s holds no numbers", t->name);
    else
        err_set(e,
                "%s: %" PRId64 " numbers each, but %s takes %" PRId64 ": was it made by another "
                "model?",
                t->name, t->shape[1], taker, width);
    return NULL;
}

const Tensor *check_states(const Frame *f, int64_t width, const char *taker, Err *e)
{
    const Tensor *t = frame_need(f, "token.hidden", DT_COUNT, 2, e);
    if (!t || !frame_need(f, "row.tokens", DT_I64, 1, e))
        return NULL;
    if (t->type == DT_F32 || t->type == DT_BF16)
        return check_width(t, width, taker, e);
    err_set(e, "%s is of type %s: F32 or BF16 is wanted", t->name, dtype_name(t->type));
    return NULL;
}

const Tensor *check_vectors(const Frame *f, int64_t width, const char *taker, Err *e)
{
    const Tensor *t = frame_need(f, "row.vector", DT_F32, 2, e);
    return t ? check_width(t, width, taker, e) : NULL;
}

int check_ids(const Frame *f, TransformerIn *in, Err *e)
{
    const Tensor *id = frame_need(f, "token.id", DT_I32, 1, e);
    const Tensor *starts = id ? frame_need(f, "row.tokens", DT_I64, 1, e) : NULL;
    const Tensor *kind = frame_get(f, "token.type");
    if (!starts || (kind && !(kind = frame_need(f, "token.type", DT_U8, 1, e))))
        return -1;
    *in = (TransformerIn){.id = id->data,
                          .kind = kind ? kind->data : NULL,
                          .starts = starts->data,
                          .rows = f->rows,
                          .tokens = f->tokens};
    return 0;
}
