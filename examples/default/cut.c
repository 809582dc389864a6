/* cut - a model folder of BERT's made smaller: its first layers and positions, and the pieces of
 * its vocabulary that some texts use most; f32 or bf16.
 *
 *     tok -m MODEL texts.csv | cut -m MODEL --layers 1 --positions 64 --pieces 4100 -o DIR
 *     cut -m MODEL -t bf16 -o DIR
 *
 * Only what is asked for changes. Special tokens, and each ASCII character as a piece of its own,
 * stay whatever the texts. DIR is made; model, vocabulary, tokenizer and pooling lie in it. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/outfile.h"
#include "io/stream.h"
#include "model/find.h"
#include "store/jsonfile.h"
#include "store/mapfile.h"
#include "store/safetensors.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Cut {
    const char *to;
    int64_t layers, pieces, positions; /* 0: as it is */
    bool bf16;
    char *from;
    Buf vocab;     /* vocab.txt */
    Str *piece;    /* of each id */
    int64_t ids;   /* of the model */
    int64_t *kept; /* the old id of each new one */
    int64_t n;
} Cut;

static const Opt options[] = {
    {'o', "output", "DIR", "the folder to make", OPT_TEXT(Cut, to)},
    {0, "layers", "N", "the first N layers", OPT_INT(Cut, layers, 1, 1000)},
    {0, "pieces", "N", "the N pieces that the stream has most", OPT_INT(Cut, pieces, 1, 1 << 24)},
    {0, "positions", "N", "the first N positions", OPT_INT(Cut, positions, 1, 1 << 20)},
    {0},
};

static const Program self = {"cut", "cut", "-m MODEL -o DIR [option ...] [file ...]",
                             "a smaller model of a model of BERT's", NULL};

/* ---- the vocabulary ---- */

static void read_vocab(Cut *c)
{
    Err e = {0};
    char *path = mem_fmt("%s/vocab.txt", c->from);
    if (file_read(path, 1 << 26, &c->vocab, &e) < 0) {
        err_at(&e, "%s", path);
        die(&e);
    }
    free(path);
    c->piece = mem_array(c->vocab.n + 1, sizeof *c->piece);
    for (size_t i = 0, end; i < c->vocab.n; i = end + 1) {
        const char *line = memchr(c->vocab.p + i, '\n', c->vocab.n - i);
        end = line ? (size_t)(line - c->vocab.p) : c->vocab.n;
        c->piece[c->ids++] = (Str){c->vocab.p + i, end - i};
    }
}

