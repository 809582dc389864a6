#include "text/wordpiece/wordpiece.h"

/* The longest entry that begins p[0, n) behind `before` (whose hash is h): its length, 0 if
 * none; *id. */
static int longest(const Vocab *v, Str before, uint64_t h, const char *p, int n, int32_t *id,
                   uint64_t *hash)
{
    if (n > (int)v->longest)
        n = (int)v->longest;
    for (int i = 0; i < n; i++)
        hash[i] = h = vocab_step(h, (unsigned char)p[i]);
    for (; n > 0; n--) {
        *id = vocab_at(v, hash[n - 1], before, p, (size_t)n);
        if (*id >= 0)
            return n;
    }
    return 0;
}

int wordpiece_split(const WordPiece *w, const char *word, int n, int32_t *id, int *end,
                    uint64_t *hash)
{
    Str before = str_of("", 0);
    uint64_t h = VOCAB_SEED;
    int count = 0;
    for (int at = 0; at < n; count++) {
        int len = longest(w->vocab, before, h, word + at, n - at, id + count, hash);
        if (!len)
            return 0;
        at += len;
        end[count] = at;
        if (!before.n) {
            before = str_of(w->prefix, strlen(w->prefix));
            for (size_t i = 0; i < before.n; i++)
                h = vocab_step(h, (unsigned char)before.p[i]);
        }
    }
    return count;
}
