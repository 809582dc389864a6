"""Writes common/text/regex_tables.h: what the reference's regular expressions take for a letter, a
digit ... beyond what PCRE2 of Unicode 14 does.

    python3 tests/oracle/regex_unicode.py > common/text/regex_tables.h

Both are asked, of every code point (`tokenizers`, see requirements.txt; libpcre2-8 10.42).
"""
import ctypes
import ctypes.util

import tokenizers
from tokenizers import Regex, pre_tokenizers

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
TEXT = "".join(map(chr, ALL))
BYTES = TEXT.encode()
UTF, UCP = 0x00080000, 0x00020000
lib = ctypes.CDLL(ctypes.util.find_library("pcre2-8"))
lib.pcre2_compile_8.restype = ctypes.c_void_p
lib.pcre2_match_data_create_8.restype = ctypes.c_void_p
lib.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
data = ctypes.c_void_p(lib.pcre2_match_data_create_8(1, None))

CATEGORIES = "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp Cc Cf"
SCRIPTS = """Arabic Armenian Bengali Bopomofo Braille Cyrillic Devanagari Ethiopic Georgian Greek Gujarati
Gurmukhi Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya
Sinhala Tamil Telugu Thai Tibetan"""
LONG = {"Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
        "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Number": "N",
        "Decimal_Number": "Nd", "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P",
        "Symbol": "S", "Separator": "Z", "Space_Separator": "Zs", "Control": "Cc", "Format": "Cf"}


def theirs(pattern):
    split = pre_tokenizers.Split(Regex(f"{pattern}+"), "removed").pre_tokenize_str(TEXT)
    got, at = set(), 0
    for _, (begin, end) in split + [("", (len(ALL), len(ALL)))]:
        got.update(ALL[at:begin])
        at = end
    return got


def ours(pattern):
    text = f"(?:{pattern})+".encode()
    number, at, begin = ctypes.c_int(), ctypes.c_size_t(), 0
    code = lib.pcre2_compile_8(text, ctypes.c_size_t(len(text)), UTF | UCP, ctypes.byref(number),
                               ctypes.byref(at), None)
    assert code, (pattern, number.value, at.value)
    got = set()
    while lib.pcre2_match_8(ctypes.c_void_p(code), BYTES, ctypes.c_size_t(len(BYTES)),
                            ctypes.c_size_t(begin), 0x40000000, data, None) > 0:
        span = lib.pcre2_get_ovector_pointer_8(data)
        got.update(map(ord, BYTES[span[0]:span[1]].decode()))
        begin = span[1]
    return got


def ranges(cps):
    out = []
    for c in sorted(cps):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return "".join(f"\\x{{{a:x}}}" + (f"-\\x{{{b:x}}}" if b > a else "") for a, b in out)


def string(text):
    lines, line = [], ""
    for part in text.replace("\\", "\\\\").replace("\\\\x", "\0\\\\x").split("\0"):
        if len(line) + len(part) > 85:
            lines, line = [*lines, line], ""
        line += part
    return "\n     ".join(f'"{x}"' for x in [*lines, line])


SPACE = "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
SETS = [("\\w", "\\w", r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"), ("\\d", "\\d", r"\p{Nd}"),
        ("\\s", "\\s", SPACE), ("\\h", "\\h", "0-9A-Fa-f"),
        ("alpha", "[[:alpha:]]", r"\p{Alphabetic}"), ("digit", "[[:digit:]]", r"\p{Nd}"),
        ("space", "[[:space:]]", SPACE), ("punct", "[[:punct:]]", r"\p{P}\p{S}"),
        ("alnum", "[[:alnum:]]", r"\p{Alphabetic}\p{Nd}"), ("upper", "[[:upper:]]", r"\p{Uppercase}"),
        ("lower", "[[:lower:]]", r"\p{Lowercase}"), ("xdigit", "[[:xdigit:]]", "0-9A-Fa-f"),
        ("cntrl", "[[:cntrl:]]", r"\p{Cc}"), ("word", "[[:word:]]", r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"),
        ("blank", "[[:blank:]]", r"\p{Zs}\t")]
SETS += [(name, f"\\p{{{name}}}", f"\\p{{{name}}}") for name in CATEGORIES.split()]
SETS += [(name, f"\\p{{{name}}}", f"\\p{{{short}}}") for name, short in LONG.items()]
SETS += [(name, f"\\p{{{name}}}", f"\\p{{sc:{name}}}") for name in SCRIPTS.split()]

print(f"""/* regex_tables.h - made by tests/oracle/regex_unicode.py from tokenizers {tokenizers.__version__}. */
#ifndef WEFT_REGEX_TABLES_H
#define WEFT_REGEX_TABLES_H

/* A set's name, what stands for it between the brackets of a class of PCRE2's, and code points that
 * PCRE2 of Unicode 14 does not know to be in it. */
static const struct {{
    const char *name, *set, *young;
}} sets[] = {{""")
for name, onig, pcre in SETS:
    want, got = theirs(onig), ours(f"[{pcre}]")
    if got - want:  # Mn, of which one is Mc since
        pcre, got = "", set()
    young = ranges(want - got)
    short = string(young) if young else "NULL"
    print(f"    {{{string(name)}, {string(pcre)},\n     {short}}},")
print("};\n\n#endif")
