"""unigram.py: SentencePiece's kinds of tokenizer on the airline tweets, one thread, as Markdown.

Wants ../shared/data/Tweets.csv, and on PATH tok and in WEFT_UNIT toktime; the models are the small
ones of tests/golden. All run in turns, ROUNDS (5) times; what counts is CPU time, which a busy
machine falsifies least, and the fastest round. `tokenizers` has loaded everything before and keeps
what it makes in memory; `tok` is timed from its start to the last byte of its stream.
"""
import lzma
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from bench import TOP, WORK, machine, read_rows  # noqa: E402

TWEETS = TOP.parent / "shared" / "data" / "Tweets.csv"
TOKTIME = Path(os.environ.get("WEFT_UNIT", TOP / "build" / "tests")) / "toktime"
ROUNDS = int(os.environ.get("ROUNDS", 5))
MODELS = {"T5, Unigram": "unigram-t5", "XLM-R, Unigram": "unigram-xlmr", "ALBERT, Unigram": "unigram-albert",
          "Llama, BPE": "spbpe-llama"}


def folder_of(name):
    """The model's folder, unpacked."""
    source, to = TOP / "tests" / "golden" / "models" / name, WORK / name
    to.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        packed = file.suffix == ".xz"
        data = lzma.decompress(file.read_bytes()) if packed else file.read_bytes()
        (to / (file.stem if packed else file.name)).write_bytes(data)
    return to


def child(command):
    """CPU seconds of a shell command with all it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["bash", "-c", command], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(folder, rows, text):
    path = folder / "tokenizer.json"
    if path.exists():
        reference = Tokenizer.from_file(str(path))
    else:
        reference = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    reference.no_truncation()
    theirs, ours, memory = [], [], []
    for _ in range(ROUNDS):
        begin = time.process_time()
        reference.encode_batch(rows)
        theirs.append(time.process_time() - begin)
        ours.append(child(f"tok -q -j 1 -n 0 -m {folder} {text} > /dev/null"))
        said = subprocess.run([TOKTIME, folder, text, "10"], check=True, text=True, stdout=subprocess.PIPE)
        memory.append(float(said.stdout.split()[1]))
    return min(theirs), min(ours), max(memory)


def main():
    if not TWEETS.exists():
        sys.exit(f"unigram.py: no {TWEETS}")
    rows = [" ".join(r.split("\n")) for r in read_rows(TWEETS)]
    text = WORK / "tweets.txt"
    text.write_text("".join(r + "\n" for r in rows), encoding="utf-8", newline="\n")
    size = text.stat().st_size / 1e6
    print(f"{len(rows)} tweets, {size:.2f} MB, MB/s of CPU time, one thread; {machine()}; the fastest of {ROUNDS}\n")
    print("| | tokenizers, encode_batch | tok, text to stream | times | weft, in memory |\n|---|---:|---:|---:|---:|")
    for about, name in MODELS.items():
        theirs, ours, memory = measure(folder_of(name), rows, text)
        print(f"| {about} | {size / theirs:.2f} | {size / ours:.1f} | {theirs / ours:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    main()
