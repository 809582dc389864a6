"""What train_models.py does to a model: rows to batches, losses, optimizers, fifty steps."""
import copy
import json
import re
import sys
from pathlib import Path

import torch
import transformers as T
from peft import PeftModel
from safetensors.torch import load_file, save_file

from models import MODELS
from train_lora import adapt, merged

OUT = MODELS.parent / "train"
STEPS, STRIDE = 50, 37
KINDS = {"class": "SequenceClassification", "multi": "SequenceClassification",
         "regression": "SequenceClassification", "token": "TokenClassification",
         "span": "QuestionAnswering", "mlm": "MaskedLM"}
LM = {"gpt2": "GPT2LMHeadModel", "bert": "BertLMHeadModel", "llama": "LlamaForCausalLM", "opt": "OPTForCausalLM"}
torch.set_num_threads(1)  # small products: others would wait for each other

# ---- a case's rows as ids and targets ----

class Batch:
    """ids, types: a list a row; target: a number or a list a row."""

    def __init__(self, model, tokenizer, objective, o):
        self.ids, self.types, self.target, self.weight = [], [], [], []
        said = o.get("teacher") and (OUT / o["teacher"]).read_text().splitlines()
        self.shares = [{x["label"]: x["score"] for x in json.loads(line)} for line in said or []]
        self.objective = objective
        rows = [json.loads(r) for r in (OUT / "rows.jsonl").read_text().splitlines()]
        if objective in ("token", "mlm"):
            self.read_words(model, tokenizer, objective)
            self.weight = [1.0] * len(self.ids)
            return
        for row in rows:
            i = len(self.ids)
            columns = ("question", "context") if objective == "span" else (o.get("text", "text"),)
            e = tokenizer._tokenizer.encode(*(row[c] for c in columns))
            self.add(e)
            if self.shares:
                label = model.config.id2label
                self.target.append([self.shares[i][label[c]] for c in range(len(label))])
            else:
                self.target.append(self.target_of(model, row, e, objective, o))
            self.weight.append(row["weight"] if o.get("weights") else 1.0)

    def add(self, e):
        self.ids.append(e.ids)
        self.types.append(e.type_ids)

    def target_of(self, model, row, e, objective, o):
        if objective == "class":
            value = row[o.get("column", "mood")]
            for pair in o.get("labels", "").split(","):
                if pair.startswith(value + "="):
                    value = pair.split("=")[1]
            return model.config.label2id[value]
        if objective == "multi":
            return [float(n in row["several"].split("|"))
                    for _, n in sorted(model.config.id2label.items())]
        if objective == "regression":
            return [row["number"]]
        if objective == "span":
            return answer_of(row, e)
        return e.ids

    def read_words(self, model, tokenizer, objective):
        name = "words" if objective == "token" else f"masks-{Path(model.name_or_path).name}"
        for sentence in (OUT / f"{name}.conll").read_text().split("\n\n")[:-1]:
            pairs = [line.split("\t") for line in sentence.split("\n")]
            e = tokenizer._tokenizer.encode([w for w, _ in pairs], is_pretokenized=True)
            self.add(e)
            before = [None] + e.word_ids[:-1]
            tags = [pairs[w][1] if w is not None and w != b else ""
                    for w, b in zip(e.word_ids, before)]
            number = (model.config.label2id.get if objective == "token"
                      else tokenizer.convert_tokens_to_ids)
            self.target.append([number(t) if t else -100 for t in tags])

    def picks(self):
        """Of each row the tokens whose logits `head` gives."""
        if self.objective == "mlm":
            return [[k for k, t in enumerate(row) if t >= 0] for row in self.target]
        if self.objective == "clm":
            return [[len(row) - 1] for row in self.ids]
        return [list(range(len(row))) for row in self.ids]


