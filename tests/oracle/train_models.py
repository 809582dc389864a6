"""Fifty full-batch steps of PyTorch on small models of every architecture and objective ->
tests/golden/train/.

    cases.tsv            a case a line: its name, the model (a folder under tests/golden), then, as
                         words, what `tok` and what `train` are told
    teacher.jsonl        what a teacher says of the rows, as `score -k 0 --json` would
    adapters.tsv         the tensors that peft saves of a case with adapters: the case, name, shape
    rows.jsonl words.conll masks-MODEL.conll
                         what they read: texts with labels, words with tags, words under masks
    models/NAME          models for objectives that no model of heads.py is for
    steps/NAME.safetensors
        loss, norm [50]  each step's loss, and its gradient's norm before clipping
        logits           after the last step, without padding, as `head` has them
        starts           of rows of answers, whose logits are compared but for their mean: what is
                         added to all places alike changes no loss
        w.TENSOR         of a trained tensor each STRIDE-th number, NaN where it hangs on noise:
                         where its gradient is zero in mathematics (what is added to all keys
                         alike) or begins as good as that: an Adam goes all the same

Float32, without dropout, rows padded to the longest; those of answers alone, as transformers counts
padding among the places where an answer may begin. Each case runs in double precision too, and what
the two differ by is printed: bounds are to be well above that.

    train_models.py NAME...       these cases only
    train_models.py --saved DIR   DIR/NAME is what `train` saved of the case: transformers loads it?
                                  Of --lora-only: peft does, over the model that it adapts?
"""
import json
import random
import shutil
import sys
from pathlib import Path

import torch
import transformers as T

import heads
from models import MODELS, labels
from train_lora import adapt, tensors
from train_steps import OUT, check_saved, open_model, open_tokenizer, run

GOLDEN = MODELS.parent
MOODS, TAGS = heads.MOODS, heads.TAGS[:5]
T.logging.set_verbosity_error()

# ---- rows ----


def make_rows():
    """Texts whose labels their words tell somewhat, so that there is something to learn."""
    r = random.Random(12)
    words = [w for w in heads.COMMON[:70] if len(w) > 1]
    mood = [["hate", "bad"], ["flight", "cat", "mat"], ["love", "good", "great"]]
    rows = []
    for i in range(16):
        kind = i % 3
        text = r.sample(words, r.randint(2, 13))
        text.insert(r.randint(0, len(text)), r.choice(mood[kind]))
        context = r.sample(words, r.randint(6, 11))
        at = r.randint(0, len(context) - 3)
        rows.append({
            "text": " ".join(text), "mood": MOODS[kind], "yesno": ("no", "yes")[kind == 2],
            "sentiment": ("NEGATIVE", "POSITIVE")[kind == 2], "nli": heads.NLI[kind],
            "number": round(kind - 0.8 + r.random(), 3), "weight": round(0.25 + r.random() * 2, 2),
            "several": "|".join(n for n in ("toxic", "rude", "spam") if r.random() < 0.5),
            "question": " ".join(r.sample(words, 3)), "context": " ".join(context),
            "answer": " ".join(context[at:at + r.randint(1, 3)])})
    for row in rows[:2]:
        row["several"] = row["several"] or "rude"
    rows[5]["answer"] = ""
    for i, row in enumerate(rows):
        row["long"] = row["text"] if i % 4 else " ".join([row["text"]] + r.sample(words, 44))
        row["gaps"] = row["text"] if i % 3 else row["text"].replace(" ", " [PAD] <pad> ", 1)
    return rows


def make_sentences():
    """Names with tags among words without."""
    r = random.Random(13)
    names = [(["Anna"], "PER"), (["Bob", "Smith"], "PER"), (["Berlin"], "LOC"),
             (["London", "city"], "LOC"), (["Paris"], "LOC")]
    found = []
    for _ in range(12):
        sentence = [(w, "O") for w in r.sample(heads.COMMON[:60], r.randint(2, 8))]
        name, kind = r.choice(names)
        at = r.randint(0, len(sentence))
        sentence[at:at] = [(w, ("I-" if k else "B-") + kind) for k, w in enumerate(name)]
        found.append(sentence)
    return found


def make_teacher(rows):
    """Scores of each row's moods, in another order than the models have them and in each line in
    another."""
    r = random.Random(15)
    found = []
    for i in range(rows):
        score = [r.random() ** 2 + 0.01 for _ in MOODS]
        line = [{"label": n, "score": round(s / sum(score), 9)} for n, s in zip(MOODS, score)]
        k = (i + 1) % len(line)
        found.append(json.dumps(line[k:] + line[:k]))
    return "\n".join(found) + "\n"


