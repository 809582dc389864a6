#include "learn/examples_in.h"

#include "base/hash.h"
#include "base/mapping.h"
#include "base/outfile.h"
#include "io/spool.h"
#include "learn/model_objective.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *meta(const Frame *f, const char *key)
{
    const char *s = frame_meta(f, key);
    return mem_str(s ? s : "");
}

/* As asked for, as the labels tell, as the model does. */
static Objective objective(const Reading *r, const Frame *f)
{
    const ExamplesSpec *s = &r->spec;
    int of_model = s->objective < 0 ? model_objective(s->model, f) : -1;
    return s->objective >= 0 ? (Objective)s->objective
           : of_model >= 0   ? (Objective)of_model
                             : examples_objective(f);
}

static void first_frame(Reading *r, const Frame *f, const char *place, int64_t width)
{
    Examples *x = r->x;
    x->width = width;
    x->place = mem_str(place);
    x->model = meta(f, "model");
    x->encoder = meta(f, "encoder");
    x->vocab = meta(f, "vocab");
    x->pool = meta(f, "pool");
    x->layer = meta(f, "layer");
    x->labels = mem_str(frame_meta(f, "labels"));
    x->objective = objective(r, f);
    r->spec.texts = r->spec.texts && x->objective == LEARN_SPAN;
    x->soft = x->objective == LEARN_CLASS && (r->spec.teacher || frame_get(f, "row.target"));
    r->kinds = frame_get(f, "token.type") != NULL;
    r->targets =
        x->objective == LEARN_TOKEN || (x->objective == LEARN_MLM && frame_get(f, "token.label"));
}

static int same(const Examples *x, const char *what, const char *a, const char *b, Err *e)
{
    if (strcmp(a, b) == 0)
        return 0;
    return err_set(e, "%s of %s '%.200s' behind those of '%.200s' do not go together",
                   x->width ? "vectors" : "rows", what, b, a);
}

static int later_frame(const Reading *r, const Frame *f, int64_t width, Err *e)
{
    const Examples *x = r->x;
    char *pool = meta(f, "pool"), *layer = meta(f, "layer");
    int status = 0;
    if (width != x->width)
        status = err_set(
            e, "vectors of width %" PRId64 " behind those of %" PRId64 " do not go together", width,
            x->width);
    else if (!width && r->kinds != (frame_get(f, "token.type") != NULL))
        status = err_set(e, "rows with token.type and rows without do not go together");
    else if (x->objective == LEARN_CLASS && !r->spec.teacher &&
             x->soft != (frame_get(f, "row.target") != NULL))
        status = err_set(e, "rows with row.target and rows without do not go together");
    if (status == 0)
        status = same(x, "pool", x->pool, pool, e);
    if (status == 0)
        status = same(x, "layer", x->layer, layer, e);
    free(pool);
    free(layer);
    return status;
}

/* Room for n rows more. Weights are there from the first row that has one: those before it
 * weigh 1. */
static void grow(Reading *r, int64_t n, bool weights)
{
    Examples *x = r->x;
    if (x->rows + n > r->room) {
        r->room = x->rows + n + r->room / 2;
        size_t room = (size_t)r->room;
        x->target = mem_resize(x->target, room, sizeof *x->target);
        if (!x->width)
            x->starts = mem_resize(x->starts, room + 1, sizeof *x->starts);
        if (x->objective == LEARN_REGRESSION || (x->soft && !r->spec.teacher))
            x->number = mem_resize(x->number, room * (size_t)x->numbers, sizeof *x->number);
        if (x->objective == LEARN_SPAN)
            x->answer = mem_resize(x->answer, room, sizeof *x->answer);
        if (r->spec.texts)
            x->texts.of = mem_resize(x->texts.of, room, sizeof *x->texts.of);
        if (x->weight)
            x->weight = mem_resize(x->weight, room, sizeof *x->weight);
    }
    if (weights && !x->weight) {
        x->weight = mem_array((size_t)r->room, sizeof *x->weight);
        for (int64_t i = 0; i < x->rows; i++)
            x->weight[i] = 1;
    }
}

static bool all_finite(const float *x, int64_t n)
{
    float sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * 0; /* nan from nan and from infinity */
    return sum == 0;
}

