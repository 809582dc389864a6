"""bpe.py: byte-level BPE with GPT-2's vocabulary on the airline tweets, one thread, as Markdown.

Wants ../shared/data's Tweets.csv, gpt2-encoder.json and gpt2-vocab.bpe, and on PATH tok and in
WEFT_UNIT toktime. All run in turns, ROUNDS (5) times; what counts is CPU time, which a busy
machine falsifies least, and the fastest round. Peers have loaded everything before and keep what
they make in memory; `tok` is timed from its start to the last byte of its stream, over COPIES
(40) of the tweets, and its start alone beside it.
"""
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import gigatoken  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402

from bench import TOP, WORK, machine, read_rows  # noqa: E402

SHARED = TOP.parent / "shared" / "data"
TOKTIME = Path(os.environ.get("WEFT_UNIT", TOP / "build" / "tests")) / "toktime"
ROUNDS = int(os.environ.get("ROUNDS", 5))
COPIES = int(os.environ.get("COPIES", 40))


def gpt2(folder):
    """GPT-2's tokenizer.json, made of its two files."""
    folder.mkdir(parents=True, exist_ok=True)
    vocab = json.loads((SHARED / "gpt2-encoder.json").read_text(encoding="utf-8"))
    lines = (SHARED / "gpt2-vocab.bpe").read_text(encoding="utf-8").split("\n")[1:-1]
    t = Tokenizer(models.BPE(vocab=vocab, merges=[tuple(m.split(" ")) for m in lines]))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "config.json").write_text('{"model_type": "gpt2"}\n')
    return t


def cpu(run):
    begin = time.process_time()
    run()
    return time.process_time() - begin


def child(command):
    """CPU seconds of a shell command with all it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["bash", "-c", command], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    for name in ("Tweets.csv", "gpt2-encoder.json", "gpt2-vocab.bpe"):
        if not (SHARED / name).exists():
            sys.exit(f"bpe.py: no {SHARED / name}")
    folder = WORK / "gpt2"
    tokenizer = gpt2(folder)
    giga = gigatoken.Tokenizer(str(folder / "tokenizer.json"))
    rows = [" ".join(r.split("\n")) for r in read_rows(SHARED / "Tweets.csv")]
    once, many = WORK / "tweets.txt", WORK / "tweets-many.txt"
    once.write_text("".join(r + "\n" for r in rows), encoding="utf-8", newline="\n")
    many.write_bytes(once.read_bytes() * COPIES)
    size, coded = once.stat().st_size / 1e6, [r.encode() for r in rows]
    tok = f"tok -q -j 1 -m {folder} -n 0"
    memory, first = [], []
    said = {name: [] for name in ("tokenizers", "gigatoken", "tok", "start")}
    for _ in range(ROUNDS):
        said["tokenizers"].append(cpu(lambda: tokenizer.encode_batch(rows)))
        said["gigatoken"].append(min(cpu(lambda: giga.encode_batch(coded, parallel=False))
                                     for _ in range(20)))
        said["tok"].append(child(f"{tok} {many} > /dev/null"))
        said["start"].append(child(f"{tok} /dev/null > /dev/null"))
        answer = subprocess.run([TOKTIME, folder, once, "20"], check=True, text=True,
                                stdout=subprocess.PIPE).stdout.split()
        first.append(float(answer[0]))
        memory.append(float(answer[1]))
    best = {name: min(s) for name, s in said.items()}
    base = size / best["tokenizers"]
    print(f"{len(rows)} tweets, {size:.2f} MB, GPT-2's vocabulary, one thread; {machine()}; "
          f"the fastest of {ROUNDS}\n")
    print("| | MB/s of CPU time | `tokenizers` is 1 |\n|---|---:|---:|")
    for name, rate in (
            ("tokenizers, encode_batch", base),
            ("gigatoken, encode_batch, ids in memory", size / best["gigatoken"]),
            ("weft, ids and spans in memory", max(memory)),
            ("weft, the same, its cache empty", max(first)),
            (f"tok, text to stream, {COPIES} times the tweets", size * COPIES / best["tok"])):
        print(f"| {name} | {rate:.1f} | {rate / base:.0f} |")
    print(f"\nStart of `tok` with GPT-2's tokenizer.json: {best['start'] * 1000:.0f} ms "
          "of CPU time.")


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    main()