/* [CLS] and its like, and one ASCII character, with or without ## before it. */
static bool always(Str s)
{
    if (s.n > 2 && s.p[0] == '#' && s.p[1] == '#')
        s = (Str){s.p + 2, s.n - 2};
    static const char *const special[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (s.n == strlen(special[i]) && memcmp(s.p, special[i], s.n) == 0)
            return true;
    return s.n == 1 && isgraph((unsigned char)s.p[0]);
}

static int64_t *count_ids(const Cut *c, char **files, int nfiles)
{
    Err e = {0};
    int64_t *count = mem_zero((size_t)c->ids, sizeof *count);
    In *in = in_open(files, nfiles);
    Frame *f = NULL;
    int more;
    while ((more = in_next(in, &f, &e)) > 0) {
        const Tensor *t = f->tokens ? frame_need(f, "token.id", DT_I32, 1, &e) : NULL;
        if (f->tokens && !t)
            die(&e);
        const int32_t *id = t ? t->data : NULL;
        for (int64_t i = 0; i < f->tokens; i++)
            if (id[i] >= 0 && id[i] < c->ids)
                count[id[i]]++;
        frame_free(f);
    }
    if (more < 0)
        die(&e);
    in_close(in);
    return count;
}

typedef struct Rank {
    int64_t id;
    double by;
} Rank;

/* The largest first; of equal ones the first. */
static int by_rank(const void *a, const void *b)
{
    const Rank *x = a, *y = b;
    return x->by != y->by ? (x->by < y->by) - (x->by > y->by) : (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
    const Rank *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static void choose_pieces(Cut *c, char **files, int nfiles)
{
    int64_t *count = c->pieces ? count_ids(c, files, nfiles) : NULL;
    Rank *r = mem_array((size_t)c->ids, sizeof *r);
    for (int64_t i = 0; i < c->ids; i++)
        r[i] = (Rank){i, always(c->piece[i]) ? INFINITY : count ? (double)count[i] : 0};
    c->n = c->pieces && c->pieces < c->ids ? c->pieces : c->ids;
    c->kept = mem_array((size_t)c->n, sizeof *c->kept);
    qsort(r, (size_t)c->ids, sizeof *r, by_rank);
    qsort(r, (size_t)c->n, sizeof *r, by_id);
    for (int64_t i = 0; i < c->n; i++)
        c->kept[i] = r[i].id;
    free(r);
    free(count);
}

/* ---- the weights ---- */

/* v's first rows, or those of these numbers. */
static StView part_of(const Cut *c, const StView *v, const int64_t *row, int64_t rows)
{
    int64_t cols = v->rank > 1 ? v->shape[1] : 1, *shape = mem_array(2, sizeof *shape);
    size_t size = c->bf16 ? 2 : 4;
    char *data = mem_array((size_t)(rows * cols), size);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < cols; k++) {
            float x = (float)dtype_get(v->type, v->data, (row ? row[i] : i) * cols + k);
            uint16_t half = bf16_from_f32(x);
            memcpy(data + (size_t)(i * cols + k) * size, c->bf16 ? (void *)&half : (void *)&x,
                   size);
        }
    shape[0] = rows;
    shape[1] = cols;
    return (StView){.name = v->name,
                    .type = c->bf16 ? DT_BF16 : DT_F32,
                    .rank = v->rank,
                    .shape = shape,
                    .data = data,
                    .bytes = (size_t)(rows * cols) * size};
}

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);
    return n >= m && strcmp(name + n - m, with) == 0;
}

/* The tensor as it stays, or false where it goes. */
static bool cut_tensor(const Cut *c, const StView *v, StView *out)
{
    static const char before[] = "encoder.layer.";
    const char *layer = strstr(v->name, before);
    int64_t rows = v->rank ? v->shape[0] : 1;
    bool words = ends(v->name, "word_embeddings.weight");
    if (ends(v->name, "position_ids") || v->rank > 2 ||
        (layer && c->layers && strtol(layer + strlen(before), NULL, 10) >= c->layers))
        return false;
    if (words)
        rows = c->n;
    else if (ends(v->name, "position_embeddings.weight") && c->positions && c->positions < rows)
        rows = c->positions;
    *out = part_of(c, v, words ? c->kept : NULL, rows);
    return true;
}

static void write_weights(const Cut *c)
{
    Err e = {0};
    char *from = mem_fmt("%s/model.safetensors", c->from);
    char *to = mem_fmt("%s/model.safetensors", c->to), *key = "format", *value = "pt";
    StFile *s = st_open(from, &e);
    if (!s)
        die(&e);
    StView *v = mem_array((size_t)st_count(s), sizeof *v);
    int n = 0;
    for (int i = 0; i < st_count(s); i++) {
        StView one = st_at(s, i);
        n += cut_tensor(c, &one, &v[n]);
    }
    if (st_write(to, v, n, &key, &value, 1, &e) < 0)
        die(&e);
    for (int i = 0; i < n; i++) {
        free((void *)(uintptr_t)v[i].data);
        free((void *)(uintptr_t)v[i].shape);
    }
    free(v);
    st_close(s);
    free(from);
    free(to);
}

/* ---- the other files ---- */

static void write_text(const Cut *c, const char *name, const char *text)
{
    Err e = {0};
    char *path = mem_fmt("%s/%s", c->to, name);
    if (outfile_text(path, text, &e) < 0)
        die(&e);
    free(path);
}

static void write_json(const Cut *c, const char *name, json_t *j)
{
    char *text = json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    write_text(c, name, text);
    free(text);
    json_decref(j);
}

