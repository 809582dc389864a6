"""One peer as a process of its own: peers.py PEER MODEL TEXTS.csv WORK THREADS

Loads, answers "ready", then runs once for every line on standard input and answers with the
seconds that tokenizer and model took together. "save FILE" instead of an empty line also writes
the vectors (.npy). What a run does is what `tok | encode | pool -n` does: mean over the tokens,
scaled to length one. Batches of 32, rows sorted by length except where padding is fixed.
"""
import csv
import os
import sys
import time
from pathlib import Path

import numpy as np

BATCH = 32


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def mean(hidden, mask):
    mask = mask[..., None].astype(np.float32)
    return (hidden * mask).sum(1) / mask.sum(1)


def batches(ids):
    """Row numbers in batches of like length, longest first."""
    order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    return [order[i:i + BATCH] for i in range(0, len(order), BATCH)]


def padded(ids, width):
    x = np.zeros((len(ids), width), np.int64)
    mask = np.zeros_like(x)
    for i, row in enumerate(ids):
        x[i, :len(row)] = row
        mask[i, :len(row)] = 1
    return x, mask


def sorted_run(tokenizer, texts, width, forward):
    """forward(ids of a batch) -> its vectors; answers come back in the rows' order."""
    ids = [e.ids for e in tokenizer.encode_batch(texts)]
    out = np.empty((len(texts), width), np.float32)
    for rows in batches(ids):
        out[rows] = forward([ids[i] for i in rows])
    return unit(out)


def plain_tokenizer(model, length=256):
    from tokenizers import Tokenizer
    t = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    t.no_padding()
    t.enable_truncation(length)
    return t


def ctranslate(compute, model, work, threads):
    import ctranslate2
    folder = work / "ctranslate2"
    if not folder.exists():
        ctranslate2.converters.TransformersConverter(model).convert(str(folder))
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type=compute,
                                  inter_threads=1, intra_threads=threads)
    tokenizer = plain_tokenizer(model)

    def forward(ids):
        hidden = np.array(encoder.forward_batch(ids).last_hidden_state)
        return mean(hidden, padded(ids, hidden.shape[1])[1])
    return lambda texts: sorted_run(tokenizer, texts, 384, forward)


def onnx(model, work, threads):
    import onnxruntime
    path = work / "model.onnx"
    if not path.exists():
        import torch
        from transformers import AutoModel
        m = AutoModel.from_pretrained(model, attn_implementation="eager").eval()
        x = torch.ones((2, 8), dtype=torch.int64)
        axes = {0: "rows", 1: "tokens"}
        torch.onnx.export(m, (x, x, x), str(path), dynamo=False, opset_version=17,
                          input_names=["input_ids", "attention_mask", "token_type_ids"],
                          output_names=["hidden", "pooled"],
                          dynamic_axes={k: axes for k in ("input_ids", "attention_mask",
                                                          "token_type_ids", "hidden")})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    runner = onnxruntime.InferenceSession(str(path), options,
                                          providers=["CPUExecutionProvider"])
    tokenizer = plain_tokenizer(model)

    def forward(ids):
        x, mask = padded(ids, max(map(len, ids)))
        hidden, = runner.run(["hidden"], {"input_ids": x, "attention_mask": mask,
                                          "token_type_ids": np.zeros_like(x)})
        return mean(hidden, mask)
    return lambda texts: sorted_run(tokenizer, texts, 384, forward)


def torch_model(model, threads, dtype):
    import torch
    from transformers import AutoModel
    torch.set_num_threads(threads)
    m = AutoModel.from_pretrained(model).eval().to(getattr(torch, dtype))

    def forward(x, mask):
        with torch.inference_mode():
            h = m(input_ids=torch.from_numpy(x), attention_mask=torch.from_numpy(mask))
        return mean(h.last_hidden_state.float().numpy(), mask)
    return forward


def torch_sorted(dtype, model, work, threads):
    forward = torch_model(model, threads, dtype)
    tokenizer = plain_tokenizer(model)
    return lambda texts: sorted_run(tokenizer, texts, 384, lambda ids: forward(
        *padded(ids, max(map(len, ids)))))


def torch_fixed(length, model, work, threads):
    """What notebooks do: padding="max_length", rows as they come."""
    forward = torch_model(model, threads, "float32")
    tokenizer = plain_tokenizer(model, length)

    def run(texts):
        ids = [e.ids for e in tokenizer.encode_batch(texts)]
        return unit(np.concatenate([forward(*padded(ids[i:i + BATCH], length))
                                    for i in range(0, len(ids), BATCH)]))
    return run


PEERS = {
    "ctranslate2-f32": lambda *a: ctranslate("float32", *a),
    "ctranslate2-int8": lambda *a: ctranslate("int8", *a),
    "onnxruntime-f32": onnx,
    "torch-f32-sorted": lambda *a: torch_sorted("float32", *a),
    "torch-f32-64": lambda *a: torch_fixed(64, *a),
    "torch-f32-128": lambda *a: torch_fixed(128, *a),
    "torch-bf16-sorted": lambda *a: torch_sorted("bfloat16", *a),
}


def main():
    peer, model, texts, work, threads = sys.argv[1:]
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    with open(texts, newline="", encoding="utf-8") as f:
        rows = [r["text"] for r in csv.DictReader(f)]
    run = PEERS[peer](model, Path(work), int(threads))
    run(rows[:64])
    print("ready", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        vectors = run(rows)
        seconds = time.perf_counter() - begin
        if line.startswith("save "):
            np.save(line.split(maxsplit=1)[1].strip(), vectors)
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
