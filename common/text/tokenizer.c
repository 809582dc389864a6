#include "text/tokenizer_in.h"

#include <stdlib.h>
#include <string.h>

struct TokWork {
    const Tokenizer *tokenizer;
    void *model;
    Normal normal, lower;
};

const Template *tokenizer_template(const Tokenizer *t, bool pair)
{
    return pair ? &t->pair : &t->single;
}

const char *tokenizer_fingerprint(const Tokenizer *t)
{
    return t->fingerprint;
}

const char *tokenizer_kind(const Tokenizer *t)
{
    return t->kind;
}

int64_t tokenizer_max_length(const Tokenizer *t)
{
    return t->max_length;
}

int32_t tokenizer_left_out(const Tokenizer *t)
{
    return t->left_out;
}

int64_t tokenizer_characters(const Tokenizer *t)
{
    return t->characters;
}

bool tokenizer_has_types(const Tokenizer *t)
{
    return t->types;
}

bool tokenizer_cuts_left(const Tokenizer *t)
{
    return t->left;
}

bool tokenizer_bare_words(const Tokenizer *t)
{
    return t->bare_words;
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
    free(w->lower.p);
    free(w->lower.span);
    free(w);
}

static bool is_one_char(Str t)
{
    size_t n = 1;
    while (n < t.n && ((unsigned char)t.p[n] & 0xc0) == 0x80)
        n++;
    return n == t.n;
}

/* The span of an added token in a text that begins at byte `at` of the whole: without the white
 * space that it took along, where the model trims spans. As in the reference, a single space
 * that the text begins with stays where the model may have put it there. */
static void place_added(const Tokenizer *t, Str text, int32_t at, size_t begin, size_t end,
                        int32_t span[2])
{
    size_t first = begin;
    if (t->trim) {
        added_trim(text, &begin, &end);
        if (t->trim_prefix && at == 0 && first == 0 && is_one_char(str_of(text.p, begin)))
            begin = 0;
    }
    span[0] = at + (int32_t)begin;
    span[1] = at + (int32_t)end;
}

typedef void Rest(const Tokenizer *t, TokWork *w, Str text, int32_t at, size_t limit, Tokens *out);

/* Added tokens in a text that begins at byte `at` of the whole; what is between them is rest's. */
static void encode_around(const AddedSet *set, Rest *rest, const Tokenizer *t, TokWork *w, Str text,
                          int32_t at, size_t limit, Tokens *out)
{
    size_t done = 0, from = 0, begin, end;
    int32_t span[2];
    const Added *a;
    while (out->n <= limit && (a = added_next(set, text, done, &from, &begin, &end))) {
        if (done < begin)
            rest(t, w, str_of(text.p + done, begin - done), at + (int32_t)done, limit, out);
        place_added(t, text, at, begin, end, span);
        tokens_add(out, a->id, span[0], span[1]);
        done = end;
    }
    if (done < text.n)
        rest(t, w, str_of(text.p + done, text.n - done), at + (int32_t)done, limit, out);
}

static void encode_text(const Tokenizer *t, TokWork *w, Str text, int32_t at, size_t limit,
                        Tokens *out)
{
    t->model->encode(t->model, w->model, text, at, limit, out);
}

static void encode_normalised(const Tokenizer *t, TokWork *w, Str text, int32_t at, size_t limit,
                              Tokens *out)
{
    size_t done = 0, from = 0, begin, end;
    Normal *n = &w->normal;
    const Added *a;
    n->n = 0;
    t->model->normalise(t->model, w->model, text, at, n);
    Str normal = str_of(n->p, n->n);
    while (out->n <= limit && (a = added_next(&t->normalised, normal, done, &from, &begin, &end))) {
        t->model->encode_normal(t->model, w->model, n, done, begin, limit, out);
        tokens_add(out, a->id, n->span[begin][0], n->span[end - 1][1]);
        done = end;
    }
    t->model->encode_normal(t->model, w->model, n, done, n->n, limit, out);
}

static void encode_piece(const Tokenizer *t, TokWork *w, Str text, int32_t at, size_t limit,
                         Tokens *out)
{
    if (!t->normalised.count)
        encode_text(t, w, text, at, limit, out);
    else if (!t->model->normalise)
        encode_around(&t->normalised, encode_text, t, w, text, at, limit, out);
    else
        encode_normalised(t, w, text, at, limit, out);
}

