"""What the library `tokenizers` makes of texts -> tests/golden/tok/.

    wordpiece-uncased   tokenizer.json and all     wordpiece-cased  vocab.txt and its config alone
    wordpiece-added     tokenizer.json with added tokens of every kind
(in tests/golden/models; vocabularies are parts of all-MiniLM-L6-v2's, which `make model` brings)

    NAME.jsonl          {"text", "ids", "spans"}, no special tokens around
    pairs.jsonl         {"text", "pair", "max", "trunc", "ids", "spans", "parts", "types"}
    windows.jsonl       {"text", "pair" or null, "max", "stride", "rows": [ids, ...]}
    points.tsv          blocks of 4,096 code points, each alone and as aXb: block, hash of the
                        normalised texts, hash of ids and spans (FNV-1a over 32-bit numbers)

Spans are bytes. Models are made anew only if they are not there.
"""
import json
import random
from pathlib import Path

from tokenizers import Tokenizer
from transformers import BertTokenizerFast

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS, OUT = GOLDEN / "models", GOLDEN / "tok"
REAL = GOLDEN.parent.parent / "model" / "all-MiniLM-L6-v2"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FNV, PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1

TEXTS = [
    "", " ", "\t\r", "The quick brown fox jumps over the lazy dog.",
    "I love this flight!!! @united #fail http://t.co/abc123 :-) <3 &amp; $5.00",
    "Don't you say it's 100% o'clock... (really?) [yes] {no} \"quoted\" `code` ~a^b_c|d\\e/f",
    "Café naïve façade Ünïcödé ŁÓDŹ Straße İstanbul ǅ ﬁn ½ Ⅷ ① ㎏", "e\u0301a\u0300o\u0323\u0302",
    "a\u0345\u0323b \u0344 \u0f73\u0f71\u0f72 q\u302e\u0323", "\u00c5ngstr\u00f6m \u212b \u1e9b\u0323",
    "Ελλάδα ΟΔΟΣ ὈΔΥΣΣΕΎΣ", "Привет, мир! Ёлка ЙОД", "שָׁלוֹם עֲלֵיכֶם", "اَلسَّلَامُ عَلَيْكُمْ",
    "हिन्दी में किताब", "ภาษาไทยง่าย", "日本語のテキスト、漢字と カタカナ。", "中文字符，测试！", "한국어 텍스트 각", "ㄱㅏ",
    "\U00020000\U0002a6e0\U0002b820\U0002ceb0\uf900\U0002f800x", "emoji 😀 👩\u200d🚀 ❤\ufe0f 🇫🇷",
    "zero\u200bwidth soft\u00adhyphen bom\ufeffx \u2028line\u2029para nbsp\u00a0x thin\u2009y",
    "ctrl\x01a\x7fb\x0bc\x0cd\x1ce\x85f\ufffdg\ue000h", "a" * 100, "a" * 101, "é" * 99 + "xy",
    "un" + "aff" * 30 + "able", "[CLS] typed [SEP] and [MASK] here [mask] [UNK][PAD]x[MASK]y",
    "![MASK]!", "new york city the-end then NEW", "a.b,c;d:e", "  leading and trailing  ",
    "1,234.56 2e-10 0x1F", "¿Qué? ¡Sí! «oui» „nein“ – — … • ™ © ® ° § ¶", "x\u0303\u0300\u0301y",
    "Tschüß\u0308 \u0130\u0307", "ﬀ ﷺ ㍿ Ａ Ｂ１", "\u1e0b\u0323 \u1e0d\u0307",
]


def fragments(rnd):
    """Texts out of pieces that trouble tokenizers."""
    pool = ["the", "Hello", "cat", "un", "able", "éàü", "Straße", "ΑΣ", "город", "日本", "한글",
            "\u0301", "\u0323", "\u0345", "\u200d", "\ufe0f", "\u00ad", "\u0130", "[MASK]", "[SEP]",
            "[", "]", " ", "  ", "\t", ".", ",", "!", "-", "'", "_", "9", "42", "\x01", "\u3000",
            "\u00c5", "\u1ebf", "\U0001d15e", "\u0f73", "\u302e", "YESTERDAY", "yesterday", "¡olé"]
    return ["".join(rnd.choice(pool) for _ in range(rnd.randint(1, 14))) for _ in range(150)]


def vocabulary(cased):
    all_of_it = (REAL / "vocab.txt").read_text(encoding="utf-8").split("\n")
    entries = [v for v in all_of_it if v and not v.startswith("[")]
    single = [v for v in entries if len(v.replace("##", "", 1) if v.startswith("##") else v) == 1]
    single = [v for v in single if ord(v[-1]) < 0x500 or v[-1] in "日本語中文字一漢ᄀᄋ하ᅥᅮᆨᆫのテ"]
    words = [v for v in entries if len(v) > 1 and v.isascii() and not v.startswith("##")][:450]
    tails = [v for v in entries if len(v) > 3 and v.isascii() and v.startswith("##")][:250]
    if cased:
        letters = [chr(c) for c in range(ord("A"), ord("Z") + 1)]
        single += letters + ["##" + c for c in letters] + ["É", "é", "İ", "##é", "ß", "##ß"]
        words += [w.capitalize() for w in words[:200]] + ["NEW", "café"]
    return list(dict.fromkeys(SPECIAL + single + words + tails))


