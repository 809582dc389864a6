"""What `tokenizers` makes of texts with SentencePiece's models -> tests/golden/tok/.

    unigram-t5       spiece.model alone, packed, with the whole of nmt_nfkc
    unigram-xlmr     tokenizer.json and sentencepiece.bpe.model, a part of nmt_nfkc
    unigram-albert   tokenizer.json and spiece.model, likewise
    unigram-camembert
                     sentencepiece.bpe.model alone, XLM-R's
    unigram-deberta  spm.model alone, likewise
    unigram-deberta-punct
                     tokenizer.json and spm.model: lower case, punctuation apart
    unigram-old      tokenizer.json as old files are: WhitespaceSplit, add_prefix_space
    unigram-odd      normalizers of all kinds, bytes for what is unknown, one word a text, added
                     tokens that are sought in normalised text
    spbpe-llama      tokenizer.model alone: merges by scores, bytes, no words
    spbpe-first      tokenizer.json: Metaspace that does not split, unknown characters
    marian-spm       source.spm, target.spm and vocab.json, which lacks some of their pieces (marian.py)
    marian-odd       likewise: pieces of the user's, unused ones and bytes, spaces kept, added tokens
(in tests/golden/models; trained on real texts of ../shared/data, made only if not there)

    NAME.jsonl       {"text", "ids", "spans", "words"}, no special tokens around; words: the bytes
                     of each token's word, null where a character has become several words
    sp-points.tsv    every code point alone and as aXb, by plane: model, plane, hash of ids and
                     spans (FNV-1a over 32-bit numbers)
    sp-strings.tsv   as strings.tsv, of the strings that tests/unit/strings.c makes
    sp-real.tsv      real texts, with special tokens: model, file, rows, SHA-256 over the rows' ids,
                     a line a row, ids with ", " between

Spans are bytes.
"""
import hashlib
import json
import lzma
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, normalizers
from transformers import AutoTokenizer

import marian
from real import SETS, SHARED, column, lines
from strings import digest

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS, OUT = GOLDEN / "models", GOLDEN / "tok"
NAMES = ["unigram-t5", "unigram-xlmr", "unigram-camembert", "unigram-albert", "unigram-deberta",
         "unigram-deberta-punct", "unigram-old", "unigram-odd",
         "spbpe-llama", "spbpe-first", "marian-spm", "marian-odd"]
STRINGS = {"unigram-t5": 200000, "unigram-albert": 200000, "spbpe-llama": 200000}  # others: 20000
FNV, PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1

TEXTS = [
    "", " ", "  ", "\t\n", "Hello", " Hello", "Hello  world ", "  Hello   world  ", "The quick brown fox.",
    "@united it's been 3 hours!!! \U0001f621 #fail http://t.co/abc123 &amp; $5,000", "a\u3000b\u00a0c\u2003d",
    "Café naïve e\u0301a\u0300o\u0323\u0302", "ﬁnd ½ Ⅷ ①② ㎏ ™ … Ａ Ｂ１ ﷺ x", "™\x1eg", "\x1eabc def ghi",
    "\x01\x02a b  c", "a\x01b\x02 \x03 c", "don't ``say'' it's ''so'' `` ' ` '' x", "x ''", "''", "'' y",
    "Ελλάδα ΟΔΟΣ Привет, мир! Ёлка", "日本語のテキスト、漢字と カタカナ。 中文字符", "한국어 텍스트 \u1112\u1161\u11ab",
    "हिन्दी में ภาษาไทยง่าย שָׁלוֹם", "emoji \U0001f469\u200d\U0001f680 ❤\ufe0f \U0001f1eb\U0001f1f7 x\u200dy", "\u00a9\u200d \u00a9\ufe0f",
    "zero\u200bwidth soft\u00adhyphen bom\ufeffx \u2028line\u2029para", "▁", "▁▁", "a▁b", "▁a ▁b", "a ▁ b", "▁ ▁",
    "a" * 40, "supercalifragilistic" * 9, "un" + "aff" * 30 + "able", "x" * 17 + " " + "y" * 16 + " z", "\u0600a \u06dd1 \U000110bda",
    "İstanbul ǅ ſ ẞ Å\u030a", "q\u0323\u0307 \u0344 \u0f73\u0f71 \u1e9b\u0323", "1,000 2, 3,4", "a\rb\r\nc\r", "trailing\u3000 ", "\u3000leading",
    "<pad> </s> <unk> a", "x<unk>y <unk> é<unk>é", "Hello <mask> world<mask>", "[CLS] a [SEP] b [MASK] c", "<s>a</s>b",
    "Yesterday YESTERDAY ｙesterday", "new  york NEW YORK", "<0x41> <extra_id_0> a<extra_id_99>b", "\u0378\U0010ffff\U000f0000 \U0001d15e",
]