def conll(sentences):
    return "".join("".join(f"{w}\t{t}\n" for w, t in s) + "\n" for s in sentences)


def make_masked(tokenizer):
    """Words under masks, whose tags are the tokens that stood there."""
    r = random.Random(14)
    found = []
    for _ in range(10):
        sentence = [(w, "") for w in r.sample(heads.COMMON[:70], r.randint(3, 9))]
        one = [k for k, (w, _) in enumerate(sentence) if len(word_ids(tokenizer, [w])[0]) == 1]
        for k in r.sample(one, min(len(one), 2)):
            token = tokenizer.convert_ids_to_tokens(word_ids(tokenizer, [sentence[k][0]])[0][0])
            sentence[k] = (tokenizer.mask_token, token)
        found.append(sentence)
    return found


def word_ids(tokenizer, words):
    e = tokenizer._tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
    return e.ids, e.word_ids


# ---- models that are not there ----

def wide_bert(_size):
    """More words than a panel of their matrix has."""
    return T.BertConfig(vocab_size=1100, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                        intermediate_size=12, max_position_embeddings=heads.LENGTH)


def small_t5(size, **more):
    return T.T5Config(vocab_size=size, d_model=heads.HIDDEN, d_kv=10, d_ff=heads.INNER,
                      num_layers=2, num_heads=3, relative_attention_num_buckets=8,
                      relative_attention_max_distance=20, **more)


def gated_t5(size, **more):
    kind = small_t5(size, feed_forward_proj="gated-gelu").to_dict()
    return T.MT5Config(**{k: v for k, v in kind.items() if k != "model_type"} | more)


def t5_unigram(_folder):
    t = heads.pieces(["<pad>", "</s>", "<unk>"], 2)
    t.post_processor = heads.processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return T.T5TokenizerFast(tokenizer_object=t, model_max_length=heads.LENGTH, extra_ids=0)


NUMBER = {"problem_type": "regression", "num_labels": 1}
SEVERAL = {"problem_type": "multi_label_classification", **labels("toxic", "rude", "spam")}
PAD = {"pad_token_id": 0}
MADE = {
    "albert-token": (T.AlbertForTokenClassification, heads.albert, labels(*TAGS),
                     heads.albert_unigram),
    "albert-span": (T.AlbertForQuestionAnswering, heads.albert, {}, heads.albert_unigram),
    "bart-class": (T.BartForSequenceClassification, heads.bart, labels(*MOODS), heads.bart_bpe),
    "bart-span": (T.BartForQuestionAnswering, heads.bart, {}, heads.bart_bpe),
    "bert-wide": (T.BertForMaskedLM, wide_bert, {}, heads.wordpiece),
    "distilbert-several": (T.DistilBertForSequenceClassification, heads.distilbert, SEVERAL,
                           heads.distil),
    "electra-number": (T.ElectraForSequenceClassification, heads.electra, NUMBER,
                       heads.electra_wordpiece),
    "electra-span": (T.ElectraForQuestionAnswering, heads.electra, {}, heads.electra_wordpiece),
    "electra-token": (T.ElectraForTokenClassification, heads.electra, labels(*TAGS),
                      heads.electra_wordpiece),
    "gpt2-number": (T.GPT2ForSequenceClassification, heads.gpt2, PAD | NUMBER, heads.gpt2_bpe),
    "gpt2-span": (T.GPT2ForQuestionAnswering, heads.gpt2, PAD, heads.gpt2_bpe),
    "gpt2-token": (T.GPT2ForTokenClassification, heads.gpt2, PAD | labels(*TAGS), heads.gpt2_bpe),
    "mt5-token": (T.MT5ForTokenClassification, gated_t5, labels(*TAGS), t5_unigram),
    "t5-token": (T.T5ForTokenClassification, small_t5, labels(*TAGS), t5_unigram),
    "roberta-number": (T.RobertaForSequenceClassification, heads.roberta, NUMBER,
                       heads.roberta_bpe),
    "xlm-roberta-class": (T.XLMRobertaForSequenceClassification, heads.xlm_roberta, labels(*MOODS),
                          heads.xlm_unigram),
    "xlm-roberta-mask": (T.XLMRobertaForMaskedLM, heads.xlm_roberta, {}, heads.xlm_unigram),
    "xlm-roberta-span": (T.XLMRobertaForQuestionAnswering, heads.xlm_roberta, {},
                         heads.xlm_unigram),
}


