"""Writes common/text/unicode_tables.h: what the reference takes code points for.

    python3 tests/oracle/unicode.py > common/text/unicode_tables.h

The reference (`tokenizers`, see requirements.txt) carries Unicode tables of several ages: its
general categories and canonical ordering are those of Unicode 9 and older, its lower case is
the Rust compiler's. So what it does is asked for, code point by code point, and kept as ranges.
utf8proc, whose tables are newer, gives what never changes once assigned: decompositions and
combining classes.
"""
import ctypes
import ctypes.util

import tokenizers
from tokenizers import normalizers, pre_tokenizers

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
lib = ctypes.CDLL(ctypes.util.find_library("utf8proc"))
lib.utf8proc_tolower.restype = ctypes.c_int32

clean = normalizers.BertNormalizer(True, False, False, False).normalize_str
strip = normalizers.BertNormalizer(False, False, True, False).normalize_str
nfd = normalizers.NFD().normalize_str
lower = normalizers.Lowercase().normalize_str
split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


def ranges(cps):
    out = []
    for c in sorted(cps):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def table(name, about, cps):
    print(f"\n/* {about} */\nstatic const UniRange {name}[] = {{")
    line = "   "
    for a, b in ranges(cps):
        item = f" {{0x{a:x}, 0x{b:x}}},"
        if len(line) + len(item) > 96:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


def between(c):
    return "a" + chr(c) + "b"


dropped = [c for c in ALL if clean(between(c)) == "ab"]
# White space is what splits; controls that split (vertical tab, NEL) are dropped before that.
space = [c for c in ALL if len(split(between(c))) == 2]
punct = [c for c in ALL if len(split(between(c))) == 3]
mark = [c for c in ALL if nfd(chr(c)) == chr(c) and strip("a" + chr(c)) == "a"]
# A combining class of its own: it trades places with a mark of class 1 or of class 240.
moves = [c for c in ALL if nfd(chr(c)) == chr(c) and (
    nfd("a" + chr(c) + "\u0334") == "a\u0334" + chr(c) != "a" + chr(c) + "\u0334" or
    nfd("a\u0345" + chr(c)) == "a" + chr(c) + "\u0345" != "a\u0345" + chr(c))]
later = [(c, ord(lower(chr(c)))) for c in ALL
         if len(lower(chr(c))) == 1 and ord(lower(chr(c))) != lib.utf8proc_tolower(c)]

# utf8proc_category_t: LU 1 LL 2 LT 3 LM 4 LO 5 MN 6 MC 7 ME 8 ND 9 NL 10 NO 11 PC 12
SYMBOLS = [(0x24b6, 0x24e9), (0x1f130, 0x1f149), (0x1f150, 0x1f169), (0x1f170, 0x1f189)]
word = pre_tokenizers.Whitespace().pre_tokenize_str
digit = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str
known_words = {c for c in ALL if lib.utf8proc_category(c) in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12)} | {0x200c, 0x200d}
known_words |= {c for a, b in SYMBOLS for c in range(a, b + 1)}
known_digits = {c for c in ALL if lib.utf8proc_category(c) in (9, 10, 11)}
words = {c for c in ALL if len(word(between(c))) == 1}
digits = {c for c in ALL if len(digit(between(c))) == 3}
assert known_words <= words and known_digits <= digits

print(f"""/* unicode_tables.h - made by tests/oracle/unicode.py from tokenizers {tokenizers.__version__}. */
#ifndef WEFT_UNICODE_TABLES_H
#define WEFT_UNICODE_TABLES_H

#include "text/unicode.h"
""", end="")
table("dropped", "Cleaning removes it: controls, formats, private use, U+FFFD.", dropped)
table("space", "White space.", space)
table("punct", "Punctuation, ASCII's symbols included.", punct)
table("mark", "Nonspacing marks, as far as they do not decompose.", mark)
table("moves", "It has a combining class.", moves)
table("later_words", "Word characters that utf8proc 2.8 lacks.", words - known_words)
table("later_digits", "Numbers that utf8proc 2.8 lacks.", digits - known_digits)
print("\n/* Lower case that utf8proc 2.8 lacks: first, last, what is added. */")
print("static const struct {\n    uint32_t first, last;\n    int32_t add;\n} later[] = {")
runs = []
for c, l in later:
    if runs and runs[-1][1] == c - 1 and runs[-1][2] == l - c:
        runs[-1][1] = c
    else:
        runs.append([c, c, l - c])
for a, b, add in runs:
    print(f"    {{0x{a:x}, 0x{b:x}, {add}}},")
print("};\n\n#endif")
