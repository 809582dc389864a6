#include "text/merges.h"

#include "store/mapfile.h"

#include <stdlib.h>
#include <string.h>

enum { MERGES_BYTES = 1 << 28 };

static uint64_t hash_on(uint64_t h, Str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = vocab_step(h, (unsigned char)s.p[i]);
    return h;
}

int merges_add(MergeList *l, const Vocab *v, Str left, Str right, Err *e)
{
    Str none = str_of("", 0);
    if (!left.n || !right.n)
        return err_set(e, "a merge with nothing on one side");
    if (!v->slot)
        return err_set(e, "merges without a vocabulary");
    uint64_t h = hash_on(VOCAB_SEED, left);
    Merge m = {.left = vocab_at(v, h, none, left.p, left.n),
               .right = vocab_at(v, hash_on(VOCAB_SEED, right), none, right.p, right.n),
               .whole = vocab_at(v, hash_on(h, right), left, right.p, right.n)};
    if (m.left < 0 || m.right < 0 || m.whole < 0) {
        Str first = m.left < 0 ? left : m.right < 0 ? right : left;
        Str second = m.left < 0 || m.right < 0 ? none : right;
        return err_set(e,
                       "'%.*s%.*s' of the merge '%.*s %.*s' is not in the vocabulary: are "
                       "both of one model?",
                       (int)first.n, first.p, (int)second.n, second.p, (int)left.n, left.p,
                       (int)right.n, right.p);
    }
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 1 << 16;
        l->merge = mem_resize(l->merge, l->cap, sizeof *l->merge);
    }
    l->merge[l->n++] = m;
    return 0;
}

static int read_line(MergeList *l, const Vocab *v, Str line, Err *e)
{
    const char *space = memchr(line.p, ' ', line.n);
    if (!space || memchr(space + 1, ' ', line.n - (size_t)(space + 1 - line.p)))
        return err_set(e, "not two words with a space between: '%.*s'", (int)line.n, line.p);
    size_t left = (size_t)(space - line.p);
    return merges_add(l, v, str_of(line.p, left), str_of(space + 1, line.n - left - 1), e);
}

static int read_lines(MergeList *l, const Vocab *v, Str text, Err *e)
{
    int64_t number = 1;
    for (size_t at = 0; at < text.n; number++) {
        const char *p = text.p + at, *stop = memchr(p, '\n', text.n - at);
        size_t n = stop ? (size_t)(stop - p) : text.n - at;
        at += n + 1;
        if (n && p[n - 1] == '\r')
            n--;
        if (number == 1 && n >= 8 && memcmp(p, "#version", 8) == 0)
            continue;
        if (read_line(l, v, str_of(p, n), e) < 0)
            return err_at(e, "line %lld", (long long)number);
    }
    return 0;
}

int merges_read(MergeList *l, const Vocab *v, const char *path, Err *e)
{
    Buf b = {0};
    int bad = file_read(path, MERGES_BYTES, &b, e) < 0 || read_lines(l, v, str_of(b.p, b.n), e) < 0;
    free(b.p);
    return bad ? -1 : 0;
}

void merges_free(MergeList *l)
{
    free(l->merge);
    *l = (MergeList){0};
}
