"""What transformers' pipelines answer -> tests/golden/pipelines/.

    CASE.jsonl               a record a line: text (and pair), as `tok -J` reads it
    CASE.safetensors         the logits of its rows with texts, tokens and spans: what `score` reads
    CASE.OPTIONS.json        a line a record: what `score OPTIONS --json` is to say
    bert-span-eval.*         the same with gold answers, and what `score --eval --json` is to say
    bert-mask-none.*         a row without a mask, for which the pipeline raises: null
    cases.tsv                case, model, file of answers, whether the model as it is made these
                             logits ("whole": the whole pipe can be held to them), options

The models are those of models.py and heads.py. Spans are in bytes, as on the wire; answers count
characters.
"""
import json
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (AutoModelForCausalLM, AutoTokenizer, BertForNextSentencePrediction,
                          logging, pipeline)
from transformers.pipelines.base import PipelineException
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

from models import MODELS
from stable import sort_metadata

OUT = MODELS.parent / "pipelines"
logging.set_verbosity_error()
warnings.simplefilter("ignore")

MOODS = ["the cat sat on the mat", "I love this flight!", "bad   service, never again",
         "Anna lives in Berlin", "a zyx qqq of the", "\u00e9t\u00e9 in \u4e2d\u6587 \u2014 good",
         "great"]
NAMES = ["Anna Smith works at Delta in Boston.", "BOB   lives in paris, Bob was born in LONDON",
         "the company", "Berlinberlin's Annaing (Europe) \u2014 caf\u00e9 Paris!",
         "\u65e5\u672c Anna \U0001f600\U0001f600 London \u00c9t\u00e9 Smithson", "",
         "a cat of Delta Boston works like that great good bad Europe company city"]
LONG_NAMES = [" ".join(["Anna Smith works at Delta in Boston, and Bob lives in London.",
                        "The company was born in Europe; Annaing can work there \u2014 caf\u00e9.",
                        "Delta's cat sat on the mat of Paris city for that long time."] * 2),
              "Bob of Paris"]
CONTEXTS = [
    ("who lives in Berlin?", "Anna Smith lives in Berlin."),
    ("where is the cat", "The cat sat on the mat, the dog sat on the bag \u2014 in Boston."),
    ("what?", "\u00c9t\u00e9 \u65e5\u672c was good; the caf\u00e9 in London is a great company of "
     "Europe!"),
    ("who works at Delta", " ".join(
        f"{who} works at Delta{mark} in {city} and he has {n} good cats there."
        for n, (who, city, mark) in enumerate(zip(
            ["Anna", "Bob", "Smithson", "Anna"], ["Boston", "Paris", "London", "Boston"],
            [",", "'s", "", "\u2014"])))),
    ("when was it born", "the time of the city " * 12 + "and the flight was late"),
]
CANDIDATES = ["good", "bad flight", "cat", "a company"]
PAIRS = [("the cat sat", "on the mat"), ("I love this flight", "bad service"), ("Anna", "Berlin")]
TEMPLATE = "This example is {}."


def ranges(strings):
    """[n,2] ranges and the bytes they point into."""
    data = [s.encode() for s in strings]
    at, pairs = 0, []
    for d in data:
        pairs.append((at, at + len(d)))
        at += len(d)
    return torch.tensor(pairs).reshape(-1, 2), torch.tensor(list(b"".join(data)), dtype=torch.uint8)


def to_bytes(text, start, end):
    return len(text[:start].encode()), len(text[:end].encode())


