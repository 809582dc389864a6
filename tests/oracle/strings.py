"""What `tokenizers` makes of generated strings (tests/unit/strings.c) -> tests/golden/tok/strings.tsv:
model, seed, strings, tokens, SHA-256 of all ids, SHA-256 of all spans (I32, little-endian; spans in
bytes; special tokens around, nothing cut). A model that is not there keeps its line."""
import hashlib
import subprocess
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import BertTokenizerFast

TOP = Path(__file__).resolve().parent.parent.parent
OUT = TOP / "tests" / "golden" / "tok" / "strings.tsv"
MODELS = ["all-MiniLM-L6-v2", "wordpiece-uncased", "wordpiece-cased"]
SEED, COUNT = 1, 200000


def folder(name):
    for at in (TOP / "model" / name, TOP / "tests" / "golden" / "models" / name):
        if at.exists():
            return at
    return None


def load(where):
    if (where / "tokenizer.json").exists():
        return Tokenizer.from_file(str(where / "tokenizer.json"))
    return BertTokenizerFast.from_pretrained(where).backend_tokenizer


def offsets(text):
    """Byte offsets of characters; ASCII texts need none."""
    if text.isascii():
        return None
    at = np.zeros(len(text) + 1, dtype=np.int32)
    np.cumsum([len(c.encode()) for c in text], out=at[1:])
    return at


def digest(tokenizer, texts):
    ids, spans, count = hashlib.sha256(), hashlib.sha256(), 0
    for begin in range(0, len(texts), 1000):
        part = texts[begin:begin + 1000]
        for text, e in zip(part, tokenizer.encode_batch(part)):
            span = np.array(e.offsets, dtype=np.int32).reshape(-1, 2)
            at = offsets(text)
            ids.update(np.array(e.ids, dtype="<i4").tobytes())
            spans.update((span if at is None else at[span]).astype("<i4").tobytes())
            count += len(e.ids)
    return count, ids.hexdigest(), spans.hexdigest()


def main():
    program = TOP / "build" / "tests" / "strings"
    made = subprocess.run([program, str(SEED), str(COUNT)], check=True, capture_output=True).stdout
    texts = made.decode("utf-8").removesuffix("\n").split("\n")
    old = {line.split("\t")[0]: line for line in OUT.read_text().splitlines()} if OUT.exists() else {}
    for name in MODELS:
        where = folder(name)
        if not where:
            continue
        tokenizer = load(where)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        count, ids, spans = digest(tokenizer, texts)
        old[name] = f"{name}\t{SEED}\t{COUNT}\t{count}\t{ids}\t{spans}"
    OUT.write_text("".join(old[name] + "\n" for name in MODELS if name in old))


if __name__ == "__main__":
    main()
