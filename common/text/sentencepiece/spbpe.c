#include "text/sentencepiece/spbpe.h"

#include "base/utf8.h"

#include <stdlib.h>

static const char mark[] = "\u2581"; /* of words where no Metaspace says another */

/* A pair that is joined: key is left << 32 | right. */
typedef struct Rank {
    uint64_t key;
    uint32_t rank;
    int32_t whole; /* -1: free */
} Rank;

typedef struct SpBpe {
    const Vocab *vocab;
    SpBpeRules rules;
    Rank *rank;
    size_t mask;
    int32_t byte[256]; /* ids of <0x00> .. <0xFF>, or -1 */
} SpBpe;

/* A part of a word; what it has been joined to the left with leaves it empty. */
typedef struct Symbol {
    int32_t id, before, behind; /* -1: none */
    uint32_t size;
} Symbol;

typedef struct Join {
    uint32_t rank, at;
    int32_t whole;
} Join;

typedef struct Work {
    Symbol *symbol;
    size_t n, cap;
    Join *heap; /* least rank first, of equal ones the leftmost */
    size_t joins, heap_cap;
} Work;

static const Rank *find(const SpBpe *b, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    for (size_t i = key * 0x9e3779b97f4a7c15u >> 20 & b->mask;; i = (i + 1) & b->mask) {
        if (b->rank[i].whole < 0)
            return NULL;
        if (b->rank[i].key == key)
            return b->rank + i;
    }
}

static void put(SpBpe *b, const Merge *m, uint32_t rank)
{
    uint64_t key = (uint64_t)(uint32_t)m->left << 32 | (uint32_t)m->right;
    size_t i = key * 0x9e3779b97f4a7c15u >> 20 & b->mask;
    while (b->rank[i].whole >= 0 && b->rank[i].key != key)
        i = (i + 1) & b->mask;
    b->rank[i] = (Rank){key, rank, m->whole}; /* of two that are the same, the last counts */
}

/* ---- the heap ---- */

