#include "filter/perplexity.h"

#include "filter/check.h"
#include "filter/mask_id.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_TOKENS = 1024 /* a thread */, OVERLAP = 1, PART_SPECIAL = 255 };

/* Tokens [begin, end) of a frame, put to the model together. */
typedef struct Window {
    int64_t begin, end;
    int64_t judged; /* the first token whose likelihood is asked for; masked: the one */
    bool bos;       /* a token that begins a text stands before */
} Window;

/* Windows gathered for one run. */
typedef struct Pending {
    Perplexity *p;
    const int32_t *id;
    const uint8_t *kind;
    double *nll;
    Window *window;
    int64_t n, room, tokens;
} Pending;

int perplexity_begin(Perplexity *p, Err *e)
{
    return encode_begin(&p->encode, e);
}

void perplexity_end(Perplexity *p)
{
    head_free(p->head);
    encode_end(&p->encode);
}

/* ---- the model ---- */

static int check_window(Perplexity *p, Err *e)
{
    const Config *c = transformer_config(p->encode.enc);
    if (p->masked && (p->window || p->overlap >= 0 || p->bos))
        return err_set(e, "%s is a masked model: -w, -S and --bos are for causal ones",
                       p->encode.name);
    if (p->bos && c->bos < 0)
        return err_set(e, "%s/config.json has no bos_token_id to begin a text with",
                       p->encode.folder);
    if (p->bos && c->bos >= c->vocab)
        return err_set(
            e, "%s/config.json: bos_token_id %" PRId64 " is outside the vocabulary of %" PRId64,
            p->encode.folder, c->bos, c->vocab);
    if (p->window > c->positions && c->positions)
        return err_set(e,
                       "a window of %" PRId64 " tokens, but the model has %" PRId64
                       " positions: -w %" PRId64,
                       p->window, c->positions, c->positions);
    if (!p->window)
        p->window = c->positions ? c->positions : INT64_MAX;
    if (p->overlap < 0)
        p->overlap = OVERLAP;
    if (p->overlap >= p->window)
        return err_set(
            e, "windows of %" PRId64 " tokens cannot overlap by %" PRId64 ": lower -S or raise -w",
            p->window, p->overlap);
    return 0;
}

static int open_model(Perplexity *p, const Frame *f, Err *e)
{
    if (encode_open(&p->encode, f, e) < 0)
        return -1;
    if (p->head)
        return 0;
    const Common *common = p->encode.common;
    KType type = common->bf16 ? K_BF16 : common->f16 ? K_F16 : K_F32;
    if (!(p->head = head_open(p->encode.folder, p->encode.dev, e)))
        return -1;
    p->masked = !head_has(p->head, HEAD_LM) && head_has(p->head, HEAD_MASK);
    if (head_use_nll(p->head, p->masked ? HEAD_MASK : HEAD_LM, type, e) < 0 ||
        check_window(p, e) < 0)
        return -1;
    if (!p->masked)
        return 0;
    if (mask_id(f, p->encode.folder, p->encode.name, &p->mask, e) < 0)
        return -1;
    int64_t vocab = transformer_config(p->encode.enc)->vocab;
    return p->mask < vocab ? 0
                           : err_set(e,
                                     "the mask token's id is %d, outside the vocabulary of "
                                     "%s, which has %" PRId64,
                                     p->mask, p->encode.name, vocab);
}

/* ---- a batch of windows ---- */

static int64_t length(const Window *w)
{
    return w->end - w->begin + w->bos;
}

/* The windows' tokens, end to end. */
static void fill(const Pending *g, int32_t *id, uint8_t *kind, int64_t *starts)
{
    const Perplexity *p = g->p;
    int64_t at = 0;
    for (int64_t i = 0; i < g->n; i++) {
        const Window *w = &g->window[i];
        int64_t n = w->end - w->begin;
        starts[i] = at;
        if (w->bos) {
            kind[at] = 0;
            id[at++] = (int32_t)transformer_config(p->encode.enc)->bos;
        }
        memcpy(id + at, g->id + w->begin, (size_t)n * sizeof *id);
        if (g->kind)
            memcpy(kind + at, g->kind + w->begin, (size_t)n);
        if (p->masked)
            id[at + w->judged - w->begin] = p->mask;
        at += n;
    }
    starts[g->n] = at;
}

/* The hidden states that judge, side by side, with what they are to say; how many. */
static int64_t pick(const Pending *g, const int64_t *starts, char *hidden, size_t line,
                    int32_t *target, double **to)
{
    int64_t n = 0;
    for (int64_t i = 0; i < g->n; i++) {
        const Window *w = &g->window[i];
        int64_t last = g->p->masked ? w->judged + 1 : w->end;
        for (int64_t t = w->judged; t < last; t++, n++) {
            int64_t from = starts[i] + w->bos + t - w->begin - !g->p->masked;
            memmove(hidden + (size_t)n * line, hidden + (size_t)from * line, line);
            target[n] = g->id[t];
            to[n] = &g->nll[t];
        }
    }
    return n;
}

