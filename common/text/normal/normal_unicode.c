/* normal_unicode.c - Unicode's normal forms with the changes they make, as the Rust library
 * unicode-normalization-alignments has them; graphemes. What utf8proc and the reference think
 * differently is in normal_tables.h. */
#include "text/normal/normal_in.h"
#include "text/normal/normal_tables.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <utf8proc.h>

enum { PARTS = 18 }; /* of a compatibility decomposition (U+FDFA) */

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define IN(cp, ranges) uni_in(cp, ranges, COUNT(ranges))

/* ---- decomposition ---- */

typedef struct Mark {
    uint32_t cp;
    int change;
    int combining;
    size_t order;
} Mark;

struct Composing {
    Edit *x;
    bool compose;
    Mark *mark; /* what waits for canonical order */
    size_t marks, cap;
    /* Composition: the starter, what stands behind it without joining it, the last's class. */
    uint32_t starter;
    int change, blocked; /* -1: nothing stands between */
    bool has_starter;
    Mark *behind;
    size_t nbehind, behind_cap;
};

Composing *composing_new(void)
{
    return mem_zero(1, sizeof(Composing));
}

void composing_free(Composing *c)
{
    if (!c)
        return;
    free(c->mark);
    free(c->behind);
    free(c);
}

static int decompose(uint32_t cp, bool compat, uint32_t part[PARTS])
{
    utf8proc_int32_t to[PARTS];
    int last = 0;
    if (!compat)
        return uni_decompose(cp, part);
    utf8proc_ssize_t n = IN(cp, undivided)
                             ? 0
                             : utf8proc_decompose_char((utf8proc_int32_t)cp, to, PARTS,
                                                       UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &last);
    if (n < 1 || n > PARTS) {
        part[0] = cp;
        return 1;
    }
    for (int i = 0; i < n; i++)
        part[i] = (uint32_t)to[i];
    return (int)n;
}

/* ---- composition ---- */

/* The character that a and b are together, or 0. */
static uint32_t composed(uint32_t a, uint32_t b)
{
    utf8proc_int32_t pair[3] = {(utf8proc_int32_t)a, (utf8proc_int32_t)b, 0};
    if (b < 0x300) /* nothing below composes */
        return 0;
    if (utf8proc_normalize_utf32(pair, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE) != 1)
        return 0;
    return IN((uint32_t)pair[0], undivided) ? 0 : (uint32_t)pair[0];
}

static void put_behind(Composing *c)
{
    for (size_t i = 0; i < c->nbehind; i++)
        edit_put(c->x, c->behind[i].cp, c->behind[i].change);
    c->nbehind = 0;
}

static void keep_behind(Composing *c, uint32_t cp, int combining, int change)
{
    if (c->nbehind == c->behind_cap) {
        c->behind_cap = c->behind_cap * 2 + 16;
        c->behind = mem_resize(c->behind, c->behind_cap, sizeof *c->behind);
    }
    c->behind[c->nbehind++] = (Mark){.cp = cp, .change = change};
    c->blocked = combining;
}

static void put_starter(Composing *c)
{
    if (c->has_starter)
        edit_put(c->x, c->starter, c->change);
    c->has_starter = false;
    put_behind(c);
    c->blocked = -1;
}

static void compose(Composing *c, uint32_t cp, int combining, int change)
{
    if (!c->has_starter && combining) {
        edit_put(c->x, cp, change);
        return;
    }
    if (c->has_starter && c->blocked < combining) {
        uint32_t both = composed(c->starter, cp);
        if (both) {
            c->starter = both;
            c->change += change - 1;
            return;
        }
    }
    if (combining) {
        keep_behind(c, cp, combining, change);
        return;
    }
    put_starter(c);
    c->starter = cp;
    c->change = change;
    c->has_starter = true;
}

/* ---- order ---- */

static void ordered(Composing *c, uint32_t cp, int combining, int change)
{
    if (c->compose)
        compose(c, cp, combining, change);
    else
        edit_put(c->x, cp, change);
}

static int by_combining(const void *a, const void *b)
{
    const Mark *x = a, *y = b;
    if (x->combining != y->combining)
        return x->combining < y->combining ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void put_marks(Composing *c)
{
    if (c->marks > 1)
        qsort(c->mark, c->marks, sizeof *c->mark, by_combining);
    for (size_t i = 0; i < c->marks; i++)
        ordered(c, c->mark[i].cp, c->mark[i].combining, c->mark[i].change);
    c->marks = 0;
}

static void add_mark(Composing *c, uint32_t cp, int combining, int change)
{
    if (c->marks == c->cap) {
        c->cap = c->cap * 2 + 16;
        c->mark = mem_resize(c->mark, c->cap, sizeof *c->mark);
    }
    c->mark[c->marks] = (Mark){cp, change, combining, c->marks};
    c->marks++;
}

void normal_form(Composing *c, NormalForm form, Edit *x)
{
    bool compat = form == FORM_NFKC || form == FORM_NFKD;
    c->x = x;
    c->compose = form == FORM_NFC || form == FORM_NFKC;
    c->has_starter = false;
    c->blocked = -1;
    for (size_t i = 0; i < x->from->n;) {
        uint32_t part[PARTS];
        int len, n = decompose(utf8_get(x->from->p + i, &len), compat, part);
        for (int k = 0; k < n; k++) {
            int combining = uni_combining(part[k]);
            if (combining) {
                add_mark(c, part[k], combining, k > 0);
                continue;
            }
            put_marks(c);
            ordered(c, part[k], 0, k > 0);
        }
        i += (size_t)len;
    }
    put_marks(c);
    if (c->compose)
        put_starter(c);
}

bool normal_is_mark(uint32_t cp)
{
    if (uni_category(cp) & (UNI_GC(MN) | UNI_GC(MC) | UNI_GC(ME)))
        return !IN(cp, unstripped);
    return IN(cp, stripped);
}

/* ---- graphemes ---- */

/* A character of the class that the reference has this one in. */
static utf8proc_int32_t standing_for(uint32_t cp)
{
    enum { JOINING = 0x300, LEADING = 0x600, CONTROL = 0x200b };
    if (cp < 0x897) /* the least in the tables */
        return (utf8proc_int32_t)cp;
    if (IN(cp, joining))
        return JOINING;
    if (IN(cp, leading))
        return LEADING;
    return IN(cp, apart) ? CONTROL : (utf8proc_int32_t)cp;
}

size_t grapheme_size(const char *p, size_t n)
{
    int len;
    utf8proc_int32_t state = 0, before = standing_for(utf8_get(p, &len));
    size_t size = (size_t)len;
    while (size < n) {
        if ((unsigned char)p[size] < 0x80 && before < 0x80 && before != '\r')
            break;
        utf8proc_int32_t next = standing_for(utf8_get(p + size, &len));
        if (utf8proc_grapheme_break_stateful(before, next, &state))
            break;
        before = next;
        size += (size_t)len;
    }
    return size;
}
