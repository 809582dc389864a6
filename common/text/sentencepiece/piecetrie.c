#include "text/sentencepiece/piecetrie.h"

#include <stdlib.h>

/* Half of the slots at most; false: there are more nodes than that. */
static bool fill(PieceTrie *t, const Vocab *v)
{
    uint32_t free_slots = t->mask / 2 + 1;
    for (int32_t id = 0; id < v->count; id++) {
        Str s = vocab_text(v, id);
        uint32_t node = PIECETRIE_ROOT;
        TrieSlot *slot = NULL;
        for (size_t k = 0; k < s.n; k++) {
            unsigned char byte = (unsigned char)s.p[k];
            uint32_t i = piecetrie_slot(node, byte) & t->mask;
            while (t->slot[i].before &&
                   (t->slot[i].before != node || (t->slot[i].entry & 0xff) != byte))
                i = (i + 1) & t->mask;
            slot = t->slot + i;
            if (!slot->before) {
                if (!free_slots--)
                    return false;
                *slot = (TrieSlot){node, (uint32_t)PIECETRIE_IDS << 8 | byte};
            }
            node = i + 2;
        }
        if (slot)
            slot->entry = (uint32_t)id << 8 | (slot->entry & 0xff);
    }
    return true;
}

void piecetrie_build(PieceTrie *t, const Vocab *v)
{
    uint32_t slots = 1024;
    while (slots < v->text.n && slots < 1u << 30)
        slots *= 2;
    for (;; slots *= 2) {
        t->slot = mem_zero(slots, sizeof *t->slot);
        t->mask = slots - 1;
        if (fill(t, v))
            return;
        free(t->slot);
    }
}

void piecetrie_free(PieceTrie *t)
{
    free(t->slot);
}
