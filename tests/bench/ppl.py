"""ppl.py: `ppl` beside transformers on a random model of GPT-2 small's shape (124 M parameters), on
windows of 1,024 tokens of WikiText-2's test text. Prints Markdown: tokens a second (medians, in
turns) and peak memory, in f32 and bf16.

ROUNDS (3), WINDOWS (6), THREADS (the cores)."""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import THREADS, TOP, WORK, machine

ROUNDS = int(os.environ.get("ROUNDS", 3))
WINDOWS = int(os.environ.get("WINDOWS", 6))
WIDTH = 1024
MODEL = WORK / "gpt2-small-random"

PEER = """
import sys, time, resource, math, torch
from transformers import GPT2LMHeadModel
torch.set_num_threads(int(sys.argv[3]))
model = GPT2LMHeadModel.from_pretrained(sys.argv[1], dtype=getattr(torch, sys.argv[4])).eval()
rows = [list(map(int, line.split())) for line in open(sys.argv[2])]
print("ready", flush=True)
for line in sys.stdin:
    begin, nll, n = time.perf_counter(), 0.0, 0
    with torch.no_grad():
        for row in rows:
            ids = torch.tensor([row])
            nll += model(ids, labels=ids).loss.item() * (len(row) - 1)
            n += len(row) - 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - begin, peak, math.exp(nll / n), flush=True)
"""


def make():
    if not (MODEL / "model.safetensors").exists():
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel
        torch.manual_seed(0)
        GPT2LMHeadModel(GPT2Config()).save_pretrained(MODEL)
    from bpe import SHARED, gpt2
    text = (SHARED / "wikitext2-test.txt").read_text(encoding="utf-8")
    every = gpt2(WORK / "gpt2").encode(text).ids
    ids = WORK / "ppl.ids"
    ids.write_text("".join(" ".join(map(str, every[i * WIDTH:(i + 1) * WIDTH])) + "\n"
                           for i in range(WINDOWS)))
    with open(WORK / "ppl.weft", "wb") as f:
        subprocess.run(["tok", "--ids", "-m", MODEL, ids], check=True, stdout=f)
    return ids


class Peer:
    def __init__(self, ids, dtype):
        self.name = f"transformers, {dtype}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", PEER, MODEL, ids, str(THREADS), dtype], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout.readline() == "ready\n"

    def run(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))


class Weft:
    """Timed as a user starts it: loading the model is in it."""

    def __init__(self, dtype):
        self.name = f"weft, {dtype}"
        self.command = ["ppl", "-j", str(THREADS), "-t", dtype, str(WORK / "ppl.weft")]

    def run(self):
        begin = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        return (time.perf_counter() - begin, usage.ru_maxrss / 1024,
                float(out.splitlines()[-1].split("\t")[3]))


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    ids = make()
    contenders = [Weft("f32"), Peer(ids, "float32"), Weft("bf16"), Peer(ids, "bfloat16")]
    runs = {c.name: [] for c in contenders}
    for _ in range(ROUNDS):
        for c in contenders:
            runs[c.name].append(c.run())
    tokens = WINDOWS * WIDTH
    print(f"{machine()}; {WINDOWS} windows of {WIDTH} tokens, medians of {ROUNDS}\n")
    print("| | tokens/s | peak MiB | perplexity |\n|---|---|---|---|")
    for name, all_of_it in runs.items():
        seconds = statistics.median(r[0] for r in all_of_it)
        print(f"| {name} | {tokens / seconds:.0f} | {max(r[1] for r in all_of_it):.0f} | "
              f"{all_of_it[0][2]:.2f} |")


if __name__ == "__main__":
    main()
