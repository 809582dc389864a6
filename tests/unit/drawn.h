/* drawn.h - texts drawn as tests/oracle/bpe_texts.py draws them, and what is made of them as one
 * number: for programs that compare a tokenizer with what the reference said. */
#ifndef WEFT_TEST_DRAWN_H
#define WEFT_TEST_DRAWN_H

#include "tests/unit/check.h"

#include "base/utf8.h"
#include "text/tokenizer.h"

#include <jansson.h>

enum { POINTS = 1 << 14, DRAWN = 10000, FRAGMENTS = 256 };

static char *golden(const char *name)
{
    const char *top = getenv("TOP");
    return mem_fmt("%s/tests/golden/%s", top ? top : ".", name);
}

/* ---- texts, as tests/oracle/bpe_texts.py draws them ---- */

typedef struct Pool {
    json_t *list;
    Str fragment[FRAGMENTS];
    uint64_t count;
} Pool;

static Pool pool_read(void)
{
    Pool p = {0};
    char *path = golden("tok/bpe-fragments.json");
    p.list = json_load_file(path, 0, NULL);
    p.count = json_array_size(p.list);
    CHECK(p.count > 100 && p.count <= FRAGMENTS);
    for (size_t i = 0; i < p.count; i++) {
        const json_t *s = json_array_get(p.list, i);
        p.fragment[i] = str_of(json_string_value(s), json_string_length(s));
    }
    free(path);
    return p;
}

/* splitmix64 */
static uint64_t below(uint64_t *state, uint64_t n)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % n;
}

static void add_character(uint64_t *state, Buf *b)
{
    static const uint32_t range[][2] = {
        {0x1, 0x7f},      {0x80, 0x24f},      {0x250, 0x7ff},
        {0x800, 0x1fff},  {0x2000, 0x2bff},   {0x2c00, 0xd7ff},
        {0xe000, 0xffff}, {0x10000, 0x1ffff}, {0x20000, 0x10ffff},
    };
    const uint32_t *r = range[below(state, sizeof range / sizeof *range)];
    char *to = buf_room(b, 4);
    b->n += (size_t)utf8_put(r[0] + (uint32_t)below(state, r[1] - r[0] + 1), to);
}

static void draw(const Pool *p, uint64_t number, Buf *b)
{
    uint64_t state = number;
    b->n = 0;
    for (uint64_t parts = 1 + below(&state, 14); parts; parts--) {
        uint64_t kind = below(&state, p->count + 20);
        if (kind < p->count)
            buf_add(b, p->fragment[kind].p, p->fragment[kind].n);
        else
            add_character(&state, b);
    }
}

/* ---- digests ---- */

typedef struct Digest {
    const Tokenizer *t;
    TokWork *w;
    Tokens tokens;
    uint64_t hash;
} Digest;

static uint64_t fnv(uint64_t h, int32_t n)
{
    return (h ^ (uint64_t)n) * 0x100000001b3u;
}

static void digest_text(Digest *d, Str text)
{
    Tokens *k = &d->tokens;
    k->n = 0;
    tokenizer_encode(d->t, d->w, text, 0, k);
    for (size_t i = 0; i < k->n; i++)
        d->hash = fnv(d->hash, k->id[i]);
    for (size_t i = 0; i < k->n; i++)
        d->hash = fnv(fnv(d->hash, k->span[i][0]), k->span[i][1]);
}

/* Each code point alone and between two letters. */
static void digest_points(Digest *d, uint32_t first)
{
    for (uint32_t cp = first ? first : 1; cp < first + POINTS; cp++) {
        char text[6] = "a";
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        size_t n = (size_t)utf8_put(cp, text + 1);
        text[n + 1] = 'b';
        digest_text(d, str_of(text + 1, n));
        digest_text(d, str_of(text, n + 2));
    }
}

static void digest_drawn(Digest *d, const Pool *p, uint32_t first)
{
    Buf b = {0};
    for (uint64_t i = first; i < first + DRAWN; i++) {
        draw(p, i, &b);
        digest_text(d, str_of(b.p, b.n));
    }
    free(b.p);
}

#endif
