#include "text/vocab.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SLOTS = 1 << 10, SLOTS_MAX = 1 << 28, IDS = 1 << 10, GAP_MAX = 1 << 20 };

static uint64_t hash(Str s)
{
    uint64_t h = VOCAB_SEED;
    for (size_t i = 0; i < s.n; i++)
        h = vocab_step(h, (unsigned char)s.p[i]);
    return h;
}

static void put(Vocab *v, uint64_t h, int32_t id)
{
    uint32_t i = (uint32_t)(h ^ h >> 32) & v->mask;
    while (v->slot[i].id >= 0)
        i = (i + 1) & v->mask;
    v->slot[i] = (VocabSlot){(uint32_t)(h >> 32), id};
}

static void set_slots(Vocab *v, uint32_t n)
{
    free(v->slot);
    v->slot = mem_array(n, sizeof *v->slot);
    memset(v->slot, 0xff, n * sizeof *v->slot);
    v->mask = n - 1;
    for (int32_t id = 0; id < v->count; id++) {
        Str s = vocab_text(v, id);
        if (s.n)
            put(v, hash(s), id);
    }
}

static void grow_ids(Vocab *v, int32_t id)
{
    if (id >= v->cap) {
        v->cap = id < IDS / 2 ? IDS : id * 2 + 1;
        v->begin = mem_resize(v->begin, (size_t)v->cap, sizeof *v->begin);
        v->size = mem_resize(v->size, (size_t)v->cap, sizeof *v->size);
    }
    for (; v->count <= id; v->count++) {
        v->begin[v->count] = 0;
        v->size[v->count] = VOCAB_NONE;
    }
}

void vocab_reserve(Vocab *v, size_t entries, size_t bytes)
{
    uint32_t n = SLOTS;
    while (n / 2 <= entries && n < SLOTS_MAX)
        n *= 2;
    if (!v->slot || n > v->mask + 1)
        set_slots(v, n);
    buf_room(&v->text, bytes);
}

int vocab_add(Vocab *v, int32_t id, Str text, Err *e)
{
    if (id < 0 || id > v->entries + GAP_MAX)
        return err_set(e, "id %" PRId32 " of '%.*s' is out of reason", id, (int)text.n, text.p);
    if (!v->slot || (uint32_t)v->entries >= v->mask / 2) /* at most half is ever taken */
        set_slots(v, v->slot ? (v->mask + 1) * 2 : SLOTS);
    uint64_t h = hash(text);
    if (text.n && vocab_at(v, h, str_of("", 0), text.p, text.n) >= 0)
        return err_set(e, "'%.*s' is there twice", (int)text.n, text.p);
    grow_ids(v, id);
    if (v->size[id] != VOCAB_NONE)
        return err_set(e, "id %" PRId32 " is there twice ('%.*s' is one)", id, (int)text.n, text.p);
    if (v->text.n + text.n >= VOCAB_NONE)
        return err_set(e, "over 4 GB of vocabulary");
    v->begin[id] = (uint32_t)v->text.n;
    v->size[id] = (uint32_t)text.n;
    buf_add(&v->text, text.p, text.n);
    if (text.n > v->longest)
        v->longest = (uint32_t)text.n;
    v->entries++;
    if (text.n)
        put(v, h, id);
    return 0;
}

Str vocab_text(const Vocab *v, int32_t id)
{
    if (id < 0 || id >= v->count || v->size[id] == VOCAB_NONE)
        return str_of(NULL, 0);
    return str_of(v->text.p ? v->text.p + v->begin[id] : "", v->size[id]);
}

int32_t vocab_find(const Vocab *v, Str text)
{
    return v->slot && text.n ? vocab_at(v, hash(text), str_of("", 0), text.p, text.n) : -1;
}

void vocab_free(Vocab *v)
{
    free(v->text.p);
    free(v->begin);
    free(v->size);
    free(v->slot);
    *v = (Vocab){0};
}