def answer_of(row, e):
    """The tokens of the answer's first place, by run_qa.py."""
    if not row["answer"]:
        return [0, 0]
    start = row["context"].index(row["answer"])
    end = start + len(row["answer"])
    of = [k for k, s in enumerate(e.sequence_ids) if s == 1]
    first, last = of[0], of[-1]
    assert e.offsets[first][0] <= start and e.offsets[last][1] >= end
    while first < len(e.ids) and e.offsets[first][0] <= start:
        first += 1
    while e.offsets[last][1] >= end:
        last -= 1
    return [first - 1, last + 1]


# ---- losses ----

def ask(model, batch, rows):
    """Logits of these rows, padded to the longest."""
    wide = max(len(batch.ids[i]) for i in rows)
    pad = model.config.pad_token_id or 0
    fill = [wide - len(batch.ids[i]) for i in rows]
    inputs = {"input_ids": torch.tensor([batch.ids[i] + [pad] * n for i, n in zip(rows, fill)]),
              "attention_mask": torch.tensor([[1] * (wide - n) + [0] * n for n in fill])}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.tensor(
            [batch.types[i] + [0] * n for i, n in zip(rows, fill)])
    said = model(**inputs)
    if batch.objective == "span":
        return torch.stack([said.start_logits, said.end_logits], 2)
    return said.logits


def entropy(logits, target, o, weight):
    return torch.nn.functional.cross_entropy(
        logits, target, weight=weight, label_smoothing=o.get("label-smoothing", 0.0),
        reduction="none")


def class_weight(batch, classes, o, dtype):
    said = o.get("class-weight")
    flat = [t for row in batch.target for t in (row if isinstance(row, list) else [row])]
    if said == "balanced":
        n = [flat.count(c) for c in range(classes)]
        return torch.tensor([sum(n) / (classes * k) for k in n], dtype=dtype)
    return torch.tensor([float(x) for x in said.split(",")], dtype=dtype) if said else None


def loss_of(model, batch, o):
    """The mean by weights over rows, or over tokens that have a target."""
    dtype = model.dtype
    weight = torch.tensor(batch.weight, dtype=dtype)
    every = range(len(batch.ids))
    if batch.objective == "span":
        sum_ = 0
        for i in every:
            logits = ask(model, batch, [i])[0]
            start, end = (entropy(logits[None, :, k], torch.tensor([batch.target[i][k]]), {}, None)
                          for k in (0, 1))
            sum_ = sum_ + weight[i] * (start + end)[0] / 2
        return sum_ / weight.sum()
    logits = ask(model, batch, list(every))
    if batch.objective in ("multi", "regression"):
        target = torch.tensor(batch.target, dtype=dtype)
        each = (torch.nn.functional.binary_cross_entropy_with_logits if batch.objective == "multi"
                else torch.nn.functional.mse_loss)(logits, target, reduction="none").mean(1)
        return (each * weight).sum() / weight.sum()
    if batch.shares:
        each = entropy(logits, torch.tensor(batch.target, dtype=dtype), o, None)
        return (each * weight).sum() / weight.sum()
    classes = class_weight(batch, logits.shape[-1], o, dtype)
    if batch.objective == "class":
        target = torch.tensor(batch.target)
        own = weight * (classes[target] if classes is not None else 1)
        return (entropy(logits, target, o, classes) * weight).sum() / own.sum()
    wide = logits.shape[1]
    target = torch.tensor([t + [-100] * (wide - len(t)) for t in batch.target])
    if batch.objective == "clm":
        logits, target = logits[:, :-1], target[:, 1:]
    known = target >= 0
    weight = weight[:, None].expand(target.shape)[known]
    own = weight * (classes[target[known]] if classes is not None else 1)
    return (entropy(logits[known], target[known], o, classes) * weight).sum() / own.sum()


# ---- training ----

def layer_of(name):
    """The number of a parameter's layer, the decoder's behind the encoder's; None: it has none."""
    found = re.search(r"(?:layer|layers|h|block)\.(\d+)\.", name)
    return int(found[1]) if found and "albert" not in name else None


