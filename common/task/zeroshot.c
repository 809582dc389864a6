/* zeroshot.c - zero-shot-classification: each record is paired with every candidate, and a
 * model of natural language inference says whether it entails it. */
#include "base/write.h"
#include "measure/metrics.h"
#include "store/jsonfile.h"
#include "task/group.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct ZeroShot {
    Classes candidates;
    int64_t width, entailment, contradiction;
    const float *logit;
    Group group;
    int64_t have;  /* candidates of the open record so far */
    float *entail; /* [candidates] of it */
    float *contradict;
    Buf text, label; /* its own */
    double weight;
    double *score;
    int64_t *order;
    Metrics metrics;
} ZeroShot;

static int read_candidates(Classes *c, const char *json, Err *e)
{
    json_t *list = json_read_meta(json);
    size_t n = json_array_size(list);
    json_decref(list);
    if (n == 0)
        return err_set(e, "the candidates are no JSON array of names: %.200s", json);
    if (classes_parse(c, json, NULL, (int64_t)n, e) < 0)
        return err_at(e, "candidates");
    c->problem = ONE_OF;
    return 0;
}

/* As the pipeline finds them: entailment by its name, contradiction at the other end. */
static int find_entailment(ZeroShot *t, const Frame *f, int64_t width, Err *e)
{
    Classes c;
    if (classes_read(&c, f, width, e) < 0)
        return -1;
    t->width = width;
    for (t->entailment = 0; t->entailment < c.n; t->entailment++)
        if (strncasecmp(c.name[t->entailment], "entail", strlen("entail")) == 0)
            break;
    t->contradiction = t->entailment == 0 ? width - 1 : 0;
    char *list = classes_list(&c);
    int status = 0;
    if (t->entailment == c.n)
        status = err_set(e,
                         "no class of the model begins with 'entail' (%.600s): candidates "
                         "need a model of natural language inference",
                         list);
    free(list);
    classes_clear(&c);
    return status;
}

static const Tensor *logits_of(const Frame *f, Err *e)
{
    const Tensor *logit = frame_need(f, "row.logit", DT_F32, 2, e);
    if (logit && logit->shape[1] < 1) {
        err_set(e, "row.logit has no logits");
        return NULL;
    }
    return logit;
}

static void close_zero_shot(void *state)
{
    ZeroShot *t = state;
    classes_clear(&t->candidates);
    metrics_free(&t->metrics);
    free(t->entail);
    free(t->contradict);
    free(t->text.p);
    free(t->label.p);
    free(t->score);
    free(t->order);
    free(t);
}

static void *open_zero_shot(Scorer *s, const Frame *f, Err *e)
{
    ZeroShot *t = mem_zero(1, sizeof *t);
    const Tensor *logit = logits_of(f, e);
    s->answers.alone = true;
    if (!logit || find_entailment(t, f, logit->shape[1], e) < 0 ||
        read_candidates(&t->candidates, frame_meta(f, "candidates"), e) < 0 ||
        ((s->asked.given & ASK_EVAL) && metrics_fit(t->candidates.n, e) < 0)) {
        close_zero_shot(t);
        return NULL;
    }
    size_t n = (size_t)t->candidates.n;
    t->entail = mem_array(n, sizeof *t->entail);
    t->contradict = mem_array(n, sizeof *t->contradict);
    t->score = mem_array(n, sizeof *t->score);
    t->order = mem_array(n, sizeof *t->order);
    if (s->asked.given & ASK_EVAL)
        t->metrics = metrics_new((int64_t)n);
    return t;
}

/* Candidates are the command line's of `tok`, so that they change only where streams meet. */
static int same_candidates(const ZeroShot *t, const Frame *f, Err *e)
{
    Classes c;
    if (read_candidates(&c, frame_meta(f, "candidates"), e) < 0)
        return -1;
    bool same = c.n == t->candidates.n;
    for (int64_t i = 0; same && i < c.n; i++)
        same = strcmp(c.name[i], t->candidates.name[i]) == 0;
    classes_clear(&c);
    return same ? 0 : err_set(e, "the candidates change: score the streams apart");
}

static int frame_zero_shot(void *state, Scorer *s, const Frame *f, Err *e)
{
    ZeroShot *t = state;
    const Tensor *logit = logits_of(f, e);
    if (!logit || same_candidates(t, f, e) < 0)
        return -1;
    if (logit->shape[1] != t->width)
        return err_set(e, "%lld logits a row, where rows before had %lld",
                       (long long)logit->shape[1], (long long)t->width);
    t->logit = logit->data;
    return answer_columns(&s->answers, f, "label,score", e);
}

