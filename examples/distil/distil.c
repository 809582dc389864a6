/* distil - static embeddings of a whole model: from the vectors that it gives each entry of its
 * vocabulary by itself, in the order of the ids, a folder that looks them up.
 *
 *     distil -m MODEL --dims 256 -o DIR vocabulary.weft
 *
 * As model2vec 0.10.0 does it: the vectors' principal components (Pearson, 1901), each entry
 * weighed by how often words of its rank come (SIF of Arora et al., 2017, with Zipf's law), since a
 * vocabulary's order is that of its entries' frequency. Special tokens, and BERT's [unused1] and
 * its like, have no part in it and are zeros. DIR is made: weft, model2vec and
 * sentence-transformers read it. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/outfile.h"
#include "io/stream.h"
#include "model/find.h"
#include "model/model_tokenizer.h"
#include "store/jsonfile.h"
#include "store/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SWEEPS = 40 };

typedef struct Distil {
    const char *to;
    int64_t dims;
    double sif;
    char *from;  /* the folder with the tokenizer */
    Buf vectors; /* f32 [rows, width] */
    int64_t rows, width;
    bool *counts; /* of each row: it is an entry that texts have */
    int64_t n;    /* of these */
    float *table; /* [rows, dims] */
} Distil;

static const Opt options[] = {
    {'o', "output", "DIR", "the folder to make", OPT_TEXT(Distil, to)},
    {0, "dims", "N", "numbers a vector (256; the model's, where it has fewer)",
     OPT_INT(Distil, dims, 1, 1 << 16)},
    {0, "sif", "X", "how much rare entries count for more (1e-4)", OPT_REAL(Distil, sif, 1e-9, 1)},
    {0},
};

static const Program self = {"distil", "distil", "-m MODEL -o DIR [option ...] [file ...]",
                             "static embeddings of a model", NULL};

/* ---- what comes in ---- */

static void read_vectors(Distil *d, char **files, int nfiles)
{
    Err e = {0};
    In *in = in_open(files, nfiles);
    Frame *f = NULL;
    int more;
    while ((more = in_next(in, &f, &e)) > 0) {
        const Tensor *t = f->rows ? frame_need(f, "row.vector", DT_F32, 2, &e) : NULL;
        if (f->rows && !t)
            die(&e);
        if (t && d->width && t->shape[1] != d->width)
            dief("%s: vectors of %" PRId64 " and of %" PRId64 " numbers", in_place(in), d->width,
                 t->shape[1]);
        if (t) {
            d->width = t->shape[1];
            buf_add(&d->vectors, t->data, t->bytes);
        }
        d->rows += f->rows;
        frame_free(f);
    }
    if (more < 0)
        die(&e);
    in_close(in);
}

