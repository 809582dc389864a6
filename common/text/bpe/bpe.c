#include "text/bpe/bpe.h"

#include "base/utf8.h"
#include "text/bytechars.h"

#include <stdlib.h>

enum {
    SHORT = 40,       /* symbols up to which looking at all ranks is the fastest */
    WINDOW = 1 << 13, /* bytes joined at a time of a long word */
    MARGIN = 1 << 10, /* of them those at the end that what comes behind may change */
    TRIES = 64,
};
#define NONE UINT32_MAX

typedef struct Slot {
    int32_t left, right; /* left -1: free */
    uint32_t rank;
} Slot;

struct Bpe {
    int32_t byte[256];    /* ids of single bytes */
    uint32_t *bytes_rank; /* ranks of pairs of them, [left << 8 | right] */
    Slot *slot;
    uint32_t mask;
    int32_t *whole; /* by rank */
    bool ordered;   /* every merge joins what merges of lower ranks have made */
};

/* ---- ranks of pairs ---- */

static inline uint32_t hash_pair(int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32);
}

static inline Slot *pair_slot(const Bpe *b, int32_t left, int32_t right)
{
    for (uint32_t i = hash_pair(left, right) & b->mask;; i = (i + 1) & b->mask) {
        Slot *s = b->slot + i;
        if (s->left < 0 || (s->left == left && s->right == right))
            return s;
    }
}

static inline uint32_t pair_rank(const Bpe *b, int32_t left, int32_t right)
{
    const Slot *s = pair_slot(b, left, right);
    return s->left < 0 ? NONE : s->rank;
}

static int find_bytes(Bpe *b, const Vocab *v, Err *e)
{
    for (int i = 0; i < 256; i++) {
        char text[4];
        int n = utf8_put(byte_char((uint8_t)i), text);
        b->byte[i] = vocab_find(v, str_of(text, (size_t)n));
        if (b->byte[i] < 0)
            return err_set(e, "no entry for the byte 0x%02x ('%.*s') in the vocabulary", i, n,
                           text);
    }
    return 0;
}

static int add_pairs(Bpe *b, const Vocab *v, const MergeList *merges, Err *e)
{
    uint32_t slots = 1 << 10;
    while (slots < merges->n * 2)
        slots *= 2;
    b->mask = slots - 1;
    b->slot = mem_array(slots, sizeof *b->slot);
    memset(b->slot, 0xff, slots * sizeof *b->slot);
    b->whole = mem_array(merges->n, sizeof *b->whole);
    for (size_t i = 0; i < merges->n; i++) {
        const Merge *m = merges->merge + i;
        Slot *s = pair_slot(b, m->left, m->right);
        if (s->left >= 0) {
            Str left = vocab_text(v, m->left), right = vocab_text(v, m->right);
            return err_set(e, "merge %zu, '%.*s %.*s', is there twice", i + 1, (int)left.n, left.p,
                           (int)right.n, right.p);
        }
        *s = (Slot){m->left, m->right, (uint32_t)i};
        b->whole[i] = m->whole;
    }
    return 0;
}

static void rank_bytes(Bpe *b)
{
    b->bytes_rank = mem_array(1 << 16, sizeof *b->bytes_rank);
    for (uint32_t i = 0; i < 1 << 16; i++)
        b->bytes_rank[i] = pair_rank(b, b->byte[i >> 8], b->byte[i & 255]);
}

/* Is each symbol made, whichever merges make it, before a merge takes it? Then merges happen
 * in the order of their ranks. */
static bool is_ordered(const MergeList *merges, int32_t ids)
{
    size_t *made = mem_zero((size_t)ids + 1, sizeof *made); /* 1 + the last rank that makes it */
    bool ordered = true;
    for (size_t i = 0; i < merges->n; i++)
        made[merges->merge[i].whole] = i + 1;
    for (size_t i = 0; ordered && i < merges->n; i++)
        ordered = made[merges->merge[i].left] <= i && made[merges->merge[i].right] <= i;
    free(made);
    return ordered;
}

