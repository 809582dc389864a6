"""Metrics of a small set of logits -> tests/golden/score/.

    NAME.safetensors   row.logit, row.text, row.label (and row.weight), task and classes: what
                       `score` reads
    NAME.eval.json     what `score --eval --json` is to say
    NAME.scores.tsv    row, label, score of all classes; best first

Precision, recall and F1 are those of Sokolova and Lapalme (2009) with 0 where nothing is
predicted or nothing is there; macro is the plain mean over the classes, weighted the mean by
support, micro over the summed counts. With weights each row counts as its weight.
"""
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from stable import sort_metadata

OUT = Path(__file__).resolve().parent.parent / "golden" / "score"
CLASSES = ["negative", "neutral", "positive", "rare"]


def ranges(strings):
    """[n,2] ranges and the bytes they point into."""
    data = b"".join(s.encode() for s in strings)
    ends = np.cumsum([len(s.encode()) for s in strings])
    return (np.stack([np.concatenate([[0], ends[:-1]]), ends], 1).astype(np.int64),
            np.frombuffer(data, np.uint8))


def ratio(a, b):
    return float(a / b) if b else 0.0


def evaluate(logits, gold, weight):
    x = logits.astype(np.float64)
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    rows = np.arange(len(gold))
    confusion = np.zeros((len(CLASSES),) * 2)
    np.add.at(confusion, (gold, x.argmax(1)), weight)
    hit, support, said = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    per = [{"label": c, "precision": ratio(hit[i], said[i]), "recall": ratio(hit[i], support[i]),
            "f1": ratio(2 * hit[i], said[i] + support[i]), "support": float(support[i])}
           for i, c in enumerate(CLASSES)]
    f1 = np.array([c["f1"] for c in per])
    return {"rows": len(gold),
            "loss": ratio((weight * -np.log(p[rows, gold])).sum(), weight.sum()),
            "accuracy": ratio(hit.sum(), weight.sum()), "macro_f1": float(f1.mean()),
            "micro_f1": ratio(hit.sum(), weight.sum()),
            "weighted_f1": ratio((f1 * support).sum(), support.sum()),
            "labels": CLASSES, "per_class": per, "confusion": confusion.tolist()}, p


def whole(x):
    """1.0 as 1: counts print as counts."""
    if isinstance(x, dict):
        return {k: whole(v) for k, v in x.items()}
    if isinstance(x, list):
        return [whole(v) for v in x]
    return int(x) if isinstance(x, float) and x.is_integer() else x


def write(name, weighted):
    rng = np.random.default_rng(11)
    n = 60
    gold = rng.choice(4, n, p=[0.5, 0.25, 0.2, 0.05])
    logits = rng.normal(0, 1.2, (n, 4)).astype(np.float32)
    logits[np.arange(n), gold] += 1
    logits[:, 3] -= 9  # never predicted, though it occurs
    assert (gold == 3).any() and (logits.argmax(1) != 3).all()
    weight = rng.choice([0.25, 0.5, 1, 2], n) if weighted else np.ones(n)
    text, text_bytes = ranges([f"row {i}" for i in range(1, n + 1)])
    label, label_bytes = ranges([CLASSES[g] for g in gold])
    tensors = {"row.logit": logits, "row.text": text, "text.utf8": text_bytes,
               "row.label": label, "label.utf8": label_bytes}
    if weighted:
        tensors["row.weight"] = weight.astype(np.float32)
    path = OUT / f"{name}.safetensors"
    save_file(tensors, path, metadata={"task": "class", "classes": json.dumps(CLASSES)})
    sort_metadata(path)
    said, p = evaluate(logits, gold, weight)
    (OUT / f"{name}.eval.json").write_text(json.dumps(whole(said), separators=(",", ":")) + "\n")
    if not weighted:
        with open(OUT / f"{name}.scores.tsv", "w", encoding="utf-8") as f:
            for i, row in enumerate(p, 1):
                for c in np.argsort(-row, kind="stable"):
                    f.write(f"{i}\t{CLASSES[c]}\t{row[c]:.9g}\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write("class", weighted=False)
    write("weighted", weighted=True)
