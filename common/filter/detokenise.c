#include "filter/detokenise.h"

#include "base/write.h"

#include <stdlib.h>
#include <string.h>

static void put_row(Detokenise *t, const int32_t *id, size_t n)
{
    t->text.n = 0;
    tokenizer_decode(t->from.tokenizer, id, n, t->raw, &t->text);
    Str text = str_of(t->text.p, t->text.n);
    if (t->nul)
        buf_add(&t->out, text.p, text.n);
    else
        put_tsv(&t->out, text);
    buf_add(&t->out, t->nul ? "" : "\n", 1);
}

static int put_frame(Detokenise *t, const Frame *f, Err *e)
{
    if (!f->rows)
        return 0;
    const Tensor *ends = frame_need(f, "row.tokens", DT_I64, 1, e);
    const Tensor *ids = ends ? frame_need(f, "token.id", DT_I32, 1, e) : NULL;
    if (!ids || stream_tokenizer_open(&t->from, f, e) < 0)
        return -1;
    const int64_t *end = ends->data;
    const int32_t *id = ids->data;
    for (int64_t i = 0; i < f->rows; i++)
        put_row(t, id + end[i], (size_t)(end[i + 1] - end[i]));
    return put_out(&t->out, e);
}

int detokenise_run(Detokenise *t, In *in, Err *e)
{
    Frame *f;
    int k;
    while ((k = in_next(in, &f, e)) > 0) {
        if ((k = put_frame(t, f, e)) < 0)
            err_at(e, "%s", in_place(in));
        frame_free(f);
        if (k < 0)
            break;
    }
    return k;
}

void detokenise_clear(Detokenise *t)
{
    stream_tokenizer_close(&t->from);
    free(t->text.p);
    free(t->out.p);
}
