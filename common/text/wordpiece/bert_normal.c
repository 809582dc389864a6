#include "text/wordpiece/bert_normal.h"

#include "base/utf8.h"

#include <stdlib.h>

static inline void unmarked(BertWork *w, BertPut *put, void *to, uint32_t cp)
{
    if (!(uni_class(cp) & UNI_MARK))
        bert_put_lower(w, put, to, cp, w->at[0], w->at[1]);
}

static int by_combining(const void *a, const void *b)
{
    const BertPending *x = a, *y = b;
    if (x->combining != y->combining)
        return x->combining < y->combining ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* In canonical order. As in the reference, origins are handed out in the text's order to whatever
 * now stands there. */
void bert_put_rest(BertWork *w, BertPut *put, void *to)
{
    size_t origin = 0;
    if (w->npending > 1)
        qsort(w->pending, w->npending, sizeof *w->pending, by_combining);
    for (size_t i = 0; i < w->npending; i++) {
        if (w->pending[i].own) {
            w->at[0] = w->origin[origin][0];
            w->at[1] = w->origin[origin++][1];
        }
        unmarked(w, put, to, w->pending[i].cp);
    }
    w->npending = w->norigin = 0;
}

static void add_pending(BertWork *w, uint32_t cp, int combining, bool own, int32_t start,
                        int32_t end)
{
    if (w->npending == w->cap) {
        w->cap = w->cap * 2 + 16;
        w->pending = mem_resize(w->pending, w->cap, sizeof *w->pending);
        w->origin = mem_resize(w->origin, w->cap, sizeof *w->origin);
    }
    w->pending[w->npending] = (BertPending){cp, (uint8_t)combining, own, w->npending};
    w->npending++;
    if (own) {
        w->origin[w->norigin][0] = start;
        w->origin[w->norigin++][1] = end;
    }
}

void bert_put_decomposed(BertWork *w, BertPut *put, void *to, uint32_t cp, int32_t start,
                         int32_t end)
{
    uint32_t part[UNI_PARTS] = {cp};
    int n = uni_class(cp) & UNI_SPLITS ? uni_decompose(cp, part) : 1;
    for (int i = 0; i < n; i++) {
        int combining = uni_class(part[i]) & UNI_MOVES ? uni_combining(part[i]) : 0;
        if (combining) {
            add_pending(w, part[i], combining, i == 0, start, end);
            continue;
        }
        if (w->npending)
            bert_put_rest(w, put, to);
        if (i == 0) {
            w->at[0] = start;
            w->at[1] = end;
        }
        unmarked(w, put, to, part[i]);
    }
}

/* ---- to a buffer ---- */

static void put_normal(BertWork *w, void *to, uint32_t cp, int32_t start, int32_t end)
{
    Normal *t = to;
    (void)w;
    if (t->n + 4 > t->cap) {
        t->cap = t->cap * 2 + 256;
        t->p = mem_resize(t->p, t->cap, 1);
        t->span = mem_resize(t->span, t->cap, sizeof *t->span);
    }
    int n = utf8_put(cp, t->p + t->n);
    for (int i = 0; i < n; i++, t->n++) {
        t->span[t->n][0] = start;
        t->span[t->n][1] = end;
    }
}

void bert_normalise(const TokModel *m, void *work, Str text, int32_t at, Normal *out)
{
    (void)m;
    for (size_t i = 0; i < text.n;) {
        int len;
        uint32_t cp = utf8_get(text.p + i, &len);
        bert_put(work, put_normal, out, cp, at + (int32_t)i, at + (int32_t)i + len);
        i += (size_t)len;
    }
    bert_put_rest(work, put_normal, out);
}
