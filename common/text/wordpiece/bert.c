/* bert.c - BERT's tokenizer: BertNormalizer (clean, set ideographs apart, NFD and marks off,
 * lower case), BertPreTokenizer (white space splits, punctuation stands alone), WordPiece.
 *
 * Words of plain ASCII, which most are, go from the text to a cache of words without a step
 * between. Everything else is normalised code point by code point into a word that knows where
 * each of its bytes came from. */
#include "text/tokmodel.h"

#include "base/utf8.h"
#include "text/unicode.h"
#include "text/wordpiece/wordpiece.h"

#include <stdlib.h>

enum { CACHE = 1 << 14, KEY = 16, PIECES = 8 };
enum { BYTE_WORD, BYTE_SPACE, BYTE_PUNCT, BYTE_OTHER }; /* OTHER: not ASCII, or to be dropped */

typedef struct Bert {
    TokModel base;
    BertRules rules;
    WordPiece pieces;
    uint8_t byte[256];
    int32_t symbol[128]; /* ids of punctuation characters */
} Bert;

/* A word of at most 16 bytes and what it splits into. */
typedef struct Entry {
    uint64_t key[2];
    int32_t id[PIECES];
    uint8_t end[PIECES];
    uint8_t count, size; /* size 0: free */
} Entry;

/* A nonstarter that waits for canonical order. */
typedef struct Pending {
    uint32_t cp;
    uint8_t combining;
    bool own;     /* first of its original's decomposition */
    size_t order; /* in the text: those of equal class stay so */
} Pending;

typedef struct Work {
    const Bert *bert;
    Entry *cache;
    char *word; /* the word being collected; every byte's origin in span */
    int32_t (*span)[2];
    int size, chars;
    int32_t first, last; /* of the whole word, however long it is */
    int32_t *id;         /* a split's pieces */
    int *end;
    uint64_t *hash;
    Pending *pending;
    int32_t (*origin)[2]; /* of the pending ones that are their own, in the text's order */
    size_t npending, norigin, cap;
    int32_t at[2]; /* the origin of what was last put in order */
} Work;

/* ---- words to pieces ---- */

/* Splits a word into w->id and w->end; what does not come out is one unknown piece. */
static int split(Work *w, const char *p, int n)
{
    int count = wordpiece_split(&w->bert->pieces, p, n, w->id, w->end, w->hash);
    if (count)
        return count;
    w->id[0] = w->bert->rules.unknown;
    w->end[0] = n;
    return 1;
}

/* The 1 to 16 bytes at p, zeros behind them. */
static inline void load_key(const char *p, int n, uint64_t key[2])
{
    key[0] = key[1] = 0;
    if (n >= 8) {
        uint64_t tail;
        memcpy(&key[0], p, 8);
        memcpy(&tail, p + n - 8, 8);
        key[1] = n > 8 ? tail >> 8 * (16 - n) : 0;
    } else if (n >= 4) {
        uint32_t head, tail;
        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        key[0] = head | (uint64_t)tail >> 8 * (8 - n) << 32;
    } else {
        const unsigned char *s = (const unsigned char *)p;
        key[0] = s[0] | (uint64_t)s[n / 2] << 8 * (n / 2) | (uint64_t)s[n - 1] << 8 * (n - 1);
    }
}

/* ASCII letters to lower case, eight at a time. */
static inline uint64_t lower8(uint64_t x)
{
    uint64_t from_a = x + 0x3f3f3f3f3f3f3f3fu, beyond_z = x + 0x2525252525252525u;
    return x | ((from_a & ~beyond_z & ~x & 0x8080808080808080u) >> 2);
}

