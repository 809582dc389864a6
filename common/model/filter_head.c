#include "model/filter.h"

#include "base/mem.h"
#include "model/find.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(HeadFilter *f, const char *given, Err *e)
{
    if (!f->dev && !(f->dev = filter_device(f->common, false, e)))
        return -1;
    char *folder = model_find(given, e);
    if (folder && (f->head = head_load(folder, f->dev, e))) {
        json_t *names = json_array();
        for (int64_t i = 0; i < head_classes(f->head); i++)
            json_array_append_new(names, json_string(head_class(f->head, i)));
        f->classes = json_dumps(names, JSON_COMPACT);
        json_decref(names);
        f->name = model_name(given, folder);
    }
    free(folder);
    return f->head ? 0 : -1;
}

int head_begin(HeadFilter *f, Err *e)
{
    return f->common->model ? load(f, f->common->model, e) : 0;
}

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
        return err_set(e, "the vectors come from %s, but the head %s was made for %s: encode "
                          "with -m %s", model ? model : "another encoder", f->name,
                       head_model(f->head), head_model(f->head));
    if (layer && at >= 0 && strcmp(layer, number) != 0)
        return err_set(e, "the vectors are those of layer %s, but the head %s was made for layer "
                          "%s: encode -L %s", layer, f->name, number, number);
    if (vectors && pool && *made && strcmp(pool, made) != 0)
        return err_set(e, "the vectors were pooled by %s, but the head %s was made for %s: say "
                          "so to pool, or leave pool out", pool, f->name, made);
    return 0;
}

/* The frame's vectors; hidden states are pooled as the head says first. */
static const Tensor *vectors(HeadFilter *f, Frame *frame, Err *e)
{
    Tensor *v = frame_get(frame, "row.vector");
    if (fits(f, frame, v != NULL, e) < 0)
        return NULL;
    if (!v) {
        if (!frame_get(frame, "token.hidden")) {
            err_set(e, "neither token.hidden nor row.vector in the stream: run it through "
                       "`encode` first");
            return NULL;
        }
        if (!head_pooler(f->head)) {
            err_set(e, "the head %s does not say how its vectors were pooled: run the stream "
                       "through `pool` first", f->name);
            return NULL;
        }
        if (pool_vectors(head_pooler(f->head), frame, e) < 0)
            return NULL;
        frame_set_meta(frame, "pool", head_pool(f->head));
    }
    v = frame_need(frame, "row.vector", DT_F32, 2, e);
    if (v && v->shape[1] != head_width(f->head)) {
        err_set(e, "vectors of %lld numbers, but the head %s takes %lld",
                (long long)v->shape[1], f->name, (long long)head_width(f->head));
        return NULL;
    }
    return v;
}

int head_frame(void *filter, Frame *frame, Err *e)
{
    HeadFilter *f = filter;
    if (frame->rows == 0 && !frame_get(frame, "token.hidden") && !frame_get(frame, "row.vector"))
        return 0;
    if (!f->head && load(f, frame_meta(frame, "model"), e) < 0)
        return -1;
    const Tensor *v = vectors(f, frame, e);
    if (!v)
        return -1;
    int64_t shape[] = {frame->rows, head_classes(f->head)};
    float *logits = frame_add(frame, "row.logit", DT_F32, 2, shape);
    v = frame_get(frame, "row.vector"); /* adding may have moved it */
    if (frame->rows && head_run(f->head, v->data, frame->rows, logits, e) < 0)
        return -1;
    frame_set_meta(frame, "task", "class");
    frame_set_meta(frame, "classes", f->classes);
    if (*head_problem(f->head))
        frame_set_meta(frame, "problem", head_problem(f->head));
    /* Nobody behind a class head asks for hidden states: they stay off the pipe. */
    frame_drop(frame, "token.hidden");
    return 0;
}

void head_end(HeadFilter *f)
{
    head_free(f->head);
    if (f->dev)
        f->dev->close(f->dev);
    free(f->classes);
    free(f->name);
}
