#include "measure/classes.h"

#include "store/jsonfile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b, void *names)
{
    char **name = names;
    return strcmp(name[*(const int64_t *)a], name[*(const int64_t *)b]);
}

static int sort_names(Classes *c, Err *e)
{
    c->sorted = mem_array((size_t)c->n, sizeof *c->sorted);
    for (int64_t i = 0; i < c->n; i++)
        c->sorted[i] = i;
    qsort_r(c->sorted, (size_t)c->n, sizeof *c->sorted, by_name, c->name);
    for (int64_t i = 1; i < c->n; i++)
        if (strcmp(c->name[c->sorted[i - 1]], c->name[c->sorted[i]]) == 0)
            return err_set(e, "two classes are called '%.200s'", c->name[c->sorted[i]]);
    return 0;
}

static int names_from(Classes *c, const char *json, Err *e)
{
    json_t *list = json_read_meta(json);
    int status = 0;
    if (!json_is_array(list))
        status = err_set(e, "the classes are no JSON array: %.200s", json);
    else if ((int64_t)json_array_size(list) != c->n)
        status = err_set(e, "%zu classes are named for %lld logits a row", json_array_size(list),
                         (long long)c->n);
    for (int64_t i = 0; status == 0 && i < c->n; i++) {
        const char *s = json_string_value(json_array_get(list, (size_t)i));
        if (s)
            c->name[i] = mem_str(s);
        else
            status = err_set(e, "a class's name is no string: %.200s", json);
    }
    json_decref(list);
    return status;
}

static int problem_of(const char *word, int64_t n, Problem *p, Err *e)
{
    if (!word || strcmp(word, "single_label_classification") == 0)
        *p = n == 1 ? ANY_OF : ONE_OF;
    else if (strcmp(word, "multi_label_classification") == 0)
        *p = ANY_OF;
    else if (strcmp(word, "regression") == 0)
        *p = VALUE;
    else
        return err_set(e, "unknown problem '%.100s' in the metadata", word);
    return 0;
}

int classes_parse(Classes *c, const char *json, const char *problem, int64_t n, Err *e)
{
    *c = (Classes){.n = n, .name = mem_zero((size_t)n, sizeof *c->name)};
    int status = problem_of(problem, n, &c->problem, e);
    if (status == 0 && json)
        status = names_from(c, json, e);
    for (int64_t i = 0; status == 0 && !json && i < n; i++)
        c->name[i] = mem_fmt("LABEL_%lld", (long long)i);
    if (status == 0)
        status = sort_names(c, e);
    if (status < 0)
        classes_clear(c);
    return status;
}

int classes_read(Classes *c, const Frame *f, int64_t n, Err *e)
{
    const char *one = n == 1 ? frame_meta(f, "activation") : NULL;
    if (classes_parse(c, frame_meta(f, "classes"), frame_meta(f, "problem"), n, e) < 0)
        return -1;
    if (one && strcmp(one, "Identity") == 0)
        c->problem = VALUE;
    else if (one && strcmp(one, "Sigmoid") == 0)
        c->problem = ANY_OF;
    else if (one) {
        classes_clear(c);
        return err_set(e,
                       "the model's scores are the %.100s of its logits, which is not known: "
                       "`score --raw` gives these",
                       one);
    }
    return 0;
}

void classes_clear(Classes *c)
{
    for (int64_t i = 0; i < c->n; i++)
        free(c->name[i]);
    free(c->name);
    free(c->sorted);
    *c = (Classes){0};
}

/* strcmp's order between a name and bytes that no NUL ends. */
static int compare(const char *name, Str s)
{
    size_t n = strlen(name), least = n < s.n ? n : s.n;
    int d = least ? memcmp(name, s.p, least) : 0;
    return d ? d : (n > s.n) - (n < s.n);
}

int64_t classes_find(const Classes *c, Str name)
{
    for (int64_t low = 0, high = c->n; low < high;) {
        int64_t mid = low + (high - low) / 2;
        int d = compare(c->name[c->sorted[mid]], name);
        if (d == 0)
            return c->sorted[mid];
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

char *classes_list(const Classes *c)
{
    enum { SHOWN = 12 };
    Buf b = {0};
    for (int64_t i = 0; i < c->n && i < SHOWN; i++)
        buf_fmt(&b, "%s%.40s", i ? ", " : "", c->name[i]);
    if (c->n > SHOWN)
        buf_fmt(&b, ", ... %lld in all", (long long)c->n);
    buf_add(&b, "", 1);
    return b.p;
}

double class_log_sum(const float *logit, int64_t n)
{
    double top = logit[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        top = (double)logit[i] > top ? (double)logit[i] : top;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)logit[i] - top);
    return top + log(sum);
}

void class_scores(Problem p, const float *logit, int64_t n, double *score)
{
    double all = p == ONE_OF ? class_log_sum(logit, n) : 0;
    for (int64_t i = 0; i < n; i++) {
        double x = (double)logit[i];
        score[i] = p == ONE_OF ? exp(x - all) : p == ANY_OF ? 1 / (1 + exp(-x)) : x;
    }
}

double class_nll(const float *logit, int64_t n, int64_t gold)
{
    return class_log_sum(logit, n) - (double)logit[gold];
}

static bool above(const float *logit, int64_t i, int64_t j)
{
    return logit[i] != logit[j] ? logit[i] > logit[j] : i < j;
}

static int by_logit(const void *a, const void *b, void *logits)
{
    return above(logits, *(const int64_t *)a, *(const int64_t *)b) ? -1 : 1;
}

/* Of a whole vocabulary a few are asked for: most entries cost one comparison. */
static void insert_best(const float *logit, int64_t n, int64_t k, int64_t *order)
{
    int64_t have = 0;
    for (int64_t i = 0; i < n; i++) {
        if (have == k && !above(logit, i, order[k - 1]))
            continue;
        int64_t at = have < k ? have++ : k - 1;
        for (; at > 0 && above(logit, i, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

void class_top(const float *logit, int64_t n, int64_t k, int64_t *order)
{
    enum { FEW = 64 };
    if (k <= FEW) {
        insert_best(logit, n, k, order);
        return;
    }
    int64_t *all = mem_array((size_t)n, sizeof *all);
    for (int64_t i = 0; i < n; i++)
        all[i] = i;
    qsort_r(all, (size_t)n, sizeof *all, by_logit, (void *)logit);
    memcpy(order, all, (size_t)k * sizeof *order);
    free(all);
}

int64_t class_gold(const Classes *c, Str label, Err *e)
{
    if (!label.n)
        return err_set(e, "no label to measure against: name its column with `tok -l`, or leave "
                          "such rows out with --skip-unlabelled");
    int64_t gold = classes_find(c, label);
    if (gold < 0) {
        char *list = classes_list(c);
        err_set(e, "label '%.*s' is not a class of the model (%.600s)",
                label.n > 100 ? 100 : (int)label.n, label.p, list);
        free(list);
    }
    return gold;
}

int class_finite(const float *logit, int64_t n, Err *e)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(logit[i]))
            return err_set(e, "the model produced %s: look at its weights with `show`",
                           isnan(logit[i]) ? "NaN" : "infinity");
    return 0;
}
