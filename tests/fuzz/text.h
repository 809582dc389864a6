/* text.h - a tokenizer on any text: ids are its own, spans lie in the text and in order, what is
 * told to stop gives the beginning of the same, and ids become UTF-8 again. */
#ifndef WEFT_FUZZ_TEXT_H
#define WEFT_FUZZ_TEXT_H

#include "base/utf8.h"
#include "model/model_tokenizer.h"
#include "tests/fuzz/fuzz.h"

static inline void text_spans(const Tokenizer *t, TokWork *w, Str text, const Tokens *all)
{
    int32_t last = 0;
    for (size_t i = 0; i < all->n; i++) {
        const int32_t *span = all->span[i];
        int32_t word[2] = {0, 0};
        MUST(all->id[i] >= 0 && all->id[i] < tokenizer_size(t));
        MUST(tokenizer_text(t, all->id[i]).p);
        MUST(span[0] >= 0 && span[0] <= span[1] && (size_t)span[1] <= text.n);
        if (span[0] < span[1]) { /* an empty one stands for a space that was put in, behind it */
            MUST(span[0] >= last);
            last = span[0];
            if (i %
                (1 + all->n / 256)) /* each reads the whole text: of a long one some are asked */
                continue;
            tokenizer_word(t, w, text, span[0], span[1], word);
            MUST(word[0] >= 0 && word[0] <= word[1] && (size_t)word[1] <= text.n);
        }
    }
}

static inline void text_limit(const Tokenizer *t, TokWork *w, Str text, const Tokens *all)
{
    Tokens some = {0};
    size_t limit = text.n % 7 + 1, n;
    tokenizer_encode(t, w, text, limit, &some);
    MUST(some.n > limit ? all->n > limit : some.n == all->n);
    n = some.n < limit ? some.n : limit;
    MUST(!n || memcmp(some.id, all->id, n * sizeof *some.id) == 0);
    MUST(!n || memcmp(some.span, all->span, n * sizeof *some.span) == 0);
    tokens_free(&some);
}

/* exact: raw text comes back byte for byte. */
static inline void text_with(const Tokenizer *t, TokWork *w, Str text, bool exact)
{
    Tokens all = {0}, again = {0};
    Buf raw = {0}, plain = {0};
    tokenizer_encode(t, w, text, 0, &all);
    text_spans(t, w, text, &all);
    text_limit(t, w, text, &all);
    tokenizer_encode(t, w, text, 0, &again); /* with what the first time left in the cache */
    MUST(again.n == all.n && (!all.n || memcmp(again.id, all.id, all.n * sizeof *all.id) == 0));
    tokenizer_decode(t, all.id, all.n, true, &raw);
    tokenizer_decode(t, all.id, all.n, false, &plain);
    MUST(utf8_check(raw.p, raw.n) == raw.n && utf8_check(plain.p, plain.n) == plain.n);
    if (exact)
        MUST(raw.n == text.n && (!raw.n || memcmp(raw.p, text.p, raw.n) == 0));
    free(raw.p);
    free(plain.p);
    tokens_free(&all);
    tokens_free(&again);
}

static inline void text_tokens(const Tokenizer *t, Str text)
{
    TokWork *w = tokwork_new(t);
    text_with(t, w, text, false);
    tokwork_free(w);
}

/* The golden model that the input's first byte chooses; loaded once. Its cache goes on from one
 * input to the next, which makes no difference either. */
static inline void text_of_models(const char *const *model, unsigned models, const char *exact,
                                  const uint8_t *p, size_t n)
{
    static Tokenizer *loaded[16];
    static TokWork *work[16];
    unsigned at = fuzz_byte(&p, &n) % models;
    if (!loaded[at]) {
        char *name = mem_fmt("models/%s", model[at]);
        work[at] = tokwork_new(fuzz_tokenizer(name, &loaded[at]));
        free(name);
    }
    Str text = fuzz_text(p, n);
    text_with(loaded[at], work[at], text, exact && strcmp(model[at], exact) == 0);
    free((char *)text.p);
}

#endif