DEBERTA = ["x [UNK] y a[UNK]b", "a [unk] b [UNK]", " [UNK] ,a [MASK]  b[PAD]", "a,b . c!? -d- (e)", "\u00bfa\u3001b$c\u2014d"]


def fragments(rnd):
    pool = ["the", "Hello", "flight", "ing", "éàü", "город", "日本", "한글", "\u0301", "\u0323", "\u200d", "\ufe0f", "\u00ad",
            "\u0130", "<mask>", "</s>", " ", " ", " ", "  ", "\t", ".", ",", "'", "''", "``", "9", "42,", "\x01", "\u3000", "▁",
            "\u00c5", "ﬁ", "½", "ﷺ", "\U0001f600", "\U0001d15e", "\u0600", "\r", "yesterday", "new york", "\u1112\u1161"]
    return ["".join(rnd.choice(pool) for _ in range(rnd.randint(1, 14))) for _ in range(60)]


# ---- models ----

def corpus():
    for path in (SHARED / "Tweets.csv", SHARED / "wikitext2-test.txt"):
        yield from (" ".join(t.split("\n")) for t in (column(path, "text") if path.suffix == ".csv" else lines(path)))


def train(**how):
    with tempfile.TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=corpus(), model_prefix=folder + "/m", character_coverage=0.999, num_threads=1,
            minloglevel=2, **how)
        return (Path(folder) / "m.model").read_bytes()


def part_of_nmt_nfkc(folder):
    """Rules for the characters of a few blocks, and for letters with marks."""
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto())
    whole = normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap).normalize_str
    blocks = [(1, 0x300), (0x2000, 0x2070), (0x2100, 0x2190), (0x2460, 0x2474), (0x3000, 0x3001), (0x3300, 0x3308),
              (0xFB00, 0xFB07), (0xFDFA, 0xFDFB), (0xFEFF, 0xFF9F), (0xFFFD, 0xFFFE)]
    rules = {chr(c): whole(chr(c)) for a, b in blocks for c in range(a, b) if whole(chr(c)) != chr(c)}
    for letter in "aeiouncAEIOUNC":
        for mark in "\u0300\u0301\u0303\u0308\u0327":
            if len(unicodedata.normalize("NFC", letter + mark)) == 1:
                rules[letter + mark] = unicodedata.normalize("NFC", letter + mark)
    path = Path(folder) / "rules.tsv"
    path.write_text("".join("\t".join(" ".join(f"{ord(c):X}" for c in s) for s in r) + "\n" for r in rules.items()))
    return str(path)


def write_model(name, files):
    folder = MODELS / name
    folder.mkdir(parents=True)
    for file, content in files.items():
        if not isinstance(content, bytes):
            content = (json.dumps(content, ensure_ascii=False) + "\n").encode()
        (folder / file).write_bytes(content)


def converted(name):
    """tokenizer.json as transformers makes it of the folder's other files."""
    with tempfile.TemporaryDirectory() as folder:
        for path in (MODELS / name).iterdir():
            if path.suffix == ".xz":
                (Path(folder) / path.stem).write_bytes(lzma.decompress(path.read_bytes()))
            else:
                (Path(folder) / path.name).write_bytes(path.read_bytes())
        return json.loads(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())


def added(token_id, text, **how):
    return {"id": token_id, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": True,
            "special": False, **how}


def odd(t):
    """XLM-R's vocabulary behind every other part."""
    entries = [e for e in t["model"]["vocab"] if e[0] != "<mask>"][:400]
    known = {e[0] for e in entries}
    entries += [[f"<0x{b:02X}>", -15.0] for b in range(256)] + [[c, -9.5] for c in "abcdefghijklmnopqrstuvwxyz'" if c not in known]
    size = len(entries)
    t["model"].update(vocab=entries, byte_fallback=True)
    t["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Nmt"}, {"type": "NFKC"}, {"type": "Replace", "pattern": {"String": "x'"}, "content": "'"},
        {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "NFC"},
        {"type": "Strip", "strip_left": True, "strip_right": True}]}
    t["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    t["added_tokens"] = [added(3, "<unk>", normalized=False, special=True), added(size, "YESTERDAY", single_word=True),
                         added(size + 1, "New York", lstrip=True), added(size + 2, "<mask>", normalized=False, lstrip=True, special=True)]
    t["post_processor"] = None
    return t


