#include "text/tokenizer_in.h"

#include <stdlib.h>

struct TokWork {
    const Tokenizer *tokenizer;
    void *model;
    Normal normal;
};

const Template *tokenizer_template(const Tokenizer *t, bool pair)
{
    return pair ? &t->pair : &t->single;
}

const char *tokenizer_fingerprint(const Tokenizer *t)
{
    return t->fingerprint;
}

int64_t tokenizer_max_length(const Tokenizer *t)
{
    return t->max_length;
}

bool tokenizer_has_types(const Tokenizer *t)
{
    return t->types;
}

int32_t tokenizer_special(const Tokenizer *t, Special s)
{
    return t->special[s];
}

bool tokenizer_has_prefix(const Tokenizer *t)
{
    return t->prefix;
}

int32_t tokenizer_size(const Tokenizer *t)
{
    return t->extra.count > t->vocab.count ? t->extra.count : t->vocab.count;
}

Str tokenizer_text(const Tokenizer *t, int32_t id)
{
    Str s = vocab_text(&t->vocab, id);
    return s.p ? s : vocab_text(&t->extra, id);
}

int32_t tokenizer_find(const Tokenizer *t, Str text)
{
    int32_t id = vocab_find(&t->vocab, text);
    return id >= 0 ? id : vocab_find(&t->extra, text);
}

TokWork *tokwork_new(const Tokenizer *t)
{
    TokWork *w = mem_zero(1, sizeof *w);
    w->tokenizer = t;
    w->model = t->model->work_new(t->model);
    return w;
}

void tokwork_free(TokWork *w)
{
    if (!w)
        return;
    w->tokenizer->model->work_free(w->model);
    free(w->normal.p);
    free(w->normal.span);
    free(w);
}

void tokens_free(Tokens *t)
{
    free(t->id);
    free(t->span);
    *t = (Tokens){0};
}

/* A piece of text without plain added tokens that begins at byte `at` of the whole. */
static void encode_piece(const Tokenizer *t, TokWork *w, Str text, int32_t at, size_t limit,
                         Tokens *out)
{
    if (!t->normalised.count) {
        t->model->encode(t->model, w->model, text, at, limit, out);
        return;
    }
    size_t done = 0, from = 0, begin, end;
    Normal *n = &w->normal;
    const Added *a;
    n->n = 0;
    t->model->normalise(t->model, w->model, text, at, n);
    Str normal = str_of(n->p, n->n);
    while (out->n <= limit &&
           (a = added_next(&t->normalised, normal, done, &from, &begin, &end))) {
        t->model->encode_normal(t->model, w->model, n, done, begin, limit, out);
        tokens_add(out, a->id, n->span[begin][0], n->span[end - 1][1]);
        done = end;
    }
    t->model->encode_normal(t->model, w->model, n, done, n->n, limit, out);
}

void tokenizer_encode(const Tokenizer *t, TokWork *w, Str text, size_t limit, Tokens *out)
{
    size_t done = 0, from = 0, begin, end;
    const Added *a;
    if (!limit)
        limit = SIZE_MAX;
    while (out->n <= limit && (a = added_next(&t->plain, text, done, &from, &begin, &end))) {
        if (done < begin)
            encode_piece(t, w, str_of(text.p + done, begin - done), (int32_t)done, limit, out);
        tokens_add(out, a->id, (int32_t)begin, (int32_t)end);
        done = end;
    }
    if (done < text.n)
        encode_piece(t, w, str_of(text.p + done, text.n - done), (int32_t)done, limit, out);
}