def part_of(model, name):
    inside = name.startswith(model.base_model_prefix + ".")
    if not inside or "pooler" in name:
        return "pooler" if inside else "head"
    if layer_of(name) is not None or "final_layer_norm" in name or ".ln_f." in name:
        return "layers"
    within = ".encoder." in name and model.config.model_type != "bart"
    return "layers" if within else "embeddings"


def depth_of(model, name):
    """Layers counted through both halves: BART's decoder goes on where its encoder ends."""
    n = layer_of(name)
    two = n is not None and ".decoder." in name and model.config.model_type == "bart"
    return n + model.config.encoder_layers if two else n


def layers_of(model):
    c = model.config
    if c.model_type == "bart":
        return c.encoder_layers + c.decoder_layers
    return getattr(c, "num_hidden_layers", None) or c.num_layers


def is_frozen(model, name, freeze):
    part = part_of(model, name)
    if freeze == "encoder":
        return part != "head"
    if freeze == "embeddings":
        return part == "embeddings"
    n = depth_of(model, name)
    return freeze is not None and (part == "embeddings" or (n is not None and n < freeze))


def scale_of(model, name, decay):
    part, n = part_of(model, name), depth_of(model, name)
    if part in ("head", "pooler"):
        return 1.0
    if n is None:
        return decay ** (1 if part == "layers" else layers_of(model) + 1)
    return decay ** (layers_of(model) - n)


def make_optimizer(model, o):
    decays = T.Trainer.get_decay_parameter_names(None, model)
    exempt = {n for n, _ in model.named_parameters() if n not in decays and not o.get("decay-all")}
    lr, decay = o["lr"], o.get("weight-decay", 0.0)
    groups = [{"params": [p], "weight_decay": 0.0 if n in exempt else decay,
               "lr": lr * scale_of(model, n, o.get("lr-decay", 1.0))}
              for n, p in model.named_parameters() if p.requires_grad]
    kind = o.get("optim", "adamw")
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=o.get("momentum", 0.0))
    return {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[kind](groups, lr=lr)


def train(model, batch, o):
    for name, p in model.named_parameters():
        if "lora" not in o:
            p.requires_grad_(not is_frozen(model, name, o.get("freeze")))
    optimizer = make_optimizer(model, o)
    warmup = o.get("warmup", 0)
    warmup = -int(-warmup * STEPS // 1) if warmup < 1 else warmup
    schedule = T.get_scheduler({"constant": "constant_with_warmup"}.get(
        o.get("schedule"), o.get("schedule", "linear")), optimizer, warmup, STEPS)
    trained = [p for p in model.parameters() if p.requires_grad]
    said = {"loss": [], "norm": []}
    clip, steep = o.get("clip", 1.0), {}
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model, batch, o)
        loss.backward()
        for name, p in model.named_parameters():
            if p.grad is not None:
                steep.setdefault(name, p.grad.detach().abs().clone())
        norm = torch.nn.utils.clip_grad_norm_(trained, clip or float("inf"))
        said["loss"].append(loss.item())
        said["norm"].append(norm.item())
        optimizer.step()
        schedule.step()
    if "lora" in o:
        model, changed = merged(model)
        steep = {n: torch.ones(()) for n in changed}
    with torch.no_grad():
        said["logits"] = final_logits(model, batch)
    return {k: torch.as_tensor(v, dtype=torch.float64) for k, v in said.items()}, steep, model


def final_logits(model, batch):
    found = []
    for i, pick in enumerate(batch.picks()):
        logits = ask(model, batch, [i])[0]
        found.append(logits[None] if batch.objective in ("class", "multi", "regression")
                     else logits[pick])
    return torch.cat(found)


def sample(model, steep):
    """Of each trained tensor some numbers; NaN where the gradient begins as rounding alone."""
    out = {}
    for name, p in model.named_parameters():
        if name in steep:
            x = p.detach().double().clone()
            noise = (steep[name] > 0) & (steep[name] < 1e-7)
            x[noise.expand(x.shape)] = float("nan")
            out["w." + name] = x.flatten()[::STRIDE]
    return out


def centred(logits, starts):
    return torch.cat([logits[a:b] - logits[a:b].mean(0) for a, b in zip(starts, starts[1:])])


def largest(a, b, relative=False):
    d = (a - b).abs() / (b.abs() if relative else 1)
    d = d[~d.isnan()]
    return d.max().item() if d.numel() else 0.0


def kind_of(config, objective):
    """The class that has this head."""
    said = config["architectures"][0]
    if objective == "clm":
        return LM[config["model_type"]]
    return re.match("(XLMRoberta|DistilBert|ModernBert|MPNet|OPT|GPT2|M?T5|[A-Z][a-z]+)", said)[1] + "For" + KINDS[objective]


def open_model(folder, objective):
    config = json.loads((folder / "config.json").read_text())
    return getattr(T, kind_of(config, objective)).from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)


