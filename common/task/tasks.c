#include "base/msg.h"
#include "task/task.h"

#include <string.h>

static const Task *const tasks[] = {&task_class, &task_mask, &task_next,     &task_token,
                                    &task_span,  &task_lm,   &task_zero_shot};

enum { TASKS = sizeof tasks / sizeof *tasks };

static const Task *find(const char *name)
{
    for (int i = 0; i < TASKS; i++)
        if (strcmp(tasks[i]->name, name) == 0)
            return tasks[i];
    return NULL;
}

static int refuse(const Task *t, unsigned given, Err *e)
{
    static const char *const option[] = {
        "--multi", "--aggregate",       "--targets", "--max-answer", "--impossible",
        "--eval",  "--skip-unlabelled", "--wide",    "--raw",        "--sort"};
    unsigned over = given & ~t->takes;
    int i = 0;
    while (!(over >> i & 1))
        i++;
    return err_set(e, "%s says nothing of the task '%s', which this stream is for", option[i],
                   t->name);
}

/* What metrics count rows by; others do not look at it. */
static int check_weights(const Frame *f, Err *e)
{
    const Tensor *t = frame_get(f, "row.weight");
    const float *w = t ? t->data : NULL;
    for (int64_t i = 0; w && i < f->rows; i++)
        if (!(w[i] >= 0 && w[i] <= 1e30f))
            return err_set(e, "a row's weight is %g: weights are finite and not negative",
                           (double)w[i]);
    return 0;
}

const Task *task_of(const Frame *f, const Asked *asked, Err *e)
{
    const char *name = frame_meta(f, "task");
    if (!name)
        name = task_class.name;
    if (strcmp(name, task_class.name) == 0 && frame_meta(f, "candidates"))
        name = task_zero_shot.name;
    const Task *t = find(name);
    if (t == &task_class && (asked->given & ASK_SORT))
        t = &task_rank;
    if (!t)
        err_set(e, "unknown task '%.60s': score knows class, mask, next, token, span and lm", name);
    else if (((asked->given & ~t->takes) && refuse(t, asked->given, e) < 0) ||
             ((asked->given & ASK_EVAL) && check_weights(f, e) < 0))
        t = NULL;
    return t;
}

void task_skip(Scorer *s, const Frame *f, int64_t row, const char *why)
{
    msg_error("%s: row %lld: %s", s->place, (long long)s->row, why);
    s->skipped++;
    answer_row(&s->answers, f, row);
    if (s->answers.format == FORMAT_JSON)
        buf_str(&s->answers.out, "null\n");
}

bool task_leaves_out(Scorer *s, const Frame *f, int64_t row)
{
    bool out = (s->asked.given & ASK_SKIP) && !frame_text(f, "row.label", row).n;
    s->unlabelled += out;
    s->measured += !out;
    return out;
}

int task_left_out(const Scorer *s, Err *e)
{
    if (s->unlabelled && !s->measured)
        return err_set(e, "no row has a label: name its column with `tok -l`");
    if (s->unlabelled)
        msg_note("%lld row%s without a label left out", (long long)s->unlabelled,
                 s->unlabelled == 1 ? "" : "s");
    return 0;
}

double task_weight(const Frame *f, int64_t row)
{
    const Tensor *t = frame_get(f, "row.weight");
    return t ? (double)((const float *)t->data)[row] : 1;
}
