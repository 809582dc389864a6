"""static.py: static embeddings of short rows, model2vec beside tok | embed | pool, as Markdown.

The first 8 words of each tweet are a row; the model has all-MiniLM-L6-v2's vocabulary and a table of
256 random numbers a token, for speed asks nothing of them. All run in turns, ROUNDS (5) times; the
fastest counts. model2vec has loaded everything before and keeps its vectors in memory; weft is timed
from its start to the last byte of the stream, over COPIES (40) of the rows. Processor time of all its
programs stands beside it, which a busy machine falsifies least. Rows are compared, too.
"""
import json
import os
import resource
import subprocess
import sys
import time

from bench import MODEL, THREADS, TOP, WORK, machine, read_rows, vader

sys.path.insert(0, str(WORK / "model2vec"))  # by run.sh

import numpy as np  # noqa: E402
from model2vec import StaticModel  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

TWEETS = TOP.parent / "shared" / "data" / "Tweets.csv"
ROUNDS = int(os.environ.get("ROUNDS", 5))
COPIES = int(os.environ.get("COPIES", 40))
WORDS, WIDTH, PEER_COPIES = 8, 256, 2


def pipe(folder, rows, out):
    """Wall and processor time of the pipe."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(f"tok -q -m {folder} -j {THREADS} {rows} | embed -j {THREADS} | pool -j {THREADS} > {out}",
                   shell=True, check=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peer(model, rows):
    begin, cpu = time.perf_counter(), time.process_time()
    model.encode(rows)
    return time.perf_counter() - begin, time.process_time() - cpu


def vectors(path):
    """row.vector of a stream's frames, which are safetensors documents."""
    data, at, all_rows = path.read_bytes(), 0, []
    while at < len(data):
        n = int.from_bytes(data[at:at + 8], "little")
        head = json.loads(data[at + 8:at + 8 + n])
        at += 8 + n
        if "row.vector" in head:
            begin, end = head["row.vector"]["data_offsets"]
            all_rows.append(np.frombuffer(data, np.float32, (end - begin) // 4, at + begin).reshape(-1, WIDTH))
        at += max([v["data_offsets"][1] for k, v in head.items() if k != "__metadata__"], default=0)
    return np.concatenate(all_rows)


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    folder, once, many, out = WORK / "static", WORK / "short.txt", WORK / "short-many.txt", WORK / "short.weft"
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    table = np.random.default_rng(1).standard_normal((tokenizer.get_vocab_size(), WIDTH), dtype=np.float32)
    model = StaticModel(table / 16, tokenizer, {"model_type": "model2vec"}, normalize=True)
    model.save_pretrained(folder)
    rows = [" ".join(r.split()[:WORDS]) for r in (read_rows(TWEETS) if TWEETS.exists() else vader())]
    once.write_text("".join(r + "\n" for r in rows), encoding="utf-8", newline="\n")
    many.write_bytes(once.read_bytes() * COPIES)
    weft, other = [], []
    for _ in range(ROUNDS):
        weft.append(pipe(folder, many, "/dev/null"))
        other.append(peer(model, rows * PEER_COPIES))
    pipe(folder, once, out)
    apart = float(np.abs(vectors(out) - model.encode(rows)).max())
    print(f"{len(rows)} rows of {WORDS} words at most, {len(rows) * COPIES} for weft; {machine()}; "
          f"the fastest of {ROUNDS}\n")
    print("| | rows/s | rows a second of processor time |\n|---|---:|---:|")
    for name, times, copies in (("model2vec, encode()", other, PEER_COPIES), ("tok, embed, pool", weft, COPIES)):
        wall, cpu = (len(rows) * copies / min(t) for t in zip(*times))
        print(f"| {name} | {wall:,.0f} | {cpu:,.0f} |")
    print(f"\nLargest difference of a number: {apart:.1e}.")


if __name__ == "__main__":
    main()
