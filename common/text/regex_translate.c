/* regex_translate.c - from Oniguruma's syntax (for Ruby) to PCRE2's. */
#include "text/regex.h"

#include "base/utf8.h"
#include "text/regex_tables.h"

#include <stdbool.h>
#include <string.h>

enum { DEPTH = 100 };
#define NOWHERE SIZE_MAX

typedef struct Onig {
    const char *pattern, *p;
    Buf *out;
    Err *e;
    size_t atom;   /* where in `out` begins what a quantifier would repeat */
    bool repeated; /* it has a quantifier already */
    bool caseless;
    char before; /* the letter before, small; 0: none */
} Onig;

static int refuse(const Onig *o, const char *what)
{
    return err_set(o->e, "the regular expression '%.200s': %s is not supported, at character %zu",
                   o->pattern, what, (size_t)(o->p - o->pattern) + 1);
}

static bool skip(Onig *o, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(o->p, text, n) != 0)
        return false;
    o->p += n;
    return true;
}

static void begin_atom(Onig *o)
{
    o->atom = o->out->n;
    o->repeated = false;
    o->before = 0;
}

static void no_atom(Onig *o)
{
    o->atom = NOWHERE;
    o->before = 0;
}

/* ---- sets of characters ---- */

static int find_set(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (strlen(sets[i].name) == n && strncmp(sets[i].name, name, n) == 0)
            return (int)i;
    return -1;
}

/* Sets that have letters of one case alone. */
static bool has_case(int set)
{
    static const char *const names[] = {"\\p{Lu}", "\\p{Ll}", "\\p{Lt}", "\\p{Uppercase}",
                                        "\\p{Lowercase}"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(sets[set].set, names[i]) == 0)
            return true;
    return false;
}

static void put_set(Onig *o, int set)
{
    buf_str(o->out, sets[set].set);
    if (sets[set].young)
        buf_str(o->out, sets[set].young);
}

/* \p{Name}, \P{Name}, \p{^Name} behind the p: the set, and whether it is what is not in it. */
static int read_property(Onig *o, bool *negated)
{
    const char *name = o->p + 1, *end = *o->p == '{' ? strchr(o->p, '}') : NULL;
    if (end && *name == '^') {
        name++;
        *negated = !*negated;
    }
    int set = end ? find_set(name, (size_t)(end - name)) : -1;
    if (set < 0 || (o->caseless && has_case(set)))
        return refuse(o, "this property");
    o->p = end + 1;
    return set;
}

/* The set that an escape stands for, at its letter, passed over; -1: none; -2: refused. */
static int read_set(Onig *o, bool *negated)
{
    char c = *o->p, name[3] = {'\\', (char)(c | 0x20), 0};
    int set;
    *negated = (c & 0x20) == 0;
    switch (c | 0x20) {
    case 'd':
    case 'w':
    case 's':
    case 'h': o->p++; return find_set(name, 2);
    case 'p':
        o->p++;
        set = read_property(o, negated);
        return set < 0 ? -2 : set;
    default: return -1;
    }
}

static size_t count_hex(const char *p, size_t most)
{
    size_t n = strspn(p, "0123456789abcdefABCDEF");
    return n < most ? n : most;
}