Bpe *bpe_new(const Vocab *v, const MergeList *merges, Err *e)
{
    Bpe *b = mem_zero(1, sizeof *b);
    if (find_bytes(b, v, e) < 0 || add_pairs(b, v, merges, e) < 0) {
        bpe_free(b);
        return NULL;
    }
    rank_bytes(b);
    b->ordered = is_ordered(merges, v->count);
    return b;
}

void bpe_free(Bpe *b)
{
    if (!b)
        return;
    free(b->bytes_rank);
    free(b->slot);
    free(b->whole);
    free(b);
}

/* ---- joining ---- */

static void room(BpeWork *w, size_t n)
{
    if (n <= w->cap)
        return;
    w->cap = n < 256 ? 256 : n;
    w->id = mem_resize(w->id, w->cap, sizeof *w->id);
    w->end = mem_resize(w->end, w->cap, sizeof *w->end);
    w->rank = mem_resize(w->rank, w->cap, sizeof *w->rank);
    w->before = mem_resize(w->before, w->cap, sizeof *w->before);
    w->after = mem_resize(w->after, w->cap, sizeof *w->after);
}

static inline uint8_t byte_at(BpeWord word, size_t i)
{
    return word.space ? (i ? (uint8_t)word.p[i - 1] : ' ') : (uint8_t)word.p[i];
}

/* One symbol a byte, and the ranks of the pairs they begin. */
static void begin(const Bpe *b, BpeWork *w, BpeWord word, size_t from, size_t n)
{
    uint32_t pair = byte_at(word, from);
    room(w, n);
    for (size_t i = 0; i < n; i++) {
        w->id[i] = b->byte[pair & 255];
        if (i + 1 < n) {
            pair = (pair << 8 | byte_at(word, from + i + 1)) & 0xffff;
            w->rank[i] = b->bytes_rank[pair];
        }
    }
    w->rank[n - 1] = NONE;
}

static size_t lowest(const uint32_t *rank, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = rank[i] < rank[best] ? i : best;
    return best;
}

/* All ranks are looked at for each merge; joined symbols move together. */
static void join_short(const Bpe *b, BpeWork *w, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w->end[i] = (int32_t)(from + i + 1);
    while (n > 1) {
        size_t i = lowest(w->rank, n);
        if (w->rank[i] == NONE)
            break;
        w->id[i] = b->whole[w->rank[i]];
        w->end[i] = w->end[i + 1];
        n--;
        for (size_t k = i + 1; k < n; k++) {
            w->id[k] = w->id[k + 1];
            w->end[k] = w->end[k + 1];
            w->rank[k] = w->rank[k + 1];
        }
        w->rank[i] = i + 1 < n ? pair_rank(b, w->id[i], w->id[i + 1]) : NONE;
        if (i)
            w->rank[i - 1] = pair_rank(b, w->id[i - 1], w->id[i]);
    }
    w->n = n;
}

