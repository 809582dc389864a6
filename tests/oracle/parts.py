"""Parts of a tokenizer.json put together anew: what the library `tokenizers` makes of each ->
tests/golden/tok/parts.json (name, base: a model of tests/golden/models, set: members of its
tokenizer.json and of its model in their place) and parts-digests.tsv (name, set, block, hash), where
the hash is over ids and spans, as in bpe.py: of code points alone and as aXb, of drawn texts, and of
the words that tokens of drawn texts belong to.

    parts.py [NAME...]      those alone are asked anew
"""
import itertools
import json
import sys

from tokenizers import Tokenizer

import bpe
import bpe_texts

GOLDEN, MODELS, OUT = bpe.GOLDEN, bpe.MODELS, bpe.OUT
POINTS = [*range(0, 0x34000, bpe.POINTS), 0xE0000, 0x10C000]  # the others are alike
WORDS = 2000
CASELESS, SPACES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|", r"\s+(?!\S)|\s+"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|" + SPACES
LLAMA3 = CASELESS + r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + TAIL
QWEN2 = CASELESS + r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + TAIL


UPPER, SMALL = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
LEAD, ENDING = r"[^\r\n\p{L}\p{N}]?", "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
O200K = (f"{LEAD}[{UPPER}]*[{SMALL}]+{ENDING}{LEAD}[{UPPER}]+[{SMALL}]*{ENDING}"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|" + SPACES)
DEEPSEEK = (r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
            r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
            r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|" + SPACES)


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def level(prefix=False, regex=False, trim=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": parts}


def normal(*parts):
    return parts[0] if len(parts) == 1 else {"type": "Sequence", "normalizers": parts}


def spec(name, base, pre=None, normalizer=None, **more):
    return {"name": name, "base": base,
            "set": {"pre_tokenizer": pre, "normalizer": normalizer, **more}}


NFC, NFD, LOWER = {"type": "NFC"}, {"type": "NFD"}, {"type": "Lowercase"}
SPECS = [
    spec("llama3", "bpe-gpt2", sequence(split(LLAMA3), level()), model={"ignore_merges": True},
         post_processor=level(prefix=True)),
    spec("qwen2", "bpe-gpt2", sequence(split(QWEN2), level()), NFC, post_processor=level()),
    spec("cl100k-removed", "bpe-gpt2", sequence(split(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|"
        r"\s*[\r\n]|" + SPACES, "Removed", True), level())),
    spec("nfd-trimmed", "bpe-gpt2", level(prefix=True, regex=True), normal(NFD, LOWER),
         post_processor=level(trim=True)),
    spec("whole", "bpe-gpt2", level()),
    spec("o200k", "bpe-gpt2", sequence(split(O200K), level())),
    spec("deepseek", "bpe-gpt2", sequence(*map(split, DEEPSEEK), level())),
    spec("digits", "bpe-gpt2", sequence({"type": "Digits", "individual_digits": True},
                                        level(regex=True))),
    spec("punctuation", "bpe-gpt2", sequence({"type": "Punctuation", "behavior": "Contiguous"},
                                             level(prefix=True, regex=True)),
         post_processor=level(prefix=True, trim=True)),
    spec("words-split", "wordpiece-uncased", sequence({"type": "WhitespaceSplit"}, split(
        r"\d+|[^\w\s]+|(?<=a)b|[[:alpha:]&]\b", "Isolated"))),
    spec("boundaries", "wordpiece-uncased", sequence(
        split(r"\b"), split(r"\B(?=\W)|x*|a{1,2}+|e{1}?|\p{Han}", "MergedWithPrevious"))),
    spec("classes", "wordpiece-uncased", split(
        r"(?i:the|[h-w]e)|[^\S\n]+|[\p{Lu}\p{Greek}[0-4]\-\]]|\h|\p{^L}{,2}\z|(?m:^.$)",
        "Contiguous"), normal(NFD)),
    spec("strings", "wordpiece-uncased", sequence(split("e", "MergedWithNext", kind="String"),
                                                  {"type": "FixedLength", "length": 3})),
    spec("scripts", "wordpiece-uncased", sequence({"type": "UnicodeScripts"},
                                                  {"type": "WhitespaceSplit"})),
    spec("level", "wordpiece-uncased", {"type": "Whitespace"}, LOWER, model={"type": "WordLevel"}),
    spec("replace", "wordpiece-uncased", {"type": "BertPreTokenizer"}, normal(
        LOWER, {"type": "Replace", "pattern": {"Regex": r"(\p{P})\s*|x*$"}, "content": " e! "},
        {"type": "Replace", "pattern": {"Regex": r"[\p{Mn}\w]\u0301"}, "content": ""})),
] + [spec(f"split-{how}-{invert}".lower(), "wordpiece-uncased",
          split(r"\s+|[aeiou]|\p{N}", how, invert), LOWER)
     for how in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
     for invert in (False, True)]
FEW = ("digits", "punctuation", "words-split", "strings", "split-")  # no code points of theirs


def compose(s):
    t = json.loads((MODELS / s["base"] / "tokenizer.json").read_text(encoding="utf-8"))
    for key, value in s["set"].items():
        if key == "model":
            t["model"].update(value)
        else:
            t[key] = value
    t["truncation"] = t["padding"] = None
    return Tokenizer.from_str(json.dumps(t))


def words(t, texts):
    h = bpe.FNV
    for text, e in zip(texts, t.encode_batch(texts, add_special_tokens=False)):
        for n in (n for w in bpe.words(text, e, True) if w for n in w):
            h = (h ^ n) * bpe.PRIME & bpe.MASK
    return h


def digests(s, drawn):
    t, name = compose(s), s["name"]
    for first in () if name.startswith(FEW) else POINTS:
        cps = [c for c in range(max(first, 1), first + bpe.POINTS) if not 0xD800 <= c <= 0xDFFF]
        texts = [x for c in cps for x in (chr(c), "a" + chr(c) + "b")]
        yield f"{name}\tpoints\t{first:x}\t{bpe.digest(t, texts):x}\n"
    yield f"{name}\tdrawn\t0\t{bpe.digest(t, drawn):x}\n"
    # Behind a normalizer a place in a text may belong to two words; trimming moves their ends.
    if not s["set"]["normalizer"] and name != "punctuation":
        yield f"{name}\twords\t0\t{words(t, drawn[:WORDS]):x}\n"


def main(names):
    path = OUT / "parts-digests.tsv"
    lines = path.read_text().splitlines(keepends=True) if names else []
    drawn = list(itertools.islice(bpe_texts.drawn(), bpe.DRAWN))
    kept, all_names = {}, [s["name"] for s in SPECS]
    for line in lines:
        kept.setdefault(line.split("\t")[0], []).append(line)
    for s in SPECS:
        if not names or s["name"] in names:
            kept[s["name"]] = list(digests(s, drawn))
    path.write_text("".join(line for name in all_names for line in kept.get(name, [])))
    (OUT / "parts.json").write_text(json.dumps(SPECS, indent=1, ensure_ascii=False) + "\n",
                                    encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
