#include "text/sentencepiece/spiece.h"

#include "base/utf8.h"
#include "store/mapfile.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 1 << 28, PIECE_BYTES = 1 << 12 };
enum { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };

/* ---- protobuf's wire format ---- */

typedef struct Field {
    uint32_t number;
    int wire;
    uint64_t value; /* WIRE_VARINT, WIRE_64, WIRE_32 */
    Str bytes;      /* WIRE_BYTES */
} Field;

static bool read_varint(Str *s, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && s->n; shift += 7) {
        unsigned char byte = (unsigned char)*s->p++;
        s->n--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool read_fixed(Str *s, size_t n, uint64_t *value)
{
    if (s->n < n)
        return false;
    *value = 0;
    for (size_t i = 0; i < n; i++)
        *value |= (uint64_t)(unsigned char)s->p[i] << 8 * i;
    *s = str_of(s->p + n, s->n - n);
    return true;
}

/* The next field of a message that has bytes left. */
static bool read_field(Str *s, Field *f)
{
    uint64_t key, size;
    if (!read_varint(s, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX)
        return false;
    f->number = (uint32_t)(key >> 3);
    f->wire = key & 7;
    switch (f->wire) {
    case WIRE_VARINT: return read_varint(s, &f->value);
    case WIRE_64: return read_fixed(s, 8, &f->value);
    case WIRE_32: return read_fixed(s, 4, &f->value);
    case WIRE_BYTES:
        if (!read_varint(s, &size) || size > s->n)
            return false;
        f->bytes = str_of(s->p, size);
        *s = str_of(s->p + size, s->n - size);
        return true;
    default: return false;
    }
}

static int broken(const char *what, Err *e)
{
    return err_set(e, "%s is cut off or damaged: is it SentencePiece's model?", what);
}

/* ---- the messages ---- */

static int read_piece(Spiece *s, Str m, Err *e)
{
    SpiecePiece p = {.text = {"", 0}, .type = SPIECE_NORMAL};
    Field f;
    while (m.n) {
        if (!read_field(&m, &f))
            return broken("a piece", e);
        if (f.number == 1 && f.wire == WIRE_BYTES) {
            p.text = f.bytes;
        } else if (f.number == 2 && f.wire == WIRE_32) {
            uint32_t bits = (uint32_t)f.value;
            memcpy(&p.score, &bits, sizeof p.score);
        } else if (f.number == 3 && f.wire == WIRE_VARINT) {
            p.type = (int)f.value;
        }
    }
    if (p.text.n > PIECE_BYTES || utf8_check(p.text.p, p.text.n) < p.text.n)
        return err_set(e, "piece %zu is no text, or too long", s->n);
    if (s->n == s->cap) {
        s->cap = s->cap * 2 + 1024;
        s->piece = mem_resize(s->piece, s->cap, sizeof *s->piece);
    }
    s->piece[s->n++] = p;
    return 0;
}

static int read_trainer(Spiece *s, Str m, Err *e)
{
    Field f;
    while (m.n) {
        if (!read_field(&m, &f))
            return broken("its trainer_spec", e);
        if (f.number == 3 && f.wire == WIRE_VARINT)
            s->model = (int)f.value;
        else if (f.number == 24 && f.wire == WIRE_VARINT)
            s->suffix = f.value != 0;
        else if (f.number == 35 && f.wire == WIRE_VARINT)
            s->fallback = f.value != 0;
        else if (f.number == 44 && f.wire == WIRE_BYTES)
            s->unknown_shown = f.bytes;
        else if (f.number == 40 && f.wire == WIRE_VARINT)
            s->unknown = (int32_t)f.value;
        else if (f.number == 45 && f.wire == WIRE_BYTES)
            s->unknown_text = f.bytes;
    }
    return 0;
}

static int read_normalizer(Spiece *s, Str m, Err *e)
{
    Field f;
    while (m.n) {
        if (!read_field(&m, &f))
            return broken("its normalizer_spec", e);
        if (f.number == 2 && f.wire == WIRE_BYTES)
            s->charsmap = f.bytes;
        else if (f.number == 3 && f.wire == WIRE_VARINT)
            s->prefix = f.value != 0;
        else if (f.number == 4 && f.wire == WIRE_VARINT)
            s->trim = f.value != 0;
        else if (f.number == 5 && f.wire == WIRE_VARINT)
            s->escape = f.value != 0;
    }
    return 0;
}

/* Of the normalizer for the way back only that there is one. */
static int read_denormalizer(Spiece *s, Str m, Err *e)
{
    Spiece back = {0};
    int bad = read_normalizer(&back, m, e);
    s->back = back.charsmap;
    return bad;
}

static int read_model(Spiece *s, Err *e)
{
    Str m = str_of(s->bytes.p, s->bytes.n);
    Field f;
    int bad = 0;
    while (m.n && !bad) {
        if (!read_field(&m, &f))
            return broken("the file", e);
        if (f.wire != WIRE_BYTES)
            continue;
        if (f.number == 1)
            bad = read_piece(s, f.bytes, e);
        else if (f.number == 2)
            bad = read_trainer(s, f.bytes, e);
        else if (f.number == 3)
            bad = read_normalizer(s, f.bytes, e);
        else if (f.number == 5)
            bad = read_denormalizer(s, f.bytes, e);
    }
    if (!bad && !s->n)
        return err_set(e, "no pieces: is it SentencePiece's model?");
    return bad;
}

int spiece_read(Spiece *s, const char *path, Err *e)
{
    *s = (Spiece){.model = SPIECE_UNIGRAM,
                  .unknown_text = {"<unk>", 5},
                  .unknown_shown = {" \xe2\x81\x87 ", 5},
                  .prefix = true,
                  .trim = true,
                  .escape = true};
    if (file_read(path, FILE_BYTES, &s->bytes, e) == 0 && read_model(s, e) == 0)
        return 0;
    spiece_free(s);
    return -1;
}

void spiece_free(Spiece *s)
{
    free(s->bytes.p);
    free(s->piece);
}

/* ---- merges ---- */

typedef struct Way {
    Merge merge;
    double score;
    int32_t left_rank, right_rank; /* places among the pieces */
    uint32_t left_chars, right_chars;
    size_t order;
} Way;

typedef struct Ways {
    Way *way;
    size_t n, cap;
} Ways;

static int by_ranks(const void *a, const void *b)
{
    const Way *x = a, *y = b;
    if (x->left_rank != y->left_rank)
        return x->left_rank < y->left_rank ? -1 : 1;
    return (x->right_rank > y->right_rank) - (x->right_rank < y->right_rank);
}

/* Best score first, then the longer left and the longer right part, else as they came. */
static int by_score(const void *a, const void *b)
{
    const Way *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->left_chars != y->left_chars)
        return x->left_chars > y->left_chars ? -1 : 1;
    if (x->right_chars != y->right_chars)
        return x->right_chars > y->right_chars ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static uint32_t chars_of(const char *p, size_t n)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)p[i] & 0xc0) != 0x80;
    return count;
}

