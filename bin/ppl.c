/* ppl - how likely a language model finds its input. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/progress.h"
#include "base/write.h"
#include "bin/programs.h"
#include "filter/perplexity.h"
#include "filter/stream_tokenizer.h"
#include "io/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Sum {
    int64_t tokens;
    double nll;
} Sum;

typedef struct Ppl {
    Perplexity model;
    bool tokens, json;
    StreamTokenizer stream_tokenizer; /* with -v */
    int64_t rows;
    Sum all;
    Buf out;
} Ppl;

static const Opt options[] = {
    {'v', "tokens", NULL, "a line a token: row, position, id, token, nll", OPT_FLAG(Ppl, tokens)},
    {'w', "window", "N", "long rows in windows of N tokens (the model's positions)",
     OPT_INT(Ppl, model.window, 1, INT32_MAX)},
    {'S', "stride", "N", "windows overlap by N tokens (1)",
     OPT_INT(Ppl, model.overlap, 0, INT32_MAX)},
    {0, "bos", NULL, "a token that begins a text before each row", OPT_FLAG(Ppl, model.bos)},
    {0, "json", NULL, "a JSON object a row", OPT_FLAG(Ppl, json)},
    {0},
};

/* Mean and perplexity of what was judged; nothing of nothing. */
static void put_sum(Ppl *p, const char *row, Sum s, const double *nll, int64_t n)
{
    double mean = s.nll / (double)s.tokens;
    if (!p->json) {
        buf_fmt(&p->out, s.tokens ? "%s\t%lld\t%.9g\t%.9g\n" : "%s\t%lld\t\t\n", row,
                (long long)s.tokens, mean, exp(mean));
        return;
    }
    buf_fmt(&p->out, "{\"row\": %s, \"tokens\": %lld, ", row, (long long)s.tokens);
    buf_fmt(&p->out,
            !s.tokens ? "\"nll\": null, \"perplexity\": null"
            : isfinite(exp(mean))
                ? "\"nll\": %.9g, \"perplexity\": %.9g"
                : "\"nll\": %.9g, \"perplexity\": null", /* JSON has no infinity */
            mean, exp(mean));
    for (int64_t t = 0; t < n; t++)
        buf_fmt(&p->out, isnan(nll[t]) ? "%snull" : "%s%.9g", t ? ", " : ", \"token_nll\": [",
                nll[t]);
    buf_str(&p->out, n ? "]}\n" : "}\n");
}

static void put_tokens(Ppl *p, const int32_t *id, const double *nll, int64_t n)
{
    for (int64_t t = 0; t < n; t++) {
        buf_fmt(&p->out, "%lld\t%lld\t%d\t", (long long)p->rows, (long long)t + 1, id[t]);
        put_tsv(&p->out, tokenizer_text(p->stream_tokenizer.tokenizer, id[t]));
        buf_fmt(&p->out, isnan(nll[t]) ? "\t\n" : "\t%.9g\n", nll[t]);
    }
}

static void put_row(Ppl *p, const int32_t *id, const double *nll, int64_t n)
{
    Sum s = {0};
    char number[24];
    for (int64_t t = 0; t < n; t++)
        if (!isnan(nll[t])) {
            s.tokens++;
            s.nll += nll[t];
        }
    p->rows++;
    p->all.tokens += s.tokens;
    p->all.nll += s.nll;
    snprintf(number, sizeof number, "%lld", (long long)p->rows);
    if (p->tokens && !p->json)
        put_tokens(p, id, nll, n);
    else
        put_sum(p, number, s, nll, p->tokens ? n : 0);
}

static int take(Ppl *p, const Frame *f, Err *e)
{
    if (f->rows == 0 && !frame_get(f, "token.id"))
        return 0; /* a stream's end that stands alone */
    double *nll = mem_array((size_t)f->tokens, sizeof *nll);
    int status = perplexity_frame(&p->model, f, nll, e);
    p->stream_tokenizer.model = p->model.encode.common->model;
    if (status == 0 && p->tokens && !p->json)
        status = stream_tokenizer_open(&p->stream_tokenizer, f, e);
    if (status == 0 && f->rows) {
        const int64_t *starts = frame_get(f, "row.tokens")->data;
        const int32_t *id = frame_get(f, "token.id")->data;
        for (int64_t r = 0; r < f->rows; r++)
            put_row(p, id + starts[r], nll + starts[r], starts[r + 1] - starts[r]);
    }
    free(nll);
    return status;
}

/* Of a frame with a fault in one row those before it are answered. */
static int take_until(Ppl *p, const Frame *f, Err *e)
{
    if (take(p, f, e) == 0)
        return 0;
    if (e->row > 1) {
        Err none = {0};
        int64_t n = e->row - 1, *row = mem_array((size_t)n, sizeof *row);
        for (int64_t i = 0; i < n; i++)
            row[i] = i;
        Frame *before = frame_select(f, row, n);
        take(p, before, &none);
        frame_free(before);
        free(row);
    }
    return -1;
}

/* What is answered goes out frame by frame: whoever types a line sees its answer. */
static int run(Ppl *p, In *in, Err *e)
{
    Frame *f;
    int k, bad = 0;
    while (!bad && (k = in_next(in, &f, e)) > 0) {
        bad = take_until(p, f, e);
        progress_rows(f->rows);
        if (bad && e->row)
            err_at(e, "%s: row %lld", in_place(in), (long long)(in_rows(in) - f->rows + e->row));
        else if (bad)
            err_at(e, "%s", in_place(in));
        frame_free(f);
        Err why = {0};
        if (put_out(&p->out, &why) < 0) {
            *e = why;
            return -1;
        }
    }
    return bad || k < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    Err e = {0};
    Ppl p = {.model = {.encode = {.layers = -1}, .overlap = -1}};
    Args a = args_read(PROGRAM(ppl), options, &p, argc, argv);
    p.model.encode.common = &a.common;
    In *in = in_open(a.files, a.nfiles);
    if (perplexity_begin(&p.model, &e) < 0 || run(&p, in, &e) < 0)
        die(&e);
    progress_end();
    put_sum(&p, p.json ? "\"all\"" : "all", p.all, NULL, 0);
    if (put_out(&p.out, &e) < 0)
        die(&e);
    in_close(in);
    stream_tokenizer_close(&p.stream_tokenizer);
    perplexity_end(&p.model);
    free(p.out.p);
    return 0;
}
