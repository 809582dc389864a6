#include "learn/vectors.h"

#include "base/mapping.h"
#include "base/outfile.h"
#include "io/spool.h"
#include "learn/label_ids.h"
#include "store/jsonfile.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Reading {
    Vectors *v;
    In *in;
    int fd; /* where the vectors go */
    bool skip, begun;
    int64_t room; /* rows that target (and weight) have room for */
    char *place;  /* the current file, and how many rows came before it */
    int64_t before;
} Reading;

static char *meta(const Frame *f, const char *key)
{
    const char *s = frame_meta(f, key);
    return mem_str(s ? s : "");
}

static void first_frame(Vectors *v, const Frame *f, const char *place, int64_t width)
{
    v->width = width;
    v->place = mem_str(place);
    v->model = meta(f, "model");
    v->encoder = meta(f, "encoder");
    v->vocab = meta(f, "vocab");
    v->pool = meta(f, "pool");
    v->layer = meta(f, "layer");
    v->labels = mem_str(frame_meta(f, "labels"));
}

static int same(const char *what, const char *a, const char *b, Err *e)
{
    if (strcmp(a, b) == 0)
        return 0;
    return err_set(e, "vectors of %s '%.200s' behind those of '%.200s' do not go together", what, b,
                   a);
}

static int later_frame(const Vectors *v, const Frame *f, int64_t width, Err *e)
{
    char *pool = meta(f, "pool"), *layer = meta(f, "layer");
    int status = 0;
    if (width != v->width)
        status = err_set(
            e, "vectors of width %" PRId64 " behind those of %" PRId64 " do not go together", width,
            v->width);
    if (status == 0)
        status = same("pool", v->pool, pool, e);
    if (status == 0)
        status = same("layer", v->layer, layer, e);
    free(pool);
    free(layer);
    return status;
}

/* Room for n rows more. Weights are there from the first row that has one: those before it
 * weigh 1. */
