"""train.py: `train` beside PyTorch on airline tweets: all-MiniLM-L6-v2 with a head of three classes,
batches of 32, AdamW, dropout, clipping at 1. Prints Markdown: rows a second (medians of what STEPS
steps take, in turns) and peak memory, in f32, and in bf16 where the CPU has it.

ROUNDS (3), STEPS (10), THREADS (the cores), TRAIN_TWEETS (a CSV with text and airline_sentiment)."""
import csv
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import THREADS, TOP, WORK, machine

ROUNDS = int(os.environ.get("ROUNDS", 3))
STEPS = int(os.environ.get("STEPS", 10))
BATCH = 32
MODEL = TOP / "model/all-MiniLM-L6-v2"
TWEETS = Path(os.environ.get("TRAIN_TWEETS", TOP / "../shared/data/Tweets.csv"))

PEER = """
import csv, sys, time, resource, torch
from transformers import AutoTokenizer, AutoModelForSequenceClassification
model, texts, threads, dtype, pad, batch = sys.argv[1:]
torch.set_num_threads(int(threads))
tok = AutoTokenizer.from_pretrained(model)
net = AutoModelForSequenceClassification.from_pretrained(model, num_labels=3).train()
step = torch.optim.AdamW(net.parameters(), lr=5e-5)
rows = list(csv.reader(open(texts)))
batch, how = int(batch), dict(padding="longest") if pad == "longest" else \\
    dict(padding="max_length", max_length=int(pad))
print("ready", flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    for i in range(int(line)):
        part = rows[i * batch:(i + 1) * batch]
        x = tok([r[1] for r in part], truncation=True, return_tensors="pt",
                **dict(max_length=64, **how) if pad == "longest" else how)
        y = torch.tensor([int(r[0]) for r in part])
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bf16"):
            loss = net(**x, labels=y).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        step.step()
        step.zero_grad()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - begin, peak, flush=True)
"""


def make():
    """The first rows, as many as the steps and one more to warm up take."""
    names = ["negative", "neutral", "positive"]
    rows = [(names.index(r["airline_sentiment"]), r["text"])
            for r in csv.DictReader(open(TWEETS, encoding="utf-8"))][:BATCH * (STEPS + 1)]
    texts = WORK / "train.csv"
    with open(texts, "w", newline="") as f:
        csv.writer(f).writerows(rows)
    stream = WORK / "train.weft"
    with open(stream, "wb") as f:
        subprocess.run(["tok", "-q", "-m", MODEL, "-H", "-c", "2", "-l", "1", "-n", "64", texts],
                       check=True, stdout=f)
    return texts, stream


class Peer:
    def __init__(self, texts, dtype, pad):
        self.name = f"PyTorch, {dtype}, " + (pad if pad == "longest" else f"max_length {pad}")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PEER, MODEL, texts, str(THREADS), dtype, pad, str(BATCH)],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while self.process.stdout.readline() != "ready\n":
            pass
        self.run(1)

    def run(self, steps=STEPS):
        print(steps, file=self.process.stdin, flush=True)
        seconds, peak = map(float, self.process.stdout.readline().split())
        return seconds, peak


class Weft:
    """By its log: what the steps behind the first one took."""

    def __init__(self, stream, dtype):
        self.name = f"weft, {dtype}"
        self.command = ["train", "-q", "-j", str(THREADS), "-t", dtype, "-b", str(BATCH), "--force",
                        "--max-steps", str(STEPS + 1), "--log-every", "1", "--log",
                        WORK / "train.log", "-o", WORK / "trained", "-D", "cpu", stream]

    def run(self):
        process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, self.name
        rows = list(csv.DictReader(open(WORK / "train.log"), delimiter="\t"))
        seconds = [float(r["seconds"]) for r in rows]
        return seconds[-1] - seconds[0], usage.ru_maxrss / 1024


def main():
    if not TWEETS.exists():
        print(f"train: skipped: no {TWEETS}")
        return
    texts, stream = make()
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    types = ["f32"] + (["bf16"] if flags and "avx512_bf16" in flags[1] else [])
    all_ = [Weft(stream, t) for t in types]
    all_ += [Peer(texts, t, pad) for t in types for pad in ("longest", "128")]
    took = {one.name: [] for one in all_}
    peak = {}
    for _ in range(ROUNDS):
        for one in all_:
            seconds, peak[one.name] = one.run()
            took[one.name].append(BATCH * STEPS / seconds)
            time.sleep(0.2)
    rate = {name: statistics.median(t) for name, t in took.items()}
    print(f"Training, {THREADS} threads, {machine()}\n")
    print("| | rows/s | weft is | peak memory, MB |\n|---|---:|---:|---:|")
    for one in all_:
        dtype = one.name.split(", ")[1]
        beside = f"{rate[f'weft, {dtype}'] / rate[one.name]:.2f} x" if isinstance(one, Peer) else ""
        print(f"| {one.name} | {rate[one.name]:.1f} | {beside} | {peak[one.name]:.0f} |")


if __name__ == "__main__":
    main()