/* A character that an escape stands for, at its letter, which is passed over; -1: refused. */
static int64_t read_char(Onig *o)
{
    static const char letters[] = "ntrfvae", bytes[] = "\n\t\r\f\v\a\033";
    const char *known = *o->p ? strchr(letters, *o->p) : NULL;
    int len;
    if (known) {
        o->p++;
        return bytes[known - letters];
    }
    if (*o->p == 'u' || *o->p == 'x') {
        bool braces = o->p[1] == '{';
        const char *digits = o->p + 1 + braces;
        size_t most = braces ? 8 : *o->p == 'u' ? 4 : 2, n = count_hex(digits, most);
        int64_t cp = 0;
        for (size_t i = 0; i < n; i++)
            cp = 16 * cp + (digits[i] <= '9' ? digits[i] - '0' : (digits[i] | 0x20) - 'a' + 10);
        if (!n || (braces && digits[n] != '}') || (!braces && n < most) || cp > 0x10ffff ||
            (cp >= 0xd800 && cp <= 0xdfff) || (*o->p == 'x' && !braces && cp > 0x7f))
            return refuse(o, "this character");
        o->p = digits + n + braces;
        return cp;
    }
    unsigned char c = (unsigned char)*o->p;
    if (!c || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        return refuse(o, "this escape");
    int64_t cp = utf8_get(o->p, &len);
    o->p += len;
    return cp;
}

static void put_char(Onig *o, int64_t cp)
{
    buf_fmt(o->out, "\\x{%llx}", (unsigned long long)cp);
}

/* [:alpha:] at its colon. */
static int class_posix(Onig *o)
{
    const char *name = o->p + 1, *end = strstr(name, ":]");
    int set = end ? find_set(name, (size_t)(end - name)) : -1;
    if (set < 0 || (o->caseless && has_case(set)))
        return refuse(o, "this bracket");
    put_set(o, set);
    o->p = end + 2;
    return 0;
}

/* All but white space, between brackets. */
#define NO_SPACE                                                                                   \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}"                   \
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"                 \
    "\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"

/* An escape in a class, at its letter. 1: it is one character, *cp. */
static int class_escape(Onig *o, int64_t *cp)
{
    bool negated;
    if (*o->p == 'b') {
        o->p++;
        *cp = '\b';
        return 1;
    }
    int set = read_set(o, &negated);
    if (set == -2)
        return -1;
    if (set == -1)
        return (*cp = read_char(o)) < 0 ? -1 : 1;
    if (strcmp(sets[set].name, "\\w") == 0)
        set = find_set("word", 4); /* fractions and the like are in it outside of brackets alone */
    if (!negated)
        put_set(o, set);
    else if (strcmp(sets[set].name, "\\s") == 0)
        buf_str(o->out, NO_SPACE);
    else if (!sets[set].young && strncmp(sets[set].set, "\\p", 2) == 0)
        buf_fmt(o->out, "\\P%s", sets[set].set + 2);
    else
        return refuse(o, "what is not in a set, within brackets,");
    return 0;
}

/* The first or second character of a range, or a set: 1: it is one character. */
static int class_item(Onig *o, int64_t *cp)
{
    int len;
    if (skip(o, "\\"))
        return class_escape(o, cp);
    *cp = utf8_get(o->p, &len);
    o->p += len;
    return 1;
}

/* What stands between brackets, behind the first and its ^. */
static int class_inside(Onig *o, int depth)
{
    bool first = true;
    for (; *o->p && (*o->p != ']' || first); first = false) {
        int64_t cp, to;
        if (*o->p == '[' && o->p[1] == ':' && strstr(o->p, ":]")) {
            o->p++;
            if (class_posix(o) < 0)
                return -1;
            continue;
        }
        if (*o->p == '[') {
            o->p++;
            if (*o->p == '^' || depth >= DEPTH)
                return refuse(o, "a class within another that is not of plain characters");
            if (class_inside(o, depth + 1) < 0)
                return -1;
            continue;
        }
        if (strncmp(o->p, "&&", 2) == 0)
            return refuse(o, "&& of classes");
        int one = class_item(o, &cp);
        if (one < 0)
            return -1;
        if (!one)
            continue;
        put_char(o, cp);
        if (*o->p != '-' || o->p[1] == ']' || !o->p[1])
            continue;
        o->p++;
        if (*o->p == '[' || class_item(o, &to) != 1 || to < cp)
            return o->e->text[0] ? -1 : refuse(o, "this range");
        buf_str(o->out, "-");
        put_char(o, to);
    }
    return skip(o, "]") ? 0 : refuse(o, "a class without its end");
}

static int class(Onig *o)
{
    begin_atom(o);
    buf_str(o->out, skip(o, "^") ? "[^" : "[");
    if (class_inside(o, 0) < 0)
        return -1;
    buf_str(o->out, "]");
    return 0;
}

/* ---- escapes ---- */

static void put_whole_set(Onig *o, int set, bool negated)
{
    buf_str(o->out, negated ? "[^" : "[");
    put_set(o, set);
    buf_str(o->out, "]");
}

/* Between a character of a word and another, or not. */
static void put_boundary(Onig *o, bool negated)
{
    int word = find_set("\\w", 2);
    buf_str(o->out, "(?:");
    for (int i = 0; i < 2; i++) {
        buf_str(o->out, i ? "|(?<!" : "(?<=");
        put_whole_set(o, word, false);
        buf_str(o->out, (i == 0) == negated ? ")(?=" : ")(?!");
        put_whole_set(o, word, false);
        buf_str(o->out, ")");
    }
    buf_str(o->out, ")");
}

static int escape(Onig *o)
{
    bool negated;
    begin_atom(o);
    int set = read_set(o, &negated);
    if (set == -2)
        return -1;
    if (set >= 0) {
        put_whole_set(o, set, negated);
        return 0;
    }
    char c = *o->p;
    if (c == 'b' || c == 'B') {
        o->p++;
        put_boundary(o, c == 'B');
        return 0;
    }
    if (c && strchr("AzZGKRNO", c)) { /* O: any character, a line's end too */
        o->p++;
        buf_fmt(o->out, c == 'O' ? "(?s:.)" : "\\%c", c);
        return 0;
    }
    int64_t cp = read_char(o);
    if (cp < 0)
        return -1;
    put_char(o, cp);
    return 0;
}

/* ---- what repeats ---- */

/* {2}, {2,}, {,3}, {2,3}: 1; 0: it is none. *fixed: {2}. */
static int read_interval(Onig *o, bool *fixed)
{
    static const char digits[] = "0123456789";
    const char *low = o->p + 1;
    size_t n = strspn(low, digits), m = 0;
    bool comma = low[n] == ',';
    if (comma)
        m = strspn(low + n + 1, digits);
    if (low[n + comma + m] != '}' || (!n && !m))
        return 0;
    buf_fmt(o->out, "{%.*s%s", (int)n, low, n ? "" : "0");
    if (comma)
        buf_fmt(o->out, ",%.*s", (int)m, low + n + 1);
    buf_str(o->out, "}");
    o->p = low + n + comma + m + 1;
    *fixed = !comma;
    return 1;
}

/* Brackets around what is repeated already. */
static void wrap(Onig *o)
{
    buf_str(o->out, "   )");
    char *at = o->out->p + o->atom;
    memmove(at + 3, at, o->out->n - o->atom - 4);
    memcpy(at, "(?:", 3);
}

static int quantifier(Onig *o)
{
    bool fixed = false, interval = *o->p == '{';
    if (o->atom == NOWHERE)
        return refuse(o, "a quantifier of nothing");
    if (o->repeated)
        wrap(o);
    o->before = 0;
    if (!interval)
        buf_fmt(o->out, "%c", *o->p++);
    else
        read_interval(o, &fixed);
    o->repeated = true;
    /* Behind {2} a question mark, behind {2,3} a plus repeat what is repeated. */
    if ((*o->p == '?' && !fixed) || (*o->p == '+' && !interval))
        buf_fmt(o->out, "%c", *o->p++);
    return 0;
}

/* ---- groups ---- */

static int alternatives(Onig *o, int depth);

static int group_inside(Onig *o, size_t atom, int depth)
{
    bool caseless = o->caseless;
    no_atom(o);
    if (depth >= DEPTH)
        return refuse(o, "a group so deep");
    if (alternatives(o, depth + 1) < 0)
        return -1;
    if (!skip(o, ")"))
        return refuse(o, "a group without its end");
    buf_str(o->out, ")");
    o->caseless = caseless;
    o->atom = atom;
    o->repeated = false;
    o->before = 0;
    return 0;
}

/* (?i) and (?i:, m being PCRE2's s; behind the question mark. */
static int options(Onig *o, size_t atom, bool begins, int depth)
{
    bool on = true, outer = o->caseless;
    buf_str(o->out, "(?");
    for (; *o->p == 'i' || *o->p == 'm' || *o->p == '-'; o->p++) {
        if (*o->p == 'i')
            o->caseless = on;
        on = on && *o->p != '-';
        buf_fmt(o->out, "%c", *o->p == 'm' ? 's' : *o->p);
    }
    if (skip(o, ":")) {
        buf_str(o->out, ":");
        int bad = group_inside(o, atom, depth);
        o->caseless = outer;
        return bad;
    }
    if (!begins || !skip(o, ")"))
        return refuse(o, "this group");
    buf_str(o->out, ")");
    no_atom(o);
    return 0;
}

static int group(Onig *o, bool begins, int depth)
{
    static const char *const kinds[] = {"?:", "?=", "?!", "?>", "?<=", "?<!"};
    size_t atom = o->out->n;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (skip(o, kinds[i])) {
            buf_fmt(o->out, "(%s", kinds[i]);
            return group_inside(o, atom, depth);
        }
    if (skip(o, "?#")) {
        const char *end = strchr(o->p, ')');
        if (!end)
            return refuse(o, "a comment without its end");
        o->p = end + 1;
        return 0;
    }
    if (skip(o, "?"))
        return options(o, atom, begins, depth);
    buf_str(o->out, "(?:"); /* nothing asks what it holds */
    return group_inside(o, atom, depth);
}

/* ---- all of it ---- */

/* A letter where case is of no account may be part of what is one character in the other case. */
static int literal(Onig *o)
{
    static const char pairs[][3] = {"ss", "st", "ff", "fi", "fl"};
    int len;
    char before = o->before;
    uint32_t cp = utf8_get(o->p, &len);
    begin_atom(o);
    if (o->caseless && (cp == 0xdf || cp == 0x1e9e))
        return refuse(o, "a sharp s whose case is of no account");
    if ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z')
        o->before = (char)(cp | 0x20);
    for (size_t i = 0; o->caseless && i < sizeof pairs / sizeof *pairs; i++)
        if (before == pairs[i][0] && o->before == pairs[i][1])
            return refuse(o, "'ss', 'st', 'ff', 'fi' or 'fl' whose case is of no account");
    put_char(o, cp);
    o->p += len;
    return 0;
}

static int alternatives(Onig *o, int depth)
{
    bool begins = true, fixed;
    for (; *o->p && *o->p != ')'; begins = false) {
        int bad = 0;
        size_t n = o->out->n;
        switch (*o->p) {
        case '(': o->p++, bad = group(o, begins, depth); break;
        case '[': o->p++, bad = class(o); break;
        case '\\': o->p++, bad = escape(o); break;
        case '*':
        case '+':
        case '?': bad = quantifier(o); break;
        case '{':
            if (!read_interval(&(Onig){.p = o->p, .out = o->out}, &fixed)) {
                bad = literal(o);
                break;
            }
            o->out->n = n;
            bad = quantifier(o);
            break;
        case '|':
        case '^':
        case '$':
            buf_fmt(o->out, "%c", *o->p++);
            no_atom(o);
            break;
        case '.':
            begin_atom(o);
            buf_str(o->out, ".");
            o->p++;
            break;
        default: bad = literal(o);
        }
        if (bad)
            return -1;
    }
    return 0;
}

int regex_translate(const char *pattern, Buf *out, Err *e)
{
    Onig o = {.pattern = pattern, .p = pattern, .out = out, .e = e, .atom = NOWHERE};
    if (alternatives(&o, 0) < 0)
        return -1;
    return *o.p ? refuse(&o, "a bracket that closes nothing") : 0;
}
