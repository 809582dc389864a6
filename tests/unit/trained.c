/* trained - is what `train` left what PyTorch said it would be?
 *
 *     trained GOLDEN LOG FOLDER LOGITS
 *
 * GOLDEN is one of tests/golden/train/steps, LOG what `--log --log-every 1` wrote, FOLDER what was
 * saved, LOGITS a stream from `head`. Prints the largest differences: of losses and norms relative,
 * of logits and weights as they are. Exit 1 where one is over its bound. */
#include "base/msg.h"
#include "io/stream.h"
#include "store/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Losses, norms, logits, weights; double precision is at most a fifth of these away. */
enum { LOSS, NORM, LOGITS, WEIGHTS, KINDS };
static const char *const kinds[KINDS] = {"loss", "norm", "logits", "weights"};
static const double bound[KINDS] = {2e-5, 1e-4, 1e-4, 1e-5};

typedef struct Worst {
    double of[KINDS];
    char where[KINDS][160];
} Worst;

static void count(Worst *w, int kind, double got, double want, const char *name, int64_t at)
{
    double d = fabs(got - want);
    if (kind == LOSS || kind == NORM)
        d /= fabs(want) > 1e-3 ? fabs(want) : 1e-3;
    if (isnan(want) || d <= w->of[kind])
        return;
    w->of[kind] = isnan(d) ? INFINITY : d;
    snprintf(w->where[kind], sizeof w->where[kind], "%s %lld: %.9g, not %.9g", name, (long long)at,
             got, want);
}

static int64_t numbers(const StView *v)
{
    return (int64_t)(v->bytes / dtype_size(v->type));
}

static StFile *open_file(const char *path)
{
    Err e = {0};
    StFile *f = st_open(path, &e);
    if (!f)
        die(&e);
    return f;
}

static StView need(const StFile *f, const char *name)
{
    StView v;
    if (st_find(f, name, &v) < 0)
        dief("no %s", name);
    return v;
}

/* Columns 3 and 5 of each line: the loss and the norm of its step. */
static void steps(Worst *w, const StFile *golden, const char *path)
{
    StView loss = need(golden, "loss"), norm = need(golden, "norm");
    FILE *f = fopen(path, "r");
    char line[512], *field;
    int64_t n = 0;
    if (!f || !fgets(line, sizeof line, f))
        dief("%s: no log", path);
    for (; fgets(line, sizeof line, f); n++) {
        char *rest = line;
        for (int i = 1; n < numbers(&loss) && (field = strsep(&rest, "\t")); i++)
            if (i == 3)
                count(w, LOSS, strtod(field, NULL), dtype_get(loss.type, loss.data, n), "step",
                      n + 1);
            else if (i == 5)
                count(w, NORM, strtod(field, NULL), dtype_get(norm.type, norm.data, n), "step",
                      n + 1);
    }
    fclose(f);
    if (n != numbers(&loss))
        dief("%s: %lld steps, not %lld", path, (long long)n, (long long)numbers(&loss));
}

/* Where rows begin, of answers: from both columns the row's mean goes. */
static void centre(float *x, const StFile *golden)
{
    StView starts;
    if (st_find(golden, "starts", &starts) < 0)
        return;
    for (int64_t row = 0; row + 1 < numbers(&starts); row++)
        for (int c = 0; c < 2; c++) {
            int64_t from = (int64_t)dtype_get(starts.type, starts.data, row);
            int64_t to = (int64_t)dtype_get(starts.type, starts.data, row + 1);
            double sum = 0;
            for (int64_t t = from; t < to; t++)
                sum += (double)x[2 * t + c];
            for (int64_t t = from; t < to; t++)
                x[2 * t + c] -= (float)(sum / (double)(to - from));
        }
}

static void logits(Worst *w, const StFile *golden, char *path)
{
    static const char *const names[] = {"row.logit", "token.logit", "pick.logit"};
    StView want = need(golden, "logits");
    Err e = {0};
    Frame *f;
    In *in = in_open(&path, 1);
    int got;
    Buf all = {0};
    while ((got = in_next(in, &f, &e)) > 0) {
        const Tensor *t = NULL;
        for (int i = 0; i < 3 && !t; i++)
            t = frame_get(f, names[i]);
        if (!t)
            dief("%s: no logits", path);
        buf_add(&all, t->data, t->bytes);
        frame_free(f);
    }
    if (got < 0)
        die(&e);
    float *x = (float *)all.p;
    int64_t n = (int64_t)(all.n / sizeof *x);
    if (n != numbers(&want))
        dief("%s: %lld logits, not %lld", path, (long long)n, (long long)numbers(&want));
    centre(x, golden);
    for (int64_t i = 0; i < n; i++)
        count(w, LOGITS, (double)x[i], dtype_get(want.type, want.data, i), "logit", i);
    free(all.p);
    in_close(in);
}

static void weights(Worst *w, const StFile *golden, const char *folder)
{
    char *path = mem_fmt("%s/model.safetensors", folder);
    StFile *f = open_file(path);
    int64_t stride = strtoll(st_meta(golden, "stride"), NULL, 10);
    for (int i = 0; i < st_count(golden); i++) {
        StView want = st_at(golden, i), got;
        if (strncmp(want.name, "w.", 2) != 0)
            continue;
        if (st_find(f, want.name + 2, &got) < 0)
            dief("%s: no %s", path, want.name + 2);
        if ((numbers(&got) + stride - 1) / stride != numbers(&want))
            dief("%s: %s has %lld numbers", path, got.name, (long long)numbers(&got));
        for (int64_t k = 0; k < numbers(&want); k++)
            count(w, WEIGHTS, dtype_get(got.type, got.data, k * stride),
                  dtype_get(want.type, want.data, k), got.name, k * stride);
    }
    st_close(f);
    free(path);
}

int main(int argc, char **argv)
{
    Worst w = {0};
    bool over = false;
    msg_prog = "trained";
    if (argc != 5)
        die_usage("usage: trained GOLDEN LOG FOLDER LOGITS");
    StFile *golden = open_file(argv[1]);
    steps(&w, golden, argv[2]);
    logits(&w, golden, argv[4]);
    weights(&w, golden, argv[3]);
    for (int i = 0; i < KINDS; i++) {
        bool bad = w.of[i] > bound[i];
        printf("%s%s %.2g%s%s%s", i ? ", " : "", kinds[i], w.of[i], bad ? " (" : "",
               bad ? w.where[i] : "", bad ? ")" : "");
        over = over || bad;
    }
    printf("\n");
    st_close(golden);
    return over;
}
