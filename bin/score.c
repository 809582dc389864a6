/* score - logits to answers, or to metrics. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/write.h"
#include "bin/programs.h"
#include "io/stream.h"
#include "task/task.h"

#include <stdlib.h>

/* What an option asks of a task is its key. */
#define KEY_ASK(ask) (OPT_LONG + (ask))
enum { KEY_JSON = OPT_LONG + (1 << 16), KEY_CSV };

enum { MAX_ANSWER = 15, DELIVERED = 1 << 16 }; /* tokens; bytes that need not wait for a frame */

static const Opt options[] = {
    {'k', "top", "N", "N answers a row, a line each, row number first; 0 all in class order",
     OPT_INT(Scorer, answers.top, 0, INT32_MAX)},
    {KEY_JSON, "json", NULL, "a JSON value a row", OPT_KEY},
    {KEY_CSV, "csv", NULL, "CSV with text, labels and margin", OPT_KEY},
    {KEY_ASK(ASK_MULTI), "multi", NULL, "independent scores: several labels may be right", OPT_KEY},
    {KEY_ASK(ASK_AGGREGATE), "aggregate", "HOW", "entities: none, simple, first, average or max",
     OPT_KEY},
    {KEY_ASK(ASK_TARGETS), "targets", "A,B", "fill-mask over these words", OPT_KEY},
    {KEY_ASK(ASK_MAX_ANSWER), "max-answer", "N", "answers of at most N tokens (15)", OPT_KEY},
    {KEY_ASK(ASK_IMPOSSIBLE), "impossible", NULL, "a question may have no answer", OPT_KEY},
    {KEY_ASK(ASK_WIDE), "wide", NULL, "with -k 0: a line a row, a column a class", OPT_KEY},
    {KEY_ASK(ASK_RAW), "raw", NULL, "logits as they are", OPT_KEY},
    {KEY_ASK(ASK_SORT), "sort", NULL, "rows of a group, such as a query's candidates, best first",
     OPT_KEY},
    {'e', "eval", NULL, "metrics against the rows' labels instead of answers", OPT_KEY},
    {KEY_ASK(ASK_SKIP), "skip-unlabelled", NULL, "with -e: leave rows without a label out",
     OPT_KEY},
    {0},
};

typedef struct Score {
    Scorer scorer;
    const Task *task; /* NULL: before the first row */
    void *state;
} Score;

static void check_options(const Scorer *s)
{
    unsigned given = s->asked.given;
    if (s->answers.format == FORMAT_CSV && (given & ASK_EVAL))
        die_usage("--csv goes with neither --json nor --eval");
    if ((given & ASK_EVAL) && (s->answers.top != TOP_DEFAULT || (given & ASK_MULTI)))
        die_usage("--eval measures the one best answer a row: without -k and --multi");
    if ((given & ASK_EVAL) && (given & (ASK_RAW | ASK_SORT)))
        die_usage("--raw and --sort are about answers, not --eval");
    if ((given & ASK_RAW) && (given & ASK_MULTI))
        die_usage("--raw and --multi exclude each other");
    if ((given & ASK_WIDE) && (given & ASK_SORT))
        die_usage("--sort has a line a row of the group: without --wide");
    if ((given & ASK_EVAL) && (given & ASK_AGGREGATE))
        die_usage("--eval measures the words' own labels: without --aggregate");
    if ((given & ASK_SKIP) && !(given & ASK_EVAL))
        die_usage("--skip-unlabelled is about --eval");
    if ((given & ASK_WIDE) && (s->answers.top != TOP_ALL || s->answers.format == FORMAT_JSON))
        die_usage("--wide is the form of all classes, as text or CSV: with -k 0");
}

