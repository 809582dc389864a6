#include "text/added.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

void added_add(AddedSet *s, Added a)
{
    if ((s->count & (s->count - 1)) == 0) /* room doubles */
        s->token = mem_resize(s->token, s->count ? (size_t)s->count * 2 : 1, sizeof *s->token);
    s->token[s->count++] = a;
}

static int first_byte(const Added *a)
{
    return (unsigned char)a->text[0];
}

static int by_first_then_longest(const void *a, const void *b)
{
    const Added *x = a, *y = b;
    if (first_byte(x) != first_byte(y))
        return first_byte(x) - first_byte(y);
    return (x->n < y->n) - (x->n > y->n);
}

void added_ready(AddedSet *s)
{
    if (s->count)
        qsort(s->token, (size_t)s->count, sizeof *s->token, by_first_then_longest);
    for (int byte = 0, i = 0; byte < 256; byte++) {
        s->at[byte] = i;
        while (i < s->count && first_byte(s->token + i) == byte)
            i++;
        s->at[byte + 1] = i;
        if (i > s->at[byte]) {
            s->firsts++;
            s->only = byte;
        }
    }
}

void added_free(AddedSet *s)
{
    for (int i = 0; i < s->count; i++)
        free(s->token[i].text);
    free(s->token);
}

/* The first byte at or behind i that a token may begin with. */
static size_t candidate(const AddedSet *s, Str t, size_t i)
{
    if (s->firsts == 1) {
        const char *p = memchr(t.p + i, s->only, t.n - i);
        return p ? (size_t)(p - t.p) : t.n;
    }
    while (i < t.n && s->at[(unsigned char)t.p[i]] == s->at[(unsigned char)t.p[i] + 1])
        i++;
    return i;
}

static uint32_t before(Str t, size_t i, size_t *start)
{
    int len;
    do
        i--;
    while (((unsigned char)t.p[i] & 0xc0) == 0x80);
    *start = i;
    return utf8_get(t.p + i, &len);
}

static bool stands_alone(Str t, size_t begin, size_t end)
{
    size_t start;
    int len;
    return (begin == 0 || !uni_is_word(before(t, begin, &start))) &&
           (end == t.n || !uni_is_word(utf8_get(t.p + end, &len)));
}

static size_t spaces_before(Str t, size_t i)
{
    size_t start;
    while (i > 0 && (uni_class(before(t, i, &start)) & UNI_SPACE))
        i = start;
    return i;
}

static size_t spaces_behind(Str t, size_t i)
{
    int len;
    while (i < t.n && (uni_class(utf8_get(t.p + i, &len)) & UNI_SPACE))
        i += (size_t)len;
    return i;
}

static const Added *token_at(const AddedSet *s, Str t, size_t i)
{
    int byte = (unsigned char)t.p[i];
    for (int k = s->at[byte]; k < s->at[byte + 1]; k++) {
        const Added *a = s->token + k;
        if (a->n <= t.n - i && memcmp(t.p + i, a->text, a->n) == 0)
            return a;
    }
    return NULL;
}

const Added *added_next(const AddedSet *s, Str t, size_t done, size_t *from, size_t *begin,
                        size_t *end)
{
    if (!s->count)
        return NULL;
    for (size_t i = *from; (i = candidate(s, t, i)) < t.n; i++) {
        const Added *a = token_at(s, t, i);
        if (!a)
            continue;
        *from = *end = i + a->n;
        *begin = i;
        if (a->single_word && !stands_alone(t, *begin, *end)) {
            i = *end - 1;
            continue;
        }
        if (a->lstrip) {
            *begin = spaces_before(t, i);
            if (*begin < done) /* the token before has taken some of them */
                *begin = done;
        }
        if (a->rstrip)
            *end = spaces_behind(t, *end);
        return a;
    }
    return NULL;
}

void added_trim(Str t, size_t *begin, size_t *end)
{
    *begin = spaces_behind(str_of(t.p, *end), *begin);
    size_t last = spaces_before(t, *end);
    if (last > *begin)
        *end = last;
}
