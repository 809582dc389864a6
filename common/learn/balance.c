#include "learn/balance.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

int64_t *class_counts(const Examples *v, int64_t n)
{
    int64_t *count = mem_zero((size_t)n, sizeof *count);
    for (int64_t i = 0; i < v->rows; i++)
        count[v->target[i]]++;
    return count;
}

static void balanced(const Examples *v, int64_t n, float *weight)
{
    int64_t *count = class_counts(v, n);
    for (int64_t c = 0; c < n; c++)
        weight[c] = count[c] ? (float)((double)v->rows / ((double)n * (double)count[c])) : 1;
    free(count);
}

static int listed(char *text, const Classes *c, float *weight, Err *e)
{
    int64_t n = 0;
    for (char *word; (word = strsep(&text, ",")); n++) {
        double x;
        if (num_real(word, 0, 1e6, &x, e) < 0)
            return -1;
        if (n < c->n)
            weight[n] = (float)x;
    }
    if (n == c->n)
        return 0;
    char *names = classes_list(c);
    err_set(e, "%lld weights for %lld classes (%s)", (long long)n, (long long)c->n, names);
    free(names);
    return -1;
}

float *class_weights(const char *text, const Examples *v, const Classes *c, Err *e)
{
    float *weight = mem_array((size_t)c->n, sizeof *weight);
    char *copy = mem_str(text);
    if (strcmp(text, "balanced") == 0) {
        balanced(v, c->n, weight);
    } else if (listed(copy, c, weight, e) < 0) {
        free(weight);
        weight = NULL;
    }
    free(copy);
    return weight;
}
