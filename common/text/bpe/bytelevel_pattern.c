/* bytelevel_pattern.c - the patterns as files write them. */
#include "text/bpe/bytelevel.h"

#include <string.h>

static const char *whole_word(const char *p, const char *end)
{
    return p < end ? end : p;
}

/* The first alone: the others are told word by word. */
static uint64_t whole_starts(const char *block, size_t n, int last)
{
    (void)block, (void)n, (void)last;
    return 1;
}

const BlPattern bytelevel_gpt2 = {"gpt2", bytelevel_word, bytelevel_first, bytelevel_starts};
const BlPattern bytelevel_whole = {"whole", whole_word, whole_word, whole_starts};
static const BlPattern llama3 = {"llama3", bytelevel_word_llama3, NULL, bytelevel_starts_llama3};
static const BlPattern qwen2 = {"qwen2", bytelevel_word_qwen2, NULL, bytelevel_starts_qwen2};

#define CASELESS "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
#define LETTERS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define SYMBOLS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
#define SPACES "\\s+(?!\\S)|\\s+"
#define TIKTOKEN "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|"

/* Possessive quantifiers and the order of alternatives change no word here, nor does one line's
 * end for several behind what takes all white space before it. */
static const struct {
    const char *regex;
    const BlPattern *pattern;
} written[] = {
    {CASELESS LETTERS "\\p{N}{1,3}|" SYMBOLS "\\s*[\\r\\n]+|" SPACES, &llama3},
    {CASELESS LETTERS "\\p{N}|" SYMBOLS "\\s*[\\r\\n]+|" SPACES, &qwen2},
    {TIKTOKEN "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|" SPACES, &llama3},
    {TIKTOKEN "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]+|" SPACES, &llama3},
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" SPACES, &bytelevel_gpt2},
    {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" SPACES, &bytelevel_gpt2},
};

const BlPattern *bytelevel_pattern(const char *regex)
{
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (strcmp(written[i].regex, regex) == 0)
            return written[i].pattern;
    return NULL;
}
