/* bert.c - BERT's tokenizer as a TokModel; the word around a byte. */
#include "text/wordpiece/bert_normal.h"

#include "base/utf8.h"

#include <stdlib.h>

/* ---- the word around a byte ---- */

/* Words as their origins run. */
typedef struct Finder {
    int32_t at, first, last; /* of the word being collected */
    bool open, found;
} Finder;

static void end_find(Finder *f)
{
    if (f->open && f->first <= f->at && f->at < f->last)
        f->found = true;
    f->open = f->open && f->found;
}

static void put_find(BertWork *w, void *to, uint32_t cp, int32_t start, int32_t end)
{
    Finder *f = to;
    uint8_t c = uni_class(cp);
    (void)w;
    if (f->found)
        return;
    if (c & (UNI_SPACE | UNI_PUNCT))
        end_find(f);
    if (f->found || c & UNI_SPACE)
        return;
    if (!f->open)
        f->first = start;
    f->open = true;
    f->last = end;
    if (c & UNI_PUNCT)
        end_find(f);
}

static void word(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    const uint8_t *byte = ((const Bert *)m)->byte;
    size_t i = (size_t)at;
    Finder f = {.at = at};
    span[0] = at;
    span[1] = at + 1;
    if (byte[(unsigned char)text.p[i]] == BYTE_PUNCT)
        return;
    while (i > 0 && byte[(unsigned char)text.p[i - 1]] != BYTE_SPACE &&
           byte[(unsigned char)text.p[i - 1]] != BYTE_PUNCT)
        i--;
    for (int len; i < text.n && !f.found; i += (size_t)len) {
        uint8_t c = byte[(unsigned char)text.p[i]];
        if (c == BYTE_SPACE || c == BYTE_PUNCT)
            break;
        uint32_t cp = utf8_get(text.p + i, &len);
        bert_put(work, put_find, &f, cp, (int32_t)i, (int32_t)i + len);
    }
    bert_put_rest(work, put_find, &f);
    end_find(&f);
    if (f.found) {
        span[0] = f.first;
        span[1] = f.last;
    }
}

/* ---- the model ---- */

static void *work_new(const TokModel *m)
{
    const Bert *b = (const Bert *)m;
    size_t bytes = (size_t)b->rules.max_chars * 4 + 1;
    BertWork *w = mem_zero(1, sizeof *w);
    w->bert = b;
    w->cache = mem_zero(BERT_CACHE, sizeof *w->cache);
    w->word = mem_alloc(bytes);
    w->span = mem_array(bytes, sizeof *w->span);
    w->id = mem_array(bytes, sizeof *w->id);
    w->end = mem_array(bytes, sizeof *w->end);
    w->hash = mem_array(bytes, sizeof *w->hash);
    return w;
}

static void work_free(void *work)
{
    BertWork *w = work;
    free(w->cache);
    free(w->word);
    free(w->span);
    free(w->id);
    free(w->end);
    free(w->hash);
    free(w->pending);
    free(w->origin);
    free(w);
}

static void bert_free(TokModel *m)
{
    free(((Bert *)m)->pieces.prefix);
    free(m);
}

TokModel *bert_new(const Vocab *v, const BertRules *rules)
{
    Bert *b = mem_zero(1, sizeof *b);
    b->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = bert_encode,
                         .normalise = bert_normalise,
                         .encode_normal = bert_encode_normal,
                         .word = word,
                         .free = bert_free};
    b->rules = *rules;
    b->pieces = (WordPiece){v, mem_str(rules->prefix), rules->unknown, rules->max_chars};
    b->rules.prefix = b->pieces.prefix;
    for (int i = 0; i < 256; i++) {
        uint8_t c = i < 128 ? uni_class((uint32_t)i) : 0;
        char symbol = (char)i;
        if (i >= 128 || (rules->clean && (c & UNI_DROP)))
            b->byte[i] = BYTE_OTHER;
        else
            b->byte[i] = c & UNI_SPACE ? BYTE_SPACE : c & UNI_PUNCT ? BYTE_PUNCT : BYTE_WORD;
        if (b->byte[i] == BYTE_PUNCT) {
            b->symbol[i] = vocab_find(v, str_of(&symbol, 1));
            if (b->symbol[i] < 0 || rules->max_chars < 1)
                b->symbol[i] = rules->unknown;
        }
    }
    return &b->base;
}