/* The cached split of the word in key; NULL when it has too many pieces to be cached. */
static inline const Entry *cached(Work *w, const uint64_t key[2], int n)
{
    uint64_t h = (key[0] ^ (key[1] + (uint64_t)n) * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    Entry *e = w->cache + (h >> 50);
    if (e->size == n && e->key[0] == key[0] && e->key[1] == key[1])
        return e;
    char word[KEY];
    memcpy(word, key, KEY);
    int count = split(w, word, n);
    if (count > PIECES)
        return NULL;
    e->key[0] = key[0];
    e->key[1] = key[1];
    e->size = (uint8_t)n;
    e->count = (uint8_t)count;
    for (int i = 0; i < count; i++) {
        e->id[i] = w->id[i];
        e->end[i] = (uint8_t)w->end[i];
    }
    return e;
}

/* The pieces of a word whose bytes stand side by side in the text from byte `at` on. */
static inline void add_pieces(const Entry *e, int32_t at, Tokens *out)
{
    tokens_room(out, PIECES);
    int32_t start = at;
    for (int i = 0; i < e->count; i++) {
        out->id[out->n] = e->id[i];
        out->span[out->n][0] = start;
        out->span[out->n++][1] = start = at + e->end[i];
    }
}

/* A word of ASCII straight from the text. */
static inline void add_ascii(Work *w, const char *p, int n, int32_t at, Tokens *out)
{
    const BertRules *rules = &w->bert->rules;
    if (n <= KEY && n <= rules->max_chars) {
        uint64_t key[2];
        load_key(p, n, key);
        if (rules->lower) {
            key[0] = lower8(key[0]);
            key[1] = lower8(key[1]);
        }
        const Entry *e = cached(w, key, n);
        if (e) {
            add_pieces(e, at, out);
            return;
        }
    }
    if (n > rules->max_chars) {
        tokens_add(out, rules->unknown, at, at + n);
        return;
    }
    for (int i = 0; i < n; i++)
        w->word[i] = rules->lower && p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
    int count = split(w, w->word, n);
    int32_t start = at;
    for (int i = 0; i < count; i++) {
        tokens_add(out, w->id[i], start, at + w->end[i]);
        start = at + w->end[i];
    }
}

/* Ends the word collected so far. */
static void flush_word(Work *w, Tokens *out)
{
    int count, begin = 0, size = w->size;
    const Entry *e = NULL;
    if (!w->chars)
        return;
    if (w->chars > w->bert->rules.max_chars) {
        tokens_add(out, w->bert->rules.unknown, w->first, w->last);
    } else {
        if (size <= KEY) {
            uint64_t key[2];
            load_key(w->word, size, key);
            e = cached(w, key, size);
        }
        count = e ? e->count : split(w, w->word, size);
        for (int i = 0; i < count; i++) {
            int end = e ? e->end[i] : w->end[i];
            tokens_add(out, e ? e->id[i] : w->id[i], w->span[begin][0], w->span[end - 1][1]);
            begin = end;
        }
    }
    w->size = w->chars = 0;
}

static void add_char(Work *w, uint32_t cp, int32_t start, int32_t end)
{
    if (!w->chars)
        w->first = start;
    w->last = end;
    if (w->chars++ >= w->bert->rules.max_chars)
        return; /* it is unknown already */
    int n = utf8_put(cp, w->word + w->size);
    for (int i = 0; i < n; i++, w->size++) {
        w->span[w->size][0] = start;
        w->span[w->size][1] = end;
    }
}

/* ---- normalised code points to words, or to a buffer ---- */

typedef void Put(Work *w, void *to, uint32_t cp, int32_t start, int32_t end);

static void put_word(Work *w, void *to, uint32_t cp, int32_t start, int32_t end)
{
    uint8_t c = uni_class(cp);
    if (!(c & (UNI_SPACE | UNI_PUNCT))) {
        add_char(w, cp, start, end);
        return;
    }
    flush_word(w, to);
    if (c & UNI_PUNCT) {
        add_char(w, cp, start, end);
        flush_word(w, to);
    }
}

static void put_normal(Work *w, void *to, uint32_t cp, int32_t start, int32_t end)
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

/* Lower case, the last step. */
static inline void lowered(Work *w, Put *put, void *to, uint32_t cp, int32_t start, int32_t end)
{
    uint32_t more = 0;
    if (w->bert->rules.lower && (uni_class(cp) & UNI_LOWER))
        cp = uni_lower(cp, &more);
    put(w, to, cp, start, end);
    if (more)
        put(w, to, more, start, end);
}

static inline void unmarked(Work *w, Put *put, void *to, uint32_t cp)
{
    if (!(uni_class(cp) & UNI_MARK))
        lowered(w, put, to, cp, w->at[0], w->at[1]);
}

static int by_combining(const void *a, const void *b)
{
    const Pending *x = a, *y = b;
    if (x->combining != y->combining)
        return x->combining < y->combining ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Canonical order. As in the reference, origins are handed out in the text's order to whatever
 * now stands there. */
static void flush_pending(Work *w, Put *put, void *to)
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

static void add_pending(Work *w, uint32_t cp, int combining, bool own, int32_t start, int32_t end)
{
    if (w->npending == w->cap) {
        w->cap = w->cap * 2 + 16;
        w->pending = mem_resize(w->pending, w->cap, sizeof *w->pending);
        w->origin = mem_resize(w->origin, w->cap, sizeof *w->origin);
    }
    w->pending[w->npending] = (Pending){cp, (uint8_t)combining, own, w->npending};
    w->npending++;
    if (own) {
        w->origin[w->norigin][0] = start;
        w->origin[w->norigin++][1] = end;
    }
}

/* NFD without its nonspacing marks. */
static void decomposed(Work *w, Put *put, void *to, uint32_t cp, int32_t start, int32_t end)
{
    uint32_t part[UNI_PARTS] = {cp};
    int n = uni_class(cp) & UNI_SPLITS ? uni_decompose(cp, part) : 1;
    for (int i = 0; i < n; i++) {
        int combining = uni_combining(part[i]);
        if (combining) {
            add_pending(w, part[i], combining, i == 0, start, end);
            continue;
        }
        flush_pending(w, put, to);
        if (i == 0) {
            w->at[0] = start;
            w->at[1] = end;
        }
        unmarked(w, put, to, part[i]);
    }
}

static inline void cleaned(Work *w, Put *put, void *to, uint32_t cp, int32_t start, int32_t end)
{
    if (w->bert->rules.strip)
        decomposed(w, put, to, cp, start, end);
    else
        lowered(w, put, to, cp, start, end);
}

/* One code point of the original through all steps. */
static inline void normalise_one(Work *w, Put *put, void *to, uint32_t cp, int32_t start,
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
        cleaned(w, put, to, ' ', start, end);
        cleaned(w, put, to, cp, start, end);
        cp = ' ';
    }
    cleaned(w, put, to, cp, start, end);
}

/* ---- the interface ---- */

/* From p up to the next space or punctuation of ASCII, where canonical order begins anew. */
static const char *encode_run(Work *w, const char *p, const char *end, int32_t at, size_t limit,
                              Tokens *out)
{
    const uint8_t *byte = w->bert->byte;
    while (p < end && out->n <= limit) {
        uint8_t c = byte[(unsigned char)*p];
        int len;
        if (c == BYTE_SPACE || c == BYTE_PUNCT)
            break;
        uint32_t cp = utf8_get(p, &len);
        normalise_one(w, put_word, out, cp, at, at + len);
        p += len;
        at += len;
    }
    flush_pending(w, put_word, out);
    flush_word(w, out);
    return p;
}

static void encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out)
{
    const Bert *b = (const Bert *)m;
    const char *p = text.p, *end = p + text.n;
    while (p < end && out->n <= limit) {
        const char *q = p;
        uint8_t c = b->byte[(unsigned char)*p];
        if (c == BYTE_SPACE) {
            p++;
            continue;
        }
        if (c == BYTE_PUNCT) {
            int32_t start = at + (int32_t)(p - text.p);
            tokens_add(out, b->symbol[(unsigned char)*p++], start, start + 1);
            continue;
        }
        while (q < end && b->byte[(unsigned char)*q] == BYTE_WORD)
            q++;
        int32_t start = at + (int32_t)(p - text.p);
        if (q < end && b->byte[(unsigned char)*q] == BYTE_OTHER) {
            p = encode_run(work, p, end, start, limit, out);
        } else {
            add_ascii(work, p, (int)(q - p), start, out);
            p = q;
        }
    }
}

