#include "filter/generate_filter.h"

#include "base/msg.h"
#include "filter/generate_open.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A frame whose rows are not all answered. */
typedef struct Waiting {
    struct Waiting *next;
    Frame *frame;
    int64_t added, answered; /* rows */
    int64_t before;          /* of the input, before this frame */
    char *place;
} Waiting;

typedef struct Run {
    GenerateFilter *f;
    GenerateOpen model;
    In *in;
    Out *out;
    Waiting *first, **last;
    bool ended, failed;
    bool cut; /* said */
    Err why;  /* what ended the input early */
} Run;

/* ---- rows in ---- */

/* The end of the prompt, where --trunc left asks for it and it is too long. */
static int64_t skipped(const Run *u, int64_t n)
{
    const Config *c = speaker_config(u->model.speaker);
    const Settings *s = &u->model.settings;
    if (!u->f->trunc_left || !c->positions)
        return 0;
    int64_t room = c->positions;
    if (!speaker_reads(u->model.speaker))
        room -= s->max_new != UNSET && s->max_new < room ? s->max_new : 1;
    return n > room ? n - room : 0;
}

static int add_rows(Run *u, Waiting *w)
{
    const Frame *f = w->frame;
    Err e = {0};
    const Tensor *ends = frame_need(f, "row.tokens", DT_I64, 1, &e);
    const Tensor *ids = ends ? frame_need(f, "token.id", DT_I32, 1, &e) : NULL;
    int r = ids ? generate_open(&u->model, u->f, f, &e) : -1;
    for (; r == 0 && w->added < f->rows; w->added += r == 0) {
        const int64_t *at = (const int64_t *)ends->data + w->added;
        int64_t skip = skipped(u, at[1] - at[0]);
        r = generator_add(u->model.generator, (const int32_t *)ids->data + at[0] + skip,
                          at[1] - at[0] - skip, &e);
        if (r < 0)
            err_at(&e, "row %" PRId64, w->before + w->added + 1);
    }
    if (r < 0) {
        err_at(&e, "%s", w->place);
        u->why = e;
    }
    return r;
}

/* The next frame; 0 where there is none any more. */
static int take(Run *u)
{
    Frame *f;
    int k = in_next(u->in, &f, &u->why);
    if (k <= 0) {
        u->ended = true;
        u->failed |= k < 0;
        return 0;
    }
    Waiting *w = mem_zero(1, sizeof *w);
    w->frame = f;
    w->before = in_rows(u->in) - f->rows;
    w->place = mem_str(in_place(u->in));
    *u->last = w;
    u->last = &w->next;
    if (f->rows && add_rows(u, w) < 0)
        u->ended = u->failed = true;
    return 1;
}

/* ---- rows out ---- */

/* Answers of rows that follow each other. */
typedef struct Answers {
    int64_t rows, tokens;
    int64_t *row; /* of the frame, for each answer */
    int64_t *ends;
    int32_t *id;
    float *logprob, *score;
    uint8_t *finish;
    int64_t room;
} Answers;

static void put_tokens(Answers *a, const int32_t *id, const float *logprob, int64_t n)
{
    if (a->tokens + n > a->room) {
        a->room = 2 * (a->tokens + n) + 256;
        a->id = mem_resize(a->id, (size_t)a->room, sizeof *a->id);
        a->logprob = mem_resize(a->logprob, (size_t)a->room, sizeof *a->logprob);
    }
    for (int64_t i = 0; i < n; i++) {
        a->id[a->tokens] = id[i];
        a->logprob[a->tokens++] = logprob ? logprob[i] : 0; /* of a prompt's nothing is said */
    }
}

static void put_answer(const Run *u, Answers *a, const Waiting *w, int64_t row, const Written *x)
{
    size_t n = (size_t)a->rows + 1;
    a->row = mem_resize(a->row, n, sizeof *a->row);
    a->ends = mem_resize(a->ends, n + 1, sizeof *a->ends);
    a->score = mem_resize(a->score, n, sizeof *a->score);
    a->finish = mem_resize(a->finish, n, sizeof *a->finish);
    if (!a->rows)
        a->ends[0] = 0;
    if (u->f->prompt) {
        const int64_t *at = (const int64_t *)frame_get(w->frame, "row.tokens")->data + row;
        int64_t skip = skipped(u, at[1] - at[0]);
        const int32_t *id = (const int32_t *)frame_get(w->frame, "token.id")->data + at[0] + skip;
        put_tokens(a, id, NULL, at[1] - at[0] - skip);
        if (at[0] == at[1])
            put_tokens(a, &u->model.settings.bos, NULL, 1);
    }
    put_tokens(a, x->id, x->logprob, x->n);
    a->row[a->rows] = row;
    a->score[a->rows] = x->score;
    a->finish[a->rows] = (uint8_t)x->finish;
    a->ends[++a->rows] = a->tokens;
}