/* A heap of ranks with places, the lowest on top. */
static void push(BpeWork *w, uint32_t rank, size_t place)
{
    uint64_t item = (uint64_t)rank << 32 | place;
    if (rank == NONE)
        return;
    if (w->heaped == w->heap_cap) {
        w->heap_cap = w->heap_cap * 2 + 256;
        w->heap = mem_resize(w->heap, w->heap_cap, sizeof *w->heap);
    }
    size_t i = w->heaped++;
    for (; i && w->heap[(i - 1) / 2] > item; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = item;
}

static uint64_t pop(BpeWork *w)
{
    uint64_t top = w->heap[0], item = w->heap[--w->heaped];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < w->heaped) {
        if (child + 1 < w->heaped && w->heap[child + 1] < w->heap[child])
            child++;
        if (w->heap[child] >= item)
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = item;
    return top;
}

static void rank_again(const Bpe *b, BpeWork *w, int32_t i)
{
    int32_t next = w->after[i];
    w->rank[i] = next < 0 ? NONE : pair_rank(b, w->id[i], w->id[next]);
    push(w, w->rank[i], (size_t)i);
}

static void join_long(const Bpe *b, BpeWork *w, size_t from, size_t n)
{
    w->heaped = 0;
    for (size_t i = 0; i < n; i++) {
        w->before[i] = (int32_t)i - 1;
        w->after[i] = i + 1 < n ? (int32_t)i + 1 : -1;
        push(w, w->rank[i], i);
    }
    while (w->heaped) {
        uint64_t top = pop(w);
        int32_t i = (int32_t)(uint32_t)top;
        if (w->rank[i] != top >> 32)
            continue; /* another merge has changed the pair since */
        int32_t gone = w->after[i];
        w->id[i] = b->whole[w->rank[i]];
        w->rank[gone] = NONE;
        w->after[i] = w->after[gone];
        if (w->after[i] >= 0)
            w->before[w->after[i]] = i;
        rank_again(b, w, i);
        if (w->before[i] >= 0)
            rank_again(b, w, w->before[i]);
    }
    w->n = 0;
    for (int32_t i = 0; i >= 0; i = w->after[i]) {
        w->id[w->n] = w->id[i];
        w->end[w->n++] = (int32_t)from + (w->after[i] < 0 ? (int32_t)n : w->after[i]);
    }
}

static void join(const Bpe *b, BpeWork *w, BpeWord word, size_t from, size_t n)
{
    begin(b, w, word, from, n);
    if (n <= SHORT)
        join_short(b, w, from, n);
    else
        join_long(b, w, from, n);
}

/* ---- long words ----
 *
 * Where merges happen in the order of ranks, pieces are those of a text if each two neighbours
 * come out of the text that both make: a merge across would be the same there. So a word may be
 * split window by window, if at the seams the neighbours are tried. */

/* Does piece k - 1 go with what the window behind it begins with? */
static bool seam_holds(const Bpe *b, const BpeWork *w, BpeWord word, size_t from, size_t k)
{
    BpeWork *ahead = w->ahead;
    size_t seam = (size_t)w->end[k - 1], begin = k > 1 ? (size_t)w->end[k - 2] : from;
    join(b, ahead, word, seam, word.n - seam < WINDOW ? word.n - seam : WINDOW);
    int32_t last = w->id[k - 1], first = ahead->id[0], end = ahead->end[0];
    join(b, ahead, word, begin, (size_t)end - begin);
    return ahead->n == 2 && ahead->id[0] == last && ahead->id[1] == first;
}

bool bpe_split(const Bpe *b, BpeWork *w, BpeWord word, size_t *from)
{
    if (!b->ordered || word.n - *from <= WINDOW) {
        join(b, w, word, *from, word.n - *from);
        return false;
    }
    if (!w->ahead)
        w->ahead = mem_zero(1, sizeof *w->ahead);
    join(b, w, word, *from, WINDOW);
    size_t k = w->n;
    while (k > 1 && (size_t)w->end[k - 1] > *from + WINDOW - MARGIN)
        k--;
    for (int tries = 0; k && tries < TRIES; tries++, k--) {
        if (seam_holds(b, w, word, *from, k)) {
            w->n = k;
            *from = (size_t)w->end[k - 1];
            return true;
        }
    }
    join(b, w, word, *from, word.n - *from);
    return false;
}

void bpework_one(BpeWork *w, int32_t id, size_t n)
{
    room(w, 1);
    w->id[0] = id;
    w->end[0] = (int32_t)n;
    w->n = 1;
}

void bpework_clear(BpeWork *w)
{
    free(w->id);
    free(w->end);
    free(w->before);
    free(w->after);
    free(w->rank);
    free(w->heap);
    if (w->ahead)
        bpework_clear(w->ahead);
    free(w->ahead);
    *w = (BpeWork){0};
}