def make_model(name, seed):
    kind, config, options, tokens = MADE[name]
    folder = OUT / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer = tokens(folder)
    tokenizer.save_pretrained(folder)
    for twice in ("added_tokens.json", "merges.txt", "special_tokens_map.json", "vocab.json"):
        (folder / twice).unlink(missing_ok=True)  # tokenizer.json has it all
    model = heads.widen(kind(config(len(tokenizer), **options)), seed)
    if "t5" in name:  # products that no root of the heads' size makes small
        for key, p in model.named_parameters():
            if key.endswith(".q.weight"):
                p.data *= 0.4
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


# ---- cases ----

heads.HIDDEN, heads.INNER = 16, 28  # of the models made here, which are kept small
COLUMNS = {"multi": "several", "regression": "number"}


def cases():
    """name, model, objective, options: of `train`, by their long names; `column`: the label's;
    `text`: the text's; `weights`: of rows."""
    adamw = {"lr": 3e-4, "weight-decay": 0.01}
    sgd = {"optim": "sgd", "momentum": 0.9, "lr": 0.003, "schedule": "constant", "clip": 0}
    yield "bert-class", "bert-class", "class", adamw | {"warmup": 5}
    yield "bert-class-bare", "bert-class", "class", adamw | {
        "schedule": "constant", "clip": 0, "decay-all": True, "lr": 2e-4}
    yield "bert-class-sgd", "bert-class", "class", sgd
    yield "bert-class-sgd-plain", "bert-class", "class", {
        "optim": "sgd", "lr": 0.02, "weight-decay": 0.1, "schedule": "cosine"}
    yield "bert-class-adam", "bert-class", "class", {
        "optim": "adam", "lr": 1e-3, "schedule": "cosine", "weight-decay": 0.02, "warmup": 0.1}
    yield "bert-class-weights", "bert-class", "class", adamw | {
        "weights": True, "class-weight": "0.5,2,1.25", "schedule": "polynomial", "warmup": 7}
    yield "bert-class-balanced", "bert-nli", "class", adamw | {
        "class-weight": "balanced", "label-smoothing": 0.1, "column": "nli",
        "labels": "contradiction=CONTRA,neutral=NEUTRAL,entailment=ENTAILMENT"}
    yield "bert-class-smooth", "bert-class", "class", adamw | {
        "label-smoothing": 0.2, "weights": True, "batch": 4, "accumulate": 4}
    yield "bert-class-frozen", "bert-class", "class", adamw | {"freeze": "encoder", "lr": 0.02}
    yield "bert-class-embeddings", "bert-class", "class", adamw | {"freeze": "embeddings"}
    yield "bert-class-first", "bert-class", "class", adamw | {"freeze": 1}
    yield "bert-class-layers", "bert-class", "class", adamw | {"lr-decay": 0.7}
    yield "bert-class-long", "bert-class", "class", adamw | {"text": "long"}
    yield "bert-class-gaps", "bert-class", "class", sgd | {"text": "gaps"}
    yield "bert-multi", "bert-multi", "multi", adamw | {"weights": True}
    yield "bert-regression", "bert-regression", "regression", adamw | {"lr": 1e-4}
    yield "bert-token", "bert-token", "token", adamw | {"labels": ",".join(heads.TAGS)}
    yield "bert-span", "bert-span", "span", adamw | {"batch": 3, "accumulate": 6}
    yield "bert-mlm", "bert-mask", "mlm", adamw
    yield "bert-mlm-tied", "bert-pretraining", "mlm", adamw | {
        "label-smoothing": 0.1, "batch": 4, "accumulate": 4}
    yield "bert-mlm-wide", "bert-wide", "mlm", adamw | {"label-smoothing": 0.1}
    yield "bert-clm", "bert-lm", "clm", adamw
    yield "roberta-class", "roberta-class", "class", adamw
    yield "roberta-class-frozen", "roberta-class", "class", adamw | {
        "freeze": "encoder", "lr": 0.01}
    yield "roberta-class-first", "roberta-class", "class", adamw | {"freeze": 1, "lr-decay": 0.8}
    yield "roberta-class-gaps", "roberta-class", "class", sgd | {"text": "gaps"}
    yield "roberta-regression", "roberta-number", "regression", adamw | {"weights": True}
    yield "roberta-token", "roberta-token", "token", adamw | {
        "class-weight": "0.4,2,2,2,2", "label-smoothing": 0.1}
    yield "roberta-span", "roberta-span", "span", adamw
    yield "roberta-mlm", "roberta-mask", "mlm", adamw
    yield "distilbert-class", "distilbert-class", "class", adamw | {"column": "sentiment"}
    yield "distilbert-class-frozen", "distilbert-class", "class", adamw | {
        "column": "sentiment", "freeze": "encoder", "lr": 0.01}
    yield "distilbert-class-first", "distilbert-class", "class", sgd | {
        "column": "sentiment", "freeze": 1, "lr-decay": 0.8}
    yield "distilbert-multi", "distilbert-several", "multi", adamw
    yield "distilbert-token", "distilbert-token", "token", adamw
    yield "distilbert-span", "distilbert-span", "span", adamw
    yield "distilbert-mlm", "distilbert-mask", "mlm", adamw
    yield "albert-class", "albert-class", "class", adamw | {"column": "yesno"}
    yield "albert-class-embeddings", "albert-class", "class", adamw | {
        "column": "yesno", "freeze": "embeddings"}
    yield "albert-token", "albert-token", "token", adamw
    yield "albert-span", "albert-span", "span", adamw
    yield "albert-mlm", "albert-mask", "mlm", adamw
    yield "electra-class", "electra-class", "class", adamw | {"column": "yesno"}
    yield "electra-class-frozen", "electra-class", "class", adamw | {
        "column": "yesno", "freeze": "encoder", "lr": 0.01}
    yield "electra-regression", "electra-number", "regression", adamw
    yield "electra-token", "electra-token", "token", adamw | {"batch": 5, "accumulate": 3}
    yield "electra-span", "electra-span", "span", adamw
    yield "electra-mlm", "electra-mask", "mlm", adamw
    yield "xlm-roberta-class", "xlm-roberta-class", "class", adamw
    yield "xlm-roberta-token", "xlm-roberta-token", "token", adamw | {
        "labels": ",".join(heads.TAGS)}
    yield "xlm-roberta-span", "xlm-roberta-span", "span", adamw
    yield "xlm-roberta-mlm", "xlm-roberta-mask", "mlm", adamw
    yield "gpt2-class", "gpt2-class", "class", adamw
    yield "gpt2-class-first", "gpt2-class", "class", adamw | {"freeze": 1, "lr-decay": 0.8}
    yield "gpt2-class-sgd", "gpt2-class", "class", sgd
    yield "gpt2-regression", "gpt2-number", "regression", adamw | {"lr": 1e-4}
    yield "gpt2-token", "gpt2-token", "token", adamw
    yield "gpt2-span", "gpt2-span", "span", adamw
    yield "gpt2-clm", "gpt2-lm", "clm", adamw | {"batch": 3, "accumulate": 6, "weights": True}
    yield "bart-class", "bart-class", "class", adamw
    yield "bart-class-half", "bart-mnli", "class", adamw | {"column": "nli"}
    yield "bart-class-embeddings", "bart-class", "class", sgd | {"freeze": "embeddings"}
    yield "bart-class-layers", "bart-class", "class", adamw | {"freeze": 1, "lr-decay": 0.8}
    yield "bart-span", "bart-span", "span", adamw
    yield "mpnet-class", "mpnet-class", "class", adamw
    yield "opt-clm", "opt-lm", "clm", adamw
    yield "llama-clm", "llama-lm", "clm", adamw
    yield "modernbert-mlm", "modernbert-mask", "mlm", adamw
    yield "modernbert-class", "modernbert-class", "class", adamw
    yield "modernbert-mean", "modernbert-mean", "class", adamw
    yield "t5-token", "t5-token", "token", adamw
    yield "t5-token-all", "t5-token", "token", adamw | {"decay-all": True, "weight-decay": 0.1}
    yield "t5-token-first", "t5-token", "token", sgd | {"freeze": 1}
    yield "mt5-token", "mt5-token", "token", adamw | {"weight-decay": 0.1}
    yield "bert-class-teacher", "bert-class", "class", adamw | {"teacher": "teacher.jsonl"}
    yield "gpt2-class-teacher", "gpt2-class", "class", adamw | {
        "teacher": "teacher.jsonl", "label-smoothing": 0.1, "weights": True, "batch": 5,
        "accumulate": 4}
    lora = adamw | {"lr": 3e-3}
    yield "bert-class-lora", "bert-class", "class", lora | {"lora": "4"}
    yield "bert-class-lora-all", "bert-class", "class", lora | {"lora": "3:12", "lora-all": True}
    yield "bert-token-lora", "bert-token", "token", lora | {
        "lora": "2:1.5", "batch": 4, "accumulate": 4, "labels": ",".join(heads.TAGS)}
    yield "roberta-class-lora", "roberta-class", "class", lora | {"lora": "8:16"}
    yield "distilbert-class-lora", "distilbert-class", "class", lora | {
        "lora": "4:16", "column": "sentiment"}
    yield "albert-class-lora", "albert-class", "class", lora | {"lora": "4", "column": "yesno"}
    yield "gpt2-class-lora", "gpt2-class", "class", lora | {"lora": "4:8"}
    yield "gpt2-class-lora-all", "gpt2-class", "class", lora | {"lora": "4:8", "lora-all": True}
    yield "gpt2-clm-lora", "gpt2-lm", "clm", lora | {"lora": "4:8"}
    yield "bart-class-lora", "bart-class", "class", lora | {"lora": "4:8"}
    yield "bart-class-lora-all", "bart-class", "class", lora | {"lora": "4:4", "lora-all": True}
    yield "t5-token-lora", "t5-token", "token", lora | {"lora": "4:8"}
    yield "mt5-token-lora-all", "mt5-token", "token", lora | {"lora": "4:8", "lora-all": True}