static void add_way(Ways *w, Way way)
{
    if (w->n == w->cap) {
        w->cap = w->cap * 2 + 1024;
        w->way = mem_resize(w->way, w->cap, sizeof *w->way);
    }
    w->way[w->n++] = way;
}

/* The ways to write the entry as two of the file's pieces. */
static int add_ways(Ways *w, const Vocab *v, const Vocab *pieces, int32_t id, double score, Err *e)
{
    Str s = vocab_text(v, id);
    size_t first = w->n;
    uint64_t h = VOCAB_SEED;
    for (size_t i = 1; i < s.n; i++) {
        h = vocab_step(h, (unsigned char)s.p[i - 1]);
        if (((unsigned char)s.p[i] & 0xc0) == 0x80)
            continue;
        int32_t left = vocab_at(pieces, h, str_of("", 0), s.p, i);
        int32_t right = left < 0 ? -1 : vocab_find(pieces, str_of(s.p + i, s.n - i));
        if (right < 0)
            continue;
        Merge m = {vocab_find(v, str_of(s.p, i)), vocab_find(v, str_of(s.p + i, s.n - i)), id};
        if (m.left < 0 || m.right < 0)
            return err_set(e, "'%.*s' is made of pieces that the model does not have", (int)s.n,
                           s.p);
        add_way(w, (Way){.merge = m,
                         .score = score,
                         .left_rank = left,
                         .right_rank = right,
                         .left_chars = chars_of(s.p, i),
                         .right_chars = chars_of(s.p + i, s.n - i)});
    }
    if (w->n - first > 1)
        qsort(w->way + first, w->n - first, sizeof *w->way, by_ranks);
    for (size_t i = first; i < w->n; i++)
        w->way[i].order = i;
    return 0;
}

int spiece_merges(const Spiece *s, const Vocab *v, const double *score, MergeList *to, Err *e)
{
    Vocab pieces = {0};
    Ways w = {0};
    int bad = 0;
    for (size_t i = 0; i < s->n && !bad; i++)
        bad = vocab_add(&pieces, (int32_t)i, s->piece[i].text, e);
    for (int32_t id = 0; id < v->count && !bad; id++)
        bad = add_ways(&w, v, &pieces, id, score[id], e);
    vocab_free(&pieces);
    if (w.n)
        qsort(w.way, w.n, sizeof *w.way, by_score);
    to->merge = mem_resize(to->merge, w.n + 1, sizeof *to->merge);
    for (size_t i = 0; i < w.n; i++)
        to->merge[i] = w.way[i].merge;
    to->n = to->cap = w.n;
    free(w.way);
    return bad;
}
