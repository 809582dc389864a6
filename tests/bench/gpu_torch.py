"""gpu_torch.py MODEL TEXTS: tokens a second of PyTorch on the GPU, hidden states brought back to
the host as `encode` does; batches of 256 rows of like length, tokens made beforehand."""
import sys
import time

import torch
from transformers import AutoModel

from peers import padded, plain_tokenizer

BATCH = 256


def run(model, ids):
    order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    torch.cuda.synchronize()
    start = time.perf_counter()
    with torch.inference_mode():
        for at in range(0, len(order), BATCH):
            rows = [ids[i] for i in order[at:at + BATCH]]
            x, mask = (torch.from_numpy(a).cuda() for a in padded(rows, max(map(len, rows))))
            hidden = model(input_ids=x, attention_mask=mask).last_hidden_state
            hidden[mask.bool()].cpu()
    torch.cuda.synchronize()
    return sum(map(len, ids)) / (time.perf_counter() - start)


def main(folder, path):
    with open(path, encoding="utf-8") as f:
        texts = [line.rstrip("\n") for line in f]
    ids = [e.ids for e in plain_tokenizer(folder).encode_batch(texts)] * 4
    torch.backends.cuda.matmul.allow_tf32 = False
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16), ("f16", torch.float16)):
        model = AutoModel.from_pretrained(folder).eval().to("cuda", dtype)
        best = max(run(model, ids) for _ in range(4))
        print(f"| PyTorch {torch.__version__}, {torch.cuda.get_device_name()} | {name} "
              f"| {best:.0f} |")


main(*sys.argv[1:])