def folder_of(model):
    return OUT / "models" / model if model in MADE else MODELS / model


def words_of(objective, model, o):
    """What `tok` and `train` are told, as words."""
    tok = {"token": ["--conll"], "mlm": ["--conll"], "clm": ["-J", "text"],
           "span": ["-J", "question", "-p", "context", "-l", "answer"]}.get(objective)
    label = COLUMNS.get(objective, o.get("column", "mood"))
    tok = tok or ["-J", o.get("text", "text")] + ([] if "teacher" in o else ["-l", label])
    if o.get("weights"):
        tok += ["-w", "weight"]
    if o.get("labels"):
        tok += ["--labels", o["labels"]]
    tok.append({"token": "words.conll", "mlm": f"masks-{model}.conll"}.get(objective, "rows.jsonl"))
    how = ["--objective", objective]
    for key, value in o.items():
        if key not in ("weights", "column", "labels", "text"):
            how += [f"--{key}"] if value is True else [f"--{key}", str(value)]
    if "batch" not in o:
        how += ["--batch", "16"]
    return tok, how


def main():
    wanted = sys.argv[1:]  # cases; none: all
    if wanted[:1] == ["--saved"]:  # a folder of folders that `train` has made, named as cases
        for name, model, objective, o in cases():
            folder = Path(wanted[1]) / name
            if folder.exists():
                check_saved(name, folder, folder_of(model), objective, o)
        return
    (OUT / "steps").mkdir(parents=True, exist_ok=True)
    (OUT / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in make_rows()))
    (OUT / "teacher.jsonl").write_text(make_teacher(len(make_rows())))
    (OUT / "words.conll").write_text(conll(make_sentences()))
    torch.manual_seed(0)
    for seed, name in enumerate(MADE, 300):
        if not wanted or not (OUT / "models" / name).exists():
            make_model(name, seed)
    with open(OUT / "cases.tsv", "w", encoding="utf-8") as f:
        for name, model, objective, o in cases():
            tok, how = words_of(objective, model, o)
            folder = str(folder_of(model).relative_to(GOLDEN))
            f.write("\t".join((name, folder, " ".join(tok), " ".join(how))) + "\n")
    with open(OUT / "adapters.tsv", "w", encoding="utf-8") as f:
        for name, model, objective, o in cases():
            if "lora" in o:
                adapted = adapt(open_model(folder_of(model), objective)[0], objective, o)
                for tensor, shape in tensors(adapted):
                    f.write(f"{name}\t{tensor}\t{','.join(map(str, shape))}\n")
    for name, model, objective, o in cases():
        folder = folder_of(model)
        if objective == "mlm":
            tokenizer = open_tokenizer(folder, objective)
            (OUT / f"masks-{model}.conll").write_text(conll(make_masked(tokenizer)))
        if not wanted or name in wanted:
            run(name, folder, objective, o)


if __name__ == "__main__":
    main()