static void normalise(const TokModel *m, void *work, Str text, int32_t at, Normal *out)
{
    (void)m;
    for (size_t i = 0; i < text.n;) {
        int len;
        uint32_t cp = utf8_get(text.p + i, &len);
        normalise_one(work, put_normal, out, cp, at + (int32_t)i, at + (int32_t)i + len);
        i += (size_t)len;
    }
    flush_pending(work, put_normal, out);
}

static void encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                          size_t limit, Tokens *out)
{
    (void)m;
    while (begin < end && out->n <= limit) {
        int len;
        uint32_t cp = utf8_get(t->p + begin, &len);
        size_t last = begin + (size_t)len - 1;
        put_word(work, out, cp, t->span[begin][0], t->span[last][1]);
        begin = last + 1;
    }
    flush_word(work, out);
}

/* The word around a byte, as its origins run. */
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

static void put_find(Work *w, void *to, uint32_t cp, int32_t start, int32_t end)
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
        normalise_one(work, put_find, &f, cp, (int32_t)i, (int32_t)i + len);
    }
    flush_pending(work, put_find, &f);
    end_find(&f);
    if (f.found) {
        span[0] = f.first;
        span[1] = f.last;
    }
}

static void *work_new(const TokModel *m)
{
    const Bert *b = (const Bert *)m;
    size_t bytes = (size_t)b->rules.max_chars * 4 + 1;
    Work *w = mem_zero(1, sizeof *w);
    w->bert = b;
    w->cache = mem_zero(CACHE, sizeof *w->cache);
    w->word = mem_alloc(bytes);
    w->span = mem_array(bytes, sizeof *w->span);
    w->id = mem_array(bytes, sizeof *w->id);
    w->end = mem_array(bytes, sizeof *w->end);
    w->hash = mem_array(bytes, sizeof *w->hash);
    return w;
}

static void work_free(void *work)
{
    Work *w = work;
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
                         .encode = encode,
                         .normalise = normalise,
                         .encode_normal = encode_normal,
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
