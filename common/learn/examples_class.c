#include "learn/examples_in.h"

#include "base/mapping.h"
#include "base/num.h"
#include "store/jsonfile.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The labels met as a JSON array in their order as bytes; NULL where one is not UTF-8. */
static char *sorted_names(const LabelIds *n)
{
    const char **name = mem_array((size_t)n->count, sizeof *name);
    json_t *list = json_array();
    bool ok = true;
    for (int32_t i = 0; i < n->count; i++)
        name[i] = n->name[i]->text.p;
    qsort(name, (size_t)n->count, sizeof *name, by_name);
    for (int32_t i = 0; i < n->count; i++)
        ok = json_array_append_new(list, json_string(name[i])) == 0 && ok;
    char *text = ok ? json_dumps(list, 0) : NULL;
    json_decref(list);
    free(name);
    return text;
}

int examples_classes(const Examples *x, Classes *c, Err *e)
{
    if (x->soft && !x->labels)
        return classes_parse(c, NULL, NULL, x->numbers, e);
    char *names = x->labels ? mem_str(x->labels) : sorted_names(x->labels_met);
    if (!names)
        return err_set(e, "%s: a label is not UTF-8", x->place);
    json_t *list = json_read_meta(names);
    int64_t n = (int64_t)json_array_size(list);
    json_decref(list);
    int status = n < 1 || n > EXAMPLES_CLASSES
                     ? err_set(e, "metadata labels is no list of classes: %.200s", names)
                     : classes_parse(c, names, NULL, n, e);
    if (status == 0 && n == 1) {
        classes_clear(c);
        status = err_set(e, "there is but one class, %.200s: a head needs two", names);
    }
    if (status < 0)
        err_at(e, "%s", x->place);
    free(names);
    return status;
}

/* Rows of labels as rows of 0 and 1. */
static void number_several(Examples *x, const int32_t *to, int64_t classes)
{
    const int32_t *id = (const int32_t *)x->several.p;
    const int64_t *end = (const int64_t *)x->ends.p;
    x->numbers = classes;
    x->number = mem_zero((size_t)(x->rows * classes), sizeof *x->number);
    for (int64_t i = 0, at = 0; i < x->rows; i++)
        for (; at < end[i]; at++)
            x->number[i * classes + to[id[at]]] = 1;
}

/* Targets lie in a mapped file, which is read only: a copy takes its place. */
static void number_tokens(Examples *x, const int32_t *to)
{
    int32_t *target = mem_array((size_t)x->tokens, sizeof *target);
    for (int64_t i = 0; i < x->tokens; i++)
        target[i] = x->token_target[i] < 0 ? -1 : to[x->token_target[i]];
    mapping_free(mapping_find(x->token_target));
    x->token_target = target;
}

int examples_number(Examples *x, const Classes *c, Err *e)
{
    const LabelIds *n = x->labels_met;
    if (x->soft)
        return soft_number(x, c, e);
    int32_t *to = mem_array((size_t)n->count, sizeof *to);
    int status = 0;
    for (int32_t i = 0; status == 0 && i < n->count; i++) {
        const LabelId *name = n->name[i];
        to[i] = (int32_t)classes_find(c, name->text);
        if (to[i] < 0) {
            char *list = classes_list(c);
            status = err_set(e, "%s: record %" PRId64 ": label '%.200s' is none of the classes %s",
                             name->place, name->row, name->text.p, list);
            free(list);
        }
    }
    for (int64_t i = 0; status == 0 && x->objective == LEARN_CLASS && i < x->rows; i++)
        x->target[i] = to[x->target[i]];
    if (status == 0 && x->objective == LEARN_MULTI)
        number_several(x, to, c->n);
    if (status == 0 && x->objective == LEARN_TOKEN)
        number_tokens(x, to);
    free(to);
    return status;
}

/* A label that is a whole number up to most; else -1. */
static int64_t number_of(const LabelId *name, int64_t most)
{
    int64_t v;
    return num_int(name->text.p, 0, most, &v, NULL) == 0 ? v : -1;
}

int examples_words(Examples *x, const Tokenizer *t, int64_t vocab, Err *e)
{
    const LabelIds *n = x->labels_met;
    int32_t *to = mem_array((size_t)n->count, sizeof *to);
    bool numbers = true;
    int status = 0;
    for (int32_t i = 0; numbers && i < n->count; i++)
        numbers = number_of(n->name[i], vocab - 1) >= 0;
    for (int32_t i = 0; status == 0 && i < n->count; i++) {
        const LabelId *name = n->name[i];
        to[i] = numbers ? (int32_t)number_of(name, vocab - 1) : tokenizer_find(t, name->text);
        if (to[i] < 0 || to[i] >= vocab)
            status = err_set(e,
                             "%s: record %" PRId64 ": '%.200s' under a mask is no token of the "
                             "vocabulary",
                             name->place, name->row, name->text.p);
    }
    if (status == 0)
        number_tokens(x, to);
    free(to);
    return status;
}

int examples_agree(const Examples *a, const Examples *b, Err *e)
{
    if (a->objective != b->objective)
        return err_set(e, "%s: its rows are for %s, those to train on for %s", b->place,
                       objective_names[b->objective], objective_names[a->objective]);
    if (a->width != b->width)
        return err_set(e, "%s: its vectors have width %" PRId64 ", those to train on %" PRId64,
                       b->place, b->width, a->width);
    const char *const what[] = {"encoder", "layer", "pool", "vocab"};
    const char *const of_a[] = {a->encoder, a->layer, a->pool, a->vocab};
    const char *const of_b[] = {b->encoder, b->layer, b->pool, b->vocab};
    for (int i = 0; i < (a->width ? 3 : 4); i++)
        if (strcmp(of_a[i], of_b[i]) != 0)
            return err_set(e, "%s: its %s come from %s '%.100s', those to train on from '%.100s'",
                           b->place, a->width ? "vectors" : "rows", what[i], of_b[i], of_a[i]);
    return 0;
}