def check_saved(name, folder, start, objective, o):
    """Does transformers load a folder that `train` has saved, as the class that its config.json
    names, and get the logits of its own training?"""
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == [kind_of(config, objective)], config["architectures"]
    if (folder / "adapter_config.json").exists():
        model = PeftModel.from_pretrained(open_model(start, objective)[0], folder)
    else:
        model, told = open_model(folder, objective)
        assert not told["missing_keys"] and not told["unexpected_keys"], told
    model.eval()
    model.name_or_path = str(start)  # by which its rows are called
    batch = Batch(model, T.AutoTokenizer.from_pretrained(folder), objective, o)
    want = load_file(OUT / "steps" / f"{name}.safetensors")
    with torch.no_grad():
        logits = final_logits(model, batch)
    if objective == "span":
        logits = centred(logits, want["starts"])
    print(f"{name:26} logits {largest(logits, want['logits']):.1e}")


def open_tokenizer(folder, objective):
    """Words come one by one, and with the space that they have within texts (run_ner.py)."""
    words = {"add_prefix_space": True} if objective in ("token", "mlm") else {}
    kind = type(T.AutoTokenizer.from_pretrained(folder)).__name__
    return T.AutoTokenizer.from_pretrained(folder, **(
        words if kind in ("RobertaTokenizerFast", "GPT2TokenizerFast") else {}))


def run(name, folder, objective, o):
    """Trains a case in both precisions, and writes what it says."""
    model = open_model(folder, objective)[0].eval()
    tokenizer = open_tokenizer(folder, objective)
    batch = Batch(model, tokenizer, objective, o)
    if "lora" in o:
        model = adapt(model, objective, o)
    double = copy.deepcopy(model).double()
    made, _, model = train(model, batch, o)
    exact, steep, double = train(double, batch, o)
    made |= sample(model, steep)
    exact |= sample(double, steep)
    own = [k for k in exact if k.startswith("w.")]
    weights = max(largest(made[k], exact[k]) for k in own)
    for k in own:
        noise = (made[k] - exact[k]).abs() > 3e-6
        made[k][noise] = float("nan")
    left = sum(made[k].isnan().sum().item() for k in own)
    if objective == "span":
        made["starts"] = torch.tensor([0] + [len(r) for r in batch.ids]).cumsum(0)
        for k in (made, exact):
            k["logits"] = centred(k["logits"], made["starts"])
    print(f"{name:26} loss {made['loss'][0]:.3f} -> {made['loss'][-1]:.3f} norm"
          f" {made['norm'].min():.2f} .. {made['norm'].max():.2f}; f64: loss"
          f" {largest(made['loss'], exact['loss'], True):.1e} norm"
          f" {largest(made['norm'], exact['norm'], True):.1e} logits"
          f" {largest(made['logits'], exact['logits']):.1e} weights {weights:.1e}, {left} left out",
          file=sys.stderr, flush=True)
    path = OUT / "steps" / f"{name}.safetensors"
    out = {k: (v if k in ("loss", "norm", "starts") else v.float()).contiguous()
           for k, v in made.items()}
    save_file(out, path, metadata={"stride": str(STRIDE)})
