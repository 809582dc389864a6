/* mask.c - fill-mask: the likeliest tokens in a mask token's place; and lm: those that go on.
 * Scores are a softmax over the whole vocabulary, also where --targets picks out some of it. */
#include "base/msg.h"
#include "base/write.h"
#include "measure/classes.h"
#include "task/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MASK_TOP = 5 };

typedef struct Mask {
    bool next;       /* lm: the token behind the picked one, not in its place */
    int32_t *target; /* NULL: all of the vocabulary */
    int64_t targets;
    /* of this frame */
    const int64_t *end, *pick;
    const int32_t *id;
    const float *logit;
    int64_t picks, width;
    int64_t at; /* the first pick that no row before this one has */
    /* of one pick */
    int64_t *order;
    double *score;
    int64_t count;
    int32_t *ids; /* a row's, the token filled in */
    Buf token, text;
} Mask;

/* ---- targets ---- */

static void warn_target(const Tokenizer *t, Str word, int32_t id)
{
    Str instead = id >= 0 ? tokenizer_text(t, id) : str_of("", 0);
    if (id < 0)
        msg_note("target '%.*s' is no token, nor made of any: left out", (int)word.n, word.p);
    else
        msg_note("target '%.*s' is no token: its first piece '%.*s' stands for it", (int)word.n,
                 word.p, (int)instead.n, instead.p);
}

/* The target's id, or that of its first piece; -1: it has none. */
static int32_t target_id(StreamTokenizer *l, Str word)
{
    int32_t id = tokenizer_find(l->tokenizer, word);
    if (id >= 0)
        return id;
    Tokens pieces = {0};
    tokenizer_encode(l->tokenizer, l->work, word, 0, &pieces);
    if (pieces.n)
        id = pieces.id[0];
    tokens_free(&pieces);
    warn_target(l->tokenizer, word, id);
    return id;
}

static void add_target(Mask *t, int32_t id)
{
    for (int64_t i = 0; i < t->targets; i++)
        if (t->target[i] == id)
            return;
    t->target = mem_resize(t->target, (size_t)t->targets + 1, sizeof *t->target);
    t->target[t->targets++] = id;
}

static int read_targets(Mask *t, StreamTokenizer *l, const char *list, Err *e)
{
    for (const char *p = list; p; p = *p ? p + 1 : NULL) {
        size_t n = strcspn(p, ",");
        int32_t id = n ? target_id(l, str_of(p, n)) : -1;
        if (id >= 0)
            add_target(t, id);
        p += n;
    }
    return t->targets ? 0 : err_set(e, "--targets: none of them is a token of the model");
}

/* ---- frames ---- */

static void close_mask(void *state)
{
    Mask *t = state;
    free(t->target);
    free(t->order);
    free(t->score);
    free(t->ids);
    free(t->token.p);
    free(t->text.p);
    free(t);
}

static void *open_mask(Scorer *s, const Frame *f, Err *e)
{
    Mask *t = mem_zero(1, sizeof *t);
    const char *task = frame_meta(f, "task");
    t->next = task && strcmp(task, task_lm.name) == 0;
    if (!frame_need(f, "pick.token", DT_I64, 1, e) ||
        stream_tokenizer_open(&s->stream_tokenizer, f, e) < 0 ||
        (s->asked.targets && read_targets(t, &s->stream_tokenizer, s->asked.targets, e) < 0)) {
        close_mask(t);
        return NULL;
    }
    return t;
}

static int check_targets(const Mask *t, Err *e)
{
    for (int64_t i = 0; i < t->targets; i++)
        if (t->target[i] >= t->width)
            return err_set(e,
                           "a target's id is %d, but there are %lld logits: is -m the model "
                           "that made them?",
                           (int)t->target[i], (long long)t->width);
    return 0;
}

static int frame_mask(void *state, Scorer *s, const Frame *f, Err *e)
{
    Mask *t = state;
    const Tensor *pick = frame_need(f, "pick.token", DT_I64, 1, e), *logit = NULL, *end, *id;
    if (!pick || !(logit = frame_need(f, "pick.logit", DT_F32, 2, e)) ||
        !(end = frame_need(f, "row.tokens", DT_I64, 1, e)) ||
        !(id = frame_need(f, "token.id", DT_I32, 1, e)))
        return -1;
    t->pick = pick->data;
    t->picks = pick->shape[0];
    t->logit = logit->data;
    t->width = logit->shape[1];
    t->end = end->data;
    t->id = id->data;
    t->at = 0;
    for (int64_t i = 1; i < t->picks; i++)
        if (t->pick[i] < t->pick[i - 1])
            return err_set(e, "pick.token: the picked tokens are not in order");
    if (t->picks && (t->width < 1 || check_targets(t, e) < 0))
        return t->width < 1 ? err_set(e, "pick.logit has no logits") : -1;
    return answer_columns(&s->answers, f, "token,score,sequence", e);
}

/* ---- one pick ---- */

/* The best of n: indices of `logit`, all of them in their own order where -k is 0. */
static void rank(Mask *t, const float *logit, int64_t n, const Answers *a)
{
    t->count = answer_count(a, MASK_TOP, n);
    int64_t room = t->count < 2 && n > 1 ? 2 : t->count;
    t->order = mem_resize(t->order, (size_t)room, sizeof *t->order);
    class_top(logit, n, room, t->order);
    for (int64_t i = 0; a->top == TOP_ALL && i < n; i++)
        t->order[i] = i;
}

