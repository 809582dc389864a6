#include "text/normal/charsmap.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static uint32_t read_u32(const char *p)
{
    const unsigned char *s = (const unsigned char *)p;
    return s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

int charsmap_read(Charsmap *m, Str bytes, Err *e)
{
    if (bytes.n < 8)
        return err_set(e, "precompiled_charsmap: too short");
    size_t trie = read_u32(bytes.p) / 4 * 4;
    if (trie < 4 || trie > bytes.n - 4)
        return err_set(e, "precompiled_charsmap: a trie of %zu bytes in %zu", trie, bytes.n);
    const char *text = bytes.p + 4 + trie;
    m->n = bytes.n - 4 - trie;
    if (utf8_check(text, m->n) < m->n)
        return err_set(e, "precompiled_charsmap: what it makes of texts is no UTF-8");
    m->units = trie / 4;
    m->unit = mem_array(m->units, sizeof *m->unit);
    for (size_t i = 0; i < m->units; i++)
        m->unit[i] = read_u32(bytes.p + 4 + 4 * i);
    m->text = mem_strn(text, m->n);
    return 0;
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int charsmap_read64(Charsmap *m, Str base64, Err *e)
{
    Buf b = {0};
    uint32_t bits = 0;
    size_t n = base64.n;
    int have = 0;
    while (n && base64.p[n - 1] == '=')
        n--;
    buf_room(&b, n / 4 * 3 + 3);
    for (size_t i = 0; i < n; i++) {
        int value = sextet(base64.p[i]);
        if (value < 0) {
            free(b.p);
            return err_set(e, "precompiled_charsmap: byte %zu is no base64", i);
        }
        bits = bits << 6 | (uint32_t)value;
        if ((have += 6) >= 8)
            b.p[b.n++] = (char)(bits >> (have -= 8));
    }
    int bad = charsmap_read(m, str_of(b.p, b.n), e);
    free(b.p);
    return bad;
}

void charsmap_free(Charsmap *m)
{
    free(m->unit);
    free(m->text);
    *m = (Charsmap){0};
}

/* The result that begins at byte i of m->text. */
static bool result(const Charsmap *m, size_t i, Str *to)
{
    if (i > m->n || (i < m->n && ((unsigned char)m->text[i] & 0xc0) == 0x80))
        return false; /* the trie points beside it */
    const char *end = memchr(m->text + i, '\0', m->n - i);
    *to = str_of(m->text + i, end ? (size_t)(end - m->text) - i : m->n - i);
    return true;
}

static size_t offset(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* One byte further through the trie. -1: no entry goes on so; 1: one ends here, and its result is
 * that of unit `at`. */
static int step(const Charsmap *m, size_t *at, unsigned char byte)
{
    size_t next = *at ^ byte;
    if (!byte || next >= m->units)
        return -1;
    uint32_t unit = m->unit[next];
    if ((unit & (1u << 31 | 0xff)) != byte)
        return -1;
    *at = next ^ offset(unit);
    if (!(unit & 1u << 8))
        return 0;
    return *at < m->units ? 1 : -1;
}

static bool result_at(const Charsmap *m, size_t at, Str *to)
{
    return result(m, m->unit[at] & ~(1u << 31), to);
}

bool charsmap_find(const Charsmap *m, Str text, Str *to)
{
    size_t at = offset(m->unit[0]);
    for (size_t i = 0; i < text.n; i++) {
        int ends = step(m, &at, (unsigned char)text.p[i]);
        if (ends)
            return ends > 0 && result_at(m, at, to);
    }
    return false;
}

size_t charsmap_longest(const Charsmap *m, Str text, Str *to)
{
    size_t at = offset(m->unit[0]), length = 0;
    for (size_t i = 0; i < text.n; i++) {
        int ends = step(m, &at, (unsigned char)text.p[i]);
        if (ends < 0)
            break;
        if (ends && result_at(m, at, to))
            length = i + 1;
    }
    return length;
}
