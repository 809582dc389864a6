/* strings SEED N - N lines of text that trouble tokenizers, the same for a seed everywhere: what
 * tests/oracle/strings.py shows the reference and the tests show tok. Scripts are mixed, emoji
 * joined, marks piled up, spaces broken; controls, contractions and very long words are there;
 * newlines, carriage returns and NUL are not. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(next() >> 33) % n;
}

static void put(uint32_t c)
{
    if (c == 0 || c == '\n' || c == '\r' || (c >= 0xd800 && c < 0xe000))
        c = ' ';
    if (c < 0x80) {
        putchar((int)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    putchar((int)((0xff00u >> (more + 1) & 0xff) | c >> 6 * more));
    while (more--)
        putchar((int)(0x80 | (c >> 6 * more & 63)));
}

static const uint32_t scripts[][2] = {
    {0xa0, 0x17f},      {0x180, 0x24f},     {0x250, 0x2ff},     {0x370, 0x3ff},
    {0x400, 0x52f},     {0x530, 0x5ff},     {0x600, 0x6ff},     {0x900, 0x97f},
    {0xb80, 0xbff},     {0xe00, 0xe7f},     {0xf00, 0xfff},     {0x1100, 0x11ff},
    {0x1e00, 0x1eff},   {0x1f00, 0x1fff},   {0x2000, 0x206f},   {0x2070, 0x218f},
    {0x2190, 0x27bf},   {0x2c00, 0x2dff},   {0x3000, 0x30ff},   {0x3130, 0x33ff},
    {0x4e00, 0x4fff},   {0x9f00, 0x9fff},   {0xa640, 0xa8ff},   {0xac00, 0xad00},
    {0xf900, 0xfaff},   {0xfb00, 0xfdff},   {0xfe00, 0xffff},   {0x10400, 0x1047f},
    {0x1d100, 0x1d7ff}, {0x1f100, 0x1f1ff}, {0x20000, 0x200ff}, {0x2b800, 0x2b930},
};
static const uint32_t spaces[] = {' ',    ' ',    ' ',    '\t',   0xa0, 0x2003,
                                  0x2009, 0x3000, 0x200b, 0x2028, 0x85, 0x0b};
static const uint32_t odd[] = {1,      0x7f,   0x1b,   0xad,   0x200b,  0x200c,   0x200d,
                               0x200e, 0xfeff, 0xfffd, 0xe000, 0x110ff, 0x10ffff, 0x378};
static const uint32_t marks[] = {0x300, 0x301, 0x308, 0x323, 0x327, 0x345,  0x35c,
                                 0x483, 0x5b0, 0x64b, 0x93c, 0x94d, 0x302e, 0x20dd};
static const char *const words[] = {
    "the",          "Hello",  "don't",    "I'LL",     "we've",
    "'s",           "'RE",    "it's",     "[MASK]",   "[SEP]",
    "<mask>",       "</s>",   "@user",    "#tag",     "http://t.co/a1B2",
    "&amp;",        "...",    "!!!",      "1,234.56", "2e-10",
    "x_y",          "a-b",    "(c)",      "NASA",     "iPhone",
    "naïve",        "Straße", "İstanbul", "ΟΔΟΣ",     "日本語",
    "한국어",       "ﬁne",    "①②",       "½",        "\u212b",
    "\u1e9b\u0323",
};

#define PICK(list) list[below(sizeof list / sizeof *list)]

static void ascii_word(uint32_t n)
{
    uint32_t style = below(4);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t letter = 'a' + below(26);
        put(style == 0 || (style == 1 && i == 0) || (style == 2 && below(2)) ? letter - 32
                                                                             : letter);
    }
}

static void emoji(void)
{
    for (uint32_t n = 1 + below(3), i = 0; i < n; i++) {
        if (i)
            put(0x200d);
        put(0x1f300 + below(0x3ff));
        if (below(2))
            put(below(2) ? 0xfe0f : 0x1f3fb + below(5));
    }
}

static void piece(void)
{
    uint32_t n;
    const uint32_t *s;
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3: ascii_word(1 + below(12)); break;
    case 4: fputs(PICK(words), stdout); break;
    case 5:
        for (n = 1 + below(6); n; n--)
            put('0' + below(10));
        break;
    case 6:
        for (n = 1 + below(3); n; n--)
            put('!' + below(94));
        break;
    case 7:
    case 8:
        for (n = 1 + below(6), s = PICK(scripts); n; n--)
            put(s[0] + below(s[1] - s[0] + 1));
        break;
    case 9: put(below(0x110000)); break;
    case 10:
        put('a' + below(26));
        for (n = 1 + below(5); n; n--)
            put(PICK(marks));
        break;
    case 11: emoji(); break;
    case 12: put(PICK(odd)); break;
    case 13:
        if (below(40) == 0)
            ascii_word(80 + below(300));
        else
            put(PICK(marks));
        break;
    default:
        for (n = 1 + below(3); n; n--)
            put(PICK(spaces));
    }
    if (below(2))
        put(' ');
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    state = strtoull(argv[1], NULL, 10);
    for (unsigned long n = strtoul(argv[2], NULL, 10); n; n--) {
        for (uint32_t pieces = below(20); pieces; pieces--)
            piece();
        putchar('\n');
    }
    return fflush(stdout) != 0;
}
