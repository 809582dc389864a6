"""What `tokenizers` makes of real texts with all-MiniLM-L6-v2 (`make model tweets`) ->
tests/golden/tok/real.tsv: name, rows, SHA-256 over the rows' ids (cut at 256 as tok cuts them), a
line a row, ids with ", " between. A set whose file is not there keeps its line."""
import csv
import hashlib
from pathlib import Path

from tokenizers import Tokenizer

TOP = Path(__file__).resolve().parent.parent.parent
SHARED = TOP.parent / "shared" / "data"
OUT = TOP / "tests" / "golden" / "tok" / "real.tsv"


def column(path, name):
    with open(path, encoding="utf-8", newline="") as f:
        return [row[name] for row in csv.DictReader(f)]


def lines(path):
    text = path.read_bytes().decode("utf-8")
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


SETS = {
    "Tweets.csv": lambda: column(SHARED / "Tweets.csv", "text"),
    "s140-test.csv": lambda: column(SHARED / "s140-test.csv", "text"),
    "wikitext2-test.txt": lambda: lines(SHARED / "wikitext2-test.txt"),
    **{name: lambda name=name: lines(TOP / "data" / "vader" / name) for name in (
        "tweets_GroundTruth.txt", "movieReviewSnippets_GroundTruth.txt",
        "amazonReviewSnippets_GroundTruth.txt", "nytEditorialSnippets_GroundTruth.txt")},
}


def main():
    tokenizer = Tokenizer.from_file(str(TOP / "model" / "all-MiniLM-L6-v2" / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    old = {line.split("\t")[0]: line for line in OUT.read_text().splitlines()} if OUT.exists() else {}
    for name, read in SETS.items():
        try:
            texts = read()
        except FileNotFoundError:
            continue
        digest = hashlib.sha256()
        for e in tokenizer.encode_batch(texts):
            digest.update((", ".join(map(str, e.ids)) + "\n").encode())
        old[name] = f"{name}\t{len(texts)}\t{digest.hexdigest()}"
    OUT.write_text("".join(old[name] + "\n" for name in SETS if name in old))


if __name__ == "__main__":
    main()
