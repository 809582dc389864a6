"""Writes common/text/cut/cut_tables.h: the scripts that the reference's UnicodeScripts tells apart.

    python3 tests/oracle/scripts.py > common/text/cut/cut_tables.h

Which code points are alike it is asked (`tokenizers`, see requirements.txt): two that it does not
part are of one script, or one of them is of any.
"""
import tokenizers
from tokenizers import pre_tokenizers

part = pre_tokenizers.UnicodeScripts()
ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def parted(a, b):
    return len(part.pre_tokenize_str(chr(a) + chr(b))) == 2


# Of any script: parted neither from a Latin nor from a Cyrillic letter.
kinds, ranges = [], []
before = None
for c in ALL:
    if not parted(0x61, c) and not parted(0x430, c):
        kind = 0
    elif before and not parted(kinds[before - 1], c):
        kind = before
    else:
        kind = next((i + 1 for i, k in enumerate(kinds) if not parted(k, c)), None)
        if kind is None:
            kinds.append(c)
            kind = len(kinds)
    before = kind or before
    if not kind:
        continue
    if ranges and ranges[-1][2] == kind and ranges[-1][1] == c - 1:
        ranges[-1][1] = c
    else:
        ranges.append([c, c, kind])

print(f"""/* cut_tables.h - made by tests/oracle/scripts.py from tokenizers {tokenizers.__version__}. */
#ifndef WEFT_CUT_TABLES_H
#define WEFT_CUT_TABLES_H

#include <stdint.h>

/* Code points [first, last] and their script's number; others are of any. */
static const struct {{
    uint32_t first, last;
    uint8_t script;
}} scripts[] = {{""")
line = "   "
for a, b, kind in ranges:
    item = f" {{0x{a:x}, 0x{b:x}, {kind}}},"
    if len(line) + len(item) > 99:
        print(line)
        line = "   "
    line += item
print(line + "\n};\n\n#endif")
