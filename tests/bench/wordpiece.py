"""wordpiece.py: all-MiniLM-L6-v2's WordPiece on the airline tweets, one thread, as Markdown; and how
long `tok` takes to start with its vocab.txt of 30,522 words. As bpe.py measures.
"""
import os
import shutil
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer  # noqa: E402

from bench import MODEL, TOP, WORK, machine, read_rows  # noqa: E402

SHARED = TOP.parent / "shared" / "data"
TOKTIME = os.path.join(os.environ.get("WEFT_UNIT", TOP / "build" / "tests"), "toktime")
ROUNDS = int(os.environ.get("ROUNDS", 5))
COPIES = int(os.environ.get("COPIES", 40))


def wall(command):
    begin = time.perf_counter()
    subprocess.run(command, shell=True, check=True)
    return time.perf_counter() - begin


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = [" ".join(r.split("\n")) for r in read_rows(SHARED / "Tweets.csv")]
    once, many = WORK / "tweets.txt", WORK / "tweets-many.txt"
    once.write_text("".join(r + "\n" for r in rows), encoding="utf-8", newline="\n")
    many.write_bytes(once.read_bytes() * COPIES)
    size = once.stat().st_size / 1e6
    plain = WORK / "vocab-txt"
    plain.mkdir(exist_ok=True)
    for name in ("vocab.txt", "config.json"):
        shutil.copy(MODEL / name, plain / name)
    tok = f"tok -q -j 1 -n 0 -m {MODEL}"
    said = {"tokenizers": [], "tok": [], "start": [], "memory": []}
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        tokenizer.encode_batch(rows)
        said["tokenizers"].append(size / (time.perf_counter() - begin))
        said["tok"].append(size * COPIES / wall(f"{tok} {many} > /dev/null"))
        said["start"].append(wall(f"echo hi | tok -q -m {plain} > /dev/null"))
        answer = subprocess.run([TOKTIME, MODEL, once, "20"], check=True, text=True,
                                stdout=subprocess.PIPE).stdout.split()
        said["memory"].append(float(answer[1]))
    base = max(said["tokenizers"])
    print(f"{len(rows)} tweets, {size:.2f} MB, WordPiece, one thread; {machine()}; the fastest of "
          f"{ROUNDS}\n")
    print("| | MB/s | `tokenizers` is 1 |\n|---|---:|---:|")
    for name, rate in (("tokenizers, encode_batch", base),
                       ("weft, ids and spans in memory", max(said["memory"])),
                       (f"tok, text to stream, {COPIES} times the tweets", max(said["tok"]))):
        print(f"| {name} | {rate:.1f} | {rate / base:.0f} |")
    print(f"\n`echo hi | tok` with vocab.txt: {min(said['start']) * 1000:.1f} ms.")


if __name__ == "__main__":
    main()
