/* spencode.c - text to pieces (normalizer.cc and unigram_model.cc of SentencePiece 0.2). */
#include "text/sentencepiece/spencode.h"

#include "base/utf8.h"
#include "text/normal/charsmap.h"
#include "text/normal/normal.h"
#include "text/sentencepiece/piecetrie.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { STRETCH = 1 << 12 }; /* bytes after which a decided beginning is delivered */

static const float unknown_penalty = 10, score_most = 100000;

struct SpEncoder {
    const Spiece *s;
    Str space; /* what one becomes */
    Charsmap charsmap;
    bool mapped, users; /* there is a charsmap; there are pieces of the user's */
    Vocab pieces;
    PieceTrie trie;
    float unknown_score;
    const Vocab *vocab; /* what ids are of */
    int32_t unknown;
    int32_t *id;       /* by piece; -1: the vocabulary lacks it */
    int32_t byte[256]; /* of <0x00> .. <0xFF> */
};

/* The best way to a place. */
typedef struct Node {
    float score;
    uint32_t back; /* how many bytes the last piece has; 0: nothing ends here */
    int32_t piece; /* -1: unknown */
} Node;

typedef struct Bit {
    int32_t piece;
    size_t begin, end;
} Bit;

struct SpWork {
    Normal text; /* span[i][0]: where what byte i has become of begins */
    int32_t end; /* the same behind the last byte */
    Node *node;  /* of the bytes from `base` on */
    size_t cap;
    Bit *path; /* backwards */
    size_t bits, room;
    size_t unknown[2]; /* bytes of unknown characters that are not delivered yet */
};

/* ---- normalising ---- */

/* The longest piece of the user's that the text begins with, which is left as it is; 0. */
static size_t user_piece(const SpEncoder *s, Str text)
{
    uint32_t node = PIECETRIE_ROOT;
    size_t longest = 0;
    int32_t id;
    for (size_t i = 0; s->users && i < text.n; i++) {
        if (!piecetrie_step(&s->trie, &node, (unsigned char)text.p[i], &id))
            break;
        if (id >= 0 && s->s->piece[id].type == SPIECE_USER)
            longest = i + 1;
    }
    return longest;
}

/* What the beginning of the text becomes; how much of it that is. */
static size_t normalise_prefix(const SpEncoder *s, Str text, Str *to)
{
    size_t n = user_piece(s, text);
    int len;
    if (!n && s->mapped && (n = charsmap_longest(&s->charsmap, text, to)))
        return n;
    if (!n) {
        utf8_get(text.p, &len);
        n = (size_t)len;
    }
    *to = str_of(text.p, n);
    return n;
}

static bool ends_in(const Normal *t, Str end)
{
    return t->n >= end.n && memcmp(t->p + t->n - end.n, end.p, end.n) == 0;
}

/* Takes n bytes off the beginning. */
static void skip(Str *t, size_t n)
{
    *t = str_of(t->p + n, t->n - n);
}

/* `text` begins at byte `at` of the whole. Leaves w->text empty where it is white space alone. */
static void normalise(const SpEncoder *s, SpWork *w, Str text, int32_t at)
{
    const Spiece *rules = s->s;
    Normal *t = &w->text;
    Str to;
    t->n = 0;
    for (size_t n; rules->trim && text.n; at += (int32_t)n, skip(&text, n)) {
        n = normalise_prefix(s, text, &to);
        if (to.n != 1 || *to.p != ' ')
            break;
    }
    w->end = at;
    if (!text.n)
        return;
    if (rules->prefix && !rules->suffix)
        normal_add(t, s->space.p, s->space.n, at, at);
    bool spaced = rules->trim;
    while (text.n) {
        size_t n = normalise_prefix(s, text, &to);
        while (spaced && to.n && *to.p == ' ')
            skip(&to, 1);
        for (size_t i = 0; i < to.n; i++) {
            bool space = to.p[i] == ' ';
            normal_add(t, space ? s->space.p : to.p + i, space ? s->space.n : 1, at, at);
        }
        if (to.n)
            spaced = rules->trim && to.p[to.n - 1] == ' ';
        at += (int32_t)n;
        skip(&text, n);
    }
    while (rules->trim && ends_in(t, s->space)) {
        t->n -= s->space.n;
        at = t->span[t->n][0];
    }
    if (rules->prefix && rules->suffix)
        normal_add(t, s->space.p, s->space.n, at, at);
    w->end = at;
}