/* The same of a text that is to be in lower case; spans are the original's. */
static void encode_lower(const Tokenizer *t, TokWork *w, Str text, int32_t at, size_t limit,
                         Tokens *out)
{
    Normal *n = &w->lower;
    size_t first = out->n;
    n->n = 0;
    tokenizer_lower(text, at, n);
    encode_piece(t, w, str_of(n->p, n->n), at, limit, out);
    for (size_t i = first; i < out->n; i++) {
        size_t from = (size_t)(out->span[i][0] - at), to = (size_t)(out->span[i][1] - at);
        int32_t end = at + (int32_t)text.n;
        out->span[i][0] = from < n->n ? n->span[from][0] : end;
        out->span[i][1] = to > from ? n->span[to - 1][1] : out->span[i][0];
    }
}

void tokenizer_encode(const Tokenizer *t, TokWork *w, Str text, size_t limit, Tokens *out)
{
    encode_around(&t->plain, t->lower ? encode_lower : encode_piece, t, w, text, 0,
                  limit ? limit : SIZE_MAX, out);
}

/* Takes from span what added tokens in a text have, which begins at byte `at`, or whose bytes
 * are at `place`. True: the token that begins at `start` is one, and span is what it takes in. */
static bool clip_added(const Tokenizer *t, const AddedSet *set, Str text, int32_t at,
                       int32_t (*place)[2], int32_t start, int32_t span[2])
{
    size_t done = 0, from = 0, begin, end;
    while (added_next(set, text, done, &from, &begin, &end)) {
        int32_t first = place ? place[begin][0] : at + (int32_t)begin;
        int32_t last = place ? place[end - 1][1] : at + (int32_t)end;
        if (first > start) { /* what has been dropped between belongs to neither */
            int32_t before = place && begin ? place[begin - 1][1] : first;
            span[1] = before < span[1] ? before : span[1];
            return false;
        }
        span[0] = place && end < text.n ? place[end][0] : last;
        if (start < last) {
            if (place)
                memcpy(span, (int32_t[]){first, last}, 2 * sizeof *span);
            else
                place_added(t, text, at, begin, end, span);
            return true;
        }
        done = end;
    }
    return false;
}

/* The same of a piece without plain added tokens. */
static bool clip_normalised(const Tokenizer *t, TokWork *w, Str piece, int32_t at, int32_t start,
                            int32_t span[2])
{
    Normal *n = &w->normal;
    if (!t->normalised.count)
        return false;
    if (!t->model->normalise)
        return clip_added(t, &t->normalised, piece, at, NULL, start, span);
    n->n = 0;
    t->model->normalise(t->model, w->model, piece, at, n);
    return clip_added(t, &t->normalised, str_of(n->p, n->n), at, n->span, start, span);
}

void tokenizer_word(const Tokenizer *t, TokWork *w, Str text, int32_t start, int32_t end,
                    int32_t span[2])
{
    int32_t found[2] = {0, (int32_t)text.n}, word[2];
    bool added = clip_added(t, &t->plain, text, 0, NULL, start, found);
    int32_t at = found[0];
    Str piece = str_of(text.p + at, (size_t)(found[1] - at));
    added = added || clip_normalised(t, w, piece, at, start, found);
    if (!added && !t->model->word) {
        span[0] = start;
        span[1] = end;
        return;
    }
    memcpy(span, found, sizeof found);
    if (added)
        return;                 /* an added token is a word by itself */
    if (!t->model->normalise) { /* what stands between added tokens is cut by itself */
        at = found[0];
        piece = str_of(text.p + at, (size_t)(found[1] - at));
    }
    t->model->word(t->model, w->model, piece, start - at, word);
    if (word[0] + at > span[0])
        span[0] = word[0] + at;
    if (word[1] + at < span[1])
        span[1] = word[1] + at;
}

void tokenizer_join(const Tokenizer *t, const Str *token, size_t n, Buf *out)
{
    if (t->model->join)
        t->model->join(t->model, token, n, out);
    else
        decoder_run(t->decoder, token, n, out);
}

void tokenizer_decode(const Tokenizer *t, const int32_t *id, size_t n, bool raw, Buf *out)
{
    tokenizer_decode_as(t, id, n, raw, t->clean, out);
}

void tokenizer_decode_as(const Tokenizer *t, const int32_t *id, size_t n, bool raw, bool clean,
                         Buf *out)
{
    Str *token = mem_array(n + 1, sizeof *token);
    size_t kept = 0, begin = out->n;
    for (size_t i = 0; i < n; i++) {
        Str text = tokenizer_text(t, id[i]);
        if (text.p && (raw || !tokenizer_is_special(t, id[i])))
            token[kept++] = text;
    }
    tokenizer_join(t, token, kept, out);
    if (clean)
        decode_clean(out, begin);
    free(token);
}
