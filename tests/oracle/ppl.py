"""How likely small models find ids, by transformers -> tests/golden/ppl/.

    ids.txt       rows of ids for gpt2-lm (tests/golden/models)     masked.txt  for bert-mask
    whole.tsv     row, tokens, mean nll, perplexity; then all       bos.tsv     a bos token before
    wW-sS.tsv     in windows of W tokens that overlap by S, as transformers' guide to perplexity has
                  them (its stride is W - S)
    tokens.tsv    row, position, id, nll of each token of whole.tsv, empty for the first
    masked.tsv    pseudo-log-likelihood (Salazar et al. 2020), special tokens not judged
    logits are of float64 arithmetic from the log softmax on.
"""
import math
import random
from pathlib import Path

import torch
from transformers import BertForMaskedLM, GPT2LMHeadModel

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS, OUT = GOLDEN / "models", GOLDEN / "ppl"
WINDOWS = [(16, 1), (16, 8), (16, 5), (16, 0), (7, 3), (64, 1)]


def table(rows):
    """rows: lists of nll."""
    lines, every = [], [x for row in rows for x in row]
    for name, row in [*((i + 1, row) for i, row in enumerate(rows)), ("all", every)]:
        mean = math.fsum(row) / len(row) if row else None
        lines.append(f"{name}\t{len(row)}\t{mean:.9g}\t{math.exp(mean):.9g}" if row else
                     f"{name}\t0\t\t")
    return "\n".join(lines) + "\n"


def nll(model, ids, first):
    """-log p of ids[first:] given what stands before."""
    logits = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [-logits[i - 1, ids[i]].item() for i in range(max(first, 1), len(ids))]


def windows(model, ids, width, overlap):
    """The guide's loop: a window's last tokens, those that the one before did not have, count; the
    first token of a window has nothing before it."""
    out, end = [], 0
    for begin in range(0, len(ids), width - overlap):
        before, end = end, min(begin + width, len(ids))
        out += nll(model, ids[begin:end], before - begin)
        if end == len(ids):
            break
    return out


def masked(model, ids, mask):
    out = []
    for i in range(1, len(ids) - 1):
        with_mask = ids[:i] + [mask] + ids[i + 1:]
        logits = model(torch.tensor([with_mask])).logits[0, i].double().log_softmax(-1)
        out.append(-logits[ids[i]].item())
    return out


def write(name, text):
    (OUT / name).write_text(text)


def ids_file(name, rows):
    write(name, "".join(" ".join(map(str, row)) + "\n" for row in rows))


@torch.no_grad()
def main():
    OUT.mkdir(exist_ok=True)
    rnd = random.Random(7)
    gpt2 = GPT2LMHeadModel.from_pretrained(MODELS / "gpt2-lm").eval()
    rows = [[rnd.randrange(gpt2.config.vocab_size) for _ in range(n)]
            for n in (2, 1, 9, 16, 17, 33, 64, 3, 40)]
    ids_file("ids.txt", rows)
    write("whole.tsv", table([nll(gpt2, row, 1) for row in rows]))
    write("tokens.tsv", "".join(
        f"{r + 1}\t{i + 1}\t{row[i]}\t" + (f"{x:.9g}" if x is not None else "") + "\n"
        for r, row in enumerate(rows) for i, x in enumerate([None] + nll(gpt2, row, 1))))
    bos = gpt2.config.bos_token_id
    write("bos.tsv", table([nll(gpt2, [bos] + row[:63], 1) for row in rows]))
    ids_file("ids63.txt", [row[:63] for row in rows])
    for width, overlap in WINDOWS:
        write(f"w{width}-s{overlap}.tsv",
              table([windows(gpt2, row, width, overlap) for row in rows]))
    bert = BertForMaskedLM.from_pretrained(MODELS / "bert-mask").eval()
    vocab = (MODELS / "bert-mask" / "vocab.txt").read_text(encoding="utf-8").split("\n")
    texts = ["the cat sat on the mat", "I love this", "a", "it was a long day and he said no"]
    special = {t: vocab.index(t) for t in ("[CLS]", "[SEP]", "[MASK]")}
    from transformers import BertTokenizerFast
    tokenizer = BertTokenizerFast.from_pretrained(MODELS / "bert-mask")
    rows = [tokenizer(t).input_ids for t in texts]
    assert rows[0][0] == special["[CLS]"]
    write("masked.txt", "".join(t + "\n" for t in texts))
    write("masked.tsv", table([masked(bert, row, special["[MASK]"]) for row in rows]))


if __name__ == "__main__":
    main()
