"""The model that comes with weft, as transformers and sentence-transformers' recipe read it ->
tests/golden/default.safetensors: ids and row.tokens, row.logit and row.vector (the mean of the
tokens, brought to length 1) of the texts in tests/golden/default.txt."""
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TOP = Path(__file__).resolve().parent.parent.parent
MODEL = TOP / "share" / "default"
GOLDEN = TOP / "tests" / "golden"


def main():
    texts = (GOLDEN / "default.txt").read_text(encoding="utf-8").splitlines()
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = AutoModelForSequenceClassification.from_pretrained(MODEL, dtype=torch.float32).eval()
    ids, logits, vectors = [], [], []
    with torch.no_grad():
        for text in texts:
            batch = tokenizer(text, return_tensors="pt", truncation=True)
            out = model(**batch, output_hidden_states=True)
            mean = out.hidden_states[-1][0].mean(0)
            ids.append(batch["input_ids"][0].numpy().astype(np.int32))
            logits.append(out.logits[0].numpy())
            vectors.append((mean / mean.norm()).numpy())
    starts = np.cumsum([0] + [len(i) for i in ids]).astype(np.int64)
    save_file({"row.tokens": starts, "token.id": np.concatenate(ids), "row.logit": np.stack(logits),
               "row.vector": np.stack(vectors)}, GOLDEN / "default.safetensors")


if __name__ == "__main__":
    main()
