#include "model/bag.h"

#include "base/mem.h"
#include "model/modules.h"
#include "store/jsonfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDE = 1 << 20, MODEL2VEC_LENGTH = 512 };

/* The table's names: sentence-transformers', and model2vec's, which may have a list of which token
 * has which of its rows beside it, and what each token's is multiplied by. */
static const char of_module[] = "embedding.weight", of_model2vec[] = "embeddings";

struct Bag {
    Device *dev;
    Weights *weights;
    char *folder;
    const float *table, *held; /* [rows, width] on the host; in device memory */
    int64_t rows, width;
    int64_t *row; /* of each token, the table's; NULL: the id */
    int64_t ids;
    char fingerprint[HASH_TEXT];
    void *y; /* device memory for what a batch gives, which stays from one to the next */
    size_t y_bytes;
};

/* ---- which folders ---- */

static int has_table(const char *folder, Err *e)
{
    Weights *w = weights_open(folder, "", e);
    int has = w ? weights_has(w, of_module) || weights_has(w, of_model2vec) : -1;
    weights_close(w);
    return has;
}

/* Where no config.json says what the model is: by modules.json, or as one of its modules. */
static int is_module(const char *folder, Err *e)
{
    Modules m;
    if (modules_read(folder, &m, e) < 0) {
        modules_clear(&m);
        return -1;
    }
    bool own = m.count && m.module[0].kind == MODULE_STATIC, other = m.count && !own;
    modules_clear(&m);
    return own || other ? own
           : file_exists(folder, "model.safetensors") || file_exists(folder, "pytorch_model.bin")
               ? has_table(folder, e)
               : 0;
}

static void read_facts(const json_t *config, BagFacts *f, Err *e)
{
    const json_t *length = json_object_get(config, "max_length");
    f->model2vec = true;
    f->normalize = json_get_bool(config, "normalize", false, e);
    f->max_length =
        json_is_null(length) ? 0 : json_get_int(config, "max_length", MODEL2VEC_LENGTH, e);
    if (!e->text[0] && (f->max_length < 0 || f->max_length > INT32_MAX))
        err_set(e, "max_length %" PRId64 " is no number of tokens", f->max_length);
}

int bag_is(const char *folder, BagFacts *facts, Err *e)
{
    BagFacts f = {0};
    Err why = {0};
    json_t *config = jsonfile_load(folder, "config.json", true, &why);
    if (why.text[0])
        return err_set(e, "%s", why.text);
    bool said = config != NULL;
    if (strcmp(json_get_str(config, "model_type", "", NULL), "model2vec") == 0)
        read_facts(config, &f, &why);
    json_decref(config);
    if (why.text[0])
        return err_set(e, "%s/config.json: %s", folder, why.text);
    if (facts)
        *facts = f;
    return f.model2vec ? 1 : said ? 0 : is_module(folder, e);
}

/* ---- the table ---- */

static int find(const Bag *b, const char *name, StView *v)
{
    for (int i = 0; i < weights_count(b->weights); i++) {
        *v = weights_at(b->weights, i);
        if (strcmp(v->name, name) == 0)
            return 0;
    }
    return -1;
}

static int wrong_shape(const Bag *b, const char *name, const char *wanted, Err *e)
{
    return err_set(e, "%s: the tensor %s is not %s", b->folder, name, wanted);
}

