/* examples_soft.c - soft targets: of each row a share for each class instead of one label, as
 * another model gives them. They lie in Examples.number, columns by Examples.labels. */
#include "learn/examples_in.h"

#include "store/jsonfile.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a row ---- */

int soft_check(const float *share, int64_t n, Err *e)
{
    double sum = 0;
    for (int64_t c = 0; c < n; c++) {
        if (!(share[c] >= 0 && share[c] <= 1e30f))
            return err_set(e, "a share of a class is %g: shares are finite and not negative",
                           (double)share[c]);
        sum += (double)share[c];
    }
    return sum > 0 ? 0 : err_set(e, "it has a share in no class");
}

int32_t soft_top(const float *share, int64_t n)
{
    int64_t top = 0;
    for (int64_t c = 1; c < n; c++)
        if (share[c] > share[top])
            top = c;
    return (int32_t)top;
}

double examples_nll(const Examples *x, int64_t row, const float *logit, int64_t n)
{
    if (!x->soft)
        return class_nll(logit, n, x->target[row]);
    double lse = class_log_sum(logit, n), sum = 0;
    for (int64_t c = 0; c < n; c++)
        sum += (double)x->number[row * n + c] * (lse - (double)logit[c]);
    return sum;
}

/* ---- a file ---- */

typedef struct Teacher {
    Examples *x;
    Classes classes;
    int64_t rows; /* read so far */
    bool *had;    /* [classes] of this line */
} Teacher;

/* The first line's labels are the classes. */
static int begin(Teacher *t, const json_t *line, Err *e)
{
    Examples *x = t->x;
    json_t *names = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(line, i, one) {
        json_t *name = json_object_get(one, "label");
        json_array_append(names, name ? name : json_null());
    }
    x->labels = json_dumps(names, 0);
    json_decref(names);
    x->numbers = (int64_t)json_array_size(line);
    if (x->numbers < 2 || x->numbers > EXAMPLES_CLASSES)
        return err_set(e, "%" PRId64 " classes: score -k 0 --json gives the scores of all of them",
                       x->numbers);
    if (classes_parse(&t->classes, x->labels, NULL, x->numbers, e) < 0)
        return -1;
    x->number = mem_zero((size_t)(x->rows * x->numbers), sizeof *x->number);
    t->had = mem_array((size_t)x->numbers, sizeof *t->had);
    return 0;
}

static int take_score(Teacher *t, const json_t *one, float *share, double *sum, Err *e)
{
    const char *label = json_string_value(json_object_get(one, "label"));
    const json_t *score = json_object_get(one, "score");
    if (!label || !json_is_number(score))
        return err_set(e, "it is no list of {\"label\": .., \"score\": ..}");
    int64_t c = classes_find(&t->classes, str_of(label, strlen(label)));
    if (c < 0)
        return err_set(e, "label '%.200s' is not among those of the first line", label);
    if (t->had[c])
        return err_set(e, "label '%.200s' is there twice", label);
    double p = json_number_value(score);
    if (!(p >= 0 && p <= 1))
        return err_set(e, "the score of '%.200s' is %g, and a probability is from 0 to 1", label,
                       p);
    t->had[c] = true;
    share[c] = (float)p;
    *sum += p;
    return 0;
}

static int take_line(Teacher *t, const json_t *line, Err *e)
{
    Examples *x = t->x;
    size_t i;
    json_t *one;
    double sum = 0;
    if (!json_is_array(line))
        return err_set(e, "it is no list of {\"label\": .., \"score\": ..}");
    if (t->rows >= x->rows) /* told when it is known how many there are */
        return 0;
    if (t->rows == 0 && begin(t, line, e) < 0)
        return -1;
    float *share = x->number + t->rows * x->numbers;
    memset(t->had, 0, (size_t)x->numbers * sizeof *t->had);
    json_array_foreach(line, i, one)
        if (take_score(t, one, share, &sum, e) < 0)
            return -1;
    for (int64_t c = 0; c < x->numbers; c++)
        if (!t->had[c])
            return err_set(e, "label '%.200s' is missing", t->classes.name[c]);
    if (fabs(sum - 1) > 1e-3)
        return err_set(e,
                       "its scores add up to %g: of classes that do not exclude each other no "
                       "shares can be learnt",
                       sum);
    x->target[t->rows] = soft_top(share, x->numbers);
    return 0;
}

static int read_lines(Teacher *t, FILE *f, Err *e)
{
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    for (ssize_t n; status == 0 && (n = getline(&line, &room, f)) > 0; t->rows++) {
        json_error_t why;
        json_t *j = json_read(str_of(line, (size_t)n), JSON_REJECT_DUPLICATES, &why);
        status = j ? take_line(t, j, e) : err_set(e, "%.200s", why.text);
        json_decref(j);
        if (status < 0)
            err_at(e, "line %" PRId64, t->rows + 1);
    }
    if (status == 0 && ferror(f))
        status = err_sys(e, "cannot read");
    free(line);
    return status;
}

int soft_read(Examples *x, const char *path, Err *e)
{
    Teacher t = {.x = x};
    FILE *f = fopen(path, "re");
    if (!f)
        return err_sys(e, "%s", path);
    free(x->labels);
    x->labels = NULL;
    x->soft = true;
    int status = read_lines(&t, f, e);
    if (status == 0 && t.rows != x->rows)
        status = err_set(e, "%" PRId64 " lines, but there are %" PRId64 " rows in %s", t.rows,
                         x->rows, x->place);
    fclose(f);
    free(t.had);
    classes_clear(&t.classes);
    return status < 0 ? err_at(e, "%s", path) : 0;
}

/* ---- classes ---- */

int soft_number(Examples *x, const Classes *c, Err *e)
{
    Classes own = {0};
    if (x->numbers != c->n)
        return err_set(e, "%s: targets of %" PRId64 " classes, but there are %" PRId64, x->place,
                       x->numbers, c->n);
    if (!x->labels) /* by their places */
        return 0;
    int status = classes_parse(&own, x->labels, NULL, x->numbers, e);
    float *share = mem_array((size_t)c->n, sizeof *share);
    int64_t *to = mem_array((size_t)c->n, sizeof *to);
    for (int64_t k = 0; k < own.n && status == 0; k++)
        if ((to[k] = classes_find(c, str_of(own.name[k], strlen(own.name[k])))) < 0)
            status = err_set(e, "%s: targets of a class '%.200s', which there is not", x->place,
                             own.name[k]);
    for (int64_t i = 0; i < x->rows && status == 0; i++) {
        float *row = x->number + i * c->n;
        for (int64_t k = 0; k < own.n; k++)
            share[to[k]] = row[k];
        memcpy(row, share, (size_t)c->n * sizeof *row);
        x->target[i] = soft_top(row, c->n);
    }
    free(share);
    free(to);
    classes_clear(&own);
    return status;
}

void examples_smooth(Examples *x, double smooth)
{
    double even = smooth / (double)x->numbers;
    for (int64_t i = 0; smooth > 0 && i < x->rows * x->numbers; i++)
        x->number[i] = (float)((1 - smooth) * (double)x->number[i] + even);
}
