#include "filter/detokenise.h"

#include "base/write.h"

#include <stdlib.h>
#include <string.h>

/* What transformers' pipelines for generated text, by the stream's task, call the text, and do to
 * it. */
typedef struct Pipeline {
    const char *task; /* or what it begins with: "translation_en_to_de" */
    const char *key;
    enum { CLEANS_AS_SAID, CLEANS, CLEANS_NOT } cleans; /* as the tokenizer's configuration says */
} Pipeline;

static const Pipeline pipelines[] = {
    {"summarization", "summary_text", CLEANS_NOT},
    {"translation", "translation_text", CLEANS_NOT},
    {"text2text-generation", "generated_text", CLEANS_NOT},
    {"text-generation", "generated_text", CLEANS},
    {"", "generated_text", CLEANS_AS_SAID},
};

static const Pipeline *pipeline_of(const Frame *f)
{
    const char *task = frame_meta(f, "task");
    const Pipeline *p = pipelines;
    while (strncmp(task ? task : "", p->task, strlen(p->task)) != 0)
        p++;
    return p;
}

static void decode(Detokenise *t, const int32_t *id, size_t n, int cleans)
{
    t->text.n = 0;
    if (cleans == CLEANS_AS_SAID)
        tokenizer_decode(t->from.tokenizer, id, n, t->raw, &t->text);
    else
        tokenizer_decode_as(t->from.tokenizer, id, n, t->raw, cleans == CLEANS, &t->text);
}

static void put_object(Detokenise *t, const Frame *f, int64_t row, const int32_t *id, size_t n)
{
    const Pipeline *p = pipeline_of(f);
    const char *finish = frame_finish(f, row);
    const Tensor *score = frame_get(f, "row.score");
    decode(t, id, n, p->cleans);
    put_json_key(&t->out, "{", p->key);
    put_json(&t->out, str_of(t->text.p, t->text.n));
    if (finish) {
        put_json_key(&t->out, ", ", "finish");
        put_json(&t->out, str_of(finish, strlen(finish)));
    }
    if (score) {
        put_json_key(&t->out, ", ", "score");
        put_float(&t->out, ((const float *)score->data)[row]);
    }
    buf_str(&t->out, "}\n");
}

static void put_line(Detokenise *t, const int32_t *id, size_t n)
{
    decode(t, id, n, CLEANS_AS_SAID);
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
    for (int64_t i = 0; i < f->rows; i++) {
        size_t n = (size_t)(end[i + 1] - end[i]);
        if (t->json)
            put_object(t, f, i, id + end[i], n);
        else
            put_line(t, id + end[i], n);
        if (t->stream && put_out(&t->out, e) < 0)
            return -1;
    }
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
