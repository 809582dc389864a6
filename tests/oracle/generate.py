"""What transformers generates -> tests/golden/generate/, with the models of generate_models.py.

    cases.tsv       a case a line: its name, the model's folder, gen's options (-: none), what
                    generate() was told, the stream of rows, the answers, and the file that takes the place of the
                    model's generation_config.json (-: none). Files lie in this folder, which is
                    also where options name them
    in/*.weft       rows of ids
    want/*.safetensors
        row.tokens, token.id, row.source    the new tokens of each answer
        row.finish      0 end, 1 length, 2 stop
        row.score       of beams alone
        token.logprob   with --scores: each token's log probability, of beams as it went into the
                        score, so after the rules and not made to sum to 1 again
    sampling.tsv    name, model, options, rows, probabilities, settings: as above
    p/*.safetensors p [vocabulary]: how likely each token is to be the next

Each row is answered alone, so without padding. No order of two numbers that decided something may
hang on less than GAP: rows that do not keep to that are left out. A rule has to make a difference.

    generate.py NAME...     says what becomes of these cases, and writes nothing
"""
import hashlib
import json
import shutil
import struct
import sys
import warnings
from collections import Counter

import torch
import transformers as T
from safetensors.torch import save_file

import generate_sampling
from generate_cases import PLAIN, all_cases
from generate_models import OUT, SPOKEN, make_models, write_json
from generate_run import answer, load, options
from stable import sort_metadata

GAP = 1e-3
POOL = 24  # rows to choose from
T.logging.set_verbosity_error()
warnings.simplefilter("ignore")
torch.set_num_threads(1)


# ---- files ----


