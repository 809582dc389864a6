/* bert_words.c - a text's words and their pieces. */
#include "text/wordpiece/bert_normal.h"

#include "base/utf8.h"

/* ---- words to pieces ---- */

/* Splits a word into w->id and w->end; what does not come out is one unknown piece. */
static int split(BertWork *w, const char *p, int n)
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
static inline const BertEntry *cached(BertWork *w, const uint64_t key[2], int n)
{
    uint64_t h = (key[0] ^ (key[1] + (uint64_t)n) * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    BertEntry *e = w->cache + (h >> 50);
    if (e->size == n && e->key[0] == key[0] && e->key[1] == key[1])
        return e;
    char word[BERT_KEY];
    memcpy(word, key, BERT_KEY);
    int count = split(w, word, n);
    if (count > BERT_PIECES)
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
static inline void add_pieces(const BertEntry *e, int32_t at, Tokens *out)
{
    tokens_room(out, BERT_PIECES);
    int32_t start = at;
    for (int i = 0; i < e->count; i++) {
        out->id[out->n] = e->id[i];
        out->span[out->n][0] = start;
        out->span[out->n++][1] = start = at + e->end[i];
    }
}

/* A word of ASCII straight from the text. */
static inline void add_ascii(BertWork *w, const char *p, int n, int32_t at, Tokens *out)
{
    const BertRules *rules = &w->bert->rules;
    if (n <= BERT_KEY && n <= rules->max_chars) {
        uint64_t key[2];
        load_key(p, n, key);
        if (rules->lower) {
            key[0] = lower8(key[0]);
            key[1] = lower8(key[1]);
        }
        const BertEntry *e = cached(w, key, n);
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
static void flush_word(BertWork *w, Tokens *out)
{
    int count, begin = 0, size = w->size;
    const BertEntry *e = NULL;
    if (!w->chars)
        return;
    if (w->chars > w->bert->rules.max_chars) {
        tokens_add(out, w->bert->rules.unknown, w->first, w->last);
    } else {
        if (size <= BERT_KEY) {
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

static void add_char(BertWork *w, uint32_t cp, int32_t start, int32_t end)
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

/* ---- texts to words ---- */

static void put_word(BertWork *w, void *to, uint32_t cp, int32_t start, int32_t end)
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

/* From p up to the next space or punctuation of ASCII, where canonical order begins anew. */
static const char *encode_run(BertWork *w, const char *p, const char *end, int32_t at, size_t limit,
                              Tokens *out)
{
    const uint8_t *byte = w->bert->byte;
    while (p < end && out->n <= limit) {
        uint8_t c = byte[(unsigned char)*p];
        int len;
        if (c == BYTE_SPACE || c == BYTE_PUNCT)
            break;
        uint32_t cp = utf8_get(p, &len);
        bert_put(w, put_word, out, cp, at, at + len);
        p += len;
        at += len;
    }
    bert_put_rest(w, put_word, out);
    flush_word(w, out);
    return p;
}

void bert_encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out)
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

void bert_encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
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
