"""argmax.py: how often the likeliest next token stays the same where weights have fewer bits. A
GPT-2 of 2 M parameters learns WikiText-2's test part but for its last tenth, which then goes by,
each position behind those before it in windows of 64 tokens. Prints Markdown. A quarter of an hour.

THREADS (the cores), WIKITEXT (wiki text, a paragraph a line), EPOCHS (3), POSITIONS (10000)."""
import json
import os
import subprocess
from pathlib import Path

from bench import THREADS, TOP, WORK

TEXT = Path(os.environ.get("WIKITEXT", TOP / "../shared/data/wikitext2-test.txt"))
POSITIONS = int(os.environ.get("POSITIONS", 10000))
FOLDER = WORK / "argmax"
WINDOW, WORDS = 64, 4096


def sh(line):
    return subprocess.run(line, shell=True, check=True, cwd=FOLDER, text=True,
                          stdout=subprocess.PIPE).stdout


def make():
    """Texts to learn from and others, a tokenizer from the first, the model."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2TokenizerFast
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [s.strip() for s in open(TEXT, encoding="utf-8") if len(s.strip()) > 40]
    cut = len(lines) * 9 // 10
    (FOLDER / "learn.txt").write_text("\n".join(lines[:cut]) + "\n", encoding="utf-8")
    (FOLDER / "other.txt").write_text("\n".join(lines[cut:]) + "\n", encoding="utf-8")
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train([str(FOLDER / "learn.txt")], trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    GPT2TokenizerFast(tokenizer_object=t).save_pretrained(FOLDER / "new")
    GPT2Config(vocab_size=WORDS, n_positions=128, n_embd=192, n_layer=3, n_head=6, bos_token_id=0,
               eos_token_id=0).save_pretrained(FOLDER / "new")
    sh(f"tok -q -m new -n 128 learn.txt | train -q -j {THREADS} -m new --scratch new/config.json "
       f"--objective clm -b 16 -e {os.environ.get('EPOCHS', 3)} --lr 1e-3 --warmup 100 --force -o model")


def prefixes():
    rows = [json.loads(s)["ids"] for s in sh("tok -q -m model -n 0 other.txt | show -r").splitlines()]
    ids = [i for row in rows for i in row]
    begun = [ids[at:at + k] for at in range(0, len(ids) - WINDOW, WINDOW) for k in range(1, WINDOW)]
    begun = begun[:POSITIONS]
    (FOLDER / "begun.txt").write_text("".join(" ".join(map(str, r)) + "\n" for r in begun))
    return len(begun)


def likeliest(dtype):
    said = sh(f"tok -q --ids -m model begun.txt | gen -q -j {THREADS} -t {dtype} --max-new 1 -b 64 | "
              "show -r")
    return [json.loads(s)["ids"][-1] for s in said.splitlines()]


def main():
    make()
    n, whole = prefixes(), likeliest("f32")
    print(f"The likeliest next token at {n} positions of WikiText-2, as f32 has it\n\n| | |\n|---|---:|")
    for dtype in ("bf16", "int8"):
        same = sum(a == b for a, b in zip(whole, likeliest(dtype), strict=True))
        print(f"| {dtype} | {100 * same / n:.2f} % |")


main()