static json_t *load(const Cut *c, const char *name)
{
    Err e = {0};
    json_t *j = jsonfile_load(c->from, name, false, &e);
    if (!j)
        die(&e);
    return j;
}

static void set_number(json_t *j, const char *key, int64_t n)
{
    if (n)
        json_object_set_new(j, key, json_integer(n));
}

static void write_config(const Cut *c)
{
    json_t *j = load(c, "config.json");
    set_number(j, "num_hidden_layers", c->layers);
    set_number(j, "max_position_embeddings", c->positions);
    set_number(j, "vocab_size", c->n);
    json_object_set_new(j, "dtype", json_string(c->bf16 ? "bfloat16" : "float32"));
    for (const char **key = (const char *[]){"training", "_name_or_path", "transformers_version",
                                             "torch_dtype", NULL};
         *key; key++)
        json_object_del(j, *key); /* of where it came from, and how: the README tells that */
    for (int64_t i = 0; i < c->n; i++)
        if (c->piece[c->kept[i]].n == 5 && memcmp(c->piece[c->kept[i]].p, "[PAD]", 5) == 0)
            json_object_set_new(j, "pad_token_id", json_integer(i));
    write_json(c, "config.json", j);
}

static void write_tokenizer(const Cut *c)
{
    Buf b = {0};
    for (int64_t i = 0; i < c->n; i++)
        buf_fmt(&b, "%s%.*s", i ? "\n" : "", (int)c->piece[c->kept[i]].n, c->piece[c->kept[i]].p);
    buf_add(&b, "", 1);
    write_text(c, "vocab.txt", b.p);
    free(b.p);
    json_t *j = load(c, "tokenizer_config.json");
    set_number(j, "model_max_length", c->positions);
    json_object_del(j, "name_or_path");
    write_json(c, "tokenizer_config.json", j);
    write_json(c, "special_tokens_map.json", load(c, "special_tokens_map.json"));
}

/* As sentence-transformers has it: the mean of a row's tokens, brought to length 1. */
static void write_pooling(const Cut *c)
{
    static const char *const path[] = {"", "1_Pooling", "2_Normalize"};
    static const char *const type[] = {"Transformer", "Pooling", "Normalize"};
    json_t *modules = json_array(), *config = load(c, "config.json");
    for (int i = 0; i < 3; i++) {
        char *name = mem_fmt("sentence_transformers.models.%s", type[i]);
        json_array_append_new(modules,
                              json_pack("{s:i, s:o, s:s, s:s}", "idx", i, "name",
                                        json_sprintf("%d", i), "path", path[i], "type", name));
        free(name);
    }
    write_json(c, "modules.json", modules);
    char *folder = mem_fmt("%s/1_Pooling", c->to);
    if (mkdir(folder, 0777) < 0 && errno != EEXIST)
        dief("%s: %s", folder, strerror(errno));
    free(folder);
    write_json(c, "1_Pooling/config.json",
               json_pack("{s:O, s:b, s:b, s:b, s:b}", "word_embedding_dimension",
                         json_object_get(config, "hidden_size"), "pooling_mode_cls_token", 0,
                         "pooling_mode_mean_tokens", 1, "pooling_mode_max_tokens", 0,
                         "pooling_mode_mean_sqrt_len_tokens", 0));
    json_decref(config);
}

int main(int argc, char **argv)
{
    Err e = {0};
    Cut c = {0};
    Args a = args_read(&self, options, &c, argc, argv);
    if (!c.to)
        die_usage("-o: which folder is to be made?");
    if (!(c.from = model_find(a.common.model, &e)))
        die(&e);
    c.bf16 = a.common.bf16;
    if (mkdir(c.to, 0777) < 0 && errno != EEXIST)
        dief("%s: %s", c.to, strerror(errno));
    read_vocab(&c);
    choose_pieces(&c, a.files, a.nfiles);
    write_weights(&c);
    write_config(&c);
    write_tokenizer(&c);
    write_pooling(&c);
    free(c.kept);
    free(c.piece);
    free(c.vocab.p);
    free(c.from);
    return 0;
}