/* ---- the best way ---- */

static void reach(SpWork *w, size_t from, size_t to)
{
    if (to >= w->cap) {
        w->cap = to * 2 + 256;
        w->node = mem_resize(w->node, w->cap, sizeof *w->node);
    }
    for (size_t i = from + 1; i <= to; i++)
        w->node[i].back = 0;
}

/* A place that can now be reached, maybe farther than `end`, the farthest so far. */
static size_t offer(SpWork *w, size_t at, size_t bytes, float score, int32_t piece, size_t end)
{
    if (at + bytes > end) {
        reach(w, end, at + bytes);
        end = at + bytes;
    }
    Node *to = w->node + at + bytes;
    if (!to->back || score > to->score)
        *to = (Node){score, (uint32_t)bytes, piece};
    return end;
}

/* The reference keeps sums small on long texts. */
static void settle(SpWork *w, size_t at, size_t end)
{
    float off = w->node[at].score;
    if (off >= -score_most && off <= score_most)
        return;
    w->node[at].score = 0;
    for (size_t i = at + 1; i <= end; i++)
        if (w->node[i].back)
            w->node[i].score -= off;
}

/* All that begins at place `at`, which is byte i. Returns the farthest end. */
static size_t step(const SpEncoder *s, SpWork *w, size_t i, size_t at, size_t end, size_t *bytes)
{
    Str text = str_of(w->text.p + i, w->text.n - i);
    uint32_t node = PIECETRIE_ROOT;
    bool single = false;
    int len;
    utf8_get(text.p, &len);
    settle(w, at, end);
    float score = w->node[at].score;
    for (size_t k = 1; k <= text.n; k++) {
        int32_t id;
        if (!piecetrie_step(&s->trie, &node, (unsigned char)text.p[k - 1], &id))
            break;
        const SpiecePiece *p = id < 0 ? NULL : s->s->piece + id;
        if (!p || (p->type != SPIECE_NORMAL && p->type != SPIECE_USER))
            continue;
        float own = p->type == SPIECE_USER ? (float)(0.1 * (double)(k - 1)) : p->score;
        end = offer(w, at, k, own + score, id, end);
        single = single || k == (size_t)len;
    }
    if (!single)
        end = offer(w, at, (size_t)len, s->unknown_score + score, -1, end);
    *bytes = (size_t)len;
    return end;
}

/* ---- delivering it ---- */

static int32_t origin(const SpWork *w, size_t i)
{
    return i < w->text.n ? w->text.span[i][0] : w->end;
}

static void put(const SpEncoder *s, const SpWork *w, int32_t id, size_t begin, size_t end,
                Tokens *out)
{
    tokens_add(out, id < 0 ? s->unknown : id, origin(w, begin), origin(w, end));
}

/* Neighbours that are unknown are one, which the vocabulary may have; or each is written in
 * bytes, of which the last of a character has its span. */
static void put_unknown(const SpEncoder *s, SpWork *w, Tokens *out)
{
    size_t begin = w->unknown[0], end = w->unknown[1];
    w->unknown[0] = end;
    if (begin == end)
        return;
    if (!s->s->fallback) {
        int32_t id = vocab_find(s->vocab, str_of(w->text.p + begin, end - begin));
        put(s, w, id, begin, end, out);
        return;
    }
    for (size_t i = begin, first = begin; i < end; i++) {
        bool last = i + 1 == end || ((unsigned char)w->text.p[i + 1] & 0xc0) != 0x80;
        put(s, w, s->byte[(unsigned char)w->text.p[i]], first, last ? i + 1 : first, out);
        first = last ? i + 1 : first;
    }
}