static bool starts(Str s, const char *with)
{
    return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static void choose_entries(Distil *d)
{
    Err e = {0};
    Tokenizer *t = model_tokenizer(d->from, &e);
    if (!t)
        die(&e);
    if (tokenizer_size(t) != d->rows)
        dief("%" PRId64 " vectors, but %s has %" PRId32
             " entries: one each is wanted, in the order "
             "of their ids",
             d->rows, d->from, tokenizer_size(t));
    d->counts = mem_zero((size_t)d->rows, sizeof *d->counts);
    for (int64_t i = 0; i < d->rows; i++) {
        d->counts[i] = !tokenizer_is_special(t, (int32_t)i) &&
                       !starts(tokenizer_text(t, (int32_t)i), "[unused");
        d->n += d->counts[i];
    }
    tokenizer_free(t);
    if (d->n < 2)
        dief("%s: no entries to make vectors of", d->from);
}

/* ---- principal components ---- */

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static const float *vector(const Distil *d, int64_t row)
{
    return (const float *)d->vectors.p + row * d->width;
}

/* Their covariance [width, width]; *mean is made. */
static double *covariance(const Distil *d, double **mean)
{
    int64_t w = d->width;
    double *c = mem_zero((size_t)(w * w), sizeof *c), *x = mem_zero((size_t)w, sizeof *x);
    double *m = *mean = mem_zero((size_t)w, sizeof *m);
    for (int64_t r = 0; r < d->rows; r++)
        for (int64_t i = 0; i < w && d->counts[r]; i++)
            m[i] += vector(d, r)[i] / (double)d->n;
    for (int64_t r = 0; r < d->rows; r++) {
        if (!d->counts[r])
            continue;
        for (int64_t i = 0; i < w; i++)
            x[i] = vector(d, r)[i] - m[i];
        for (int64_t i = 0; i < w; i++)
            for (int64_t j = 0; j <= i; j++)
                c[i * w + j] += x[i] * x[j];
    }
    for (int64_t i = 0; i < w; i++)
        for (int64_t j = 0; j <= i; j++)
            c[j * w + i] = c[i * w + j] /= (double)(d->n - 1);
    free(x);
    return c;
}

/* Turns two rows of n until they stand at right angles. */
static bool turn(double *p, double *q, int64_t n)
{
    double pp = dot(p, p, n), qq = dot(q, q, n), pq = dot(p, q, n);
    if (fabs(pq) <= 1e-14 * sqrt(pp * qq))
        return false;
    double z = (qq - pp) / (2 * pq), t = (z < 0 ? -1 : 1) / (fabs(z) + sqrt(z * z + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int64_t i = 0; i < n; i++) {
        double a = p[i], b = q[i];
        p[i] = c * a - s * b;
        q[i] = s * a + c * b;
    }
    return true;
}

/* By Hestenes (1958), Jacobi's turns on one side: the rows of the symmetric c become its
 * eigenvectors, each as long as its eigenvalue. In *order the longest are first. */
static void eigenvectors(double *c, int64_t w, int64_t *order)
{
    bool turned = true;
    for (int sweep = 0; turned && sweep < SWEEPS; sweep++) {
        turned = false;
        for (int64_t p = 0; p < w; p++)
            for (int64_t q = p + 1; q < w; q++)
                turned |= turn(c + p * w, c + q * w, w);
    }
    for (int64_t i = 0; i < w; i++) {
        double length = sqrt(dot(c + i * w, c + i * w, w));
        int64_t at = i;
        for (; at > 0 && dot(c + order[at - 1] * w, c + order[at - 1] * w, w) < length * length;
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* ---- what goes out ---- */

/* How much the entry of a rank counts: a / (a + p), p by Zipf's law from the second rank on. */
static double weight(const Distil *d, int64_t rank, double sum)
{
    return d->sif / (d->sif + 1 / ((double)(rank + 2) * sum));
}

/* Along a component, whose largest number is then positive. */
static void add_component(Distil *d, const double *v, const double *mean, int64_t at)
{
    double length = sqrt(dot(v, v, d->width)), most = 0, sum = 0;
    double *x = mem_zero((size_t)d->rows, sizeof *x);
    for (int64_t r = 0; r < d->rows; r++) {
        for (int64_t i = 0; i < d->width && d->counts[r] && length > 0; i++)
            x[r] += (vector(d, r)[i] - mean[i]) * v[i] / length;
        most = fabs(x[r]) > fabs(most) ? x[r] : most;
    }
    for (int64_t i = 0; i < d->n; i++)
        sum += 1 / (double)(i + 2);
    for (int64_t r = 0, rank = 0; r < d->rows; r++)
        if (d->counts[r])
            d->table[r * d->dims + at] =
                (float)((most < 0 ? -x[r] : x[r]) * weight(d, rank++, sum));
    free(x);
}

static void make_table(Distil *d)
{
    double *mean, *c = covariance(d, &mean);
    int64_t *order = mem_zero((size_t)d->width, sizeof *order);
    if (d->dims > d->width)
        d->dims = d->width;
    eigenvectors(c, d->width, order);
    d->table = mem_zero((size_t)(d->rows * d->dims), sizeof *d->table);
    for (int64_t i = 0; i < d->dims; i++)
        add_component(d, c + order[i] * d->width, mean, i);
    free(order);
    free(mean);
    free(c);
}

static void write_json(const Distil *d, const char *name, json_t *j)
{
    Err e = {0};
    char *path = mem_fmt("%s/%s", d->to, name), *text = json_dumps(j, JSON_INDENT(2));
    if (!text || outfile_text(path, text, &e) < 0)
        die(&e);
    free(text);
    free(path);
    json_decref(j);
}

static void write_table(const Distil *d)
{
    Err e = {0};
    char *path = mem_fmt("%s/model.safetensors", d->to), *key = "format", *value = "pt";
    StView v = {.name = "embeddings",
                .type = DT_F32,
                .rank = 2,
                .shape = (int64_t[]){d->rows, d->dims},
                .data = d->table,
                .bytes = (size_t)(d->rows * d->dims) * sizeof *d->table};
    if (st_write(path, &v, 1, &key, &value, 1, &e) < 0)
        die(&e);
    free(path);
}

/* The model's own; whole texts count, and rows are no longer than others. */
static void write_tokenizer(const Distil *d)
{
    Err e = {0};
    json_t *j = jsonfile_load(d->from, "tokenizer.json", false, &e);
    if (!j)
        die(&e);
    json_object_set_new(j, "truncation", json_null());
    json_object_set_new(j, "padding", json_null());
    write_json(d, "tokenizer.json", j);
}

static void write_folder(const Distil *d)
{
    static const char module[] = "sentence_transformers.models.";
    if (mkdir(d->to, 0777) < 0 && errno != EEXIST)
        dief("%s: %s", d->to, strerror(errno));
    write_table(d);
    write_tokenizer(d);
    write_json(d, "config.json",
               json_pack("{s:s, s:[s], s:b, s:I, s:s, s:I, s:f}", "model_type", "model2vec",
                         "architectures", "StaticModel", "normalize", 1, "max_length",
                         (json_int_t)512, "embedding_dtype", "float32", "hidden_dim",
                         (json_int_t)d->dims, "sif_coefficient", d->sif));
    write_json(d, "modules.json",
               json_pack("[{s:i, s:s, s:s, s:s+}, {s:i, s:s, s:s, s:s+}]", "idx", 0, "name", "0",
                         "path", ".", "type", module, "StaticEmbedding", "idx", 1, "name", "1",
                         "path", "1_Normalize", "type", module, "Normalize"));
}

int main(int argc, char **argv)
{
    Err e = {0};
    Distil d = {.dims = 256, .sif = 1e-4};
    Args a = args_read(&self, options, &d, argc, argv);
    if (!d.to)
        die_usage("-o: which folder is to be made?");
    char *folder = model_find(a.common.model, &e);
    if (!folder || !(d.from = model_tokenizer_folder(folder, &e)))
        die(&e);
    read_vectors(&d, a.files, a.nfiles);
    choose_entries(&d);
    make_table(&d);
    write_folder(&d);
    free(d.table);
    free(d.counts);
    free(d.vectors.p);
    free(d.from);
    free(folder);
    return 0;
}