def old(t):
    meta = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}
    t["normalizer"] = t["normalizer"]["normalizers"][0]
    t["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, meta]}
    t["decoder"] = meta
    return t


def without_bytes(t):
    """No bytes for what is unknown, marks put by Metaspace."""
    t["model"]["byte_fallback"] = False
    t["normalizer"] = None
    t["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    return t


def make_marian(rules):
    source = train(vocab_size=700, normalization_rule_tsv=rules)
    target = train(vocab_size=400, normalization_rule_tsv=rules, split_by_whitespace=False)
    vocab = marian.names(source, target)
    lacks = {"▁", "▁the", "ing", "q"}
    write_model("marian-spm", marian.files(source, target, [v for v in vocab if v not in lacks]))
    user = ["new york", "YESTERDAY", "x'", "½"]
    source = train(vocab_size=700, normalization_rule_tsv=rules, byte_fallback=True, remove_extra_whitespaces=False,
                   user_defined_symbols=",".join(user))
    unused = sentencepiece_model_pb2.ModelProto.SentencePiece.UNUSED
    source = marian.changed(source, **{"▁the": unused, "e": unused, "▁a": unused})
    target = train(vocab_size=500, byte_fallback=True, add_dummy_prefix=False, remove_extra_whitespaces=False,
                   normalization_rule_name="identity")
    more = {"additional_special_tokens": [">>zzz<<"], "model_max_length": 64}
    write_model("marian-odd", marian.files(source, target, marian.names(source, target), **more))


def make_models():
    with tempfile.TemporaryDirectory() as folder:
        rules = part_of_nmt_nfkc(folder)
        if not (MODELS / "unigram-t5").exists():
            model = train(vocab_size=1000, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc")
            write_model("unigram-t5", {"spiece.model.xz": lzma.compress(model, preset=9), "config.json": {"model_type": "t5"}})
        if not (MODELS / "unigram-xlmr").exists():
            model = train(vocab_size=800, normalization_rule_tsv=rules)
            write_model("unigram-xlmr", {"sentencepiece.bpe.model": model, "config.json": {"model_type": "xlm-roberta"}})
            write = (MODELS / "unigram-xlmr" / "tokenizer.json").write_text
            write(json.dumps(converted("unigram-xlmr"), ensure_ascii=False) + "\n", encoding="utf-8")
        if not (MODELS / "unigram-camembert").exists():
            model = (MODELS / "unigram-xlmr" / "sentencepiece.bpe.model").read_bytes()
            write_model("unigram-camembert", {"sentencepiece.bpe.model": model, "config.json": {"model_type": "camembert"}})
        if not (MODELS / "unigram-albert").exists():
            model = train(vocab_size=700, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP]",
                          user_defined_symbols="[MASK]", normalization_rule_tsv=rules)
            write_model("unigram-albert", {"spiece.model": model, "config.json": {"model_type": "albert"}})
            write = (MODELS / "unigram-albert" / "tokenizer.json").write_text
            write(json.dumps(converted("unigram-albert"), ensure_ascii=False) + "\n", encoding="utf-8")
        if not (MODELS / "unigram-deberta").exists():
            model = train(vocab_size=700, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
                          eos_piece="[SEP]", unk_piece="[UNK]", normalization_rule_tsv=rules)
            write_model("unigram-deberta", {"spm.model": model, "config.json": {"model_type": "deberta-v2"}})
        if not (MODELS / "unigram-deberta-punct").exists():
            model = (MODELS / "unigram-deberta" / "spm.model").read_bytes()
            said = {"do_lower_case": True, "split_by_punct": True, "vocab_type": "spm"}
            write_model("unigram-deberta-punct", {"spm.model": model, "config.json": {"model_type": "deberta-v2"},
                                                  "tokenizer_config.json": said})
            write = (MODELS / "unigram-deberta-punct" / "tokenizer.json").write_text
            write(json.dumps(converted("unigram-deberta-punct"), ensure_ascii=False) + "\n", encoding="utf-8")
        if not (MODELS / "spbpe-llama").exists():
            model = train(vocab_size=800, model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
                          split_digits=True, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True)
            write_model("spbpe-llama", {"tokenizer.model": model, "config.json": {"model_type": "llama"}})
        if not (MODELS / "marian-spm").exists():
            make_marian(rules)
    xlmr = (MODELS / "unigram-xlmr" / "tokenizer.json").read_text(encoding="utf-8")
    for name, make in (("unigram-old", old), ("unigram-odd", odd)):
        if not (MODELS / name).exists():
            write_model(name, {"tokenizer.json": make(json.loads(xlmr))})
    if not (MODELS / "spbpe-first").exists():
        write_model("spbpe-first", {"tokenizer.json": without_bytes(converted("spbpe-llama"))})


def load(name):
    if name.startswith("marian"):
        return marian.Slow(MODELS / name)
    path = MODELS / name / "tokenizer.json"
    t = Tokenizer.from_str(path.read_text(encoding="utf-8") if path.exists() else json.dumps(converted(name)))
    t.no_truncation()
    t.no_padding()
    return t


# ---- answers ----

def byte_offsets(text):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return at


def example(t, text):
    e, at = t.encode(text, add_special_tokens=False), byte_offsets(text)
    every = [e.word_to_chars(w) for w in sorted(set(e.word_ids))]
    words = []
    for i in range(len(e.ids)):
        a, b = e.word_to_chars(e.token_to_word(i))
        alone = sum(x < b and y > a for x, y in every) == 1
        words.append([at[a], at[b]] if alone else None)
    return {"text": text, "ids": e.ids, "spans": [[at[a], at[b]] for a, b in e.offsets], "words": words}


def fnv(h, numbers):
    for n in numbers:
        h = (h ^ n) * PRIME & MASK
    return h


def plane_hash(t, plane):
    cps = [c for c in range(max(plane << 16, 1), (plane + 1) << 16) if not 0xD800 <= c <= 0xDFFF]
    texts = [x for c in cps for x in (chr(c), "a" + chr(c) + "b")]
    h = FNV
    for text, e in zip(texts, t.encode_batch(texts, add_special_tokens=False)):
        at = byte_offsets(text)
        h = fnv(fnv(h, e.ids), [at[n] for s in e.offsets for n in s])
    return h


def generated(count):
    program = GOLDEN.parent.parent / "build" / "tests" / "strings"
    made = subprocess.run([program, "1", str(count)], check=True, capture_output=True).stdout
    return made.decode("utf-8").removesuffix("\n").split("\n")


def real_rows(t, name):
    try:
        texts = SETS[name]()
    except FileNotFoundError:
        return None
    h = hashlib.sha256()
    for e in t.encode_batch(texts):
        h.update((", ".join(map(str, e.ids)) + "\n").encode())
    return f"{name}\t{len(texts)}\t{h.hexdigest()}"


def merge(file, name, rows):
    """Puts the model's rows in the place of its old ones."""
    path = OUT / file
    kept = [r for r in path.read_text().splitlines() if r.split("\t")[0] != name] if path.exists() else []
    rows = [f"{name}\t{row}" for row in rows]
    path.write_text("".join(r + "\n" for r in sorted(kept + rows, key=lambda r: NAMES.index(r.split("\t")[0]))))


def main():
    make_models()
    for name in sys.argv[1:] or NAMES:
        t, rnd, strings = load(name), random.Random(42), generated(STRINGS.get(name, 20000))
        with open(OUT / f"{name}.jsonl", "w", encoding="utf-8") as f:
            for text in TEXTS + fragments(rnd) + (DEBERTA if "deberta" in name else []):
                f.write(json.dumps(example(t, text), ensure_ascii=False, separators=(",", ":")) + "\n")
        planes = (0, 1) if name.startswith("marian") else (0, 1, 2, 3, 14, 15, 16)  # Python is slow
        merge("sp-points.tsv", name, [f"{plane}\t{plane_hash(t, plane):x}" for plane in planes])
        merge("sp-strings.tsv", name, ["\t".join(map(str, [1, len(strings), *digest(t, strings)]))])
        merge("sp-real.tsv", name, filter(None, (real_rows(t, s) for s in ("Tweets.csv", "s140-test.csv", "wikitext2-test.txt"))))


if __name__ == "__main__":
    main()
