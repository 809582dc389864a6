/* charsmap.h - SentencePiece's precompiled_charsmap: what texts of a few characters become.
 *
 * A little-endian u32 with the bytes of a double-array trie (Darts-clone), the trie's u32
 * units, then the results, each with a NUL behind it. Looked up as the Rust library
 * spm_precompiled does: of the entries that begin the text, the shortest. */
#ifndef WEFT_CHARSMAP_H
#define WEFT_CHARSMAP_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

typedef struct Charsmap {
    uint32_t *unit;
    size_t units;
    char *text; /* the results */
    size_t n;
} Charsmap;

/* Copies the bytes. -1: they are no charsmap. */
int charsmap_read(Charsmap *m, Str bytes, Err *e);
/* The same from base64. */
int charsmap_read64(Charsmap *m, Str base64, Err *e);
void charsmap_free(Charsmap *m);

/* What text becomes; false: it stays. */
bool charsmap_find(const Charsmap *m, Str text, Str *to);
/* As SentencePiece itself looks it up: what the longest entry that begins the text becomes. Its
 * length; 0: the first character stays. */
size_t charsmap_longest(const Charsmap *m, Str text, Str *to);

#endif
