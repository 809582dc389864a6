#include "filter/head_filter.h"
#include "filter/check.h"
#include "filter/filter_device.h"
#include "filter/mask_id.h"
#include "filter/pool_filter.h"

#include "base/mem.h"
#include "io/stream.h"
#include "model/find.h"
#include "model/model_tokenizer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the logits of a frame may take, since a frame is cut where it is larger. */
enum { LOGIT_BYTES = FRAME_BYTES / 4 * 3 };

/* ---- which head ---- */

static int open_head(HeadFilter *f, const char *given, Err *e)
{
    if (!f->dev && !(f->dev = filter_device(f->common, false, e)))
        return -1;
    f->folder = model_find(given, e);
    if (!f->folder || !(f->head = head_open(f->folder, f->dev, e)))
        return -1;
    f->name = model_name(given, f->folder);
    f->called = mem_fmt("the head %s", f->name);
    return 0;
}

static int use(HeadFilter *f, HeadTask task, Err *e)
{
    const char *name = head_task_names[task];
    if (head_use(f->head, task, f->all, e) < 0)
        return -1;
    if (f->all && (task == HEAD_CLASS || task == HEAD_NEXT))
        return err_set(e, "the %s head of %s has one answer a row: -a is for mask and lm", name,
                       f->name);
    f->chosen = true;
    if (!head_class(f->head, 0))
        return 0;
    json_t *names = json_array();
    for (int64_t i = 0; i < head_outputs(f->head); i++)
        json_array_append_new(names, json_string(head_class(f->head, i)));
    f->classes = json_dumps(names, JSON_COMPACT);
    json_decref(names);
    return 0;
}

/* Tokens [0, n) of a row. */
static const int32_t *row_ids(const Frame *frame, int64_t row, int64_t *n)
{
    const Tensor *id = frame_get(frame, "token.id"), *starts = frame_get(frame, "row.tokens");
    const int64_t *at = starts ? starts->data : NULL;
    *n = id && at ? at[row + 1] - at[row] : 0;
    return *n ? (const int32_t *)id->data + at[row] : NULL;
}

static int64_t masks(const HeadFilter *f, const Frame *frame, int64_t row)
{
    int64_t n, count = 0;
    const int32_t *id = row_ids(frame, row, &n);
    for (int64_t i = 0; i < n; i++)
        count += id[i] == f->mask;
    return count;
}

/* Of several heads, the one for mask tokens, if every row has one. */
static int choose(HeadFilter *f, Err *e)
{
    int task = f->task >= 0 ? f->task : head_only(f->head);
    f->told = task < 0 && head_has(f->head, HEAD_MASK);
    if (f->told)
        task = HEAD_MASK;
    return task < 0 ? head_ask(f->head, e) : use(f, (HeadTask)task, e);
}

int head_begin(HeadFilter *f, Err *e)
{
    if (!f->common->model)
        return 0;
    return open_head(f, f->common->model, e) < 0 ? -1 : choose(f, e);
}

static int ready(HeadFilter *f, const Frame *frame, Err *e)
{
    if ((!f->head && open_head(f, frame_meta(frame, "model"), e) < 0) ||
        (!f->chosen && choose(f, e) < 0))
        return -1;
    bool picks = head_task(f->head) == HEAD_MASK && (!f->all || f->told);
    return picks && f->mask < 0 ? mask_id(frame, f->folder, f->name, &f->mask, e) : 0;
}

/* ---- what goes in ---- */

/* A head says nothing sensible of vectors that something else made. */
static int fits(const HeadFilter *f, const Frame *frame, bool vectors, Err *e)
{
    const char *encoder = frame_meta(frame, "encoder"), *model = frame_meta(frame, "model");
    const char *layer = frame_meta(frame, "layer"), *pool = frame_meta(frame, "pool");
    const char *want = head_encoder(f->head), *made = head_pool(f->head);
    long long at = head_layer(f->head);
    char number[24];
    snprintf(number, sizeof number, "%lld", at);
    if (encoder && *want && strcmp(encoder, want) != 0)
        return err_set(e,
                       "the vectors come from %s, but the head %s was made for %s: encode "
                       "with -m %s",
                       model ? model : "another encoder", f->name, head_model(f->head),
                       head_model(f->head));
    if (layer && at >= 0 && strcmp(layer, number) != 0)
        return err_set(e,
                       "the vectors are those of layer %s, but the head %s was made for layer "
                       "%s: encode -L %s",
                       layer, f->name, number, number);
    if (vectors && pool && *made && strcmp(pool, made) != 0)
        return err_set(e,
                       "the vectors were pooled by %s, but the head %s was made for %s: say "
                       "so to pool, or leave pool out",
                       pool, f->name, made);
    return 0;
}

