/* bytelevel.h - how GPT-2 cuts a text into words: by a pattern.
 *
 * The pattern is
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * and every character belongs to some word. It looks at nothing before a word's beginning, so
 * cutting may start anew at any. */
#ifndef WEFT_BYTELEVEL_H
#define WEFT_BYTELEVEL_H

#include <stddef.h>
#include <stdint.h>

enum { BL_BLOCK = 64 };

/* The end of the word that begins at p, in UTF-8 that has been checked. */
const char *bytelevel_word(const char *p, const char *end);
/* The same for a text that has a space put before it, which the word begins with; the word may
 * be that space alone. The text does not begin with one, and is not empty. */
const char *bytelevel_first(const char *p, const char *end);

/* Where words begin in a block that begins with one: bit i for block[i]. Only what is certain
 * whatever comes behind the n bytes, which is less than all where they are not ASCII.
 * `last`: nothing comes behind them; bit n is then set where they are ASCII throughout.
 * All BL_BLOCK bytes are read; n is at most BL_BLOCK - 1 in the last one. */
uint64_t bytelevel_starts(const char *block, size_t n, int last);

#endif
