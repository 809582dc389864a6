"""Writes common/text/normal/normal_tables.h: where the reference's normalizers and grapheme clusters
differ from utf8proc's.

    python3 tests/oracle/normal.py > common/text/normal/normal_tables.h

The reference (`tokenizers`, see requirements.txt) decomposes and recomposes by Unicode 9 or so,
knows its marks by the same, and cuts graphemes by Unicode 16; what it does is asked for, code
point by code point. A charsmap that makes every code point of a block an X tells how it cuts.
"""
import ctypes
import ctypes.util
import os
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import normalizers

ALL = [c for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
lib = ctypes.CDLL(ctypes.util.find_library("utf8proc"))
lib.utf8proc_grapheme_break.restype = ctypes.c_bool
lib.utf8proc_decompose_char.restype = ctypes.c_ssize_t
DECOMPOSE, COMPAT = 1 << 4, 1 << 2
MARKS = (6, 7, 8)  # Mn, Mc, Me


def charsmap(rules):
    """The precompiled charsmap of {text: text}, as sentencepiece makes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as f:
        for a, b in rules.items():
            f.write("\t".join(" ".join(f"{ord(c):X}" for c in s) for s in (a, b)) + "\n")
        f.flush()
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(sentencepiece.SentencePieceNormalizer(rule_tsv=f.name).serialized_model_proto())
    return model.normalizer_spec.precompiled_charsmap


def decomposed(c):
    to, last = (ctypes.c_int32 * 32)(), ctypes.c_int(0)
    n = lib.utf8proc_decompose_char(ctypes.c_int32(c), to, ctypes.c_ssize_t(32), DECOMPOSE | COMPAT,
                                    ctypes.byref(last))
    return "".join(map(chr, to[:n]))


def breaks(a, b):
    return lib.utf8proc_grapheme_break(ctypes.c_int32(a), ctypes.c_int32(b))


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


nfkd, nfd = normalizers.NFKD().normalize_str, normalizers.NFD().normalize_str
strip = normalizers.StripAccents().normalize_str
young = [c for c in ALL if nfkd(chr(c)) != decomposed(c)]
assert all(nfkd(chr(c)) == chr(c) for c in young)
removed = {c for c in ALL if strip("a" + chr(c)) == "a"}
marks = {c for c in ALL if lib.utf8proc_category(ctypes.c_int32(c)) in MARKS}

# A grapheme under 6 bytes is replaced whole: what joins the letter before vanishes with it.
joins = normalizers.Precompiled(charsmap({"a": "X"})).normalize_str
joined = {c for c in ALL if joins("a" + chr(c)) == "X"}
prepended, apart = set(), set()
for block in range(0, 0x110000, 0x4000):
    cps = [c for c in ALL if block <= c < block + 0x4000 and c not in (ord("X"), ord("a"))]
    if not cps:
        continue
    one = normalizers.Precompiled(charsmap({chr(c): "X" for c in cps})).normalize_str
    # The byte behind is in no rule (and is no letter that a rule of block 0 makes an X).
    prepended |= {c for c in cps if one(chr(c) + "a") == "X"}
    # 2 bytes more must leave it under 6.
    apart |= {c for c in cps if c < 0x10000 and one(chr(c) + "\u0483") != "X"}
known = {c for c in ALL if not breaks(ord("a"), c)}
assert known <= joined
assert {c for c in ALL if not breaks(c, ord("a"))} <= prepended
cut = {c for c in ALL if c < 0x10000 and breaks(c, 0x483)} - {ord("X"), ord("a")}
assert cut <= apart, sorted(cut - apart)

print(f"""/* normal_tables.h - made by tests/oracle/normal.py from tokenizers {tokenizers.__version__}. */
#ifndef WEFT_NORMAL_TABLES_H
#define WEFT_NORMAL_TABLES_H

#include "text/unicode.h"
""", end="")
table("undivided", "Compatibility decompositions younger than the reference.", young)
table("unstripped", "Marks (Mn, Mc, Me) that StripAccents leaves.", marks - removed)
table("stripped", "What StripAccents takes off beside marks.", removed - marks)
table("joining", "Joins the grapheme before it, and utf8proc 2.8 does not know it.", joined - known)
table("leading", "Joins the grapheme behind it, likewise.",
      prepended - {c for c in ALL if not breaks(c, ord("a"))})
table("apart", "A control: a grapheme of its own, likewise.", apart - cut)
print("\n#endif")
