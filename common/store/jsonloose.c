#include "store/jsonloose.h"

#include "store/jsonscan.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 2048, SURE_DIGITS = 18 };

static int pass(JsonScan *s, int depth, Err *e);

static int pass_string(JsonScan *s, Err *e)
{
    for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
        if ((unsigned char)*s->p < 0x20)
            return scan_unexpected(s, "a character of a string", e);
        s->p += *s->p == '\\';
    }
    if (s->p >= s->end)
        return err_set(e, "a string does not end");
    s->p++;
    return 0;
}

static bool take_digits(JsonScan *s)
{
    const char *first = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > first;
}

static bool take_word(JsonScan *s, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* Of any size, or none. */
static int pass_number(JsonScan *s, Err *e)
{
    take_word(s, "-");
    if (take_word(s, "Infinity"))
        return 0;
    bool zero = s->p < s->end && *s->p == '0';
    const char *first = s->p;
    bool good = take_digits(s) && (!zero || s->p == first + 1);
    if (good && take_word(s, "."))
        good = take_digits(s);
    if (good && s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (!take_word(s, "+"))
            take_word(s, "-");
        good = take_digits(s);
    }
    return good ? 0 : scan_unexpected(s, "a value", e);
}

static int pass_list(JsonScan *s, char close, int depth, Err *e)
{
    bool first = true;
    int more;
    if (depth == DEEPEST)
        return err_set(e, "brackets within brackets, more than %d deep", DEEPEST);
    for (s->p++; (more = scan_more(s, close, &first, e)) > 0;) {
        if (close == '}' &&
            (scan_next(s) != '"' ? scan_unexpected(s, "a name", e) : pass_string(s, e)) < 0)
            return -1;
        if (close == '}' && scan_take(s, ':', e) < 0)
            return -1;
        if (pass(s, depth + 1, e) < 0)
            return -1;
    }
    return more;
}

/* Over a value. */
static int pass(JsonScan *s, int depth, Err *e)
{
    char c = scan_next(s);
    if (c == '"')
        return pass_string(s, e);
    if (c == '{' || c == '[')
        return pass_list(s, c == '{' ? '}' : ']', depth, e);
    if (take_word(s, "true") || take_word(s, "false") || take_word(s, "null") ||
        take_word(s, "NaN"))
        return 0;
    return pass_number(s, e);
}

/* A value that is wanted, as it stands but for a number with no room. */
static void put_wanted(Buf *out, Str value)
{
    char c = *value.p;
    bool number = c == 'N' || c == 'I' || c == '-' || (c >= '0' && c <= '9');
    JsonScan scan = scan_of(value.p, value.n);
    double x;
    bool fits = number && scan_real(&scan, &x, NULL) == 0 && scan.p == scan.end &&
                (value.n <= SURE_DIGITS || memchr(value.p, '.', value.n) ||
                 memchr(value.p, 'e', value.n) || memchr(value.p, 'E', value.n));
    if (number && !fits)
        buf_add(out, "\"", 1);
    buf_add(out, value.p, value.n);
    if (number && !fits)
        buf_add(out, "\"", 1);
}

static int loose_member(JsonScan *s, const char *const *wanted, int n, bool *had, Buf *out, Err *e)
{
    Str key;
    scan_next(s);
    const char *name = s->p;
    if (scan_string(s, &key, e) < 0)
        return -1;
    Str quoted = str_of(name, (size_t)(s->p - name));
    int i = 0;
    while (i < n && (strlen(wanted[i]) != key.n || memcmp(wanted[i], key.p, key.n) != 0))
        i++;
    if (i < n && had[i])
        return err_set(e, "duplicate: '%s' is there twice", wanted[i]);
    if (i < n)
        had[i] = true;
    if (scan_take(s, ':', e) < 0)
        return -1;
    scan_next(s);
    const char *from = s->p;
    if (pass(s, 1, e) < 0)
        return -1;
    buf_add(out, quoted.p, quoted.n);
    buf_str(out, ":");
    if (i < n)
        put_wanted(out, str_of(from, (size_t)(s->p - from)));
    else
        buf_str(out, "null");
    return 0;
}

int json_loose(Str line, const char *const *wanted, int n, Buf *out, Err *e)
{
    JsonScan s = scan_of(line.p, line.n);
    bool first = true, *had = mem_zero((size_t)n + 1, sizeof *had);
    int more = scan_take(&s, '{', e) < 0 ? -1 : 1;
    size_t begin = out->n;
    buf_str(out, "{");
    while (more > 0 && (more = scan_more(&s, '}', &first, e)) > 0) {
        if (out->n > begin + 1)
            buf_str(out, ",");
        if (loose_member(&s, wanted, n, had, out, e) < 0)
            more = -1;
    }
    buf_str(out, "}");
    if (more == 0 && scan_next(&s))
        more = scan_unexpected(&s, "the end", e);
    scan_free(&s);
    free(had);
    return more;
}