static void rank_targets(Mask *t, const float *logit, const Answers *a)
{
    float *own = mem_array((size_t)t->targets, sizeof *own);
    for (int64_t i = 0; i < t->targets; i++)
        own[i] = logit[t->target[i]];
    rank(t, own, t->targets, a);
    int64_t n = t->count < 2 && t->targets > 1 ? 2 : t->count;
    for (int64_t k = 0; k < n; k++)
        t->order[k] = t->target[t->order[k]];
    free(own);
}

static double margin_of(const Mask *t, const float *logit, double all)
{
    int64_t n = t->target ? t->targets : t->width;
    if (n < 2)
        return NAN;
    return exp((double)logit[t->order[0]] - all) - exp((double)logit[t->order[1]] - all);
}

/* The row as text with `token` in: without padding, and without special tokens unless there are
 * other masks, which would vanish with them. */
static void put_sequence(Mask *t, const Tokenizer *tok, int64_t row, int64_t pick, int32_t token,
                         bool raw)
{
    int64_t first = t->end[row], last = t->next ? pick : t->end[row + 1] - 1;
    int32_t pad = t->next ? -1 : tokenizer_special(tok, TOK_PAD);
    size_t n = 0;
    t->ids = mem_resize(t->ids, (size_t)(last - first) + 2, sizeof *t->ids);
    for (int64_t i = first; i <= last; i++) {
        int32_t id = i == pick && !t->next ? token : t->id[i];
        if (id != pad || pad < 0)
            t->ids[n++] = id;
    }
    if (t->next)
        t->ids[n++] = token;
    t->text.n = 0;
    tokenizer_decode(tok, t->ids, n, raw, &t->text);
}

static void put_object(const Mask *t, Buf *b, double score, int32_t id, bool first)
{
    put_json_key(b, first ? "{" : ", {", "score");
    put_float(b, (float)score);
    put_json_key(b, ", ", "token");
    buf_fmt(b, "%d", (int)id);
    put_json_key(b, ", ", "token_str");
    put_json(b, str_of(t->token.p, t->token.n));
    put_json_key(b, ", ", "sequence");
    put_json(b, str_of(t->text.p, t->text.n));
    buf_str(b, "}");
}

static void answer_pick(Mask *t, Scorer *s, int64_t row, int64_t at, bool several)
{
    const float *logit = t->logit + at * t->width;
    Answers *a = &s->answers;
    const Tokenizer *tok = s->stream_tokenizer.tokenizer;
    double all = class_log_sum(logit, t->width);
    if (t->target)
        rank_targets(t, logit, a);
    else
        rank(t, logit, t->width, a);
    double margin = a->format == FORMAT_CSV && a->top != TOP_ALL ? margin_of(t, logit, all) : NAN;
    for (int64_t k = 0; k < t->count; k++) {
        int32_t id = (int32_t)t->order[k];
        double score = exp((double)logit[id] - all);
        t->token.n = 0;
        tokenizer_decode(tok, &id, 1, true, &t->token);
        put_sequence(t, tok, row, t->pick[at], id, several);
        if (a->format == FORMAT_JSON)
            put_object(t, &a->out, score, id, k == 0);
        else
            answer_line(a,
                        (Cell[]){cell_text(str_of(t->token.p, t->token.n)), cell_score(score),
                                 cell_text(str_of(t->text.p, t->text.n))},
                        3, margin);
    }
}

/* Each model calls its mask token something else. */
static void skip(const Mask *t, Scorer *s, const Frame *f, int64_t row)
{
    char why[64] = "no token to go on from";
    const Tokenizer *tokenizer = s->stream_tokenizer.tokenizer;
    int32_t id = tokenizer ? tokenizer_special(tokenizer, TOK_MASK) : -1;
    Str mask = id >= 0 ? tokenizer_text(tokenizer, id) : str_of("", 0);
    if (!t->next)
        snprintf(why, sizeof why, "no mask token%s%.*s in it to fill", mask.n ? " " : "",
                 mask.n > 20 ? 20 : (int)mask.n, mask.p);
    task_skip(s, f, row, why);
}

/* A list a pick, and a list of those where there are several. */
static int row_mask(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    Mask *t = state;
    int64_t from = t->at;
    while (t->at < t->picks && t->pick[t->at] < t->end[row + 1])
        t->at++;
    if (t->at == from) {
        skip(t, s, f, row);
        return 0;
    }
    if (class_finite(t->logit + from * t->width, (t->at - from) * t->width, e) < 0)
        return -1;
    bool json = s->answers.format == FORMAT_JSON, several = t->at - from > 1;
    Buf *b = &s->answers.out;
    answer_row(&s->answers, f, row);
    if (json)
        buf_str(b, several ? "[[" : "[");
    for (int64_t i = from; i < t->at; i++) {
        if (json && i > from)
            buf_str(b, "], [");
        answer_pick(t, s, row, i, several);
    }
    if (json)
        buf_str(b, several ? "]]\n" : "]\n");
    return 0;
}

const Task task_mask = {"mask",   ASK_TARGETS, open_mask, frame_mask,
                        row_mask, NULL,        NULL,      close_mask};
const Task task_lm = {"lm", ASK_TARGETS, open_mask, frame_mask, row_mask, NULL, NULL, close_mask};