def make_models():
    config = json.loads((REAL / "config.json").read_text())
    for name, cased in (("wordpiece-uncased", False), ("wordpiece-cased", True)):
        folder = MODELS / name
        if folder.exists():
            continue
        folder.mkdir(parents=True)
        words = vocabulary(cased)
        (folder / "vocab.txt").write_text("".join(w + "\n" for w in words), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(
            {"do_lower_case": not cased, "model_max_length": 48, "strip_accents": None,
             "tokenize_chinese_chars": True, "tokenizer_class": "BertTokenizer"}, indent=1) + "\n")
        config["vocab_size"], config["_name_or_path"] = len(words), name
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        if not cased:
            BertTokenizerFast.from_pretrained(folder)._tokenizer.save(str(folder / "tokenizer.json"))
    folder = MODELS / "wordpiece-added"
    if not folder.exists():
        folder.mkdir()
        t = json.loads((MODELS / "wordpiece-uncased" / "tokenizer.json").read_text())
        size = len(t["model"]["vocab"])
        kinds = [("Yesterday", dict(single_word=True, lstrip=True)), ("¡Olé", dict(rstrip=True)),
                 ("cat", dict(single_word=True, normalized=False)), ("<x>", dict(lstrip=True, rstrip=True, normalized=False)),
                 ("<xy>", dict(normalized=False)), ("город", dict(single_word=True, normalized=False, lstrip=True))]
        next_id = size
        for text, how in kinds:
            known = t["model"]["vocab"].get(text)
            token = {"id": next_id if known is None else known, "content": text, "single_word": False, "lstrip": False,
                     "rstrip": False, "normalized": True, "special": False, **how}
            next_id += known is None
            t["added_tokens"].append(token)
        (folder / "tokenizer.json").write_text(json.dumps(t, ensure_ascii=False) + "\n", encoding="utf-8")


def load(name):
    folder = MODELS / name
    if (folder / "tokenizer.json").exists():
        t = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        t = BertTokenizerFast.from_pretrained(folder)._tokenizer
    t.no_truncation()
    t.no_padding()
    return t


def spans(texts, encoding):
    """Bytes of the encoding's offsets, which count characters of texts[sequence]."""
    at = [[0] for _ in texts]
    for text, a in zip(texts, at):
        for c in text:
            a.append(a[-1] + len(c.encode()))
    return [[0, 0] if s is None else [at[s][b], at[s][e]]
            for (b, e), s in zip(encoding.offsets, encoding.sequence_ids)]


def write(name, rows):
    with open(OUT / name, "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


def single(name, texts):
    t = load(name)
    for text in texts:
        e = t.encode(text, add_special_tokens=False)
        yield {"text": text, "ids": e.ids, "spans": spans([text], e)}


def pairs():
    t = load("wordpiece-uncased")
    short, long = "the cat sat", "who was it that they said could go there, and when was that?"
    for text, pair in ((short, long), (long, short), (long, long[::-1]), ("", long), (short, ""), (long, long)):
        for most in (0, 8, 9, 14, 15, 23, 24):
            for trunc in ("longest", "first", "second"):
                t.no_truncation()
                if most:
                    t.enable_truncation(most, strategy={"longest": "longest_first"}.get(trunc, "only_" + trunc))
                try:
                    e = t.encode(text, pair)
                except Exception:  # the text to be cut is too short for that
                    continue
                yield {"text": text, "pair": pair, "max": most, "trunc": trunc, "ids": e.ids,
                       "spans": spans([text, pair], e), "types": e.type_ids,
                       "parts": [255 if s is None else s for s in e.sequence_ids]}


def windows():
    t = load("wordpiece-uncased")
    text = "who was it that they said could go there, and when was that? or was there no one?"
    for one, two in ((text, None), ("what was it", text), ("", text)):
        for most, stride in ((9, 0), (12, 3), (16, 5), (48, 4)):
            t.enable_truncation(most, stride=stride, strategy="only_second" if two else "longest_first")
            e = t.encode(one, two)
            yield {"text": one, "pair": two, "max": most, "stride": stride,
                   "rows": [e.ids] + [o.ids for o in e.overflowing]}


def fnv(h, numbers):
    for n in numbers:
        h = (h ^ n) * PRIME & MASK
    return h


def points():
    t = load("wordpiece-uncased")
    with open(OUT / "points.tsv", "w") as f:
        for block in range(0, 0x110000, 4096):
            cps = [c for c in range(max(block, 1), block + 4096) if not 0xD800 <= c <= 0xDFFF]
            texts = [x for c in cps for x in (chr(c), "a" + chr(c) + "b")]
            if not texts:
                continue
            normal = tokens = FNV
            for text, e in zip(texts, t.encode_batch(texts, add_special_tokens=False)):
                normal = fnv(normal, map(ord, t.normalizer.normalize_str(text)))
                tokens = fnv(fnv(tokens, e.ids), [n for s in spans([text], e) for n in s])
            f.write(f"{block:x}\t{normal:x}\t{tokens:x}\n")


OUT.mkdir(parents=True, exist_ok=True)
make_models()
rnd = random.Random(42)
for name in ("wordpiece-uncased", "wordpiece-cased", "wordpiece-added"):
    extra = [" Yesterday, yesterdays! YESTERDAY  x", "¡OLÉ  ¡olé", "cat cats Cat", "a <x> b<xy>c", "é город городa"]
    write(name + ".jsonl", single(name, TEXTS + fragments(rnd) + extra))
write("pairs.jsonl", pairs())
write("windows.jsonl", windows())
points()