/* 1: taken, 0: left out, -1. */
static int take_row(Reading *r, const ExampleRow *w, const float *weight, Err *e)
{
    Examples *x = r->x;
    const Tensor *v = frame_get(w->f, "row.vector");
    const int64_t *at = x->width ? NULL : frame_get(w->f, "row.tokens")->data;
    if (v && x->width && !all_finite((const float *)v->data + w->row * x->width, x->width))
        return err_set(e, "its vector is not finite");
    if (at && at[w->row] == at[w->row + 1])
        return err_set(e, "it has no tokens");
    if (weight && !(*weight >= 0 && *weight <= 1e30f))
        return err_set(e, "its weight is %g: weights are finite and not negative", (double)*weight);
    int got = labels_take(r, w, e);
    if (got <= 0) {
        x->skipped += got == 0;
        return got;
    }
    if (r->spec.texts && texts_take(r, w, e) < 0)
        return -1;
    if (at) {
        x->starts[x->rows] = x->tokens;
        x->tokens += at[w->row + 1] - at[w->row];
        x->starts[x->rows + 1] = x->tokens;
    }
    if (x->weight)
        x->weight[x->rows] = weight ? *weight : 1;
    x->rows++;
    return 1;
}

int examples_lay(const Reading *r, int which, const void *p, size_t bytes, Err *e)
{
    return write_all(r->fd[which], p, bytes) < 0 ? err_sys(e, "the temporary file for rows") : 0;
}

/* The frame's rows [from, to), which are taken. */
static int lay_aside(Reading *r, const Frame *f, int64_t from, int64_t to, Err *e)
{
    int64_t width = r->x->width;
    if (from == to)
        return 0;
    if (width) {
        const float *x = frame_get(f, "row.vector")->data;
        return examples_lay(r, ASIDE_ROWS, x + from * width,
                            (size_t)((to - from) * width) * sizeof *x, e);
    }
    const int64_t *at = frame_get(f, "row.tokens")->data;
    const int32_t *id = frame_get(f, "token.id")->data;
    size_t n = (size_t)(at[to] - at[from]);
    if (examples_lay(r, ASIDE_ROWS, id + at[from], n * sizeof *id, e) < 0 ||
        (r->kinds &&
         examples_lay(r, ASIDE_KINDS, (const uint8_t *)frame_get(f, "token.type")->data + at[from],
                      n, e) < 0))
        return -1;
    if (r->spec.texts)
        return texts_tokens(r, f, from, to, e);
    return r->targets ? labels_tokens(r, f, from, to, e) : 0;
}

/* Takes a frame's rows; runs of those taken are written at once. */
static int take_rows(Reading *r, const Frame *f, int64_t number, Err *e)
{
    const Tensor *weights = frame_get(f, "row.weight");
    const float *weight = weights ? weights->data : NULL;
    grow(r, f->rows, weight != NULL);
    for (int64_t i = 0, from = 0; i <= f->rows; i++) {
        ExampleRow w = {f, i, number + i};
        int got = i < f->rows ? take_row(r, &w, weight ? weight + i : NULL, e) : 0;
        if (got < 0)
            return err_at(e, "%s: record %" PRId64, r->place, number + i);
        if (got)
            continue;
        if (lay_aside(r, f, from, i, e) < 0)
            return -1;
        from = i + 1;
    }
    return 0;
}

/* The width of the frame's vectors; 0: it has ids. */
static int64_t row_width(const Frame *f, Err *e)
{
    const Tensor *x = frame_get(f, "row.vector");
    if (!x && frame_get(f, "token.id"))
        return frame_need(f, "token.id", DT_I32, 1, e) && frame_need(f, "row.tokens", DT_I64, 1, e)
                   ? 0
                   : -1;
    if (!x && frame_get(f, "token.hidden"))
        return err_set(e, "hidden states are not learnt from: leave encode out to train the whole "
                          "model, or put pool behind it to train a head");
    if (!(x = frame_need(f, "row.vector", DT_F32, 2, e)))
        return -1;
    return x->shape[1] > 0 ? x->shape[1] : err_set(e, "vectors of width 0");
}

static int take_frame(Reading *r, const Frame *f, Err *e)
{
    const char *place = in_place(r->in);
    int64_t row = in_rows(r->in) - f->rows;
    if (!r->place || strcmp(r->place, place) != 0) {
        free(r->place);
        r->place = mem_str(place);
        r->before = row;
    }
    if (f->rows == 0) {
        record_end(&r->at, f);
        return 0;
    }
    int64_t width = row_width(f, e);
    if (width < 0)
        return err_at(e, "%s", place);
    if (!r->begun)
        first_frame(r, f, place, width);
    else if (later_frame(r, f, width, e) < 0)
        return err_at(e, "%s", place);
    r->begun = true;
    if (labels_need(r, f, e) < 0)
        return err_at(e, "%s", place);
    int status = take_rows(r, f, row - r->before + 1, e);
    record_end(&r->at, f);
    return status;
}

const void *examples_map(int fd, size_t bytes, Err *e)
{
    static const char place[] = "the temporary file for rows";
    Mapping *m = bytes ? mapping_new(fd, 0, bytes, PROT_READ, MAP_SHARED, place) : NULL;
    if (bytes && !m)
        err_sys(e, "%s", place);
    return m ? mapping_bytes(m) : NULL;
}