class Stream:
    """Rows as they come, with the logits that the model gives each."""

    def __init__(self):
        self.ids, self.part, self.span, self.ends = [], [], [], [0]
        self.text, self.pair, self.source, self.logits, self.picks = [], [], [], [], []
        self.label = None  # of each record

    def add(self, enc, text, pair, source):
        for i, special in zip(range(len(enc.ids)), enc.special_tokens_mask):
            seq = enc.sequence_ids[i]
            one = pair if seq == 1 else text
            self.part.append(255 if special else seq)
            self.span.append((0, 0) if special else to_bytes(one, *enc.offsets[i]))
        self.ids += enc.ids
        self.ends.append(len(self.ids))
        self.text.append(text)
        self.pair.append(pair)
        self.source.append(source)

    def save(self, name, **meta):
        rows = len(self.text)
        out = {"row.tokens": torch.tensor(self.ends), "row.source": torch.tensor(self.source),
               "token.id": torch.tensor(self.ids, dtype=torch.int32),
               "token.part": torch.tensor(self.part, dtype=torch.uint8),
               "token.span": torch.tensor(self.span, dtype=torch.int32).reshape(-1, 2)}
        out["row.text"], out["text.utf8"] = ranges(self.text)
        if any(p is not None for p in self.pair):
            out["row.pair"], out["pair.utf8"] = ranges(self.pair)
        if self.label:
            out["row.label"], out["label.utf8"] = ranges([self.label[i] for i in self.source])
        kind = {"mask": "pick", "lm": "pick", "token": "token",
                "span": "token"}.get(meta["task"], "row")
        out[kind + ".logit"] = torch.cat(self.logits).float().contiguous()
        if kind == "pick":
            out["pick.token"] = torch.tensor(self.picks)
        assert rows == len(out["row.tokens"]) - 1
        path = OUT / f"{name}.safetensors"
        save_file(out, path, metadata={k: v for k, v in meta.items() if v is not None})
        sort_metadata(path)


def run(model, enc):
    """The model's answer for one row alone."""
    inputs = {"input_ids": torch.tensor([enc.ids])}
    if model.config.model_type == "bert":
        inputs["token_type_ids"] = torch.tensor([enc.type_ids])
    with torch.inference_mode():
        return model(**inputs)


