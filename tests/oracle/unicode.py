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
