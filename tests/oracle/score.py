"""Metrics of a small set of logits -> tests/golden/score/.

    NAME.safetensors   row.logit, row.text, row.label (and row.weight), task and classes: what
                       `score` reads
    NAME.eval.json     what `score --eval --json` is to say
    NAME.scores.tsv    row, label, score of all classes; best first

Precision, recall and F1 are those of Sokolova and Lapalme (2009) with 0 where nothing is
predicted or nothing is there; macro is the plain mean over the classes, weighted the mean by
support, micro over the summed counts. With weights each row counts as its weight.

    entities.safetensors, entities.eval.json    labels of words, some in windows: seqeval's numbers
    tags.tsv                                    labels, gold, said (an index a word), how many
                                                entities are right, said and gold: seqeval's chunks
                                                of IOB1, IOB2, IOE, BILOU, bare letters and bare words
    squad.tsv                                   gold, answer, exact, F1: SQuAD's, as transformers
                                                has them
"""
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from seqeval.metrics import (accuracy_score, classification_report, f1_score, precision_score,
                             recall_score)
from seqeval.metrics.sequence_labeling import get_entities
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

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


TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]
WIDTH, WINDOW, OVERLAP = 5, 9, 3  # letters of a word; words of a window


def label_words(rng):
    """Records of words: their labels, and logits that are mostly right."""
    records = []
    for n in (7, 1, 23, 12, 30, 9):
        gold = rng.choice(7, n, p=[0.4, 0.15, 0.15, 0.1, 0.1, 0.05, 0.05])
        logits = rng.normal(0, 1, (n, 7)).astype(np.float32)
        logits[np.arange(n), gold] += 1.5
        records.append((gold, logits))
    return records


def windows(n):
    at = 0
    while True:
        yield at, min(at + WINDOW, n)
        if at + WINDOW >= n:
            return
        at += WINDOW - OVERLAP


def entities():
    """Special tokens at both ends; of each word only the first of its two tokens has a label.
    Words that a second window has again have other logits there, which do not count."""
    rng = np.random.default_rng(5)
    records = label_words(rng)
    label, part, span, logit, ends, source, text = [], [], [], [], [0], [], []
    for i, (gold, logits) in enumerate(records):
        for first, last in windows(len(gold)):
            noise = lambda: rng.normal(0, 1, 7).astype(np.float32)
            label.append(""), part.append(255), span.append((0, 0)), logit.append(noise())
            for w in range(first, last):
                again = first > 0 and w < first + OVERLAP
                at = w * (WIDTH + 1)
                label.append(TAGS[gold[w]]), part.append(0), span.append((at, at + 3))
                logit.append(noise() if again else logits[w])
                label.append(""), part.append(0), span.append((at + 3, at + WIDTH))
                logit.append(noise())
            label.append(""), part.append(255), span.append((0, 0)), logit.append(noise())
            ends.append(len(label))
            source.append(i)
            text.append(" ".join(["words"] * len(gold)))
    names, names_bytes = ranges(label)
    texts, text_bytes = ranges(text)
    path = OUT / "entities.safetensors"
    save_file({"row.tokens": np.array(ends, np.int64), "row.source": np.array(source, np.int64),
               "row.text": texts, "text.utf8": text_bytes, "token.label": names,
               "label.utf8": names_bytes, "token.id": np.full(len(label), 7, np.int32),
               "token.part": np.array(part, np.uint8), "token.span": np.array(span, np.int32),
               "token.logit": np.stack(logit)}, path,
              metadata={"task": "token", "classes": json.dumps(TAGS)})
    sort_metadata(path)
    (OUT / "entities.eval.json").write_text(json.dumps(measure_entities(records)) + "\n")


def measure_entities(records):
    gold = [[TAGS[g] for g in g] for g, _ in records]
    said = [[TAGS[k] for k in x.argmax(1)] for _, x in records]
    x = np.concatenate([x for _, x in records]).astype(np.float64)
    right = x[np.arange(len(x)), np.concatenate([g for g, _ in records])]
    report = classification_report(gold, said, output_dict=True, zero_division=0)
    mean = lambda f, average: float(f(gold, said, average=average, zero_division=0))
    return {"rows": len(records), "words": len(x),
            "loss": float((np.log(np.exp(x).sum(1)) - right).mean()),
            "accuracy": float(accuracy_score(gold, said)),
            "precision": mean(precision_score, "micro"), "recall": mean(recall_score, "micro"),
            "f1": mean(f1_score, "micro"), "macro_f1": mean(f1_score, "macro"),
            "weighted_f1": mean(f1_score, "weighted"),
            "per_class": [{"label": t, "precision": float(report[t]["precision"]),
                           "recall": float(report[t]["recall"]),
                           "f1": float(report[t]["f1-score"]),
                           "support": int(report[t]["support"])}
                          for t in ("LOC", "MISC", "PER")]}


def squad():
    pairs = [("the cat", "Cat"), ("The Cat.", "a cat!"), ("Boston", "in Boston"), ("Boston", "Paris"),
             ("in the city of Boston", "Boston city city"), ("", ""), ("", "Boston"), ("the", ""),
             ("Boston", ""), ("a-b", "ab"), ("\u00c9T\u00c9", "\u00e9t\u00e9"),
             ("a\u2013the b", "\u2013 b"), ("an  apple a day", "apple   day"),
             ("theatre an", "theatre"), ("x\u00a0y", "x y"), ("12,000", "12000"),
             ("\u65e5\u672c", "\u65e5"), ("one two two", "two two two one"), ("\u0130x", "i\u0307x")]
    with open(OUT / "squad.tsv", "w", encoding="utf-8") as f:
        for gold, said in pairs:
            f.write(f"{gold}\t{said}\t{compute_exact(gold, said)}\t"
                    f"{compute_f1(gold, said):.6f}\n")


def tags():
    sets = [["O", "B-X", "I-X", "B-Y", "I-Y"], ["O", "I-X", "E-X", "I-Y", "E-Y"],
            ["O", "B-X", "I-X", "L-X", "U-X", "B-Y", "L-Y", "U-Y"], ["O", "B", "I"],
            ["O", "B", "I", "E", "S"], ["O", "B", "I", "L", "U"], ["O", "PER", "LOC", "ORG"],
            ["O", "B-X-Y", "I-X-Y", "PER-X", "X-Y", "."], ["O", "S-X", "E-X", "I-X", "B-X", "M-X"]]
    rng = np.random.default_rng(7)
    with open(OUT / "tags.tsv", "w", encoding="utf-8") as f:
        for labels in sets:
            for _ in range(40):
                n = int(rng.integers(1, 12))
                gold = rng.integers(0, len(labels), n)
                said = np.where(rng.random(n) < 0.6, gold, rng.integers(0, len(labels), n))
                a, b = (set(get_entities([labels[i] for i in x])) for x in (gold, said))
                f.write("\t".join([json.dumps(labels), *("".join(map(str, x)) for x in (gold, said)),
                                   *(str(len(x)) for x in (a & b, b, a))]) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write("class", weighted=False)
    write("weighted", weighted=True)
    entities()
    tags()
    squad()