/* The hidden states of the frame's tokens. */
static const Tensor *states(const HeadFilter *f, const Frame *frame, Err *e)
{
    if (!frame_get(frame, "token.hidden") && frame_get(frame, "row.vector")) {
        err_set(e,
                "the %s head of %s reads every token's hidden states, which are no longer "
                "in the stream: leave pool out",
                head_task_names[head_task(f->head)], f->name);
        return NULL;
    }
    return fits(f, frame, false, e) < 0 ? NULL
                                        : check_states(frame, head_width(f->head), f->called, e);
}

/* The states of the chosen tokens, f32 [m, width]; of all m where `token` is NULL. */
static void gather(const Tensor *x, const int64_t *token, int64_t m, float *out)
{
    int64_t width = x->shape[1];
    for (int64_t i = 0; i < m; i++) {
        int64_t at = (token ? token[i] : i) * width;
        const uint16_t *half = (const uint16_t *)x->data + at;
        float *y = out + i * width;
        if (x->type == DT_F32)
            memcpy(y, (const float *)x->data + at, (size_t)width * sizeof *y);
        for (int64_t j = 0; j < width && x->type == DT_BF16; j++)
            y[j] = f32_from_bf16(half[j]);
    }
}

static float *room(const Tensor *x, int64_t m)
{
    return mem_array((size_t)(m * x->shape[1]), sizeof(float));
}

/* ---- logits for rows ---- */

/* Of each row the token that the head reads: row.vector. */
static int pick_vectors(HeadFilter *f, Frame *frame, Err *e)
{
    const Tensor *x = states(f, frame, e);
    if (!x || !frame_need(frame, "token.id", DT_I32, 1, e))
        return -1;
    const int64_t *at = frame_get(frame, "row.tokens")->data;
    int64_t *token = mem_array((size_t)frame->rows, sizeof *token), n, i = 0;
    for (int64_t r = 0; r < frame->rows && i >= 0; r++) {
        const int32_t *id = row_ids(frame, r, &n);
        i = head_token(f->head, id, n);
        token[r] = at[r] + i;
        e->row = i < 0 ? r + 1 : 0;
    }
    if (i < 0) {
        free(token);
        return err_set(e,
                       "no token that ends a text, which the head %s reads: does it end "
                       "otherwise in this model?",
                       f->name);
    }
    Block *b = block_new((size_t)(frame->rows * x->shape[1]) * sizeof(float));
    gather(x, token, frame->rows, b->p);
    frame_adopt(frame, "row.vector", DT_F32, 2, (int64_t[]){frame->rows, x->shape[1]}, b, b->p);
    free(token);
    return 0;
}

/* The frame's vectors; hidden states are pooled as the head says first. */
static const Tensor *vectors(HeadFilter *f, Frame *frame, Err *e)
{
    Tensor *v = frame_get(frame, "row.vector");
    bool picks = head_from(f->head) == FROM_LAST || head_from(f->head) == FROM_EOS;
    if (fits(f, frame, v != NULL, e) < 0)
        return NULL;
    if (!v) {
        if (!frame_get(frame, "token.hidden")) {
            err_set(e, "neither token.hidden nor row.vector in the stream: run it through "
                       "`encode` first");
            return NULL;
        }
        if (!picks && !head_pooler(f->head)) {
            err_set(e,
                    "the head %s does not say how its vectors were pooled: run the stream "
                    "through `pool` first",
                    f->name);
            return NULL;
        }
        Pooler *pooler = head_pooler(f->head);
        if ((picks ? pick_vectors(f, frame, e)
                   : pool_vectors(pooler, frame, pooler_reads(pooler, head_width(f->head)),
                                  f->called, e)) < 0)
            return NULL;
        frame_set_meta(frame, "pool", head_pool(f->head));
    }
    return check_vectors(frame, head_width(f->head), f->called, e);
}

static int row_logits(HeadFilter *f, Frame *frame, Err *e)
{
    const Tensor *v = vectors(f, frame, e);
    if (!v)
        return -1;
    const float *x = v->data;
    int64_t shape[] = {frame->rows, head_outputs(f->head)};
    float *logits = frame_add(frame, "row.logit", DT_F32, 2, shape);
    return head_run(f->head, x, frame->rows, logits, e);
}

/* ---- logits for tokens ---- */

static int token_logits(HeadFilter *f, Frame *frame, Err *e)
{
    const Tensor *x = states(f, frame, e);
    if (!x)
        return -1;
    float *wide = x->type == DT_F32 ? NULL : room(x, frame->tokens);
    const float *from = wide ? wide : x->data;
    if (wide)
        gather(x, NULL, frame->tokens, wide);
    int64_t shape[] = {frame->tokens, head_outputs(f->head)};
    float *logits = frame_add(frame, "token.logit", DT_F32, 2, shape);
    int r = head_run(f->head, from, frame->tokens, logits, e);
    free(wide);
    return r;
}

