"""tasks.py: each task beside transformers' pipeline, on random models of MiniLM's shape (6 layers of
384) with MiniLM's vocabulary, as Markdown: rows a second over ROWS (256) airline tweets, and one row
from a cold start. In turns; medians of ROUNDS (3). weft is timed from text in a file to answers
in a file, its start included; the pipelines have loaded everything before, except for the cold
start, which is a Python that does one row.
"""
import json
import os
import statistics
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoTokenizer, BertConfig, pipeline  # noqa: E402

from bench import MODEL, THREADS, TOP, WORK, machine, read_rows  # noqa: E402

ROWS = int(os.environ.get("ROWS", 256))
ROUNDS = int(os.environ.get("ROUNDS", 3))
TWEETS = TOP.parent / "shared" / "data" / "Tweets.csv"

# task: class, words for its configuration, tok's options
TASKS = {
    "text-classification": ("BertForSequenceClassification", {"num_labels": 3}, ""),
    "fill-mask": ("BertForMaskedLM", {}, ""),
    "token-classification": ("BertForTokenClassification",
                             {"id2label": {0: "O", 1: "B-X", 2: "I-X"}}, ""),
    "question-answering": ("BertForQuestionAnswering", {},
                           "-H -c 1 -p 2 -n 384 -S 128 --trunc second"),
    "zero-shot-classification": ("BertForSequenceClassification",
                                 {"id2label": {0: "contradiction", 1: "entailment"}},
                                 "-z politics,travel,weather"),
}


def make(task, name, words):
    folder = WORK / "tasks" / task
    if not (folder / "model.safetensors").exists():
        torch.manual_seed(1)
        config = BertConfig.from_pretrained(MODEL, initializer_range=0.3, **words)
        if "id2label" in words:
            config.label2id = {label: i for i, label in words["id2label"].items()}
        getattr(transformers, name)(config).save_pretrained(folder)
        AutoTokenizer.from_pretrained(MODEL).save_pretrained(folder)
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings["model_max_length"] = 512
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def inputs(task, rows):
    """What the pipeline is called with, and the lines that tok reads."""
    if task == "fill-mask":
        rows = [r + " [MASK]" for r in rows]
    if task == "question-answering":
        rows = [r.replace('"', "'") or "." for r in rows]
        calls = [{"question": "What was late?", "context": r} for r in rows]
        return calls, [f'"What was late?","{r}"' for r in rows]
    return rows, rows


def weft(folder, options, path):
    command = (f"tok -q -m {folder} {options} {path} | encode -j {THREADS} | weft head | "
               f"score --json > {WORK}/tasks/answers")
    begin = time.perf_counter()
    subprocess.run(["bash", "-c", "set -o pipefail; " + command], check=True)
    return time.perf_counter() - begin


def python_call(task, pipe, calls):
    more = {"candidate_labels": ["politics", "travel", "weather"]} if "zero" in task else {}
    begin = time.perf_counter()
    if task == "question-answering":
        for c in calls:
            pipe(**c)
    else:
        pipe(calls, **more)
    return time.perf_counter() - begin


def main():
    torch.set_num_threads(THREADS)
    (WORK / "tasks").mkdir(parents=True, exist_ok=True)
    rows = [" ".join(r.split()) for r in read_rows(TWEETS)[:ROWS]]
    print(f"{machine()}; {len(rows)} tweets, medians of {ROUNDS}\n")
    print("| task | weft, rows/s | pipeline, rows/s | ratio | weft, cold | pipeline, cold | ratio |\n"
          "|---|---:|---:|---:|---:|---:|---:|")
    for task, (name, words, options) in TASKS.items():
        folder = make(task, name, words)
        calls, lines = inputs(task, rows)
        many, one = WORK / "tasks" / "many", WORK / "tasks" / "one"
        many.write_text("\n".join(lines) + "\n")
        one.write_text(lines[0] + "\n")
        pipe = pipeline(task, model=str(folder), device="cpu")
        ours, theirs, our_start, their_start = [], [], [], []
        for _ in range(ROUNDS):
            ours.append(weft(folder, options, many))
            theirs.append(python_call(task, pipe, calls))
            our_start.append(weft(folder, options, one))
            begin = time.perf_counter()
            subprocess.run([sys.executable, __file__, "cold", task, folder], check=True,
                           input=json.dumps(calls[:1]), text=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            their_start.append(time.perf_counter() - begin)
        a, b, c, d = (statistics.median(x) for x in (ours, theirs, our_start, their_start))
        print(f"| {task} | {len(rows) / a:.0f} | {len(rows) / b:.0f} | {b / a:.1f} | {c:.3f} s | "
              f"{d:.2f} s | 1/{d / c:.0f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["cold"]:
        python_call(sys.argv[2], pipeline(sys.argv[2], model=sys.argv[3], device="cpu"),
                    json.load(sys.stdin))
    else:
        main()