static void read_options(Scorer *s, Args *a)
{
    static const char *const how[] = {"none", "simple", "first", "average", "max", NULL};
    bool json = false, csv = false;
    for (int k; (k = args_next(a)) != -1;) {
        s->asked.given |= k == 'e' ? ASK_EVAL : k < KEY_JSON ? (unsigned)(k - OPT_LONG) : 0;
        switch (k) {
        case KEY_JSON: json = true; break;
        case KEY_CSV: csv = true; break;
        case KEY_ASK(ASK_AGGREGATE): s->asked.aggregate = (Aggregate)args_word(a, how); break;
        case KEY_ASK(ASK_TARGETS): s->asked.targets = a->value; break;
        case KEY_ASK(ASK_MAX_ANSWER): s->asked.max_answer = args_int(a, 1, INT32_MAX); break;
        }
    }
    if (csv && json)
        die_usage("--csv goes with neither --json nor --eval");
    s->answers.format = json ? FORMAT_JSON : csv ? FORMAT_CSV : FORMAT_TSV;
    s->stream_tokenizer.model = a->common.model;
    check_options(s);
}

static void deliver(Score *s)
{
    Err e = {0};
    if (put_out(&s->scorer.answers.out, &e) < 0)
        die(&e);
}

/* The first frame with rows says which task it is, and it stays that. */
static int settle_task(Score *s, const Frame *f, Err *e)
{
    const Task *t = task_of(f, &s->scorer.asked, e);
    if (!t)
        return -1;
    if (s->task && s->task != t)
        return err_set(e, "the task changes from '%s' to '%s': score the streams apart",
                       s->task->name, t->name);
    if (s->task)
        return 0;
    s->task = t;
    s->state = t->open(&s->scorer, f, e);
    return s->state ? 0 : -1;
}

static int answer_frame(Score *s, const In *in, const Frame *f, Err *e)
{
    int status = 0;
    if (f->rows && (settle_task(s, f, e) < 0 || s->task->frame(s->state, &s->scorer, f, e) < 0))
        return -1;
    s->scorer.place = in_place(in);
    for (int64_t i = 0; status == 0 && i < f->rows; i++) {
        s->scorer.row = in_rows(in) - f->rows + i + 1;
        if (task_leaves_out(&s->scorer, f, i))
            continue;
        status = s->task->row(s->state, &s->scorer, f, i, e);
        if (status < 0)
            err_at(e, "row %lld", (long long)s->scorer.row);
        if (s->scorer.answers.out.n > DELIVERED)
            deliver(s);
    }
    if (status == 0 && f->end != END_NONE && s->task && s->task->flush)
        status = s->task->flush(s->state, &s->scorer, e);
    return status;
}

/* What is answered goes out frame by frame: whoever types a line sees its answer. */
static void run(Score *s, In *in)
{
    Err e = {0};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, &e)) > 0) {
        if ((k = answer_frame(s, in, f, &e)) < 0)
            err_at(&e, "%s", in_place(in));
        frame_free(f);
        deliver(s);
        if (k < 0)
            break;
    }
    if (k < 0)
        die(&e);
}

/* CSV of no rows has its header, that of classes. */
static void put_empty(Score *s)
{
    Err e = {0};
    Frame *none = frame_new(0, 0);
    const char *columns = s->scorer.asked.given & ASK_SORT ? "rank,score" : "label,score";
    if (!s->task && answer_columns(&s->scorer.answers, none, columns, &e) < 0)
        die(&e);
    frame_free(none);
    deliver(s);
}

static void report(Score *s)
{
    Err e = {0};
    if (!s->task)
        dief("no rows to measure");
    if (task_left_out(&s->scorer, &e) < 0)
        die(&e);
    if (s->task->report(s->state, &s->scorer, &e) < 0)
        die(&e);
    deliver(s);
}

int main(int argc, char **argv)
{
    Score s = {.scorer = {.answers.top = TOP_DEFAULT, .asked.max_answer = MAX_ANSWER}};
    Args a = args_begin(PROGRAM(score), options, &s.scorer, argc, argv);
    read_options(&s.scorer, &a);
    In *in = in_open(a.files, a.nfiles);
    run(&s, in);
    if (s.scorer.asked.given & ASK_EVAL)
        report(&s);
    else
        put_empty(&s);
    in_close(in);
    if (s.task)
        s.task->close(s.state);
    stream_tokenizer_close(&s.scorer.stream_tokenizer);
    answer_free(&s.scorer.answers);
    return s.scorer.skipped ? EXIT_DATA : 0;
}