static int map_all(Reading *r, Err *e)
{
    Examples *x = r->x;
    size_t tokens = (size_t)x->tokens;
    if (x->width) {
        x->x = examples_map(r->fd[ASIDE_ROWS], (size_t)(x->rows * x->width) * sizeof *x->x, e);
        return x->x ? 0 : -1;
    }
    x->id = examples_map(r->fd[ASIDE_ROWS], tokens * sizeof *x->id, e);
    if (r->kinds)
        x->kind = examples_map(r->fd[ASIDE_KINDS], tokens, e);
    if (r->targets)
        x->token_target = examples_map(r->fd[ASIDE_TARGETS], tokens * sizeof *x->token_target, e);
    if (!x->id || (!x->kind && r->kinds) || (!x->token_target && r->targets))
        return -1;
    return r->spec.texts ? texts_map(r, e) : 0;
}

static void set_digest(Examples *x)
{
    Hash *h = hash_new();
    char text[HASH_TEXT];
    size_t rows = (size_t)x->rows, tokens = (size_t)x->tokens;
    if (x->x)
        hash_add(h, x->x, rows * (size_t)x->width * sizeof *x->x);
    if (x->id) {
        hash_add(h, x->starts, (rows + 1) * sizeof *x->starts);
        hash_add(h, x->id, tokens * sizeof *x->id);
    }
    if (x->kind)
        hash_add(h, x->kind, tokens);
    if (x->token_target)
        hash_add(h, x->token_target, tokens * sizeof *x->token_target);
    hash_add(h, x->target, rows * sizeof *x->target);
    if (x->answer)
        hash_add(h, x->answer, rows * sizeof *x->answer);
    if (x->objective == LEARN_REGRESSION || x->soft)
        hash_add(h, x->number, rows * (size_t)x->numbers * sizeof *x->number);
    if (x->soft && x->labels)
        hash_add(h, x->labels, strlen(x->labels) + 1);
    hash_add(h, x->several.p, x->several.n);
    if (x->weight)
        hash_add(h, x->weight, rows * sizeof *x->weight);
    for (int32_t i = 0; i < x->labels_met->count; i++)
        hash_add(h, x->labels_met->name[i]->text.p, x->labels_met->name[i]->text.n + 1);
    hash_end(h, text);
    memcpy(x->digest, text, sizeof text < sizeof x->digest ? sizeof text : sizeof x->digest);
}

static int read_all(Reading *r, Err *e)
{
    Frame *f;
    int status = 0, got;
    while (status == 0 && (got = in_next(r->in, &f, e)) != 0) {
        status = got < 0 ? -1 : take_frame(r, f, e);
        if (got > 0)
            frame_free(f);
    }
    if (status == 0 && r->x->rows == 0)
        status = err_set(e, "%s: %s", in_place(r->in),
                         r->x->skipped ? "no row has a label" : "there are no rows");
    return status;
}

int examples_read(Examples *x, const ExamplesSpec *spec, char **files, int nfiles, Err *e)
{
    *x = (Examples){.labels_met = label_ids_new(), .numbers = 1};
    Reading r = {.x = x, .spec = *spec};
    int status = 0;
    for (int i = 0; i < ASIDES; i++)
        if ((r.fd[i] = status < 0 ? -1 : spool_file(e)) < 0)
            status = -1;
    r.in = in_open(files, nfiles);
    if (status == 0)
        status = read_all(&r, e);
    if (status == 0)
        status = map_all(&r, e);
    if (status == 0 && spec->teacher)
        status = soft_read(x, spec->teacher, e);
    if (status == 0)
        set_digest(x);
    in_close(r.in);
    for (int i = 0; i < ASIDES; i++)
        if (r.fd[i] >= 0)
            close(r.fd[i]);
    free(r.place);
    return status;
}

static void release(const void *p)
{
    Mapping *m = p ? mapping_find(p) : NULL;
    if (m)
        mapping_free(m);
    else
        free((void *)(uintptr_t)p);
}

void examples_free(Examples *x)
{
    release(x->x);
    release(x->id);
    release(x->kind);
    release(x->token_target);
    release(x->texts.bytes);
    release(x->texts.span);
    release(x->texts.part);
    free(x->texts.of);
    label_ids_free(x->labels_met);
    free(x->starts);
    free(x->target);
    free(x->number);
    free(x->answer);
    free(x->weight);
    free(x->several.p);
    free(x->ends.p);
    free(x->place);
    free(x->model);
    free(x->encoder);
    free(x->vocab);
    free(x->pool);
    free(x->layer);
    free(x->labels);
    *x = (Examples){0};
}
