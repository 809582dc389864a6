#include "measure/squad.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void squad_lower(Buf *to, Str s)
{
    char bytes[8];
    int len;
    for (size_t i = 0; i < s.n; i += (size_t)len) {
        uint32_t more = 0, cp = utf8_get(s.p + i, &len);
        buf_add(to, bytes, (size_t)utf8_put(uni_lower(cp, &more), bytes));
        if (more)
            buf_add(to, bytes, (size_t)utf8_put(more, bytes));
    }
}

typedef struct Words {
    Buf text;
    Str *word;
    size_t n, cap;
} Words;

static bool is_article(Str s)
{
    return (s.n == 1 && s.p[0] == 'a') || (s.n == 2 && memcmp(s.p, "an", 2) == 0) ||
           (s.n == 3 && memcmp(s.p, "the", 3) == 0);
}

static size_t blank_at(Str s, size_t i)
{
    int len;
    uint32_t cp = utf8_get(s.p + i, &len);
    bool split = cp >= 0x1c && cp <= 0x1f; /* Python's str.split takes these for blanks too */
    return split || (uni_class(cp) & UNI_SPACE) ? (size_t)len : 0;
}

static void add_word(Words *w, Str s)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 16;
        w->word = mem_resize(w->word, w->cap, sizeof *w->word);
    }
    w->word[w->n++] = s;
}

/* Articles stand between word boundaries; once punctuation is gone, one that touches another
 * sign (the en dash in "a–b") stands apart from it too. */
static void drop_articles(Buf *to, Str s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        int len;
        for (n = 0; i + n < s.n && uni_is_word(utf8_get(s.p + i + n, &len));)
            n += (size_t)len;
        if (n && is_article(str_of(s.p + i, n)))
            buf_str(to, " ");
        else if (n)
            buf_add(to, s.p + i, n);
        else {
            utf8_get(s.p + i, &len);
            n = (size_t)len;
            buf_add(to, s.p + i, n);
        }
    }
}

static Words normalise(Str s)
{
    Words w = {0};
    Buf lower = {0};
    size_t kept = 0;
    squad_lower(&lower, s);
    for (size_t i = 0; i < lower.n; i++)
        if (!ispunct((unsigned char)lower.p[i]) || (unsigned char)lower.p[i] >= 0x80)
            lower.p[kept++] = lower.p[i];
    drop_articles(&w.text, str_of(lower.p, kept));
    free(lower.p);
    Str all = str_of(w.text.p, w.text.n);
    for (size_t i = 0, from = 0; i <= all.n;) {
        size_t blank = i < all.n ? blank_at(all, i) : 1;
        if (blank && i > from)
            add_word(&w, str_of(all.p + from, i - from));
        i += blank ? blank : 1;
        from = blank ? i : from;
    }
    return w;
}

static void words_free(Words *w)
{
    free(w->text.p);
    free(w->word);
}

static int by_text(const void *a, const void *b)
{
    const Str *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int d = memcmp(x->p, y->p, n);
    return d ? d : (x->n > y->n) - (x->n < y->n);
}

/* How many words both have, each as often as the one that has it less often. */
static size_t shared(Words *a, Words *b)
{
    size_t n = 0;
    qsort(a->word, a->n, sizeof *a->word, by_text);
    qsort(b->word, b->n, sizeof *b->word, by_text);
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        int d = by_text(&a->word[i], &b->word[j]);
        n += d == 0;
        i += d <= 0;
        j += d >= 0;
    }
    return n;
}

bool squad_exact(Str gold, Str answer)
{
    Words a = normalise(gold), b = normalise(answer);
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = by_text(&a.word[i], &b.word[i]) == 0;
    words_free(&a);
    words_free(&b);
    return same;
}

double squad_f1(Str gold, Str answer)
{
    Words a = normalise(gold), b = normalise(answer);
    double f1 = a.n == 0 && b.n == 0;
    if (a.n && b.n)
        f1 = 2 * (double)shared(&a, &b) / (double)(a.n + b.n);
    words_free(&a);
    words_free(&b);
    return f1;
}