def plain(x):
    """NumPy's numbers as Python's."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list):
        return [plain(v) for v in x]
    return x.item() if hasattr(x, "item") else x


CASES = []


def answers(case, model, options, said, whole=True):
    words = [w.strip("-") for w in options.split() if "," not in w]
    name = ".".join([case, "-".join(words), "json"]).replace("..", ".")
    with open(OUT / name, "w", encoding="utf-8") as f:
        for value in said:
            f.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
    CASES.append((case, model, name, "whole" if whole else "logits", options))


def records(case, rows):
    with open(OUT / f"{case}.jsonl", "w", encoding="utf-8") as f:
        for row in rows:
            text, pair = row if isinstance(row, tuple) else (row, None)
            record = {"text": text} | ({"pair": pair} if pair is not None else {})
            f.write(json.dumps(record, ensure_ascii=False) + "\n")


def classes(model):
    return json.dumps([model.config.id2label[i] for i in range(model.config.num_labels)])


def encodings(tokenizer, *texts, **more):
    """One encoding, or several windows."""
    made = tokenizer(*texts, return_special_tokens_mask=True, return_offsets_mapping=True, **more)
    return made.encodings


def text_classification(name, *options):
    pipe = pipeline("text-classification", model=str(MODELS / name), dtype=torch.float32)
    s = Stream()
    for i, text in enumerate(MOODS):
        enc, = encodings(pipe.tokenizer, text)
        s.add(enc, text, None, i)
        s.logits.append(run(pipe.model, enc).logits)
    s.save(name, task="class", classes=classes(pipe.model),
           problem=pipe.model.config.problem_type)
    records(name, MOODS)
    answers(name, name, "", [pipe(t) for t in MOODS])
    answers(name, name, "-k 2", [pipe(t, top_k=2) for t in MOODS])


def save_masks(case, pipe, rows):
    s = Stream()
    for i, text in enumerate(rows):
        enc, = encodings(pipe.tokenizer, text)
        s.add(enc, text, None, i)
        at = [k for k, id in enumerate(enc.ids) if id == pipe.tokenizer.mask_token_id]
        s.picks += [s.ends[-2] + k for k in at]
        s.logits.append(run(pipe.model, enc).logits[0, at])
    s.save(case, task="mask")
    records(case, rows)


def fill_mask(name, targets):
    pipe = pipeline("fill-mask", model=str(MODELS / name), dtype=torch.float32)
    m = pipe.tokenizer.mask_token
    rows = [f"the cat sat on the {m}.", f"I {m} this flight", f"{m} lives in Berlin, {m}!",
            f"\u00e9t\u00e9: what {m}   is 'that' \u2014 n't {m} {m}?", f"do n't say {m} , please"]
    save_masks(name, pipe, rows)
    answers(name, name, "", [pipe(t) for t in rows])
    answers(name, name, "-k 2", [pipe(t, top_k=2) for t in rows])
    answers(name, name, f"--targets {targets}",
            [pipe(t, targets=targets.split(",")) for t in rows])
    if name == "bert-mask":
        rows = [rows[0], "no mask here", rows[2]]
        save_masks("bert-mask-none", pipe, rows)
        with open(OUT / "bert-mask-none.json", "w", encoding="utf-8") as f:
            for t in rows:
                f.write(json.dumps(plain(fill_or_none(pipe, t)), ensure_ascii=False) + "\n")


def fill_or_none(pipe, text):
    try:
        return pipe(text, top_k=1)
    except PipelineException:
        return None


def next_token(name):
    """No pipeline tells these: the model's softmax behind a row's last token."""
    model = AutoModelForCausalLM.from_pretrained(MODELS / name).eval()
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    s, said = Stream(), []
    for i, text in enumerate(MOODS):
        enc, = encodings(tokenizer, text)
        s.add(enc, text, None, i)
        s.picks.append(s.ends[-1] - 1)
        s.logits.append(run(model, enc).logits[0, -1:])
        best = s.logits[-1][0].softmax(0).topk(5)
        said.append([{"score": v, "token": p, "token_str": tokenizer.decode([p]),
                      "sequence": tokenizer.decode(enc.ids + [p], skip_special_tokens=True)}
                     for v, p in zip(best.values.tolist(), best.indices.tolist())])
    s.save(name, task="lm")
    records(name, MOODS)
    answers(name, name, "", said)


def next_sentence(name):
    model = BertForNextSentencePrediction.from_pretrained(MODELS / name).eval()
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    s, said = Stream(), []
    for i, (text, pair) in enumerate(PAIRS):
        enc, = encodings(tokenizer, text, pair)
        s.add(enc, text, pair, i)
        s.logits.append(run(model, enc).logits)
        p = s.logits[-1][0].softmax(0)
        said.append({"is_next": p[0], "not_next": p[1]})
    s.save(name, task="next", classes='["is_next","not_next"]')
    records(name, PAIRS)
    answers(name, name, "", said)


def spread(model, tokenizer, rows):
    """Labels of all kinds: each one's logits over these rows have mean 0 and the same width."""
    logits = torch.cat([run(model, e).logits[0] for t in rows for e in encodings(tokenizer, t)])
    model.classifier.weight.data *= 2 / logits.std(0)[:, None]
    model.classifier.bias.data = (model.classifier.bias - logits.mean(0)) * 2 / logits.std(0)


def token_classification(name, case, rows, stride=None, whole=False):
    how = ["simple"] if whole else ["simple", "first", "average", "max"]
    pipe = pipeline("token-classification", model=str(MODELS / name), dtype=torch.float32)
    if not whole:
        spread(pipe.model, pipe.tokenizer, NAMES)
    more = {} if stride is None else {"stride": stride}
    window = {} if stride is None else {"return_overflowing_tokens": True, "stride": stride}
    s = Stream()
    for i, text in enumerate(rows):
        for enc in encodings(pipe.tokenizer, text, truncation=True, **window):
            s.add(enc, text, None, i)
            s.logits.append(run(pipe.model, enc).logits[0])
    s.save(case, task="token", classes=classes(pipe.model))
    records(case, rows)
    if stride is None:
        answers(case, name, "", [pipe(t) for t in rows], whole)
    for h in how:
        answers(case, name, f"--aggregate {h}",
                [pipe(t, aggregation_strategy=h, **more) for t in rows], whole)


