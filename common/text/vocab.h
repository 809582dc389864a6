/* vocab.h - a vocabulary: texts with ids, both ways.
 *
 * The hash runs byte by byte, so that one walk over a word gives the hashes of all its
 * prefixes: h = VOCAB_SEED; h = vocab_step(h, byte); ... vocab_at(v, h, before, p, n). */
#ifndef WEFT_VOCAB_H
#define WEFT_VOCAB_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

typedef struct VocabSlot {
    uint32_t tag; /* the hash's upper half */
    int32_t id;   /* -1: free */
} VocabSlot;

typedef struct Vocab {
    Buf text;        /* all entries' bytes */
    uint32_t *begin; /* by id: where in text */
    uint32_t *size;
    int32_t count; /* ids are [0, count); those without an entry have size VOCAB_NONE */
    int32_t cap;
    int32_t entries;
    uint32_t longest; /* bytes */
    VocabSlot *slot;
    uint32_t mask; /* slots - 1 */
} Vocab;

#define VOCAB_NONE UINT32_MAX
#define VOCAB_SEED 0x9e3779b97f4a7c15u

static inline uint64_t vocab_step(uint64_t h, unsigned char byte)
{
    return (h ^ byte) * 0xd6e8feb86659fd93u ^ (h >> 29);
}

/* {0} is an empty vocabulary. Adds an entry; ids may come in any order and leave gaps, within
 * reason. -1: the text or the id is there already, or the id is out of reason. An empty text
 * takes its id and is never found. */
int vocab_add(Vocab *v, int32_t id, Str text, Err *e);
/* Room for about so many entries and bytes of text, which then come without growing. */
void vocab_reserve(Vocab *v, size_t entries, size_t bytes);
void vocab_free(Vocab *v);

Str vocab_text(const Vocab *v, int32_t id);   /* {NULL, 0}: no such id */
int32_t vocab_find(const Vocab *v, Str text); /* -1: not there */

/* The id of `before` and p[0, n) together, whose hash is h, or -1. */
static inline int32_t vocab_at(const Vocab *v, uint64_t h, Str before, const char *p, size_t n)
{
    uint32_t tag = (uint32_t)(h >> 32);
    for (uint32_t i = (uint32_t)(h ^ h >> 32) & v->mask;; i = (i + 1) & v->mask) {
        const VocabSlot *s = v->slot + i;
        if (s->id < 0)
            return -1;
        if (s->tag != tag || v->size[s->id] != before.n + n)
            continue;
        const char *text = v->text.p + v->begin[s->id];
        if ((!before.n || memcmp(text, before.p, before.n) == 0) &&
            memcmp(text + before.n, p, n) == 0)
            return s->id;
    }
}

#endif
