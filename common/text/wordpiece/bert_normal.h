/* bert_normal.h - BertNormalizer, code point by code point. Its steps are here so that compilers
 * join them with what takes their result: texts beyond ASCII take a tenth less time. */
#ifndef WEFT_BERT_NORMAL_H
#define WEFT_BERT_NORMAL_H

#include "text/wordpiece/bert_in.h"

/* Takes a code point of the normalised text, which comes from bytes [start, end). */
typedef void BertPut(BertWork *w, void *to, uint32_t cp, int32_t start, int32_t end);

/* NFD without its nonspacing marks. */
void bert_put_decomposed(BertWork *w, BertPut *put, void *to, uint32_t cp, int32_t start,
                         int32_t end);
/* What waits for canonical order; at the end of a text. */
void bert_put_rest(BertWork *w, BertPut *put, void *to);

/* Lower case, the last step. */
static inline void bert_put_lower(BertWork *w, BertPut *put, void *to, uint32_t cp, int32_t start,
                                  int32_t end)
{
    uint32_t more = 0;
    if (w->bert->rules.lower && (uni_class(cp) & UNI_LOWER))
        cp = uni_lower(cp, &more);
    put(w, to, cp, start, end);
    if (more)
        put(w, to, more, start, end);
}

static inline void bert_put_clean(BertWork *w, BertPut *put, void *to, uint32_t cp, int32_t start,
                                  int32_t end)
{
    if (w->bert->rules.strip)
        bert_put_decomposed(w, put, to, cp, start, end);
    else
        bert_put_lower(w, put, to, cp, start, end);
}

/* One code point of the original through all steps. */
static inline void bert_put(BertWork *w, BertPut *put, void *to, uint32_t cp, int32_t start,
                            int32_t end)
{
    const BertRules *rules = &w->bert->rules;
    uint8_t c = uni_class(cp);
    if (rules->clean) {
        if (c & UNI_DROP)
            return;
        if (c & UNI_SPACE)
            cp = ' ';
    }
    if (rules->cjk && (c & UNI_CJK)) {
        bert_put_clean(w, put, to, ' ', start, end);
        bert_put_clean(w, put, to, cp, start, end);
        cp = ' ';
    }
    bert_put_clean(w, put, to, cp, start, end);
}

#endif
