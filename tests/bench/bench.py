"""bench.py cpu|cold|memory|accuracy: measures and prints Markdown. run.sh says what it reads.

All contenders run in turns, so that a slow minute of the machine falls on all of them; what
counts is the median. Peers are processes that have loaded everything before (peers.py); weft is
timed as a user starts it, from text in a file to vectors in a file.
"""
import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

TOP = Path(__file__).resolve().parent.parent.parent
WORK = TOP / "build" / "bench"
MODEL = TOP / "model" / "all-MiniLM-L6-v2"
SENTIMENT = TOP / "build" / "demo" / "sentiment"
THREADS = int(os.environ.get("THREADS", len(os.sched_getaffinity(0))))
ROUNDS = int(os.environ.get("ROUNDS", 5))
ROWS = int(os.environ.get("ROWS", 2048))
PEERS = os.environ.get("PEERS", "ctranslate2-f32 ctranslate2-int8 onnxruntime-f32 "
                       "torch-f32-sorted torch-f32-64 torch-f32-128 torch-bf16-sorted").split()
REST = 1.0  # seconds between runs, in which the last one's threads go to sleep


def machine():
    info = Path("/proc/cpuinfo").read_text()

    def field(key):
        return next((line.split(":", 1)[1].strip() for line in info.splitlines()
                     if line.startswith(key)), "")
    has = [f for f in field("flags").split()
           if f.startswith("amx") or f in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16")]
    return (f"{field('model name')} (family {field('cpu family')}, model {field('model	')}), "
            f"{' '.join(has)}, {THREADS} threads")


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as f:
        return [r["text"] for r in csv.DictReader(f)]


def vader():
    with open(TOP / "data/vader/tweets_GroundTruth.txt", encoding="utf-8", newline="") as f:
        return [line.rstrip("\r\n").split("\t")[2] for line in f]


def tweets():
    """The rows as a CSV of one column; its path and what it holds."""
    given = os.environ.get("TWEETS")
    source = Path(given) if given else TOP.parent / "shared/data/Tweets.csv"
    rows, name = (read_rows(source), source.name) if source.exists() else (vader(), "VADER")
    path = WORK / "tweets.csv"
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["text"])
        writer.writerows([t] for t in rows[:ROWS])
    return path, f"{len(rows[:ROWS])} tweets ({name})"


def shell(command):
    begin = time.perf_counter()
    subprocess.run(["bash", "-c", "set -o pipefail; " + command], check=True)
    return time.perf_counter() - begin


class Weft:
    def __init__(self, options, path):
        self.command = (f"tok -q -m {MODEL} -c text {path} | "
                        f"encode -j {THREADS} {options} | pool -n > {WORK}/weft.vectors")
        self.start = None

    def run(self):
        return shell(self.command)


class Peer:
    def __init__(self, name, path):
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("peers.py")), name, str(MODEL),
             str(path), str(WORK), str(THREADS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        while self.answer() != "ready":
            pass
        self.start = time.perf_counter() - begin

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("bench.py: a peer died: run peers.py by hand to see why")
        return line.strip()

    def run(self, line=""):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.answer())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def in_turns(contenders):
    """Seconds of every round, by name."""
    said = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, c in contenders.items():
            time.sleep(REST)
            said[name].append(c.run())
    return said