/* Delivers the best way from byte `base` on, `at` bytes long. */
static void put_path(const SpEncoder *s, SpWork *w, size_t base, size_t at, Tokens *out)
{
    w->bits = 0;
    for (; at > 0; at -= w->node[at].back) {
        if (w->bits == w->room) {
            w->room = w->room * 2 + 64;
            w->path = mem_resize(w->path, w->room, sizeof *w->path);
        }
        w->path[w->bits++] = (Bit){w->node[at].piece, base + at - w->node[at].back, base + at};
    }
    while (w->bits > 0) {
        const Bit *b = w->path + --w->bits;
        if (b->piece < 0) {
            if (w->unknown[0] == w->unknown[1])
                w->unknown[0] = b->begin;
            w->unknown[1] = b->end;
            continue;
        }
        put_unknown(s, w, out);
        put(s, w, s->id[b->piece], b->begin, b->end, out);
    }
}

/* A place that no piece passes decides all that lies before it, so that the nodes that are kept do
 * not grow with the text. */
void spencoder_encode(const SpEncoder *s, SpWork *w, Str text, int32_t at, size_t limit,
                      Tokens *out)
{
    size_t base = 0, place = 0, end = 0, bytes;
    normalise(s, w, text, at);
    w->unknown[0] = w->unknown[1] = 0;
    reach(w, 0, 0);
    w->node[0].score = 0;
    for (; base + place < w->text.n && out->n <= limit; place += bytes) {
        if (place == end && place > STRETCH) {
            put_path(s, w, base, place, out);
            w->node[0].score = w->node[place].score;
            base += place;
            place = end = 0;
        }
        end = step(s, w, base + place, place, end, &bytes);
    }
    if (base + place == w->text.n)
        put_path(s, w, base, place, out);
    put_unknown(s, w, out);
}

SpWork *spwork_new(void)
{
    return mem_zero(1, sizeof(SpWork));
}

void spwork_free(SpWork *w)
{
    if (!w)
        return;
    free(w->text.p);
    free(w->text.span);
    free(w->node);
    free(w->path);
    free(w);
}

/* ---- making it ---- */

static int add_pieces(SpEncoder *s, Err *e)
{
    float least = FLT_MAX;
    if (s->s->n >= PIECETRIE_IDS)
        return err_set(e, "%zu pieces are too many", s->s->n);
    for (size_t i = 0; i < s->s->n; i++) {
        const SpiecePiece *p = s->s->piece + i;
        if (!isfinite(p->score))
            return err_set(e, "the score of piece %zu is no number", i);
        if (vocab_add(&s->pieces, (int32_t)i, p->text, e) < 0)
            return -1;
        if (p->type == SPIECE_NORMAL && p->score < least)
            least = p->score;
        s->users = s->users || p->type == SPIECE_USER;
    }
    s->unknown_score = least - unknown_penalty;
    piecetrie_build(&s->trie, &s->pieces);
    return 0;
}

SpEncoder *spencoder_new(const Spiece *spiece, Err *e)
{
    SpEncoder *s = mem_zero(1, sizeof *s);
    s->s = spiece;
    s->space = spiece->escape ? str_of("\xe2\x96\x81", 3) : str_of(" ", 1);
    s->mapped = spiece->charsmap.n > 0;
    if (spiece->model != SPIECE_UNIGRAM)
        err_set(e, "model_type %d is not supported: Unigram is", spiece->model);
    else if (add_pieces(s, e) == 0 &&
             (!s->mapped || charsmap_read(&s->charsmap, spiece->charsmap, e) == 0))
        return s;
    spencoder_free(s);
    return NULL;
}

void spencoder_ids(SpEncoder *s, const Vocab *v, int32_t unknown)
{
    s->vocab = v;
    s->unknown = unknown;
    s->id = mem_array(s->s->n, sizeof *s->id);
    for (size_t i = 0; i < s->s->n; i++)
        s->id[i] = vocab_find(v, s->s->piece[i].text);
    for (int i = 0; i < 256; i++) {
        char text[8];
        int n = snprintf(text, sizeof text, "<0x%02X>", i);
        s->byte[i] = vocab_find(v, str_of(text, (size_t)n));
    }
}

void spencoder_free(SpEncoder *s)
{
    if (!s)
        return;
    charsmap_free(&s->charsmap);
    vocab_free(&s->pieces);
    piecetrie_free(&s->trie);
    free(s->id);
    free(s);
}