static void add_copy(Frame *f, const char *name, DType type, int64_t n, const void *from)
{
    void *to = frame_add(f, name, type, 1, &n);
    if (n)
        memcpy(to, from, frame_get(f, name)->bytes);
}

/* The frame's rows that were answered, each as often as it was, with the answers for tokens. */
static Frame *answered(const Run *u, const Waiting *w, const Answers *a)
{
    Frame *f = frame_select(w->frame, a->row, a->rows);
    int64_t none = 0;
    bool source = frame_get(f, "row.source");
    frame_drop_tokens(f);
    add_copy(f, "row.tokens", DT_I64, a->rows + 1, a->rows ? a->ends : &none);
    add_copy(f, "token.id", DT_I32, a->tokens, a->id);
    add_copy(f, "row.score", DT_F32, a->rows, a->score);
    add_copy(f, "row.finish", DT_U8, a->rows, a->finish);
    if (u->f->scores)
        add_copy(f, "token.logprob", DT_F32, a->tokens, a->logprob);
    if (!source && u->model.settings.returns > 1) { /* which answers are of one row */
        int64_t *to = frame_add(f, "row.source", DT_I64, 1, &a->rows);
        for (int64_t i = 0; i < a->rows; i++)
            to[i] = w->before + a->row[i];
    }
    f->tokens = a->tokens;
    generate_tell(&u->model, u->f, f);
    return f;
}

static void say_cut(Run *u)
{
    if (!u->cut)
        msg_note("answers end where the model's positions do, %" PRId64 ", before the maximum that "
                 "was asked for",
                 speaker_config(u->model.speaker)->positions);
    u->cut = true;
}

/* Those of the frame's rows that are done, from the first that is not answered. */
static void collect(Run *u, Waiting *w, Answers *a)
{
    const Done *d;
    while (w->answered < w->added && (d = generator_first(u->model.generator))) {
        if (d->why) {
            msg_error("%s: row %" PRId64 ": %s", w->place, w->before + w->answered + 1, d->why);
            u->failed = true;
        }
        for (int64_t i = 0; i < d->answers; i++)
            put_answer(u, a, w, w->answered, &d->answer[i]);
        if (d->cut)
            say_cut(u);
        w->answered++;
        generator_drop(u->model.generator);
    }
}

static void pop(Run *u)
{
    Waiting *w = u->first;
    u->first = w->next;
    if (!u->first)
        u->last = &u->first;
    frame_free(w->frame);
    free(w->place);
    free(w);
}

static int write_answers(Run *u, Waiting *w, Err *e)
{
    Answers a = {0};
    if (u->model.generator)
        collect(u, w, &a);
    bool over = w->answered == w->frame->rows;
    End end = over && !u->failed ? w->frame->end : END_NONE;
    int r = 0;
    if (a.rows || end != END_NONE) {
        Frame *f = a.rows ? answered(u, w, &a) : frame_slice(w->frame, 0, 0);
        f->end = end;
        r = out_write(u->out, f, e);
    }
    free(a.row);
    free(a.ends);
    free(a.id);
    free(a.logprob);
    free(a.score);
    free(a.finish);
    return r;
}

/* What is done goes out, in order. */
static int deliver(Run *u, Err *e)
{
    while (u->first) {
        Waiting *w = u->first;
        if (write_answers(u, w, e) < 0)
            return -1;
        if (w->answered < w->frame->rows && !(u->ended && w->answered == w->added))
            return 0;
        pop(u);
    }
    return 0;
}

/* ---- the loop ---- */

static bool busy(const Run *u)
{
    return u->model.generator && generator_busy(u->model.generator);
}

/* Rows are read as long as some could begin, and only where nobody has to wait for them. */
static bool wants(const Run *u)
{
    if (u->ended)
        return false;
    if (!busy(u))
        return true;
    return generator_waiting(u->model.generator) < generator_batch(u->model.generator) &&
           in_ready(u->in);
}

static int run(Run *u, Err *e)
{
    while (!u->ended || busy(u)) {
        while (wants(u) && take(u))
            if (!busy(u) && deliver(u, e) < 0) /* frames without rows */
                return -1;
        if (busy(u) && generator_step(u->model.generator, e) < 0)
            return -1;
        if (deliver(u, e) < 0)
            return -1;
    }
    return 0;
}

int generate_run(GenerateFilter *f, In *in, Err *e)
{
    Run u = {.f = f, .in = in, .out = out_open()};
    Err late = {0};
    u.last = &u.first;
    int r = f->common->model ? generate_open(&u.model, f, NULL, e) : 0;
    if (r == 0)
        r = run(&u, e);
    if (r == 0 && u.model.generator)
        r = generate_keep(&u.model, f, e);
    if (r == 0 && u.failed) {
        *e = u.why;
        r = -1;
    }
    if (r < 0)
        out_fail(u.out);
    while (u.first)
        pop(&u);
    if (out_close(u.out, &late) < 0 && r == 0) {
        *e = late;
        r = -1;
    }
    generate_close(&u.model);
    return r;
}