static bool goes_before(const Join *a, const Join *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(Work *w, Join j)
{
    if (w->joins == w->heap_cap) {
        w->heap_cap = w->heap_cap * 2 + 64;
        w->heap = mem_resize(w->heap, w->heap_cap, sizeof *w->heap);
    }
    size_t i = w->joins++;
    for (; i > 0 && goes_before(&j, w->heap + (i - 1) / 2); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = j;
}

static Join pop(Work *w)
{
    Join top = w->heap[0], last = w->heap[--w->joins];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < w->joins; i = k) {
        if (k + 1 < w->joins && goes_before(w->heap + k + 1, w->heap + k))
            k++;
        if (!goes_before(w->heap + k, &last))
            break;
        w->heap[i] = w->heap[k];
    }
    w->heap[i] = last;
    return top;
}

/* ---- a word's characters ---- */

static void add_symbol(Work *w, int32_t id, size_t size)
{
    if (w->n == w->cap) {
        w->cap = w->cap * 2 + 64;
        w->symbol = mem_resize(w->symbol, w->cap, sizeof *w->symbol);
    }
    if (w->n)
        w->symbol[w->n - 1].behind = (int32_t)w->n;
    w->symbol[w->n] = (Symbol){id, (int32_t)w->n - 1, -1, (uint32_t)size};
    w->n++;
}

static bool add_bytes(const SpBpe *b, Work *w, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (b->byte[(unsigned char)p[i]] < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        add_symbol(w, b->byte[(unsigned char)p[i]], 1);
    return true;
}

/* Unknown characters go in when a known one or the end follows; bytes do not count as known. */
static void add_characters(const SpBpe *b, Work *w, const char *p, size_t n)
{
    size_t unknown = 0;
    w->n = 0;
    for (size_t i = 0, len; i < n; i += len) {
        int bytes;
        utf8_get(p + i, &bytes);
        len = (size_t)bytes;
        int32_t id = vocab_find(b->vocab, str_of(p + i, len));
        if (id < 0 && b->rules.bytes && add_bytes(b, w, p + i, len))
            continue;
        if (id < 0 && b->rules.unknown < 0)
            continue;
        if (unknown && (id >= 0 || !b->rules.fuse)) {
            add_symbol(w, b->rules.unknown, unknown);
            unknown = 0;
        }
        if (id >= 0)
            add_symbol(w, id, len);
        else
            unknown += len;
    }
    if (unknown)
        add_symbol(w, b->rules.unknown, unknown);
}

/* ---- joining ---- */

static void consider(const SpBpe *b, Work *w, int32_t left, int32_t right)
{
    if (left < 0 || right < 0)
        return;
    const Rank *r = find(b, w->symbol[left].id, w->symbol[right].id);
    if (r)
        push(w, (Join){r->rank, (uint32_t)left, r->whole});
}

static void join_all(const SpBpe *b, Work *w)
{
    w->joins = 0;
    for (size_t i = 0; i + 1 < w->n; i++)
        consider(b, w, (int32_t)i, (int32_t)i + 1);
    while (w->joins) {
        Join j = pop(w);
        Symbol *left = w->symbol + j.at;
        if (!left->size || left->behind < 0)
            continue;
        Symbol *right = w->symbol + left->behind;
        const Rank *r = find(b, left->id, right->id);
        if (!r || r->whole != j.whole)
            continue; /* it has become something else meanwhile */
        left->id = j.whole;
        left->size += right->size;
        left->behind = right->behind;
        right->size = 0;
        if (left->behind >= 0)
            w->symbol[left->behind].before = (int32_t)j.at;
        consider(b, w, left->before, (int32_t)j.at);
        consider(b, w, (int32_t)j.at, left->behind);
    }
}

static void split(const void *self, void *work, const char *word, size_t n, size_t limit,
                  Subwords *out)
{
    const SpBpe *b = self;
    Work *w = work;
    (void)limit;
    int32_t id = b->rules.whole ? vocab_find(b->vocab, str_of(word, n)) : -1;
    if (id >= 0) {
        subwords_add(out, id, 0, n);
        return;
    }
    add_characters(b, w, word, n);
    join_all(b, w);
    size_t at = 0;
    for (size_t i = 0; i < w->n; i++)
        if (w->symbol[i].size) {
            subwords_add(out, w->symbol[i].id, at, at + w->symbol[i].size);
            at += w->symbol[i].size;
        }
}

static void *work_new(const void *self)
{
    (void)self;
    return mem_zero(1, sizeof(Work));
}

static void work_free(void *work)
{
    Work *w = work;
    free(w->symbol);
    free(w->heap);
    free(w);
}

static void spbpe_free(void *self)
{
    free(((SpBpe *)self)->rank);
    free(self);
}

static const WordSplitter splitter = {work_new, work_free, split, spbpe_free};

static SpBpe *spbpe_new(const Vocab *v, const MergeList *merges, const SpBpeRules *rules)
{
    SpBpe *b = mem_zero(1, sizeof *b);
    b->vocab = v;
    b->rules = *rules;
    size_t slots = 64;
    while (slots < 2 * merges->n)
        slots *= 2;
    b->mask = slots - 1;
    b->rank = mem_array(slots, sizeof *b->rank);
    for (size_t i = 0; i < slots; i++)
        b->rank[i].whole = -1;
    for (size_t i = 0; i < merges->n; i++)
        put(b, merges->merge + i, (uint32_t)i);
    for (int i = 0; i < 256; i++) {
        char text[8];
        int n = snprintf(text, sizeof text, "<0x%02X>", i);
        b->byte[i] = vocab_find(v, str_of(text, (size_t)n));
    }
    return b;
}

/* ---- the model ---- */

/* May text be cut before every run of marks? Not where a mark is joined to what is none before
 * it, nor where the mark is not known and so one with what is unknown before it. */
static bool marks_part(const Vocab *v, const MergeList *merges, Str m)
{
    if (vocab_find(v, m) < 0)
        return false;
    for (size_t i = 0; i < merges->n; i++) {
        Str left = vocab_text(v, merges->merge[i].left);
        Str right = vocab_text(v, merges->merge[i].right);
        if (right.n >= m.n && memcmp(right.p, m.p, m.n) == 0 &&
            (left.n < m.n || memcmp(left.p + left.n - m.n, m.p, m.n) != 0))
            return false;
    }
    return true;
}

void spbpe_set(Tokenizer *t, Normalizer *normalizer, WordRules words, const MergeList *merges,
               const SpBpeRules *rules)
{
    Buf b = {0};
    if (!words.metaspace)
        memcpy(words.mark, mark, sizeof mark);
    buf_fmt(&b, "spbpe %d %d%d%d", (int)rules->unknown, rules->fuse, rules->bytes, rules->whole);
    normalizer_describe(normalizer, &b);
    words_describe(&words, &b);
    buf_add(&b, "", 1);
    tokenizer_identify(t, b.p, merges->merge, merges->n * sizeof *merges->merge);
    free(b.p);
    words.runs = !words.split && !rules->whole &&
                 marks_part(&t->vocab, merges, str_of(words.mark, strlen(words.mark)));
    if (rules->unknown >= 0)
        t->special[TOK_UNK] = rules->unknown;
    t->model = words_model(normalizer, &words, &splitter, spbpe_new(&t->vocab, merges, rules));
}

static bool has_all_bytes(const Vocab *v)
{
    for (int i = 0; i < 256; i++) {
        char text[8];
        int n = snprintf(text, sizeof text, "<0x%02X>", i);
        if (vocab_find(v, str_of(text, (size_t)n)) < 0)
            return false;
    }
    return true;
}

static int read_rules(const Tokenizer *t, const json_t *model, SpBpeRules *r, Err *e)
{
    const char *unknown = json_get_str(model, "unk_token", NULL, e);
    const char *prefix = json_get_str(model, "continuing_subword_prefix", "", e);
    const char *suffix = json_get_str(model, "end_of_word_suffix", "", e);
    r->fuse = json_get_bool(model, "fuse_unk", false, e);
    r->bytes = json_get_bool(model, "byte_fallback", false, e);
    r->whole = json_get_bool(model, "ignore_merges", false, e);
    double dropout = json_get_real(model, "dropout", 0, e);
    if (e->text[0])
        return err_at(e, "model");
    if (*prefix || *suffix)
        return err_set(e, "model BPE: %s is not supported beside SentencePiece's parts",
                       *prefix ? "continuing_subword_prefix" : "end_of_word_suffix");
    if (dropout != 0)
        return err_set(e, "model BPE: dropout is not supported, which chooses by chance");
    r->unknown = unknown ? vocab_find(&t->vocab, str_of(unknown, strlen(unknown))) : -1;
    if (unknown && r->unknown < 0 && !(r->bytes && has_all_bytes(&t->vocab)))
        return err_set(e,
                       "model BPE: no '%s' in the vocabulary, which stands for unknown "
                       "characters",
                       unknown);
    return 0;
}

int spbpe_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    SpBpeRules rules = {0};
    WordRules words = {0};
    if (read_rules(t, f->model, &rules, e) < 0 || words_read(&words, f->words, e) < 0)
        return -1;
    Normalizer *n = normalizer_new();
    if (normalizer_read_apart(n, f->normalizer, e) < 0) {
        normalizer_free(n);
        return -1;
    }
    spbpe_set(t, n, words, &f->merges, &rules);
    return 0;
}