/* Softmax of entailment over the candidates; or, each by itself, against contradiction. */
static void score_candidates(const ZeroShot *t, bool each)
{
    int64_t n = t->candidates.n;
    class_scores(ONE_OF, t->entail, n, t->score);
    for (int64_t i = 0; each && i < n; i++) {
        float pair[2] = {t->contradict[i], t->entail[i]};
        double p[2];
        class_scores(ONE_OF, pair, 2, p);
        t->score[i] = p[1];
    }
}

static int by_score(const void *a, const void *b, void *scores)
{
    const double *score = scores;
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (score[i] != score[j])
        return score[i] > score[j] ? -1 : 1;
    return i > j ? -1 : 1; /* an ascending order read backwards, as the pipeline does it */
}

static Str candidate(const ZeroShot *t, int64_t k)
{
    const char *name = t->candidates.name[t->order[k]];
    return str_of(name, strlen(name));
}

static void put_object(const ZeroShot *t, Buf *b, int64_t count)
{
    put_json_key(b, "{", "sequence");
    put_json(b, str_of(t->text.p, t->text.n));
    put_json_key(b, ", ", "labels");
    for (int64_t k = 0; k < count; k++) {
        buf_str(b, k ? ", " : "[");
        put_json(b, candidate(t, k));
    }
    put_json_key(b, "], ", "scores");
    for (int64_t k = 0; k < count; k++) {
        buf_str(b, k ? ", " : "[");
        put_float(b, (float)t->score[t->order[k]]);
    }
    buf_str(b, "]}\n");
}

/* TSV and CSV have the best candidate a line, JSON all of them, unless -k says how many. */
static void put_answer(const ZeroShot *t, Scorer *s)
{
    Answers *a = &s->answers;
    int64_t n = t->candidates.n;
    int64_t count = answer_count(a, a->format == FORMAT_JSON ? n : 1, n);
    for (int64_t i = 0; i < n; i++)
        t->order[i] = i;
    qsort_r(t->order, (size_t)n, sizeof *t->order, by_score, t->score);
    double margin = n > 1 ? t->score[t->order[0]] - t->score[t->order[1]] : NAN;
    for (int64_t i = 0; a->top == TOP_ALL && i < n; i++)
        t->order[i] = i;
    if (a->format == FORMAT_JSON)
        put_object(t, &a->out, count);
    for (int64_t k = 0; a->format != FORMAT_JSON && k < count; k++)
        answer_line(a, (Cell[]){cell_text(candidate(t, k)), cell_score(t->score[t->order[k]])}, 2,
                    margin);
}

static int flush_zero_shot(void *state, Scorer *s, Err *e)
{
    ZeroShot *t = state;
    int64_t have = t->have, n = t->candidates.n;
    if (!have)
        return 0;
    t->have = 0;
    group_close(&t->group);
    if (have < n)
        return err_set(e, "%lld rows for %lld candidates: rows of one record must stay together",
                       (long long)have, (long long)n);
    if (s->asked.given & ASK_EVAL)
        return metrics_choice(&t->metrics, &t->candidates, t->entail,
                              str_of(t->label.p, t->label.n), t->weight, e);
    score_candidates(t, n == 1 || (s->asked.given & ASK_MULTI));
    put_answer(t, s);
    return 0;
}

static void begin_record(ZeroShot *t, Scorer *s, const Frame *f, int64_t row)
{
    Str text = frame_text(f, "row.text", row), label = frame_text(f, "row.label", row);
    t->text.n = t->label.n = 0;
    buf_add(&t->text, text.p, text.n);
    buf_add(&t->label, label.p, label.n);
    t->weight = task_weight(f, row);
    group_open(&t->group);
    answer_row(&s->answers, f, row);
}

static int row_zero_shot(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    ZeroShot *t = state;
    const float *logit = t->logit + row * t->width;
    bool sources = frame_get(f, "row.source") != NULL;
    if (class_finite(logit, t->width, e) < 0)
        return -1;
    if ((group_turns(&t->group, f, row) && (sources || !t->have))) {
        if (flush_zero_shot(t, s, e) < 0)
            return -1;
        begin_record(t, s, f, row);
    }
    t->entail[t->have] = logit[t->entailment];
    t->contradict[t->have++] = logit[t->contradiction];
    return t->have == t->candidates.n ? flush_zero_shot(t, s, e) : 0;
}

static int report_zero_shot(void *state, Scorer *s, Err *e)
{
    const ZeroShot *t = state;
    (void)e;
    metrics_put(&s->answers.out, &t->metrics, &t->candidates, s->answers.format == FORMAT_JSON);
    return 0;
}

const Task task_zero_shot = {"zero-shot",      ASK_MULTI | ASK_EVAL | ASK_SKIP,
                             open_zero_shot,   frame_zero_shot,
                             row_zero_shot,    flush_zero_shot,
                             report_zero_shot, close_zero_shot};
