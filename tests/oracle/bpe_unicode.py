"""Writes common/text/bpe/bytelevel_tables.h: letters and numbers that utf8proc does not know yet.

    python3 tests/oracle/bpe_unicode.py > common/text/bpe/bytelevel_tables.h

GPT-2's pattern asks for \\p{L}, \\p{N} and \\s, and the reference (`tokenizers`, see
requirements.txt) answers by the tables of its regular expressions, which are newer than
utf8proc's. So they are asked, code point by code point. \\s is White_Space, which unicode.c has.
"""
import ctypes
import ctypes.util

import tokenizers
from tokenizers import Regex, pre_tokenizers

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
         0x205F, 0x3000}
lib = ctypes.CDLL(ctypes.util.find_library("utf8proc"))


def matching(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    return {c for c in ALL if not split.pre_tokenize_str(chr(c))}


def table(name, about, cps):
    ranges = []
    for c in sorted(cps):
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    print(f"\n/* {about} */\nstatic const uint32_t {name}[][2] = {{")
    line = "   "
    for a, b in ranges:
        item = f" {{0x{a:x}, 0x{b:x}}},"
        if len(line) + len(item) > 96:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


letters, numbers = matching(r"\p{L}"), matching(r"\p{N}")
category = {c: lib.utf8proc_category(c) for c in ALL}
old_letters = {c for c in ALL if 1 <= category[c] <= 5}  # Lu, Ll, Lt, Lm, Lo
old_numbers = {c for c in ALL if 9 <= category[c] <= 11}  # Nd, Nl, No
assert matching(r"\s") == SPACE
assert old_letters <= letters and old_numbers <= numbers

print(f"""/* bytelevel_tables.h - made by tests/oracle/bpe_unicode.py from tokenizers {tokenizers.__version__}. */
#ifndef WEFT_BYTELEVEL_TABLES_H
#define WEFT_BYTELEVEL_TABLES_H

#include <stdint.h>""")
table("young_letters", "\\p{L}, but not so in utf8proc 2.8.", letters - old_letters)
table("young_numbers", "\\p{N}, but not so in utf8proc 2.8.", numbers - old_numbers)
print("\n#endif")
