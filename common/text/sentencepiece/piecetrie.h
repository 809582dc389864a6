/* piecetrie.h - the vocabulary as a trie: one walk over a text finds all the entries it begins
 * with. Nodes are slots of a hash table whose keys are the node before and a byte. */
#ifndef WEFT_PIECETRIE_H
#define WEFT_PIECETRIE_H

#include "text/vocab.h"

typedef struct TrieSlot {
    uint32_t before; /* slot + 1 of the node before; 0: free */
    uint32_t entry;  /* id << 8 | byte */
} TrieSlot;

typedef struct PieceTrie {
    TrieSlot *slot;
    uint32_t mask;
} PieceTrie;

enum { PIECETRIE_ROOT = 1, PIECETRIE_IDS = 0xffffff }; /* ids are below, this one is none */

/* The vocabulary's ids must be below PIECETRIE_IDS. */
void piecetrie_build(PieceTrie *t, const Vocab *v);
void piecetrie_free(PieceTrie *t);

static inline uint32_t piecetrie_slot(uint32_t node, unsigned char byte)
{
    return (uint32_t)((node * 0x9e3779b97f4a7c15u ^ byte * 0xd6e8feb86659fd93u) >> 32);
}

/* From the node on by a byte. False: no entry goes on so. *id: the entry that ends here, or
 * -1. */
static inline bool piecetrie_step(const PieceTrie *t, uint32_t *node, unsigned char byte,
                                  int32_t *id)
{
    for (uint32_t i = piecetrie_slot(*node, byte) & t->mask;; i = (i + 1) & t->mask) {
        const TrieSlot *s = t->slot + i;
        if (!s->before)
            return false;
        if (s->before == *node && (s->entry & 0xff) == byte) {
            *node = i + 2;
            *id = s->entry >> 8 == PIECETRIE_IDS ? -1 : (int32_t)(s->entry >> 8);
            return true;
        }
    }
}

#endif