static void grow(Reading *r, int64_t n, bool weights)
{
    Vectors *v = r->v;
    if (v->rows + n > r->room) {
        r->room = v->rows + n + r->room / 2;
        v->target = mem_resize(v->target, (size_t)r->room, sizeof *v->target);
        if (v->weight)
            v->weight = mem_resize(v->weight, (size_t)r->room, sizeof *v->weight);
    }
    if (weights && !v->weight) {
        v->weight = mem_array((size_t)r->room, sizeof *v->weight);
        for (int64_t i = 0; i < v->rows; i++)
            v->weight[i] = 1;
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
static int take_row(Reading *r, const float *x, Str label, const float *weight, int64_t row, Err *e)
{
    Vectors *v = r->v;
    if (!label.n && r->skip) {
        v->skipped++;
        return 0;
    }
    if (!label.n)
        return err_set(e, "it has no label: --skip-unlabelled leaves such rows out");
    if (!all_finite(x, v->width))
        return err_set(e, "its vector is not finite");
    if (weight && !(*weight >= 0 && *weight <= 1e30f))
        return err_set(e, "its weight is %g: weights are finite and not negative", (double)*weight);
    int32_t id = label_ids_of(v->labels_met, label, r->place, row);
    if (v->labels_met->count > VECTORS_CLASSES)
        return err_set(e, "more than %d different labels: is that the label's column?",
                       VECTORS_CLASSES);
    if (v->weight)
        v->weight[v->rows] = weight ? *weight : 1;
    v->target[v->rows++] = id;
    return 1;
}

/* Takes a frame's rows; runs of those taken are written at once. */
static int take_rows(Reading *r, const Frame *f, int64_t number, Err *e)
{
    const float *x = frame_get(f, "row.vector")->data;
    const Tensor *weights = frame_get(f, "row.weight");
    const float *weight = weights ? weights->data : NULL;
    int64_t width = r->v->width;
    grow(r, f->rows, weight != NULL);
    for (int64_t i = 0, from = 0; i <= f->rows; i++) {
        int got = i < f->rows ? take_row(r, x + i * width, frame_text(f, "row.label", i),
                                         weight ? weight + i : NULL, number + i, e)
                              : 0;
        if (got < 0)
            return err_at(e, "%s: record %" PRId64, r->place, number + i);
        if (got)
            continue;
        size_t n = (size_t)((i - from) * width) * sizeof *x;
        if (write_all(r->fd, x + from * width, n) < 0)
            return err_sys(e, "the temporary file for vectors");
        from = i + 1;
    }
    return 0;
}

static int take_frame(Reading *r, const Frame *f, Err *e)
{
    Vectors *v = r->v;
    const char *place = in_place(r->in);
    int64_t row = in_rows(r->in) - f->rows;
    if (!r->place || strcmp(r->place, place) != 0) {
        free(r->place);
        r->place = mem_str(place);
        r->before = row;
    }
    if (f->rows == 0)
        return 0;
    bool vectors = frame_get(f, "row.vector") != NULL;
    v->tokens = !vectors && (frame_get(f, "token.id") || frame_get(f, "token.hidden"));
    const Tensor *x = frame_need(f, "row.vector", DT_F32, 2, e);
    if (!x)
        return err_at(e, "%s", place);
    int64_t width = x->shape[1];
    if (width < 1)
        return err_set(e, "%s: vectors of width 0", place);
    if (!r->begun)
        first_frame(v, f, place, width);
    else if (later_frame(v, f, width, e) < 0)
        return err_at(e, "%s", place);
    r->begun = true;
    if (!frame_get(f, "row.label"))
        return err_set(e, "%s: the rows have no labels: tok -l COLUMN", place);
    return take_rows(r, f, row - r->before + 1, e);
}

static int map(Vectors *v, int fd, Err *e)
{
    static const char place[] = "the temporary file for vectors";
    size_t n = (size_t)(v->rows * v->width) * sizeof *v->x;
    Mapping *m = n ? mapping_new(fd, 0, n, PROT_READ, MAP_SHARED, place) : NULL;
    if (n && !m)
        return err_sys(e, "%s", place);
    v->x = n ? mapping_bytes(m) : NULL;
    return 0;
}

int vectors_read(Vectors *v, char **files, int nfiles, bool skip, Err *e)
{
    *v = (Vectors){.labels_met = label_ids_new()};
    Reading r = {.v = v, .skip = skip, .fd = spool_file(e)};
    if (r.fd < 0)
        return -1;
    r.in = in_open(files, nfiles);
    Frame *f;
    int status = 0, got;
    while (status == 0 && (got = in_next(r.in, &f, e)) != 0) {
        status = got < 0 ? -1 : take_frame(&r, f, e);
        if (got > 0)
            frame_free(f);
    }
    if (status == 0 && v->rows == 0)
        status = err_set(e, "%s: %s", in_place(r.in),
                         v->skipped ? "no row has a label" : "there are no rows");
    if (status == 0)
        status = map(v, r.fd, e);
    in_close(r.in);
    close(r.fd);
    free(r.place);
    return status;
}

void vectors_free(Vectors *v)
{
    if (v->x)
        mapping_free(mapping_find(v->x));
    label_ids_free(v->labels_met);
    free(v->target);
    free(v->weight);
    free(v->place);
    free(v->model);
    free(v->encoder);
    free(v->vocab);
    free(v->pool);
    free(v->layer);
    free(v->labels);
    *v = (Vectors){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The labels met as a JSON array in their order as bytes; NULL where one is not UTF-8. */
static char *sorted_names(const LabelIds *n)
{
    const char **name = mem_array((size_t)n->count, sizeof *name);
    json_t *list = json_array();
    bool ok = true;
    for (int32_t i = 0; i < n->count; i++)
        name[i] = n->name[i]->text.p;
    qsort(name, (size_t)n->count, sizeof *name, by_name);
    for (int32_t i = 0; i < n->count; i++)
        ok = json_array_append_new(list, json_string(name[i])) == 0 && ok;
    char *text = ok ? json_dumps(list, 0) : NULL;
    json_decref(list);
    free(name);
    return text;
}

int vectors_classes(const Vectors *v, Classes *c, Err *e)
{
    char *names = v->labels ? mem_str(v->labels) : sorted_names(v->labels_met);
    if (!names)
        return err_set(e, "%s: a label is not UTF-8", v->place);
    json_t *list = json_read_meta(names);
    int64_t n = (int64_t)json_array_size(list);
    json_decref(list);
    int status = n < 1 || n > VECTORS_CLASSES
                     ? err_set(e, "metadata labels is no list of classes: %.200s", names)
                     : classes_parse(c, names, NULL, n, e);
    if (status == 0 && n == 1) {
        classes_clear(c);
        status = err_set(e, "there is but one class, %.200s: a head needs two", names);
    }
    if (status < 0)
        err_at(e, "%s", v->place);
    free(names);
    return status;
}

int vectors_number(Vectors *v, const Classes *c, Err *e)
{
    const LabelIds *n = v->labels_met;
    int32_t *to = mem_array((size_t)n->count, sizeof *to);
    int status = 0;
    for (int32_t i = 0; status == 0 && i < n->count; i++) {
        const LabelId *name = n->name[i];
        to[i] = (int32_t)classes_find(c, name->text);
        if (to[i] < 0) {
            char *list = classes_list(c);
            status = err_set(e,
                             "%s: record %" PRId64 ": label '%.200s' is none of the classes "
                             "%s",
                             name->place, name->row, name->text.p, list);
            free(list);
        }
    }
    for (int64_t i = 0; status == 0 && i < v->rows; i++)
        v->target[i] = to[v->target[i]];
    free(to);
    return status;
}

int vectors_agree(const Vectors *a, const Vectors *b, Err *e)
{
    if (a->width != b->width)
        return err_set(e, "%s: its vectors have width %" PRId64 ", those to train on %" PRId64,
                       b->place, b->width, a->width);
    const char *const what[] = {"encoder", "layer", "pool"};
    const char *const of_a[] = {a->encoder, a->layer, a->pool};
    const char *const of_b[] = {b->encoder, b->layer, b->pool};
    for (int i = 0; i < 3; i++)
        if (strcmp(of_a[i], of_b[i]) != 0)
            return err_set(e,
                           "%s: its vectors come from %s '%.100s', those to train on from "
                           "'%.100s'",
                           b->place, what[i], of_b[i], of_a[i]);
    return 0;
}
