"""What transformers says of the models in tests/golden/models -> tests/golden/encode/.

    texts.jsonl           the rows: {"text"}; pairs.jsonl: {"text", "pair"}
    NAME[-pairs].safetensors
        row.tokens, token.id          as tok makes them
        layer.N [t,h]                 hidden states after layer N (all layers of bert-class, the
                                      last of the other small ones); rows packed end to end
        pool.{cls,mean,max,last,pooler}[.unit]  [n,h]
        row.logit [n,c]               where the model has a head
        all-MiniLM-L6-v2 (`make model`) has the first three texts only
    NAME[-pairs].scores.tsv           row (from 1), label, score; best first, row by row

Every row is run alone, so that nothing is padded, in float32 (models stored in 16 bits are
widened first).
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (AutoModel, AutoModelForSequenceClassification, AutoTokenizer,
                          BertTokenizerFast, pipeline)

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
OUT = GOLDEN / "encode"
REAL = GOLDEN.parent.parent / "model" / "all-MiniLM-L6-v2"
ONE_TEXT = ["bert-class", "bert-model", "bert-gamma", "bert-f16", "bert-bf16", "bert-sharded",
            "bert-cased", "bert-relu", "bert-gelu-new", "sentence"]
TWO_TEXTS = ["bert-class", "bert-model"]
TEXTS = [
    "the cat sat on the mat .",
    "I love this flight!!! Thank you @VirginAmerica \U0001f600",
    "",
    "they would have been there in time but the flight was late again and the crew said that "
    "the plane had been at the other gate for two hours, so what is the number of the one person "
    "who can help people get home before the end of the day? Never again will I fly with them, "
    "they should have called me. #fail #late",
    "\u00dcn\u00efc\u00f6d\u00e9 na\u00efve caf\u00e9 \u2014 \u65e5\u672c\u8a9e \u4e2d\u6587 x",
    "a",
    "BAD service, never ever again: 1234567890 &amp; http://t.co/aBc",
    "the\u00a0 spaces\tand\u200b zero width ",
]
PAIRS = [
    ("the cat sat", "on the mat ."),
    ("they love the dog and the cat and the bag and the seat and the crew and the gate and the "
     "home", "one two more people than the water, and some other people will find out what they "
     "said about each of them in time and so on and so on until there is no way to go on"),
    ("", "what?"),
    # An empty second text is no golden: transformers takes it for none, tokenizers for one.
    ("who said that?", "my dog"),
]
LENGTH = {"sentence": 32}
NO_POOLER = {"sentence"}  # transformers would draw one at random


def tokenizer_of(folder):
    if (folder / "tokenizer_config.json").exists():
        return AutoTokenizer.from_pretrained(folder)
    return BertTokenizerFast(vocab_file=str(folder / "vocab.txt"))


def rows_of(tokenizer, name, inputs):
    length = LENGTH.get(name, 64)
    return [tokenizer(*(row if isinstance(row, tuple) else (row,)), truncation=True,
                      max_length=length, return_tensors="pt") for row in inputs]


def pooled(hidden, pooler):
    """hidden: the last states of each row, [t_i,h]."""
    kinds = {"cls": [h[0] for h in hidden], "last": [h[-1] for h in hidden],
             "mean": [h.mean(0) for h in hidden], "max": [h.max(0).values for h in hidden]}
    if pooler is not None:
        kinds["pooler"] = pooler
    out = {}
    for kind, vectors in kinds.items():
        v = torch.stack(list(vectors))
        out["pool." + kind] = v
        out["pool." + kind + ".unit"] = torch.nn.functional.normalize(v, dim=1)
    return out


def reference(folder, inputs, wanted=None):
    """wanted: the layers kept; None keeps the last."""
    name = folder.name
    config = json.loads((folder / "config.json").read_text())
    classes = config["architectures"][0].endswith("SequenceClassification")
    kind = AutoModelForSequenceClassification if classes else AutoModel
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = tokenizer_of(folder)
    rows = rows_of(tokenizer, name, inputs)
    with torch.inference_mode():
        said = [model(**r, output_hidden_states=True) for r in rows]
        last = [s.hidden_states[-1][0] for s in said]
        bert = model.bert if classes else model
        pooler = None
        if name not in NO_POOLER:
            pooler = [bert.pooler(h[None])[0] for h in last]
    layers = len(said[0].hidden_states)
    ids = [r["input_ids"][0] for r in rows]
    lengths = torch.tensor([0] + [len(i) for i in ids])
    out = {"row.tokens": lengths.cumsum(0), "token.id": torch.cat(ids).to(torch.int32)}
    for n in wanted or [layers - 1]:
        out[f"layer.{n}"] = torch.cat([s.hidden_states[n][0] for s in said])
    out |= pooled(last, pooler)
    if classes:
        out["row.logit"] = torch.cat([s.logits for s in said])
    scores = []
    if classes:
        ask = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
        for row in inputs:
            row = {"text": row[0], "text_pair": row[1]} if isinstance(row, tuple) else row
            answer = ask(row if isinstance(row, dict) else [row], truncation=True)
            scores.append(answer if isinstance(row, dict) else answer[0])
    return {k: v.contiguous() for k, v in out.items()}, scores


def write(folder, suffix, inputs, layers=None):
    tensors, scores = reference(folder, inputs, layers)
    save_file(tensors, OUT / f"{folder.name}{suffix}.safetensors")
    if scores:
        with open(OUT / f"{folder.name}{suffix}.scores.tsv", "w", encoding="utf-8") as f:
            for i, row in enumerate(scores, 1):
                for answer in row:
                    f.write(f"{i}\t{answer['label']}\t{answer['score']:.9g}\n")


def write_lines(name, rows):
    (OUT / name).write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows),
                            encoding="utf-8")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_lines("texts.jsonl", [{"text": t} for t in TEXTS])
    write_lines("pairs.jsonl", [{"text": a, "pair": b} for a, b in PAIRS])
    models = GOLDEN / "models"
    for name in ONE_TEXT:
        write(models / name, "", TEXTS, layers=[0, 1, 2] if name == "bert-class" else None)
    for name in TWO_TEXTS:
        write(models / name, "-pairs", PAIRS)
    if REAL.exists():
        write(REAL, "", TEXTS[:3], layers=[3, 6])
    else:
        print("encode.py: no", REAL, "- its golden file stays as it is: make model")


if __name__ == "__main__":
    main()
