/* bytelevel.h - how GPT-2, Llama 3 and Qwen 2 cut a text into words: by a pattern.
 *
 * GPT-2's is
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * Llama 3's, in which Qwen 2 has \p{N} for \p{N}{1,3},
 *     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *     ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * In each every character belongs to some word. They look at nothing before a word's beginning, so
 * cutting may start anew at any. */
#ifndef WEFT_BYTELEVEL_H
#define WEFT_BYTELEVEL_H

#include <stddef.h>
#include <stdint.h>

enum { BL_BLOCK = 64 };

/* The end of the word that begins at p, in UTF-8 that has been checked. */
const char *bytelevel_word(const char *p, const char *end);
const char *bytelevel_word_llama3(const char *p, const char *end);
const char *bytelevel_word_qwen2(const char *p, const char *end);
/* GPT-2's for a text that has a space put before it, which the word begins with; the word may
 * be that space alone. The text does not begin with one, and is not empty. */
const char *bytelevel_first(const char *p, const char *end);

/* Where words begin in a block that begins with one: bit i for block[i]. Only what is certain
 * whatever comes behind the n bytes, which is less than all where they are not ASCII.
 * `last`: nothing comes behind them; bit n is then set where they are ASCII throughout.
 * All BL_BLOCK bytes are read; n is at most BL_BLOCK - 1 in the last one. */
uint64_t bytelevel_starts(const char *block, size_t n, int last);
uint64_t bytelevel_starts_llama3(const char *block, size_t n, int last);
uint64_t bytelevel_starts_qwen2(const char *block, size_t n, int last);

/* One of the patterns. */
typedef struct BlPattern {
    const char *name;
    const char *(*word)(const char *p, const char *end);
    const char *(*first)(const char *p, const char *end); /* NULL: no space is put before it */
    uint64_t (*starts)(const char *block, size_t n, int last);
} BlPattern;

extern const BlPattern bytelevel_gpt2;
extern const BlPattern bytelevel_whole; /* none: a text is one word */
/* The one that is written so, or NULL. */
const BlPattern *bytelevel_pattern(const char *regex);

#endif
