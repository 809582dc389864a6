/* rank.c - text-classification whose rows are candidates for what they share (`near --pairs`): the
 * rows of a group best first. */
#include "base/num.h"
#include "base/write.h"
#include "measure/classes.h"
#include "task/group.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEEP "row.keep."

/* A row of the open group: its score, and where in r->bytes what CSV has before it, its text, and
 * in JSON its kept columns begin and end. */
typedef struct Candidate {
    double score, margin;
    int64_t at; /* its place in the group */
    size_t lead, text, kept, end;
} Candidate;

typedef struct Rank {
    Classes classes; /* of this frame */
    const float *logit;
    Group group;
    Candidate *candidate;
    int64_t n, room;
    int64_t whole; /* rows that a group has; 0: the stream does not say */
    Buf bytes;
} Rank;

static void *open_rank(Scorer *s, const Frame *f, Err *e)
{
    (void)s, (void)f, (void)e;
    return mem_zero(1, sizeof(Rank));
}

/* One number orders the rows: the only logit's score, or that of the second of two classes. */
static int frame_rank(void *state, Scorer *s, const Frame *f, Err *e)
{
    Rank *r = state;
    const Tensor *logit = frame_need(f, "row.logit", DT_F32, 2, e);
    if (!logit)
        return -1;
    int64_t n = logit->shape[1];
    if (n < 1 || n > 2)
        return err_set(e,
                       "--sort goes by the one logit of a row, or the second of two: this model "
                       "has %lld",
                       (long long)n);
    classes_clear(&r->classes);
    if (class_names(&r->classes, f, s, n, e) < 0)
        return -1;
    r->logit = logit->data;
    Err none = {0};
    const char *whole = frame_meta(f, "group");
    if (!whole || num_int(whole, 1, INT64_MAX, &r->whole, &none) < 0)
        r->whole = 0;
    return answer_columns(&s->answers, f, "rank,score", e);
}

static void put_kept(Buf *b, const Frame *f, int64_t row)
{
    int kept = 0;
    for (int i = 0; i < f->count; i++) {
        const char *name = f->tensor[i].name;
        if (strncmp(name, KEEP, strlen(KEEP)) != 0)
            continue;
        if (!kept)
            put_json_key(b, ", ", "keep");
        put_json_key(b, kept++ ? ", " : "{", name + strlen(KEEP));
        put_json(b, frame_text(f, name, row));
    }
    buf_str(b, kept ? "}" : "");
}

static Candidate *next_candidate(Rank *r)
{
    if (r->n == r->room) {
        r->room = r->room * 2 + 64;
        r->candidate = mem_resize(r->candidate, (size_t)r->room, sizeof *r->candidate);
    }
    r->candidate[r->n] = (Candidate){.at = r->n};
    return &r->candidate[r->n++];
}

/* What is printed of the row outlives its frame. */
static void hold(Rank *r, const Answers *a, const Frame *f, int64_t row, Candidate *c)
{
    Str text = frame_text(f, frame_get(f, "row.pair") ? "row.pair" : "row.text", row);
    c->lead = r->bytes.n;
    answer_hold(a, f, row, &r->bytes);
    c->text = r->bytes.n;
    if (a->format != FORMAT_CSV)
        buf_add(&r->bytes, text.p, text.n);
    c->kept = r->bytes.n;
    if (a->format == FORMAT_JSON)
        put_kept(&r->bytes, f, row);
    c->end = r->bytes.n;
}

static Str held(const Rank *r, size_t from, size_t to)
{
    return str_of(r->bytes.p ? r->bytes.p + from : "", to - from);
}

static int best_first(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* What CrossEncoder.rank returns with return_documents, and the kept columns. */
static void put_list(const Rank *r, Buf *b, int64_t count)
{
    buf_str(b, "[");
    for (int64_t i = 0; i < count; i++) {
        const Candidate *c = &r->candidate[i];
        put_json_key(b, i ? ", {" : "{", "corpus_id");
        buf_fmt(b, "%lld", (long long)c->at);
        put_json_key(b, ", ", "score");
        put_float(b, (float)c->score);
        put_json_key(b, ", ", "text");
        put_json(b, held(r, c->text, c->kept));
        buf_add(b, r->bytes.p + c->kept, c->end - c->kept);
        buf_str(b, "}");
    }
    buf_str(b, "]\n");
}

static int flush_rank(void *state, Scorer *s, Err *e)
{
    Rank *r = state;
    Answers *a = &s->answers;
    int64_t n = r->n, count = answer_count(a, n, n);
    (void)e;
    if (!n)
        return 0;
    qsort(r->candidate, (size_t)n, sizeof *r->candidate, best_first);
    answer_group(a);
    if (a->format == FORMAT_JSON)
        put_list(r, &a->out, count);
    for (int64_t i = 0; a->format != FORMAT_JSON && i < count; i++) {
        const Candidate *c = &r->candidate[i];
        answer_held(a, held(r, c->lead, c->text));
        answer_line(
            a,
            (Cell[]){cell_count(i + 1), cell_score(c->score), cell_text(held(r, c->text, c->kept))},
            a->format == FORMAT_CSV ? 2 : 3, c->margin);
    }
    r->n = 0;
    r->bytes.n = 0;
    group_close(&r->group);
    return 0;
}

static int row_rank(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    Rank *r = state;
    int64_t n = r->classes.n;
    const float *logit = r->logit + row * n;
    double score[2];
    if (class_finite(logit, n, e) < 0)
        return -1;
    if (group_turns(&r->group, f, row)) {
        flush_rank(r, s, e);
        group_open(&r->group);
    }
    class_scores(s->asked.given & ASK_MULTI ? ANY_OF : r->classes.problem, logit, n, score);
    Candidate *c = next_candidate(r);
    c->score = score[n - 1];
    c->margin = n > 1 ? fabs(score[0] - score[1]) : NAN;
    hold(r, &s->answers, f, row, c);
    return r->n == r->whole ? flush_rank(r, s, e) : 0;
}

static void close_rank(void *state)
{
    Rank *r = state;
    classes_clear(&r->classes);
    free(r->candidate);
    free(r->bytes.p);
    free(r);
}

const Task task_rank = {
    "class",   ASK_MULTI | ASK_RAW | ASK_SORT, open_rank, frame_rank, row_rank, flush_rank, NULL,
    close_rank};