def question_answering(name):
    pipe = pipeline("question-answering", model=str(MODELS / name), dtype=torch.float32)
    length = min(pipe.tokenizer.model_max_length, 384)
    s = Stream()
    for i, (question, context) in enumerate(CONTEXTS):
        for enc in encodings(pipe.tokenizer, question, context, truncation="only_second",
                             max_length=length, stride=min(length // 2, 128),
                             return_overflowing_tokens=True):
            s.add(enc, question, context, i)
            said = run(pipe.model, enc)
            s.logits.append(torch.stack([said.start_logits[0], said.end_logits[0]], 1))
    assert len(s.text) > len(CONTEXTS)  # some have windows
    s.save(name, task="span", classes='["start","end"]')
    records(name, CONTEXTS)

    def ask(**more):
        return [pipe(question=q, context=c, **more) for q, c in CONTEXTS]
    answers(name, name, "", ask())
    answers(name, name, "-k 3", ask(top_k=3))
    answers(name, name, "--max-answer 3", ask(max_answer_len=3))
    answers(name, name, "--impossible -k 4", ask(top_k=4, handle_impossible_answer=True))
    if name == "bert-span":
        measure_answers(s, [a["answer"] for a in ask()])


def measure_answers(s, said):
    """Gold answers that are right, right but for what does not count, partly right, wrong."""
    s.label = [said[0], f"The  {said[1].upper()}!", said[2].split()[0] + " and more", "nowhere",
               said[4]]
    s.save("bert-span-eval", task="span", classes='["start","end"]')
    scores = [(compute_exact(g, a), compute_f1(g, a)) for g, a in zip(s.label, said)]
    with open(OUT / "bert-span-eval.json", "w", encoding="utf-8") as f:
        exact, f1 = (sum(x) / len(scores) for x in zip(*scores))
        f.write(json.dumps({"rows": len(scores), "exact": exact, "f1": f1}) + "\n")


def zero_shot(name):
    pipe = pipeline("zero-shot-classification", model=str(MODELS / name), dtype=torch.float32)
    case = name + "-candidates"
    s = Stream()
    for i, text in enumerate(MOODS):
        for candidate in CANDIDATES:
            pair = TEMPLATE.format(candidate)
            enc, = encodings(pipe.tokenizer, text, pair, truncation="only_first")
            s.add(enc, text, pair, i)
            s.logits.append(run(pipe.model, enc).logits)
    s.save(case, task="class", classes=classes(pipe.model), candidates=json.dumps(CANDIDATES))
    records(case, MOODS)
    answers(case, name, "", [pipe(t, CANDIDATES) for t in MOODS])
    answers(case, name, "--multi", [pipe(t, CANDIDATES, multi_label=True) for t in MOODS])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    for name in ("bert-class", "bert-multi", "bert-regression", "distilbert-class",
                 "roberta-class"):
        text_classification(name)
    fill_mask("bert-mask", "cat,mat,greatly,the,\u00e9t\u00e9")
    fill_mask("distilbert-mask", "cat,good")
    fill_mask("roberta-mask", "\u0120cat, mat,company,zz")
    next_token("gpt2-lm")
    next_sentence("bert-next")
    for name in ("bert-token", "distilbert-token", "roberta-token", "xlm-roberta-token"):
        token_classification(name, name, NAMES[:3], whole=True)
        token_classification(name, name + "-spread", [t for t in NAMES if t])
    for name in ("bert-token", "roberta-token"):
        token_classification(name, name + "-windows", LONG_NAMES, stride=16)
    for name in ("bert-span", "distilbert-span", "roberta-span"):
        question_answering(name)
    zero_shot("bert-nli")
    zero_shot("bart-mnli")
    with open(OUT / "cases.tsv", "w", encoding="utf-8") as f:
        for case in CASES:
            f.write("\t".join(case) + "\n")


if __name__ == "__main__":
    main()
