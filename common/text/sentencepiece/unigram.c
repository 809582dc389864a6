#include "text/sentencepiece/unigram.h"

#include "base/utf8.h"
#include "text/sentencepiece/piecetrie.h"

#include <stdlib.h>

enum { STRETCH = 1 << 12 }; /* bytes after which a decided beginning is delivered */

static const double unknown_penalty = 10;

typedef struct Unigram {
    const Vocab *vocab;
    double *score;
    double unknown_score;
    UnigramRules rules;
    PieceTrie trie;
    int32_t byte[256]; /* ids of <0x00> .. <0xFF>, or -1 */
} Unigram;

/* The best way to a place. */
typedef struct Node {
    double score;
    uint32_t back; /* how many bytes the last piece has; 0: nothing ends here */
    int32_t id;
} Node;

typedef struct Work {
    Node *node; /* of the bytes from `base` on */
    size_t cap;
    Subwords path;     /* backwards */
    size_t unknown[2]; /* bytes of unknown characters that are not delivered yet */
} Work;

static void reach(Work *w, size_t from, size_t to)
{
    if (to >= w->cap) {
        w->cap = to * 2 + 256;
        w->node = mem_resize(w->node, w->cap, sizeof *w->node);
    }
    for (size_t i = from + 1; i <= to; i++)
        w->node[i].back = 0;
}

static inline void offer(Node *to, double score, size_t bytes, int32_t id)
{
    if (to->back && score <= to->score)
        return;
    *to = (Node){score, (uint32_t)bytes, id};
}

/* All that begins at place `at`, which is byte i of the word. Returns the farthest end. */
static size_t step(const Unigram *u, Work *w, const char *word, size_t n, size_t i, size_t at,
                   size_t end, size_t *bytes)
{
    double score = w->node[at].score;
    uint32_t node = PIECETRIE_ROOT;
    bool single = false;
    int len;
    utf8_get(word + i, &len);
    for (size_t k = 1; i + k <= n; k++) {
        int32_t id;
        if (!piecetrie_step(&u->trie, &node, (unsigned char)word[i + k - 1], &id))
            break;
        if (id < 0)
            continue;
        if (at + k > end) {
            reach(w, end, at + k);
            end = at + k;
        }
        offer(w->node + at + k, u->score[id] + score, k, id);
        single = single || k == (size_t)len;
    }
    if (!single) {
        if (at + (size_t)len > end) {
            reach(w, end, at + (size_t)len);
            end = at + (size_t)len;
        }
        offer(w->node + at + len, u->unknown_score + score, (size_t)len, u->rules.unknown);
    }
    *bytes = (size_t)len;
    return end;
}

/* What is unknown may be a piece all the same, or be written in bytes. */
static void put_unknown(const Unigram *u, Work *w, const char *word, Subwords *out)
{
    size_t begin = w->unknown[0], end = w->unknown[1];
    if (begin == end)
        return;
    w->unknown[0] = end;
    int32_t id = vocab_find(u->vocab, str_of(word + begin, end - begin));
    bool bytes = id < 0 && u->rules.bytes;
    for (size_t i = begin; bytes && i < end; i++)
        bytes = u->byte[(unsigned char)word[i]] >= 0;
    if (!bytes) {
        subwords_add(out, id < 0 ? u->rules.unknown : id, begin, end);
        return;
    }
    for (size_t i = begin; i < end; i++)
        subwords_add(out, u->byte[(unsigned char)word[i]], begin, end);
}

/* Delivers the best way from byte `base` on, `at` bytes long. */
static void put_path(const Unigram *u, Work *w, const char *word, size_t base, size_t at,
                     Subwords *out)
{
    w->path.n = 0;
    while (at > 0) {
        const Node *node = w->node + at;
        subwords_add(&w->path, node->id, base + at - node->back, base + at);
        at -= node->back;
    }
    while (w->path.n > 0) {
        const Subword *p = w->path.piece + --w->path.n;
        if (p->id == u->rules.unknown) {
            if (w->unknown[0] == w->unknown[1])
                w->unknown[0] = p->begin;
            w->unknown[1] = p->end;
            continue;
        }
        put_unknown(u, w, word, out);
        subwords_add(out, p->id, p->begin, p->end);
    }
}

/* A place that no piece passes decides all that lies before it, so that what is kept does not
 * grow with the word; the score goes on, as its rounding may decide between equals. */
static void split(const void *self, void *work, const char *word, size_t n, size_t limit,
                  Subwords *out)
{
    const Unigram *u = self;
    Work *w = work;
    size_t base = 0, at = 0, end = 0, bytes;
    w->unknown[0] = w->unknown[1] = 0;
    reach(w, 0, 0);
    w->node[0].score = 0;
    for (; base + at < n && out->n <= limit; at += bytes) {
        if (at == end && at > STRETCH) {
            put_path(u, w, word, base, at, out);
            w->node[0].score = w->node[at].score;
            base += at;
            at = end = 0;
        }
        end = step(u, w, word, n, base + at, at, end, &bytes);
    }
    if (base + at == n)
        put_path(u, w, word, base, at, out);
    put_unknown(u, w, word, out);
}

static void *work_new(const void *self)
{
    (void)self;
    return mem_zero(1, sizeof(Work));
}

static void work_free(void *work)
{
    Work *w = work;
    free(w->node);
    free(w->path.piece);
    free(w);
}

static void unigram_free(void *self)
{
    Unigram *u = self;
    piecetrie_free(&u->trie);
    free(u->score);
    free(u);
}

const WordSplitter unigram_splitter = {work_new, work_free, split, unigram_free};

void *unigram_new(const Vocab *v, const double *score, const UnigramRules *rules)
{
    Unigram *u = mem_zero(1, sizeof *u);
    double least = 0;
    u->vocab = v;
    u->rules = *rules;
    u->score = mem_array((size_t)v->count, sizeof *u->score);
    for (int32_t id = 0; id < v->count; id++) {
        u->score[id] = score[id];
        if (id == 0 || score[id] < least)
            least = score[id];
    }
    u->unknown_score = least - unknown_penalty;
    for (int i = 0; i < 256; i++) {
        char text[8];
        int n = snprintf(text, sizeof text, "<0x%02X>", i);
        u->byte[i] = vocab_find(v, str_of(text, (size_t)n));
    }
    piecetrie_build(&u->trie, v);
    return u;
}