def frame(tensors, meta):
    """A frame as weft's programs write it: the widest elements first."""
    kinds = {torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8"}
    header, data = {"__metadata__": {"weft": "1"} | meta}, b""
    for name, t in sorted(tensors.items(), key=lambda x: (-x[1].element_size(), x[0])):
        raw = t.contiguous().numpy().tobytes()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def rows_of(rows, first):
    return {"row.tokens": torch.tensor([0] + [len(r) for r in rows]).cumsum(0),
            "row.source": torch.arange(first, first + len(rows)),
            "token.id": torch.tensor(sum(rows, []), dtype=torch.int32),
            "token.part": torch.zeros(sum(map(len, rows)), dtype=torch.uint8)}


def write_stream(model, rows):
    """The file of these rows, in two frames; the same rows are the same file."""
    name = hashlib.sha256(repr(rows).encode()).hexdigest()[:6]
    path = OUT / "in" / f"{model}-{name}.weft"
    half = (len(rows) + 1) // 2
    path.write_bytes(frame(rows_of(rows[:half], 0), {}) + frame(
        rows_of(rows[half:], half), {"end": "ok", "rows": str(len(rows))}))
    return str(path.relative_to(OUT))


def write_answers(name, answers, scores):
    """answers: of each row."""
    flat = [a for row in answers for a in row]
    tensors = {"row.tokens": torch.tensor([0] + [len(a.ids) for a in flat]).cumsum(0),
               "row.source": torch.tensor([i for i, row in enumerate(answers) for _ in row]),
               "token.id": torch.tensor(sum((a.ids for a in flat), []), dtype=torch.int32),
               "row.finish": torch.tensor([a.finish for a in flat], dtype=torch.uint8)}
    if flat[0].score is not None:
        tensors["row.score"] = torch.tensor([a.score for a in flat])
    if scores:
        tensors["token.logprob"] = torch.tensor(sum((a.logprob for a in flat), []))
    path = OUT / "want" / f"{name}.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    sort_metadata(path)
    return str(path.relative_to(OUT))


# ---- rows and models ----


class Models:
    """Each model with each settings once, and the rows that it may be asked."""

    def __init__(self):
        self.tokenizer = T.AutoTokenizer.from_pretrained(OUT / "gpt2")
        self.loaded, self.pools = {}, {}

    def settings(self, name, over):
        """over: over the model's own; None: those."""
        if over is None:
            return None
        path = OUT / name / "generation_config.json"
        own = json.loads(path.read_text()) if path.exists() else {}
        return {k: v for k, v in (own | over).items() if v is not None}

    def get(self, name, over):
        key = name + json.dumps(over)
        if key not in self.loaded:
            self.loaded[key] = load(name, self.settings(name, over))
        return self.loaded[key]

    def run(self, name, over, text, ids):
        said = options(text, OUT, self.tokenizer)
        try:
            return answer(self.get(name, over), self.tokenizer, ids, said)
        except ValueError as e:  # of a row that is as long as its answer may be
            if "max_length" not in str(e):
                raise
            return None, None

    def pool(self, name):
        """Rows of any length from 1 on; some say what the model has answered others."""
        if name in self.pools:
            return self.pools[name]
        model = self.get(name, None)
        last = {"bart": [2], "mbart": [2, 54], "t5": [1], "mt5": [1],
                "marian": [0]}.get(model.config.model_type, [])
        top = SPOKEN if name == "gpt2" else min(model.config.vocab_size, 54)
        g = torch.Generator().manual_seed(7)
        rows = []
        for n in (1, 4, 9, 2, 6, 12, 1, 3, 8, 5, 1, 7):
            rows.append(torch.randint(4, top, (n,), generator=g).tolist())
        said = [self.run(name, None, PLAIN, r + last)[0][0].ids for r in rows]
        rows = [r + last if len(r) > 1 else r for r in rows]
        for before, after in zip(rows, said):
            said_again = [t for t in after if 3 < t < top][:9] or [5]
            rows.append(before[:2] + said_again + said_again[:3] if not last else
                        said_again + last)
        self.pools[name] = rows[:POOL]
        return self.pools[name]

    def often(self, name):
        """What it answers most, its likeliest tokens first."""
        count = Counter()
        for row in self.pool(name):
            count.update(set(self.run(name, None, PLAIN, row)[0][0].ids))
        ends = self.get(name, None).generation_config.eos_token_id
        return [t for t, _ in sorted(count.items(), key=lambda x: (-x[1], x[0])) if t != ends]


# ---- cases ----


def choose(models, case):
    """Rows for a case, [(row, answers, seen)]: the first that hang on no GAP, one that answers
    otherwise without the rule among them, and one of a single token where there is any; and whether
    there are enough."""
    chosen, tried, near, differs, single = [], 0, 0, case.base is None, False
    for row in models.pool(case.model):
        if len(chosen) == case.rows and differs and single:
            break
        answers, seen = models.run(case.model, case.settings, case.options, row)
        tried += 1
        if answers is None:
            continue
        if seen.gap < GAP or any(len(a.ids) == 0 or (a.score or 0) < -1e6 for a in answers):
            near += 1
            continue
        new = len(row) == 1 and not single
        single = single or new
        if not differs:
            base = models.run(case.model, case.base[1], case.base[0], row)[0]
            if base is not None and [a.ids for a in base] != [a.ids for a in answers]:
                differs = new = True
        if len(chosen) == case.rows and new:
            del chosen[1]
        if len(chosen) < case.rows:
            chosen.append((row, answers, seen))
    print(f"{case.name}: {tried} rows tried, {near} near", flush=True)
    return chosen, differs and len(chosen) == case.rows


def check_scores(case, told, answers):
    """A score is the sum of what was told, over the length."""
    for a in answers:
        if a.score is not None:
            length = len(a.ids) ** told.length_penalty
            assert abs(sum(a.logprob) / length - a.score) < 1e-3 * max(1, abs(a.score)), case.name


def write_case(models, case, chosen):
    """The files of a case, and its line of cases.tsv."""
    answers = [c[1] for c in chosen]
    said = options(case.options, OUT, models.tokenizer)
    told = models.get(case.model, case.settings)._prepare_generation_config(None, **{
        k: v for k, v in said.items() if k != "choices"})[0]
    for row in answers:
        check_scores(case, told, row)
    settings = "-"
    if case.settings is not None:
        settings = f"settings/{case.name}.json"
        write_json(OUT / settings, models.settings(case.model, case.settings))
    rows = write_stream(case.model, [c[0] for c in chosen])
    want = write_answers(case.name, answers, "--scores" in case.options)
    return "\t".join((case.name, case.model, case.options or "-", json.dumps(said), rows, want,
                      settings)) + "\n"


def main():
    wanted = sys.argv[1:]
    if not wanted:
        for folder in ("in", "want", "settings", "p"):
            shutil.rmtree(OUT / folder, ignore_errors=True)
        make_models()
        for folder in ("in", "want", "settings", "p"):
            (OUT / folder).mkdir()
    models = Models()
    often = {name: models.often(name) for name in ("gpt2", "t5")}
    say = lambda token: models.tokenizer.decode([token])  # noqa: E731
    words = [say(often["gpt2"][1]), say(often["gpt2"][2]) + say(often["gpt2"][0]), "the cat"]
    (OUT / "bad-words.txt").write_text("".join(w + "\n" for w in words))
    lines, done, bad = [], [], []
    for case in all_cases(often, say):
        if wanted and case.name not in wanted:
            continue
        chosen, whole = choose(models, case)
        if not whole:
            bad.append(case.name)
        elif not wanted:
            lines.append(write_case(models, case, chosen))
            done.append((case, chosen))
    if not wanted:
        (OUT / "cases.tsv").write_text("".join(lines))
    assert not bad, bad
    if not wanted:
        check_all(done)
        generate_sampling.make(models, write_stream)


def check_all(done):
    """What the cases have to have among them."""
    for family in ("gpt2", "t5", "bart"):
        flat = [a for case, chosen in done if case.model.startswith(family)
                for _, answers, _ in chosen for a in answers]
        assert any(len(a.ids) > 100 for a in flat), family
        if family != "bart":  # whose last token is forced
            assert any(len(a.ids) == 1 for a in flat), family
            assert {0, 1} <= {a.finish for a in flat}, family
        assert any(len(row) == 1 for case, chosen in done if case.model == family
                   for row, _, _ in chosen), family
    assert any(a.finish == 2 for _, chosen in done for _, answers, _ in chosen for a in answers)
    seen = [s for _, chosen in done for _, _, s in chosen]
    assert any(s.at_once for s in seen)
    print(f"{len(done)} cases, {len(seen)} rows, least gap {min(s.gap for s in seen):.3g}")


if __name__ == "__main__":
    main()
