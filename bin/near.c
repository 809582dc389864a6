/* near - for each vector the nearest rows of a corpus. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/write.h"
#include "bin/programs.h"
#include "filter/filter_device.h"
#include "filter/near_pairs.h"
#include "io/stream.h"

#include <stdlib.h>

enum { TOP_MAX = 100000, KEY_PAIRS = OPT_LONG };

static const Opt options[] = {
    {'k', "top", "N", "the N nearest rows (1)", OPT_KEY},
    {KEY_PAIRS, "pairs", NULL, "a stream: each query's text beside those of its nearest, for tok",
     OPT_KEY},
    {0},
};

/* The corpus has to be all there before the first query is answered. */
static Corpus *read_corpus(char *file, Device *dev, Err *e)
{
    Corpus *c = corpus_new(dev);
    In *in = in_open(&file, 1);
    Frame *f;
    int k, bad = 0;
    while (!bad && (k = in_next(in, &f, e)) > 0) {
        bad = corpus_add(c, f, e);
        if (bad)
            err_at(e, "%s", in_place(in));
        frame_free(f);
    }
    in_close(in);
    bad = bad || k < 0 || corpus_ready(c, e) < 0;
    if (!bad && !corpus_rows(c))
        bad = err_set(e, "%s: no rows in it to be near to", file);
    if (!bad)
        return c;
    corpus_free(c);
    return NULL;
}

/* row, rank, cosine, text; the row's number where the corpus has no texts. */
static int put_near(Buf *b, Corpus *c, int64_t row, int rank, const Near *n, Err *e)
{
    Str text;
    if (corpus_text(c, n->row, &text, e) < 0)
        return -1;
    buf_fmt(b, "%lld\t%d\t", (long long)row, rank);
    put_float(b, n->cosine);
    if (text.n) {
        buf_str(b, "\t");
        put_tsv(b, text);
        buf_str(b, "\n");
    } else {
        buf_fmt(b, "\t%lld\n", (long long)n->row + 1);
    }
    return 0;
}

static int put_rows(Buf *b, Corpus *c, int64_t first, const Near *near, int64_t rows, int k, Err *e)
{
    for (int64_t i = 0; i < rows; i++)
        for (int n = 0; n < k && near[i * k + n].row >= 0; n++)
            if (put_near(b, c, first + i + 1, n + 1, &near[i * k + n], e) < 0)
                return -1;
    return 0;
}

/* Of a frame with a fault in one row those before it are answered. */
static int answer(Corpus *c, const Frame *f, int64_t first, int k, Buf *b, Err *e)
{
    if (f->rows == 0 && !frame_get(f, "row.vector"))
        return 0; /* a stream's end that stands alone */
    if (corpus_fits(c, f, e) < 0)
        return -1;
    k = k < corpus_rows(c) ? k : (int)corpus_rows(c);
    Err why = {0};
    Near *near = mem_array((size_t)(f->rows * k), sizeof *near);
    int status = corpus_nearest(c, frame_get(f, "row.vector")->data, f->rows, k, near, &why);
    int64_t answered = status == 0 ? f->rows : why.row ? why.row - 1 : 0;
    int put = put_rows(b, c, first, near, answered, k, e);
    free(near);
    if (put == 0 && status < 0)
        *e = why;
    if (put == 0 && why.row)
        err_at(e, "row %lld", (long long)(first + why.row));
    return put < 0 ? -1 : status;
}

/* What is found goes out frame by frame: whoever types a line sees its answer. */
static int run(Corpus *c, In *in, int k, Err *e)
{
    Buf b = {0};
    Frame *f;
    int got, bad = 0;
    while (!bad && (got = in_next(in, &f, e)) > 0) {
        bad = answer(c, f, in_rows(in) - f->rows, k, &b, e);
        if (bad)
            err_at(e, "%s", in_place(in));
        frame_free(f);
        Err unsent = {0};
        if (put_out(&b, &unsent) < 0) {
            *e = unsent;
            bad = -1;
        }
    }
    free(b.p);
    return bad || got < 0 ? -1 : 0;
}

/* A stream of pairs instead; the program's exit status. */
static int run_pairs(Corpus *c, In *in, int k, const char *file)
{
    Err e = {0};
    if (corpus_texts(c, &e) < 0) {
        err_at(&e, "%s", file);
        return stream_refuse(in, &e);
    }
    NearPairs p = {.corpus = c, .k = k < corpus_rows(c) ? k : (int)corpus_rows(c)};
    int status = stream_run_parts(in, out_open(), near_pairs_part, near_pairs_frame, &p);
    near_pairs_clear(&p);
    return status;
}

int main(int argc, char **argv)
{
    Err e = {0};
    int64_t top = 1;
    bool pairs = false;
    Args a = args_begin(PROGRAM(near), options, NULL, argc, argv);
    for (int key; (key = args_next(&a)) != -1;)
        if (key == KEY_PAIRS)
            pairs = true;
        else
            top = args_int(&a, 1, TOP_MAX);
    if (a.nfiles != 1)
        die_usage("near to what? Name one CORPUS, a stream of vectors with their texts");
    int k = (int)top, status = 0;
    Device *dev = filter_device(&a.common, false, &e);
    Corpus *c = dev ? read_corpus(a.files[0], dev, &e) : NULL;
    In *in = in_open(NULL, 0);
    if (!c && pairs)
        return stream_refuse(in, &e);
    if (c && pairs)
        status = run_pairs(c, in, k, a.files[0]);
    else if (!c || run(c, in, k, &e) < 0)
        die(&e);
    else
        in_close(in);
    corpus_free(c);
    dev->close(dev);
    return status;
}