/* How many tokens of a row get logits. */
static int64_t picks_of(const HeadFilter *f, const Frame *frame, int64_t row)
{
    int64_t n;
    row_ids(frame, row, &n);
    if (f->all)
        return n;
    return head_task(f->head) == HEAD_MASK ? masks(f, frame, row) : n > 0;
}

/* Which tokens these are: mask tokens, or each row's last, whose logits are the next one's. */
static int64_t *picks(const HeadFilter *f, const Frame *frame, int64_t *m)
{
    const int64_t *at = frame_get(frame, "row.tokens")->data;
    int64_t *token = mem_array((size_t)frame->tokens, sizeof *token);
    *m = 0;
    for (int64_t r = 0; r < frame->rows; r++) {
        int64_t n;
        const int32_t *id = row_ids(frame, r, &n);
        for (int64_t i = 0; i < n; i++)
            if (head_task(f->head) == HEAD_MASK ? id[i] == f->mask : i == n - 1)
                token[(*m)++] = at[r] + i;
    }
    return token;
}

static int pick_logits(HeadFilter *f, Frame *frame, Err *e)
{
    const Tensor *x = states(f, frame, e);
    if (!x || !frame_need(frame, "token.id", DT_I32, 1, e))
        return -1;
    int64_t m, *token = picks(f, frame, &m);
    float *from = room(x, m);
    gather(x, token, m, from);
    int64_t shape[] = {m, head_outputs(f->head)};
    frame_drop_prefix(frame, "pick."); /* another head's: they are of other tokens */
    int64_t *to = frame_add(frame, "pick.token", DT_I64, 1, shape);
    memcpy(to, token, (size_t)m * sizeof *to);
    float *logits = frame_add(frame, "pick.logit", DT_F32, 2, shape);
    int r = head_run(f->head, from, m, logits, e);
    free(from);
    free(token);
    return r;
}

/* ---- frames ---- */

int64_t head_part(void *filter, const Frame *frame, int64_t first, Err *e)
{
    HeadFilter *f = filter;
    if (ready(f, frame, e) < 0)
        return -1;
    if (head_class(f->head, 0))
        return frame->rows - first;
    int64_t left = LOGIT_BYTES / (head_outputs(f->head) * (int64_t)sizeof(float)), n = 0;
    while (first + n < frame->rows && (left -= picks_of(f, frame, first + n), left >= 0 || !n))
        n++;
    return n;
}

/* Where no task was asked for, rows without a mask are as likely meant for another head. */
static int all_masked(const HeadFilter *f, const Frame *frame, Err *e)
{
    for (int64_t r = 0; f->told && r < frame->rows; r++)
        if (!masks(f, frame, r)) {
            Err none = {0};
            Tokenizer *t = model_tokenizer(f->folder, &none);
            Str name = t ? tokenizer_text(t, f->mask) : str_of("", 0);
            e->row = r + 1;
            head_ask(f->head, e);
            err_at(e, "no mask token%s%.*s", name.n ? " " : "", name.n > 20 ? 20 : (int)name.n,
                   name.p);
            if (t)
                tokenizer_free(t);
            return -1;
        }
    return 0;
}

/* Nobody behind a head asks for hidden states: they stay off the pipe. Where they were all there
 * was of the tokens, nothing is left of these. */
static void drop_states(Frame *frame)
{
    bool others = false;
    frame_drop(frame, "token.hidden");
    for (int i = 0; i < frame->count && !others; i++)
        others = tensor_axis(frame->tensor[i].name) == AXIS_TOKEN;
    if (!others)
        frame_drop_tokens(frame);
}

int head_frame(void *filter, Frame *frame, Err *e)
{
    HeadFilter *f = filter;
    if (all_masked(f, frame, e) < 0)
        return -1;
    HeadFrom from = head_from(f->head);
    int r = from == FROM_PICKS && !f->all ? pick_logits(f, frame, e)
            : from >= FROM_TOKENS         ? token_logits(f, frame, e)
                                          : row_logits(f, frame, e);
    if (r < 0)
        return -1;
    const char *problem = head_problem(f->head), *activation = head_activation(f->head);
    frame_set_meta(frame, "task", head_task_names[head_task(f->head)]);
    frame_set_meta(frame, "classes", f->classes);
    frame_set_meta(frame, "problem", *problem ? problem : NULL);
    frame_set_meta(frame, "activation", *activation ? activation : NULL);
    drop_states(frame);
    return 0;
}

void head_end(HeadFilter *f)
{
    head_free(f->head);
    if (f->dev)
        f->dev->close(f->dev);
    free(f->classes);
    free(f->name);
    free(f->called);
    free(f->folder);
}