def cpu():
    path, what = tweets()
    contenders = {"weft f32": Weft("", path), "weft bf16": Weft("-t bf16", path)}
    contenders |= {name: Peer(name, path) for name in PEERS}
    seconds = in_turns(contenders)
    rows = len(read_rows(path))
    middle = {name: statistics.median(s) for name, s in seconds.items()}
    print(f"{what}, all-MiniLM-L6-v2, text to vectors; {machine()}; median of {ROUNDS}\n")
    print("| contender | seconds | range | rows/s | weft f32 is | weft bf16 is | start, s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, m in middle.items():
        start = contenders[name].start
        print(f"| {name} | {m:.2f} | {min(seconds[name]):.2f}-{max(seconds[name]):.2f} "
              f"| {rows / m:.0f} | {m / middle['weft f32']:.2f} x | "
              f"{m / middle['weft bf16']:.2f} x | "
              f"{'in it' if start is None else f'{start:.1f}'} |")
    for c in contenders.values():
        if isinstance(c, Peer):
            c.close()


def need_sentiment():
    if not SENTIMENT.exists():
        subprocess.run([str(TOP / "examples/demo.sh")], check=True, stdout=subprocess.DEVNULL)


def cold():
    """One sentence, from nothing to its label. The first run of each is not counted."""
    need_sentiment()
    text = "The flight was late and nobody told us why."
    commands = {
        "weft": f"echo '{text}' | tok -m {SENTIMENT} | encode | head | score > /dev/null",
        "Python": f"{sys.executable} {Path(__file__).with_name('cold.py')} {MODEL} '{text}' "
                  "> /dev/null 2>&1"}
    seconds = {name: [] for name in commands}
    for _ in range(ROUNDS + 1):
        for name, command in commands.items():
            seconds[name].append(shell(command))
    middle = {name: statistics.median(s[1:]) for name, s in seconds.items()}
    print(f"One sentence, cold, from text to label; {machine()}; median of {ROUNDS}\n")
    print("| | seconds |\n|---|---:|")
    print(f"| `tok \\| encode \\| head \\| score` | {middle['weft']:.3f} |")
    print(f"| AutoTokenizer, AutoModel | {middle['Python']:.2f} |")
    print(f"| ratio | {middle['Python'] / middle['weft']:.0f} |")


def peak(rows):
    """Peak resident size of `encode`, MiB, and the seconds it took."""
    begin = time.perf_counter()
    lines = subprocess.Popen(["sh", "-c", f"yes 'good flight' | sed {rows}q"],
                             stdout=subprocess.PIPE)
    tok = subprocess.Popen(["tok", "-q", "-m", str(MODEL)], stdin=lines.stdout,
                           stdout=subprocess.PIPE)
    encode = subprocess.Popen(["encode", "-j", str(THREADS)], stdin=tok.stdout,
                              stdout=subprocess.DEVNULL)
    lines.stdout.close()
    tok.stdout.close()
    _, status, usage = os.wait4(encode.pid, 0)
    if status != 0:
        raise SystemExit("bench.py: encode failed")
    tok.wait()
    lines.wait()
    return usage.ru_maxrss / 1024, time.perf_counter() - begin


def memory():
    sizes = [int(n) for n in os.environ.get("MEMORY_ROWS", "10000 1000000").split()]
    print(f"Peak resident size of `encode`, rows of 4 tokens; {machine()}\n")
    print("| rows | MiB | of the first | seconds |\n|---:|---:|---:|---:|")
    first = None
    for n in sizes:
        mib, seconds = peak(n)
        first = first or mib
        print(f"| {n:,} | {mib:.1f} | {100 * mib / first:.1f} % | {seconds:.0f} |", flush=True)


def ours(options, path):
    """Vectors as an array."""
    Weft(options, path).run()
    shell(f"show -n row.vector {WORK}/weft.vectors > {WORK}/weft.npy")
    return np.load(WORK / "weft.npy")


def accuracy():
    """What bf16 costs, and that the peers compute the same."""
    path, what = tweets()
    f32, bf16 = ours("", path), ours("-t bf16", path)
    print(f"Vectors of {what} beside weft's in f32; {machine()}\n")
    print("| | least cosine | mean cosine | largest difference |\n|---|---:|---:|---:|")

    def line(name, v):
        cosine = (f32 * v).sum(1)
        print(f"| {name} | {cosine.min():.6f} | {cosine.mean():.6f} | "
              f"{np.abs(f32 - v).max():.2g} |", flush=True)
    line("weft bf16", bf16)
    for name in [p for p in PEERS if not p.startswith("torch-f32-1")]:
        peer = Peer(name, path)
        peer.run(f"save {WORK}/peer.npy")
        peer.close()
        line(name, np.load(WORK / "peer.npy"))
    need_sentiment()
    print("\nThe demo's test set:\n\n| | accuracy | macro F1 |\n|---|---:|---:|")
    for dtype in ("f32", "bf16"):
        said = subprocess.run(
            ["bash", "-c", f"encode -t {dtype} {SENTIMENT.parent}/test.weft | pool | "
             f"head -m {SENTIMENT} | score --eval"], check=True, stdout=subprocess.PIPE,
            text=True).stdout
        values = dict(s.split("\t")[:2] for s in said.splitlines() if "\t" in s)
        print(f"| {dtype} | {values['accuracy']} | {values['macro_f1']} |")


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    {"cpu": cpu, "cold": cold, "memory": memory, "accuracy": accuracy}[sys.argv[1]]()
