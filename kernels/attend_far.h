/* attend_far.h - what queries and keys make of distances (attend.h's `far`) on the CPU, for one
 * head of a row. Keys and queries of the distances that the row has are turned once, as its own
 * keys are; then four queries, or four keys, are multiplied by those that they meet, which lie side
 * by side, and each number is added where its distance stands. What keys make of them is made for
 * BLOCK queries at a time. */
#ifndef WEFT_ATTEND_FAR_H
#define WEFT_ATTEND_FAR_H

#include "kernels/attend_tile.h"

enum { BLOCK = 64 };

typedef struct Far {
    const AttendFar *of;
    int64_t len, wide, size;
    int64_t first, entries; /* of the row's own distances: the first, how many */
    int64_t room;           /* columns of `key` and `query` */
    int64_t near;           /* distances up to it, either way, have an entry each */
    float *key;             /* [size, room], from the farthest ahead to the farthest behind */
    float *query;           /* [size, room], the other way round */
    float *some, *out;      /* four keys [QUERIES, size], and what comes out [QUERIES, room] */
    float *add;             /* [BLOCK / QUERIES, wide, QUERIES]: what keys make, by query */
} Far;

static inline int64_t far_entry(const AttendFar *a, int64_t distance)
{
    int64_t at = distance < -a->reach ? -a->reach : distance > a->reach ? a->reach : distance;
    return a->entry[at + a->reach];
}

/* Its sizes; the floats that far_use is to be given. */
static inline size_t far_begin(Far *f, const AttendFar *of, int64_t len, int64_t size)
{
    *f = (Far){.of = of, .len = len, .size = size};
    if (!of || len == 0)
        return 0;
    f->wide = whole_vectors(len);
    f->first = far_entry(of, 1 - len);
    f->entries = far_entry(of, len - 1) - f->first + 1;
    f->room = whole_vectors(f->entries) + VN;
    int64_t zero = far_entry(of, 0);
    while (f->near + 1 < len && far_entry(of, f->near + 1) == zero + f->near + 1 &&
           far_entry(of, -f->near - 1) == zero - f->near - 1)
        f->near++;
    return (size_t)(2 * size * f->room + whole_vectors(QUERIES * size) + QUERIES * f->room +
                    BLOCK * f->wide);
}

static inline void far_turn(const Far *f, View v, int64_t head, bool back, float *to)
{
    View rows = view_cols(view_rows(v, f->first, f->first + f->entries), head * f->size,
                          (head + 1) * f->size);
    for (int64_t e = 0; e < f->entries; e++) {
        const float *x = VROW(rows, e);
        int64_t at = back ? f->entries - 1 - e : e;
        for (int64_t c = 0; c < f->size; c++)
            to[c * f->room + at] = x[c];
    }
    for (int64_t c = 0; c < f->size; c++) /* products read whole vectors */
        for (int64_t e = f->entries; e < f->room; e++)
            to[c * f->room + e] = 0;
}

static inline void far_use(Far *f, float *memory, int64_t head)
{
    f->key = memory;
    f->query = f->key + f->size * f->room;
    f->some = f->query + f->size * f->room;
    f->out = f->some + whole_vectors(QUERIES * f->size);
    f->add = f->out + QUERIES * f->room;
    if (f->of->key.p)
        far_turn(f, f->of->key, head, true, f->key);
    if (f->of->query.p)
        far_turn(f, f->of->query, head, false, f->query);
}

/* Four rows of x from `at` on, times scale; beyond the end the last. */
static inline void four_rows(View x, int64_t at, int64_t size, float scale, float *to)
{
    for (int64_t r = 0; r < QUERIES; r++) {
        const void *row = VROW(x, at + r < x.rows ? at + r : x.rows - 1);
        for (int64_t k = 0; k < size; k += VN)
            vput(to + r * size, K_F32, k, vget(row, x.type, k, size - k) * vset(scale), size - k);
    }
}

/* What key j makes of entries, from `entry` on, to where the queries [i, end) look for it. */
static inline void far_spread(const Far *f, int64_t i, int64_t end, int64_t j, const float *entry)
{
    int64_t zero = far_entry(f->of, 0);
    float *to = f->add + j * QUERIES;
    for (int64_t q = i; q < end; q += QUERIES, to += f->wide * QUERIES) {
        int64_t least = q - j, most = least + QUERIES - 1;
        if (least >= -f->near && most <= f->near) /* beyond the end there is room */
            memcpy(to, entry + zero + least, QUERIES * sizeof *to);
        else
            for (int64_t n = 0; n < QUERIES && q + n < end; n++)
                to[n] = entry[far_entry(f->of, least + n)];
    }
}

/* Of the queries [i, i + BLOCK), into f->add. Entries ascend with the query. */
static inline void far_keys(const Far *f, View k, float scale, int64_t i)
{
    int64_t end = i + BLOCK < f->len ? i + BLOCK : f->len;
    if (!f->of->query.p)
        return;
    for (int64_t j = 0; j < f->len; j += QUERIES) {
        int64_t lo = far_entry(f->of, i - (j + QUERIES - 1)), hi = far_entry(f->of, end - 1 - j);
        lo = lo < f->first ? f->first : lo;
        four_rows(k, j, f->size, scale, f->some);
        tile(f->some, f->size, f->query + lo - f->first, f->room, f->size,
             whole_vectors(hi - lo + 1), f->out, f->room);
        for (int64_t r = 0; r < QUERIES && j + r < f->len; r++)
            far_spread(f, i, end, j + r, f->out + r * f->room - lo);
    }
}

/* Adds to the scores of the four queries from i on, which are q (scaled). */
static inline void far_add(const Far *f, const float *q, int64_t i, float *s)
{
    int64_t last = f->first + f->entries - 1, block = i % BLOCK;
    if (f->of->query.p) {
        const float *add = f->add + block / QUERIES * f->wide * QUERIES;
        for (int64_t j = 0; j < f->len; j++)
            for (int64_t r = 0; r < QUERIES; r++)
                s[r * f->wide + j] += add[j * QUERIES + r];
    }
    if (!f->of->key.p)
        return;
    int64_t hi = far_entry(f->of, i + QUERIES - 1), lo = far_entry(f->of, i - (f->len - 1));
    hi = hi > last ? last : hi;
    tile(q, f->size, f->key + last - hi, f->room, f->size, whole_vectors(hi - lo + 1), f->out,
         f->room);
    for (int64_t r = 0; r < QUERIES && i + r < f->len; r++) {
        const float *out = f->out + r * f->room;
        float *to = s + r * f->wide;
        int64_t at = i + r, from = at - f->near < 0 ? 0 : at - f->near;
        int64_t end = at + f->near + 1 < f->len ? at + f->near + 1 : f->len;
        for (int64_t j = 0; j < from; j++)
            to[j] += out[hi - far_entry(f->of, at - j)];
        const float *near = out + hi - far_entry(f->of, at - from) - from;
        for (int64_t j = from; j < end; j++)
            to[j] += near[j];
        for (int64_t j = end; j < f->len; j++)
            to[j] += out[hi - far_entry(f->of, at - j)];
    }
}

#endif
