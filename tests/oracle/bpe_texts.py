"""The texts that byte-level BPE is tried on: drawn here as tests/unit/bpe_test.c draws them, from
the fragments in tests/golden/tok/bpe-fragments.json."""
import json
from pathlib import Path

FRAGMENTS = Path(__file__).resolve().parent.parent / "golden" / "tok" / "bpe-fragments.json"
MASK = (1 << 64) - 1
DRAWN, BLOCK = 200_000, 1000  # texts, and how many a digest covers
RANGES = ((0x1, 0x7F), (0x80, 0x24F), (0x250, 0x7FF), (0x800, 0x1FFF), (0x2000, 0x2BFF),
          (0x2C00, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x1FFFF), (0x20000, 0x10FFFF))

POOL = [
    # words and names
    "the", "Hello", "hello", "world", "internationalization", "NASA", "iPhone", "don", "flight",
    "un", "able", "Straße", "éàü", "naïve", "Ελλάδα", "ΟΔΟΣ", "Привет", "мир", "город", "שָׁלוֹם",
    "العربية", "اَلسَّلَامُ", "हिन्दी", "किताब", "ภาษาไทย", "日本語", "漢字", "カタカナ", "中文", "한국어", "ㄱㅏ", "Việt",
    "ქართული", "ⴰⵎⴰⵣⵉⵖ", "ǅ", "İ", "ı", "ß", "ﬁ", "Ａ", "𝔘", "𐐷", "\U00020000", "\u1c89", "\U000105c0",
    # contractions, and what looks like them
    "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'LL", "'lL", "'D",
    "'", "''", "’s", "’", "'r", "'v", "'l", "'sa", "'lle", "'ſ", "'st", "s'", "'ver", "'8", "'é",
    # spaces
    " ", " ", " ", " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\u00a0", "\u3000",
    "\u2003", "\u200b", "\u2028", "\u1680", "\u202f", "\u0085", "\v", "\f", "\x1c", " " * 9,
    # numbers
    "0", "7", "42", "1,234.56", "2e-10", "0x1F", "٣", "९", "๕", "½", "²", "Ⅷ", "①", "㎏", "四", "１２",
    "\U0001d7ce", "\U00010d45", "\U0001e5f1", "\U00011bf3",
    # symbols, emoji, marks, controls
    ".", ",", "!", "?!", "...", "-", "--", "_", "(", ")", "[", "{}", "@", "#", "&amp;", "$", "€", "%",
    "http://t.co/", "<b>", "</s>", "<s>", "<mask>", "<|endoftext|>", "<", ">", "|", "\\", "\"", "«", "—",
    "😀", "👩\u200d🚀", "👨\u200d👩\u200d👧", "❤\ufe0f", "🇫🇷", "👍🏽", "1\ufe0f\u20e3", "\u0301", "\u0323", "\u0345",
    "\u200d", "\ufe0f", "\u00ad", "\ufeff", "\ufffd", "\ue000", "\x01", "\x7f", "\u0e33", "\u0f73",
    # long
    "a" * 16, "a" * 64, "ab" * 50, "é" * 40, "日本" * 60, "x" * 121, "=" * 200, "lol" * 300, "1" * 90,
]


class Draw:
    """splitmix64 (Steele et al. 2014)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = self.state + 0x9E3779B97F4A7C15 & MASK
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return (z ^ z >> 31) % n


def character(draw):
    first, last = RANGES[draw.below(len(RANGES))]
    return chr(first + draw.below(last - first + 1))


def text(number, pool):
    draw = Draw(number)
    parts = []
    for _ in range(1 + draw.below(14)):
        kind = draw.below(len(pool) + 20)
        parts.append(pool[kind] if kind < len(pool) else character(draw))
    return "".join(parts)


def drawn():
    pool = json.loads(FRAGMENTS.read_text(encoding="utf-8"))
    return (text(i, pool) for i in range(DRAWN))


def write_fragments():
    FRAGMENTS.write_text(json.dumps(POOL, ensure_ascii=True, indent=0) + "\n")
