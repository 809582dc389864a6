"""Byte-level BPE: small models in the layouts of GPT-2 and RoBERTa -> tests/golden/models/bpe-*
(made once), and what the reference says of them and of GPT-2's real vocabulary
(../shared/data/gpt2-encoder.json, gpt2-vocab.bpe) -> tests/golden/tok/bpe*.

bpe-MODEL.jsonl has texts with ids, spans, words; bpe-digests.tsv a hash (as FNV-1a, of numbers) a
block of every code point and of the texts that bpe_texts.py draws (model, set, block, hash);
bpe-real.tsv SHA-256 over a line a row of real texts: ids, a tab, spans (layout, file, rows, hash).
Layouts of the real vocabulary keep their lines where its files are not there.
"""
import hashlib
import json
import tempfile
from pathlib import Path

import bpe_texts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2TokenizerFast, RobertaTokenizerFast

import real

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS, OUT = GOLDEN / "models", GOLDEN / "tok"
END, ROBERTA = "<|endoftext|>", ["<s>", "<pad>", "</s>", "<unk>"]
FNV, PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
POINTS, DRAWN = 1 << 14, 10_000  # in a block
REAL = ("gpt2", "roberta", "roberta-prefix")  # layouts of the real vocabulary


def train():
    """Entries and merges of a small model, from the drawn texts."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator(list(bpe_texts.drawn())[:20_000], trainers.BpeTrainer(
        vocab_size=900, show_progress=False, max_token_length=24,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    state = json.loads(t.to_str())["model"]
    return sorted(state["vocab"], key=state["vocab"].get), [" ".join(m) for m in state["merges"]]


def write_files(folder, entries, merges, said, **more):
    """vocab.json and merges.txt with what lies beside them."""
    folder.mkdir(parents=True)
    vocab = {text: i for i, text in enumerate(entries)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(m + "\n" for m in merges),
                                       encoding="utf-8")
    for name, what in {"tokenizer_config": said, **more}.items():
        (folder / f"{name}.json").write_text(json.dumps(what, indent=1) + "\n")


def write_json(folder, tokenizer, config):
    folder.mkdir(parents=True)
    text = tokenizer.backend_tokenizer.to_str(pretty=False)
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def make_models():
    if (MODELS / "bpe-gpt2").exists():
        return
    entries, merges = train()
    half = merges[:300]
    made = {"".join(m.split(" ")) for m in merges}
    few = [e for e in entries if e not in made] + ["".join(m.split(" ")) for m in half]
    write_files(MODELS / "bpe-gpt2-files", few + [END], half, {"model_max_length": 64},
                config={"model_type": "gpt2"})
    write_files(MODELS / "bpe-roberta-files", ROBERTA + few + ["<mask>"], half,
                {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True},
                special_tokens_map={"mask_token": {"content": "<mask>", "lstrip": True,
                                                   "rstrip": False, "normalized": False,
                                                   "single_word": False}},
                added_tokens={"<ctx>": len(few) + 5})
    with tempfile.TemporaryDirectory() as at:
        whole = Path(at)
        write_files(whole / "g", entries + [END], merges, {})
        write_files(whole / "r", ROBERTA + entries + ["<mask>"], merges, {})
        write_json(MODELS / "bpe-gpt2", GPT2TokenizerFast.from_pretrained(whole / "g"),
                   {"tokenizer_class": "GPT2Tokenizer"})
        write_json(MODELS / "bpe-roberta", RobertaTokenizerFast.from_pretrained(whole / "r"),
                   {"tokenizer_class": "RobertaTokenizer"})


def load(name):
    kind = RobertaTokenizerFast if "roberta" in name else GPT2TokenizerFast
    t = kind.from_pretrained(MODELS / name).backend_tokenizer
    t.no_truncation()
    return t


def load_real(layout):
    """As tests/tok-bpe.bats lays the real vocabulary out."""
    vocab = json.loads((real.SHARED / "gpt2-encoder.json").read_text(encoding="utf-8"))
    lines = (real.SHARED / "gpt2-vocab.bpe").read_text(encoding="utf-8").split("\n")
    entries = sorted(vocab, key=vocab.get)
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at) / "model"
        if layout == "gpt2":
            write_files(folder, entries, lines[1:-1], {})
            return GPT2TokenizerFast.from_pretrained(folder).backend_tokenizer
        write_files(folder, entries + ROBERTA + ["<mask>"], lines[1:-1],
                    {"add_prefix_space": layout == "roberta-prefix"})
        return RobertaTokenizerFast.from_pretrained(folder).backend_tokenizer


def byte_offsets(text):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return at


def spans(text, encoding):
    at = byte_offsets(text)
    return [[at[b], at[e]] for b, e in encoding.offsets]


def words(text, encoding, told):
    """Of each token the bytes of its word; null where the token has none itself, and in all of a
    text that is not `told`."""
    at = byte_offsets(text)
    if not told:
        return [None] * len(encoding.ids)
    return [[at[n] for n in encoding.word_to_chars(encoding.token_to_word(i))] if b < e else None
            for i, (b, e) in enumerate(encoding.offsets)]


TEXTS = [
    "", " ", "  ", "a", " a", "Hello world", "  leading and trailing  ", "the flight's late, isn't it?",
    "I'LL I'll we'Re you've 'sit 'tis 'd'd''s", "line\nline\n\n  line\r\n\tend \n", "日本語のテキスト 中文",
    "a<mask>b", "a <mask> b", " <mask>", "<mask><mask> <mask>", "x  <mask>\u3000y", "<mask>é", "é<mask>\u3000",
    "<s>a</s> b <pad>", "a<|endoftext|> b", "<|endoftext|>", "<ctx> a<ctx>b <mask>\n", "\u3000a \u00a0b",
    "👩\u200d🚀 ❤\ufe0f🇫🇷", "½²Ⅷ①٣९", "\u0301a\u0301 \u0301", "\x01\x7f\x85", "\n", "\n ", " \n", "\u00a0",
]


def make_texts(name, t):
    short = [x for x in bpe_texts.drawn() if len(x) < 40][:24]
    added = t.get_added_tokens_decoder()
    prefix = json.loads(t.to_str())["pre_tokenizer"]["add_prefix_space"]
    with open(OUT / f"{name}.jsonl", "w", encoding="utf-8") as f:
        for text in TEXTS + short:
            e = t.encode(text, add_special_tokens=False)
            # Behind an added token a word's first space, put there or not, is another matter.
            told = not (prefix and any(i in added for i in e.ids))
            row = {"text": text, "ids": e.ids, "spans": spans(text, e),
                   "words": words(text, e, told)}
            f.write(json.dumps(row) + "\n")


def fnv(h, numbers):
    for n in numbers:
        h = (h ^ n) * PRIME & MASK
    return h


def digest(t, texts):
    h = FNV
    for text, e in zip(texts, t.encode_batch(texts, add_special_tokens=False)):
        h = fnv(fnv(h, e.ids), (n for s in spans(text, e) for n in s))
    return h


def digests(name, t, drawn, points=True):
    for first in range(0, 0x110000 if points else 0, POINTS):
        cps = [c for c in range(max(first, 1), first + POINTS) if not 0xD800 <= c <= 0xDFFF]
        texts = [x for c in cps for x in (chr(c), "a" + chr(c) + "b")]
        yield f"{name}\tpoints\t{first:x}\t{digest(t, texts):x}\n"
    for first in range(0, len(drawn), DRAWN):
        yield f"{name}\tdrawn\t{first:x}\t{digest(t, drawn[first:first + DRAWN]):x}\n"


def real_line(layout, file, texts, t):
    h = hashlib.sha256()
    for text, e in zip(texts, t.encode_batch(texts, add_special_tokens=False)):
        h.update(f"{json.dumps(e.ids)}\t{json.dumps(spans(text, e))}\n".encode())
    return f"{layout}\t{file}\t{len(texts)}\t{h.hexdigest()}\n"


def kept(path, layouts):
    """The lines that are there of layouts that cannot be made here."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.split("\t")[0] in layouts]


def main():
    bpe_texts.write_fragments()
    make_models()
    drawn = list(bpe_texts.drawn())
    there = (real.SHARED / "gpt2-encoder.json").exists()
    lines = [] if there else kept(OUT / "bpe-digests.tsv", REAL)
    for name in ("bpe-gpt2", "bpe-roberta", "bpe-gpt2-files", "bpe-roberta-files"):
        t = load(name)
        make_texts(name, t)
        few = name.endswith("-files")
        lines += digests(name, t, drawn[:DRAWN] if few else drawn, not few)
    real_lines = [] if there else kept(OUT / "bpe-real.tsv", REAL)
    for layout in REAL if there else ():
        t = load_real(layout)
        lines += digests(layout, t, drawn, layout != "roberta")
        for file in ("Tweets.csv", "s140-test.csv", "wikitext2-test.txt"):
            real_lines.append(real_line(layout, file, real.SETS[file](), t))
    (OUT / "bpe-digests.tsv").write_text("".join(lines))
    (OUT / "bpe-real.tsv").write_text("".join(real_lines))


if __name__ == "__main__":
    main()