static int run_batch(Pending *g, Err *e)
{
    Perplexity *p = g->p;
    Transformer *enc = p->encode.enc;
    KType type = p->encode.common->bf16 ? K_BF16 : K_F32;
    size_t tokens = (size_t)g->tokens,
           line = (size_t)transformer_config(enc)->hidden * ktype_size(type);
    int32_t *id = mem_array(tokens, sizeof *id), *target = mem_array(tokens, sizeof *target);
    uint8_t *kind = mem_zero(tokens, 1);
    int64_t *starts = mem_array((size_t)g->n + 1, sizeof *starts);
    double **to = mem_array(tokens, sizeof *to), *nll = mem_array(tokens, sizeof *nll);
    char *hidden = mem_aligned(tokens * line);
    fill(g, id, kind, starts);
    TransformerIn in = {.id = id,
                        .kind = g->kind ? kind : NULL,
                        .starts = starts,
                        .rows = g->n,
                        .tokens = g->tokens};
    int status = transformer_run(enc, &in, hidden, NULL, 0, e);
    transformer_rest(enc);
    if (status == 0) {
        int64_t n = pick(g, starts, hidden, line, target, to);
        View x = view_of(hidden, type, n, transformer_config(enc)->hidden);
        status = head_nll(p->head, x, target, nll, e);
        for (int64_t i = 0; i < n && status == 0; i++)
            *to[i] = isnan(nll[i]) ? INFINITY : nll[i]; /* NAN says that nobody judged it */
    }
    free(hidden);
    free(nll);
    free(to);
    free(starts);
    free(kind);
    free(target);
    free(id);
    g->n = g->tokens = 0;
    return status;
}

static int add(Pending *g, Window w, Err *e)
{
    int threads = g->p->encode.dev->threads;
    if (g->n && g->tokens + length(&w) > (threads < 2 ? 2 : threads) * BATCH_TOKENS &&
        run_batch(g, e) < 0)
        return -1;
    if (g->n == g->room) {
        g->room = g->room * 2 + 64;
        g->window = mem_resize(g->window, (size_t)g->room, sizeof *g->window);
    }
    g->window[g->n++] = w;
    g->tokens += length(&w);
    return 0;
}

/* ---- rows to windows ---- */

static int add_causal(Pending *g, int64_t begin, int64_t end, Err *e)
{
    const Perplexity *p = g->p;
    bool bos = p->bos;
    int64_t judged = begin + !bos; /* the first one has nothing before it */
    for (int64_t at = begin; judged < end; bos = false) {
        Window w = {.begin = at, .end = end, .judged = judged, .bos = bos};
        if (length(&w) > p->window)
            w.end = at + p->window - bos;
        if (w.judged == at && !bos)
            w.judged++; /* windows that do not overlap */
        if (w.judged < w.end && add(g, w, e) < 0)
            return -1;
        judged = w.end;
        at = w.end - p->overlap > at ? w.end - p->overlap : w.end;
    }
    return 0;
}

static int add_masked(Pending *g, const uint8_t *part, int64_t begin, int64_t end, Err *e)
{
    for (int64_t t = begin; t < end; t++) {
        Window w = {.begin = begin, .end = end, .judged = t};
        if ((!part || part[t] != PART_SPECIAL) && add(g, w, e) < 0)
            return -1;
    }
    return 0;
}

/* Ids within the vocabulary; of masked models no row longer than the positions. Windows see to
 * that of causal ones. */
static int check(const Perplexity *p, const Pending *g, const int64_t *starts, int64_t row, Err *e)
{
    int64_t n = starts[row + 1] - starts[row], step = p->masked || n < p->window ? n : p->window;
    for (int64_t at = 0; at < n; at += step) {
        int64_t part[2] = {0, n - at < step ? n - at : step};
        const int32_t *id = g->id + starts[row] + at;
        TransformerIn in = {.id = id,
                            .kind = g->kind ? g->kind + starts[row] + at : NULL,
                            .starts = part,
                            .rows = 1,
                            .tokens = part[1]};
        if (transformer_check(p->encode.enc, &in, e) < 0) {
            e->row = row + 1;
            return -1;
        }
    }
    return 0;
}

static int judged(const double *nll, const int64_t *starts, int64_t rows, Err *e)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t t = starts[r]; t < starts[r + 1]; t++)
            if (isinf(nll[t])) {
                e->row = r + 1;
                return err_set(e,
                               "token %" PRId64 " has no finite likelihood: are the weights "
                               "whole?",
                               t - starts[r] + 1);
            }
    return 0;
}

int perplexity_frame(Perplexity *p, const Frame *f, double *nll, Err *e)
{
    const Tensor *part = frame_get(f, "token.part");
    TransformerIn in;
    if (check_ids(f, &in, e) < 0 || open_model(p, f, e) < 0)
        return -1;
    const int64_t *starts = in.starts;
    Pending g = {.p = p, .id = in.id, .kind = in.kind, .nll = nll};
    int status = 0;
    for (int64_t t = 0; t < f->tokens; t++)
        nll[t] = NAN;
    for (int64_t r = 0; r < f->rows && status == 0; r++)
        status = check(p, &g, starts, r, e);
    for (int64_t r = 0; r < f->rows && status == 0; r++)
        status = p->masked ? add_masked(&g, part ? part->data : NULL, starts[r], starts[r + 1], e)
                           : add_causal(&g, starts[r], starts[r + 1], e);
    if (status == 0 && g.n)
        status = run_batch(&g, e);
    free(g.window);
    return status < 0 ? -1 : judged(nll, starts, f->rows, e);
}
