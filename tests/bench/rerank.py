"""rerank.py: pairs of a query and a passage, beside sentence-transformers' CrossEncoder.predict, by a
random model of ms-marco-MiniLM-L6's shape (6 layers of 384, MiniLM's vocabulary, one label), as
Markdown: pairs a second over PAIRS (256) of WikiText-2's test text, its paragraphs as passages and
its headings as queries, EACH (16) a query. In turns; medians of ROUNDS (3). weft is timed from text in
a file to scores in a file, its start included; CrossEncoder has loaded everything before and takes
batches of 32, which it sorts by length. Beside the time that passes stands the processors', on which
a machine's other work has less to do.
"""
import json
import os
import random
import resource
import statistics
import time

os.environ["TOKENIZERS_PARALLELISM"] = "true"

import torch  # noqa: E402
from sentence_transformers import CrossEncoder  # noqa: E402
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification  # noqa: E402

from bench import MODEL, REST, THREADS, TOP, WORK, machine, shell  # noqa: E402

PAIRS = int(os.environ.get("PAIRS", 256))
ROUNDS = int(os.environ.get("ROUNDS", 3))
EACH = int(os.environ.get("EACH", 16))
TEXT = TOP.parent / "shared" / "data" / "wikitext2-test.txt"
FOLDER = WORK / "rerank" / "model"


def make():
    if not (FOLDER / "model.safetensors").exists():
        torch.manual_seed(1)
        config = BertConfig.from_pretrained(MODEL, initializer_range=0.1, num_labels=1)
        config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
        BertForSequenceClassification(config).save_pretrained(FOLDER)
        AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)
        settings = json.loads((FOLDER / "tokenizer_config.json").read_text())
        settings["model_max_length"] = 512
        (FOLDER / "tokenizer_config.json").write_text(json.dumps(settings))


def read_pairs():
    lines = [line.strip() for line in TEXT.read_text(encoding="utf-8").splitlines()]
    queries = [line.strip("= ") for line in lines if line.startswith("=")]
    passages = [line for line in lines if line and not line.startswith("=") and len(line) > 80]
    draw = random.Random(7)
    draw.shuffle(queries)
    return [(q, p) for q in queries for p in draw.sample(passages, EACH)][:PAIRS]


def weft(more, path, out):
    return shell(f"tok -q -m {FOLDER} -H -d '\\t' -c 1 -p 2 {path} | encode -j {THREADS} {more} | "
                 f"weft head -j {THREADS} | score --raw | cut -f 2 > {out}")


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    torch.set_num_threads(THREADS)
    make()
    pairs = read_pairs()
    path, out = WORK / "rerank" / "pairs.tsv", WORK / "rerank" / "scores"
    quoted = [["\"" + text.replace('"', '""') + "\"" for text in pair] for pair in pairs]
    path.write_text("".join("\t".join(pair) + "\n" for pair in quoted), encoding="utf-8")
    model = CrossEncoder(str(FOLDER), device="cpu", local_files_only=True)
    tokens = sum(len(e.ids) for e in model.tokenizer(
        [q for q, _ in pairs], [p for _, p in pairs], truncation=True).encodings)
    seconds = {"weft": [], "weft -t bf16": [], "CrossEncoder": []}
    worked = {name: [] for name in seconds}
    model.predict(pairs[:32], show_progress_bar=False)
    for _ in range(ROUNDS):
        for name, more in ("weft", ""), ("weft -t bf16", "-t bf16"):
            time.sleep(REST)
            begin = children()
            seconds[name].append(weft(more, path, out))
            worked[name].append(children() - begin)
            if not more:
                ours = [float(line) for line in out.read_text().split()]
        time.sleep(REST)
        begin, busy = time.perf_counter(), time.process_time()
        theirs = model.predict(pairs, batch_size=32, show_progress_bar=False)
        seconds["CrossEncoder"].append(time.perf_counter() - begin)
        worked["CrossEncoder"].append(time.process_time() - busy)
    apart = max(abs(a - float(b)) for a, b in zip(ours, theirs, strict=True))
    print(f"{machine()}; {len(pairs)} pairs, {tokens / len(pairs):.0f} tokens each; median of {ROUNDS}; "
          f"scores at most {apart:.1e} apart (f32)\n")
    print("| | seconds | range | pairs/s | weft is | weft -t bf16 is | processors, s | weft is |\n"
          "|---|---:|---:|---:|---:|---:|---:|---:|")
    busy = {name: statistics.median(s) for name, s in worked.items()}
    middle = {name: statistics.median(s) for name, s in seconds.items()}
    for name, m in middle.items():
        print(f"| {name} | {m:.2f} | {min(seconds[name]):.2f}-{max(seconds[name]):.2f} | "
              f"{len(pairs) / m:.1f} | {m / middle['weft']:.2f} x | "
              f"{m / middle['weft -t bf16']:.2f} x | {busy[name]:.1f} | "
              f"{busy[name] / busy['weft']:.2f} x |")


if __name__ == "__main__":
    main()
