/* score - logits to labels, or to metrics. */
#include "base/msg.h"
#include "base/opt.h"
#include "io/stream.h"
#include "task/answer.h"
#include "task/metrics.h"
#include "task/write.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEY_JSON = OPT_LONG, KEY_CSV, KEY_MULTI, KEY_AGGREGATE, KEY_TARGETS, KEY_MAX_ANSWER,
    KEY_IMPOSSIBLE
};

static const Opt options[] = {
    {'k', "top", "N", "N answers a row, a line each, row number first; 0 all in class order"},
    {KEY_JSON, "json", NULL, "a JSON value a row"},
    {KEY_CSV, "csv", NULL, "CSV with text, labels and margin"},
    {KEY_MULTI, "multi", NULL, "independent scores: several labels may be right"},
    {'e', "eval", NULL, "metrics against the rows' labels instead of answers"},
    {KEY_AGGREGATE, "aggregate", "HOW", "entities (with a later version)"},
    {KEY_TARGETS, "targets", "A,B", "fill-mask over these words (with a later version)"},
    {KEY_MAX_ANSWER, "max-answer", "N", "spans (with a later version)"},
    {KEY_IMPOSSIBLE, "impossible", NULL, "spans (with a later version)"},
    {0},
};

typedef struct Score {
    Answers answers;
    bool eval;
    Metrics metrics;
    Classes classes; /* --eval: of the whole input; n is 0 before the first row */
} Score;

static Score read_options(Args *a)
{
    Score s = {.answers.top = TOP_DEFAULT};
    bool json = false, csv = false;
    for (int k; (k = args_next(a)) != -1;) {
        switch (k) {
        case 'k': s.answers.top = args_int(a, 0, INT32_MAX); break;
        case 'e': s.eval = true; break;
        case KEY_JSON: json = true; break;
        case KEY_CSV: csv = true; break;
        case KEY_MULTI: s.answers.independent = true; break;
        case KEY_AGGREGATE: die_usage("--aggregate comes with a later version of weft");
        case KEY_TARGETS: die_usage("--targets comes with a later version of weft");
        case KEY_MAX_ANSWER: die_usage("--max-answer comes with a later version of weft");
        case KEY_IMPOSSIBLE: die_usage("--impossible comes with a later version of weft");
        }
    }
    if (csv && (json || s.eval))
        die_usage("--csv goes with neither --json nor --eval");
    if (s.eval && (s.answers.top != TOP_DEFAULT || s.answers.independent))
        die_usage("--eval measures the one best label a row: without -k and --multi");
    s.answers.format = json ? FORMAT_JSON : csv ? FORMAT_CSV : FORMAT_TSV;
    return s;
}

/* The classes of the first frame hold for all: a confusion matrix has one set of names. */
static int same_classes(Score *s, Classes *c, Err *e)
{
    bool same = s->classes.n == c->n;
    for (int64_t i = 0; same && i < c->n; i++)
        same = strcmp(s->classes.name[i], c->name[i]) == 0;
    if (s->classes.n && !same) {
        char *was = classes_list(&s->classes), *is = classes_list(c);
        err_set(e, "the classes change from (%.300s) to (%.300s): measure the streams apart",
                was, is);
        free(was);
        free(is);
        return -1;
    }
    if (c->n < 2 || c->problem != ONE_OF)
        return err_set(e, "--eval measures a choice of one class among several, which this "
                          "model does not make");
    return 0;
}

static int64_t gold_of(const Frame *f, const Classes *c, int64_t row, Err *e)
{
    Str label = frame_text(f, "row.label", row);
    if (!label.n)
        return err_set(e, "no label to measure against: name its column with `tok -l`");
    int64_t gold = classes_find(c, label);
    if (gold < 0) {
        char *list = classes_list(c);
        err_set(e, "label '%.*s' is not a class of the model (%.600s)",
                label.n > 100 ? 100 : (int)label.n, label.p, list);
        free(list);
    }
    return gold;
}

static int measure_rows(Score *s, const Frame *f, const float *logit, const float *weight,
                        Err *e)
{
    int64_t n = s->classes.n;
    for (int64_t i = 0; i < f->rows; i++, logit += n) {
        int64_t gold = gold_of(f, &s->classes, i, e), best = 0;
        if (gold < 0 || answer_finite(logit, n, e) < 0) {
            e->row = i + 1;
            return -1;
        }
        for (int64_t c = 1; c < n; c++)
            if (logit[c] > logit[best])
                best = c;
        metrics_add(&s->metrics, gold, best, class_nll(logit, n, gold),
                    weight ? (double)weight[i] : 1);
    }
    return 0;
}

static int measure(Score *s, const Frame *f, Err *e)
{
    Classes c;
    const float *logit = answer_logits(f, &c, e);
    if (!logit)
        return -1;
    int status = same_classes(s, &c, e);
    if (status == 0 && !s->classes.n) {
        s->classes = c;
        s->metrics = metrics_new(c.n);
    } else {
        classes_clear(&c);
    }
    const Tensor *w = frame_get(f, "row.weight");
    return status < 0 ? status : measure_rows(s, f, logit, w ? w->data : NULL, e);
}

static int take(Score *s, Buf *b, const Frame *f, Err *e)
{
    if (f->rows == 0 && !frame_get(f, "row.logit"))
        return 0; /* a stream's end that stands alone */
    return s->eval ? measure(s, f, e) : answer_frame(&s->answers, b, f, e);
}

/* Puts the place before a fault within frame f. */
static void name_fault(const In *in, const Frame *f, Err *e)
{
    if (e->row)
        err_at(e, "%s: row %lld", in_place(in), (long long)(in_rows(in) - f->rows + e->row));
    else
        err_at(e, "%s", in_place(in));
}

static void deliver(Buf *b)
{
    Err e = {0};
    if (put_out(b, &e) < 0)
        die(&e);
}

/* What is answered goes out frame by frame: whoever types a line sees its answer. */
static void run(Score *s, In *in, Buf *b)
{
    Err e = {0};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, &e)) > 0) {
        if ((k = take(s, b, f, &e)) < 0)
            name_fault(in, f, &e);
        frame_free(f);
        deliver(b);
        if (k < 0)
            break;
    }
    if (k < 0)
        die(&e);
}

static void report(const Score *s, Buf *b)
{
    if (!s->metrics.rows)
        dief("no rows to measure");
    if (s->answers.format == FORMAT_JSON)
        metrics_put_json(b, &s->metrics, &s->classes);
    else
        metrics_put_text(b, &s->metrics, &s->classes);
    deliver(b);
}

int main(int argc, char **argv)
{
    Buf out = {0};
    Args a = args_begin("score", "[option ...] [file ...]",
                        "Reads logits and writes labels with their scores, or metrics.", options,
                        argc, argv);
    Score s = read_options(&a);
    In *in = in_open(a.files, a.nfiles);
    run(&s, in, &out);
    if (s.eval)
        report(&s, &out);
    in_close(in);
    answer_free(&s.answers);
    metrics_free(&s.metrics);
    classes_clear(&s.classes);
    free(out.p);
    return 0;
}
