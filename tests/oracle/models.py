"""Small random models as transformers saves them -> tests/golden/models/.

Each one differs from the others in what a reader of model folders can get wrong: names, element
types, shards, activation, shape, tokenizer files, pooling. Weights are drawn wide, so that
attention is far from uniform and answers are no ties.
"""
import json
import os
import shutil
import string
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (BertConfig, BertForSequenceClassification, BertModel,
                          BertTokenizerFast)

MODELS = Path(__file__).resolve().parent.parent / "golden" / "models"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LENGTH = 64  # positions, and the tokenizer's model_max_length
WORDS = """the of and to in a is that for it was on are as with they be at this have from or had
by but not what all were we when your can said there use an each which she do how their if will
up other about out many then them these so some her would make like him into time has look two
more write go see number no way could people my than first water been call who oil its now find
long down day did get come made may part cat sat mat dog flight plane service customer late bag
love hate good bad great terrible never again thank thanks you i me he his one hour delay gate
agent crew seat home phone book help need back just airline united delta jet virgin southwest
""".split()
PIECES = """ing ed er ly est ment tion ness able ful ers es th he an re on en at ou it al is ar
le nd st or""".split()


def vocabulary(words, extra="", cased=False, special_at=0):
    """Letters, digits, punctuation, words, pieces; special tokens from line special_at on."""
    letters = string.ascii_lowercase + (string.ascii_uppercase if cased else "")
    singles = list(letters) + list(string.digits) + list(string.punctuation) + list(extra)
    vocab = singles + [w for w in words if w not in singles]
    vocab += ["##" + c for c in letters + string.digits] + ["##" + p for p in PIECES]
    vocab[special_at:special_at] = SPECIAL
    assert len(set(vocab)) == len(vocab)
    return vocab


def widen(model, seed):
    """Redraws every parameter by shape and name, from one generator."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if name.endswith("LayerNorm.weight"):
            r = 1 + 0.2 * r
        elif name.endswith("bias"):
            r = 0.2 * r
        elif "embeddings" in name:
            r = 0.6 * r
        else:
            r = r * (1.6 / p.shape[-1] ** 0.5)
        p.data.copy_(r)
    return model.eval()


def config(vocab, hidden, heads, inner, layers, **more):
    return BertConfig(vocab_size=len(vocab), hidden_size=hidden, num_hidden_layers=layers,
                      num_attention_heads=heads, intermediate_size=inner,
                      max_position_embeddings=LENGTH,
                      pad_token_id=vocab.index("[PAD]"), **more)


def save(name, model, vocab, cased=False, **more):
    """The folder as save_pretrained writes it."""
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **more)
    (folder / "vocab.txt").write_text("".join(v + "\n" for v in vocab), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"),
                                  do_lower_case=not cased, model_max_length=LENGTH)
    tokenizer.save_pretrained(folder)
    return folder


def labels(*names):
    return {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}


def rewrite(folder, rename=lambda name: name, extra=None):
    """model.safetensors with other names and further tensors."""
    path = folder / "model.safetensors"
    tensors = {rename(k): v for k, v in load_file(path).items()} | (extra or {})
    save_file(tensors, path, metadata={"format": "pt"})


def old_name(name):
    return (name.replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta"))


def sentence(folder, length):
    """What sentence-transformers adds to a folder: mean of the tokens, then unit length."""
    def put(path, what):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(json.dumps(what, indent=2) + "\n")
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    put("modules.json", [{"idx": i, "name": str(i), "path": path,
                          "type": "sentence_transformers.models." + kind}
                         for i, (path, kind) in enumerate(modules)])
    put("1_Pooling/config.json", {
        "word_embedding_dimension": 24, "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False})
    put("sentence_bert_config.json", {"max_seq_length": length, "do_lower_case": False})


def main():
    full = vocabulary(WORDS, extra="äöéñß日本語中文")
    full += [w for w in (a + b for a in "bcdfghlmnprst" for b in
             ("ack", "all", "and", "ear", "ell", "est", "ice", "ill", "ine", "ing", "old", "ore",
              "ound", "ust")) if w not in full]
    full = full[:500]
    small = vocabulary(WORDS[:24])
    cased = vocabulary(WORDS[:20] + ["The", "I", "United"], extra="éÉ", cased=True)

    save("bert-class", widen(BertForSequenceClassification(config(
        full, 32, 2, 64, 2, **labels("negative", "neutral", "positive"))), 1), full)

    # No "bert." prefix, three heads of 12, no tokenizer.json; special tokens at other lines.
    moved = vocabulary(WORDS[:24], special_at=7)
    folder = save("bert-model", widen(BertModel(config(moved, 36, 3, 50, 2)), 2), moved)
    for name in os.listdir(folder):
        if name not in ("config.json", "model.safetensors", "vocab.txt"):
            os.remove(folder / name)

    folder = save("bert-gamma", widen(BertForSequenceClassification(config(
        small, 24, 2, 40, 2, **labels("no", "yes"))), 3), small)
    rewrite(folder, old_name, {"bert.embeddings.position_ids": torch.arange(LENGTH)[None]})

    for name, dtype, seed in (("bert-f16", torch.float16, 4), ("bert-bf16", torch.bfloat16, 5)):
        save(name, widen(BertForSequenceClassification(config(
            small, 24, 2, 40, 2, **labels("a", "b", "c", "d"))), seed).to(dtype), small)

    save("bert-sharded", widen(BertForSequenceClassification(config(
        small, 24, 2, 40, 2, **labels("low", "high"))), 6), small, max_shard_size="20KB")

    folder = save("sentence", widen(BertModel(config(small, 24, 2, 40, 2),
                                              add_pooling_layer=False), 7), small)
    sentence(folder, 32)

    save("bert-cased", widen(BertForSequenceClassification(config(
        cased, 16, 2, 40, 1, **labels("x", "y"))), 8), cased, cased=True)
    save("bert-relu", widen(BertForSequenceClassification(config(
        small, 16, 1, 40, 1, hidden_act="relu", layer_norm_eps=1e-5, **labels("x", "y"))), 9),
        small)
    save("bert-gelu-new", widen(BertForSequenceClassification(config(
        small, 16, 2, 40, 1, hidden_act="gelu_new", **labels("x", "y"))), 10), small)


if __name__ == "__main__":
    main()