/* Types that other models' weights never have, model2vec's may. */
static const float *widen(Bag *b, const StView *v)
{
    size_t n = v->bytes / dtype_size(v->type);
    float *to = weights_own(b->weights, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (float)dtype_get(v->type, v->data, (int64_t)i);
    return to;
}

static int read_table(Bag *b, const char *name, Err *e)
{
    StView v;
    if (find(b, name, &v) < 0)
        return err_set(e, "%s: neither a tensor %s nor %s: no static embeddings", b->folder,
                       of_module, of_model2vec);
    if (v.rank != 2 || v.shape[0] < 1 || v.shape[1] < 1 || v.shape[0] > INT32_MAX ||
        v.shape[1] > MOST_WIDE)
        return wrong_shape(b, name, "a table of vectors", e);
    b->ids = b->rows = v.shape[0];
    b->width = v.shape[1];
    b->table = v.data && (v.type == DT_I8 || v.type == DT_F64)
                   ? widen(b, &v)
                   : weights_get(b->weights, name, b->rows, b->width, e);
    return b->table ? 0 : -1;
}

/* Which row is which token's. */
static int read_mapping(Bag *b, Err *e)
{
    StView v;
    if (find(b, "mapping", &v) < 0)
        return 0;
    if (v.rank != 1 || v.shape[0] < 1 || v.shape[0] > INT32_MAX || !v.data ||
        (v.type != DT_I64 && v.type != DT_I32))
        return wrong_shape(b, v.name, "a list of rows", e);
    b->ids = v.shape[0];
    b->row = mem_array((size_t)b->ids, sizeof *b->row);
    for (int64_t i = 0; i < b->ids; i++) {
        double at = dtype_get(v.type, v.data, i);
        if (!(at >= 0 && at < (double)b->rows))
            return err_set(e, "%s: mapping gives token %" PRId64 " row %g of %" PRId64, b->folder,
                           i, at, b->rows);
        b->row[i] = (int64_t)at;
    }
    return 0;
}

/* What a token's row is multiplied by makes rows of its own. */
static int read_weights(Bag *b, Err *e)
{
    StView v;
    if (find(b, "weights", &v) < 0)
        return 0;
    if (v.rank != 1 || v.shape[0] != b->ids || !v.data || v.type == DT_BOOL)
        return wrong_shape(b, v.name, "a number a token", e);
    float *to = weights_own(b->weights, (size_t)(b->ids * b->width)), *own = to;
    for (int64_t i = 0; i < b->ids; i++) {
        const float *x = b->table + (b->row ? b->row[i] : i) * b->width;
        double times = dtype_get(v.type, v.data, i);
        for (int64_t k = 0; k < b->width; k++)
            *to++ = (float)(x[k] * times);
    }
    free(b->row);
    b->row = NULL;
    b->rows = b->ids;
    b->table = own;
    return 0;
}

static void identify(Bag *b, const char *name)
{
    Hash *h = hash_new();
    weights_hash(b->weights, name, h);
    if (strcmp(name, of_model2vec) == 0) {
        weights_hash(b->weights, "mapping", h);
        weights_hash(b->weights, "weights", h);
    }
    hash_end(h, b->fingerprint);
}

static int load(Bag *b, Err *e)
{
    if (!(b->weights = weights_open(b->folder, "", e)))
        return -1;
    bool module = weights_has(b->weights, of_module);
    const char *name = module ? of_module : of_model2vec;
    if (read_table(b, name, e) < 0 ||
        (!module && (read_mapping(b, e) < 0 || read_weights(b, e) < 0)))
        return -1;
    identify(b, name);
    b->held = b->dev->hold(b->dev, b->table, (size_t)(b->rows * b->width) * sizeof *b->table);
    return b->held ? 0 : err_set(e, "out of memory on %s", b->dev->name);
}

Bag *bag_load(const char *folder, Device *dev, Err *e)
{
    Bag *b = mem_zero(1, sizeof *b);
    b->dev = dev;
    b->folder = mem_str(folder);
    if (load(b, e) == 0)
        return b;
    bag_free(b);
    return NULL;
}

void bag_free(Bag *b)
{
    if (!b)
        return;
    if (b->held)
        b->dev->release(b->dev, b->held);
    b->dev->free(b->dev, b->y);
    weights_close(b->weights);
    free(b->folder);
    free(b->row);
    free(b);
}

int64_t bag_width(const Bag *b)
{
    return b->width;
}

void bag_identity(const Bag *b, char out[HASH_TEXT])
{
    memcpy(out, b->fingerprint, HASH_TEXT);
}

/* ---- rows ---- */

int bag_check(const Bag *b, const BagIn *in, Err *e)
{
    for (int64_t r = 0; r < in->rows; r++)
        for (int64_t i = in->starts[r]; i < in->starts[r + 1]; i++)
            if (in->id[i] < 0 || in->id[i] >= b->ids) {
                e->row = r + 1;
                return err_set(e,
                               "token id %" PRId32 " is outside the model's vocabulary of %" PRId64
                               ": were the ids made for another model?",
                               in->id[i], b->ids);
            }
    return 0;
}

typedef struct Run {
    View table, y; /* device */
    const int64_t *index, *starts;
    const float *weight;
} Run;

/* Sums of rows of the table: those of each row's tokens, or one each where there are no starts. */
static void stage(Piece *p, void *ctx)
{
    const Run *u = ctx;
    p->dev->gather(p, &(Gather){.x = u->table,
                                .y = view_rows(u->y, p->lo, p->hi),
                                .index = u->starts ? u->index : u->index + p->lo,
                                .starts = u->starts ? u->starts + p->lo : NULL,
                                .weight = u->weight ? u->weight + p->lo : NULL});
}

/* n rows of u->y, whose arrays are in device memory. */
static int run(Bag *b, Run *u, int64_t n, void *out, Err *e)
{
    Device *d = b->dev;
    char why[256];
    size_t bytes = (size_t)(n * b->width) * ktype_size(u->y.type);
    if (!b->y || b->y_bytes < bytes) {
        d->free(d, b->y);
        b->y = d->alloc(d, b->y_bytes = bytes);
    }
    if (!b->y)
        return err_set(e, "out of memory on %s", d->name);
    u->table = view_of((void *)(uintptr_t)b->held, K_F32, b->rows, b->width);
    u->y = view_of(b->y, u->y.type, n, b->width);
    d->each(d, EACH_ROWS, &(Batch){.tokens = n}, stage, u);
    d->get(d, out, b->y, bytes);
    return d->wait(d, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
}

static int64_t *indices(const Bag *b, const BagIn *in)
{
    int64_t *index = mem_array((size_t)in->tokens + 1, sizeof *index);
    for (int64_t i = 0; i < in->tokens; i++)
        index[i] = b->row ? b->row[in->id[i]] : in->id[i];
    return index;
}

/* The host's arrays as device memory, while it runs. */
static int run_with(Bag *b, Run *u, const BagIn *in, int64_t n, void *out, Err *e)
{
    Device *d = b->dev;
    size_t rows = (size_t)in->rows;
    const void *host[] = {u->index, u->starts, u->weight};
    size_t bytes[] = {(size_t)in->tokens * sizeof *u->index, (rows + 1) * sizeof *u->starts,
                      rows * sizeof *u->weight};
    const void *held[3] = {0};
    bool there = true;
    for (int i = 0; i < 3; i++)
        if (host[i] && bytes[i])
            there = (held[i] = d->hold(d, host[i], bytes[i])) && there;
    u->index = held[0];
    u->starts = held[1];
    u->weight = held[2];
    int status = there ? run(b, u, n, out, e) : err_set(e, "out of memory on %s", d->name);
    for (int i = 0; i < 3; i++)
        if (held[i])
            d->release(d, held[i]);
    return status;
}

int bag_means(Bag *b, const BagIn *in, float *out, Err *e)
{
    float *weight = mem_array((size_t)in->rows + 1, sizeof *weight);
    int64_t *index = indices(b, in);
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t n = in->starts[r + 1] - in->starts[r];
        weight[r] = n ? 1 / (float)n : 0;
    }
    Run u = {.y.type = K_F32, .index = index, .starts = in->starts, .weight = weight};
    int status = in->rows ? run_with(b, &u, in, in->rows, out, e) : 0;
    free(index);
    free(weight);
    return status;
}

int bag_tokens(Bag *b, const BagIn *in, KType type, void *out, Err *e)
{
    int64_t *index = indices(b, in);
    Run u = {.y.type = type, .index = index};
    int status = in->tokens ? run_with(b, &u, in, in->tokens, out, e) : 0;
    free(index);
    return status;
}
