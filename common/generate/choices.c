#include "generate/choices.h"

#include "base/mem.h"
#include "rows/candidates.h"

#include <stdlib.h>
#include <string.h>

/* The answers in the order of their tokens: those that begin alike stand together. */
struct Choices {
    Ids *of;
    int64_t n;
};

static int by_tokens(const void *a, const void *b)
{
    const Ids *x = a, *y = b;
    for (int64_t i = 0; i < x->n && i < y->n; i++)
        if (x->id[i] != y->id[i])
            return x->id[i] < y->id[i] ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

static int add(Choices *c, const Tokenizer *t, Str text, Err *e)
{
    TokWork *w = tokwork_new(t);
    Tokens out = {0};
    tokenizer_encode(t, w, text, 0, &out);
    Ids ids = {mem_array(out.n + 1, sizeof *ids.id), (int64_t)out.n};
    for (size_t i = 0; i < out.n; i++)
        ids.id[i] = out.id[i];
    tokens_free(&out);
    tokwork_free(w);
    c->of[c->n++] = ids;
    return ids.n ? 0 : err_usage(e, "--choices: '%.*s' has no tokens", (int)text.n, text.p);
}

Choices *choices_new(const char *given, const Tokenizer *t, Err *e)
{
    Candidates all = {0};
    if (candidates_parse(&all, given, "{}", e) < 0)
        return NULL;
    Choices *c = mem_zero(1, sizeof *c);
    c->of = mem_zero((size_t)all.count + 1, sizeof *c->of);
    int r = all.count ? 0 : err_usage(e, "--choices names no answer");
    for (int i = 0; i < all.count && r == 0; i++)
        r = add(c, t, all.text[i], e);
    candidates_free(&all);
    if (r < 0) {
        choices_free(c);
        return NULL;
    }
    qsort(c->of, (size_t)c->n, sizeof *c->of, by_tokens);
    return c;
}

void choices_free(Choices *c)
{
    for (int64_t i = 0; c && i < c->n; i++)
        free(c->of[i].id);
    if (c)
        free(c->of);
    free(c);
}

int64_t choices_most(const Choices *c)
{
    return c->n;
}

int64_t choices_next(const Choices *c, const int32_t *id, int64_t n, int32_t *next, bool *whole)
{
    int64_t found = 0;
    *whole = false;
    for (int64_t i = 0; i < c->n; i++) {
        const Ids *a = &c->of[i];
        if (a->n < n || (n && memcmp(a->id, id, (size_t)n * sizeof *id) != 0))
            continue;
        if (a->n == n)
            *whole = true;
        else if (!found || next[found - 1] != a->id[n])
            next[found++] = a->id[n];
    }
    return found;
}
