"""What stands in a model's folder beside the weights, and what follows from it -> tests/golden/folders/NAME.

    base        the model of tests/golden/models whose files these go over
    into        where the base is put, if not in the folder itself
    files/      the files that go over it, or beside it
    texts       lines
    want.ids    the ids of each line, as transformers' AutoTokenizer makes them
    want.safetensors
        row.vector    what sentence-transformers (6.2.0) makes of each line
"""
import json
import random
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
OUT = GOLDEN / "folders"
TEXTS = ["the cat sat on the mat", "We Love flying, ÉCOLE and İstanbul", "", "one",
         "the new york train was late and no one was there at the end of the day"]
OLD = "sentence_transformers.models."
NEW = {"Transformer": "sentence_transformers.base.modules.transformer.Transformer",  # since 5.4
       "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
       "Normalize": "sentence_transformers.base.modules.normalize.Normalize"}


def build(name, base, files, into=None, texts=None):
    """The case's folder, and a whole one somewhere else."""
    folder, whole = OUT / name, Path(tempfile.mkdtemp())
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    (folder / "base").write_text(base + "\n")
    (folder / "texts").write_text("".join(t + "\n" for t in texts or TEXTS))
    if into:
        (folder / "into").write_text(into + "\n")
    shutil.copytree(GOLDEN / "models" / base, whole / (into or ""), dirs_exist_ok=True)
    for path, what in files.items():
        for root in (folder / "files", whole):
            to = root / path
            to.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(what, dict) and any(torch.is_tensor(v) for v in what.values()):
                torch.save(what, to) if to.suffix == ".bin" else save_file(what, to, metadata={"format": "pt"})
            else:
                to.write_text(json.dumps(what, indent=1, ensure_ascii=False) + "\n")
    return folder, whole


def changed(base, name, **more):
    """A JSON file of the base with these members."""
    path = GOLDEN / "models" / base / name
    return (json.loads(path.read_text()) if path.exists() else {}) | more


# ---- ids ----

def ids(name, base, files, length=True, change=None, texts=None):
    folder, whole = build(name, base, files, texts=texts)
    t = AutoTokenizer.from_pretrained(whole)
    if change:
        change(t)
    rows = [t(line, truncation=length).input_ids for line in texts or TEXTS]
    (folder / "want.ids").write_text("".join(" ".join(map(str, r)) + "\n" for r in rows))


def lowered(t):
    old = t.backend_tokenizer.normalizer
    t.backend_tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase()] + ([old] if old else []))


def truncated(base, **more):
    j = changed(base, "tokenizer.json")
    j["truncation"] = {"max_length": 6, "strategy": "LongestFirst", "stride": 0, **more}
    return j


def spaced(base):
    j = changed(base, "tokenizer.json")
    j["pre_tokenizer"]["add_prefix_space"] = True
    return j


def tokenizers():
    config = "tokenizer_config.json"
    bert, gpt2, roberta, llama = "bert-class", "bpe-gpt2", "bpe-roberta", "spbpe-llama"
    ids("cut-left", bert, {config: changed(bert, config, truncation_side="left", model_max_length=6)})
    ids("cut-left-json", bert, {config: changed(bert, config, model_max_length=6),
                                "tokenizer.json": truncated(bert, direction="Left")})
    ids("cut-right-said", bert, {config: changed(bert, config, truncation_side="right", model_max_length=6),
                                 "tokenizer.json": truncated(bert, direction="Left")})
    old = {k: v for k, v in changed(bert, config).items() if k != "model_max_length"}
    ids("length-of-old", bert, {config: old | {"max_len": 7}})
    ids("length-of-both", bert, {config: old | {"max_len": 7, "model_max_length": 9}})
    ids("space-not-said", gpt2, {"tokenizer.json": spaced(gpt2), config: {"tokenizer_class": "GPT2Tokenizer"}})
    ids("space-null", gpt2, {"tokenizer.json": spaced(gpt2), config: {"tokenizer_class": "GPT2Tokenizer",
                                                                      "add_prefix_space": None}})
    ids("space-said", roberta, {config: {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}})
    for n, flags in enumerate([{}, {"add_bos_token": False, "add_eos_token": True},
                               {"add_bos_token": True, "add_eos_token": True}]):
        ids(f"ends-{n}", roberta, {config: {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>",
                                            "eos_token": "</s>", "unk_token": "<unk>"} | flags})
    ids("ends-neox", roberta, {config: {"tokenizer_class": "GPTNeoXTokenizer", "add_eos_token": True,
                                        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}})
    langs = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
             "sep_token": "</s>", "cls_token": "<s>", "mask_token": "<mask>"}
    for kind in ("MBartTokenizer", "NllbTokenizer"):
        ids("langs-" + kind[:4].lower(), roberta,
            {config: {"tokenizer_class": kind, "src_lang": "<mask>", **langs}})
    ids("langs-legacy", roberta, {config: {"tokenizer_class": "NllbTokenizer", "src_lang": "<mask>",
                                           "legacy_behaviour": True, **langs}})
    low = {"sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": True}}
    ids("lower-bpe", gpt2, low, change=lowered)
    ids("lower-unigram", "unigram-xlmr", low, change=lowered)


# ---- parts of tokenizers ----

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
ENTRIES = ["[UNK]", *LETTERS, *("##" + c for c in LETTERS), "the", "cat", "##ing", "fly", "é", "à", "ß", "日", "本", "##本",
           "\u0301", "##\u0301", "½", "٣", "12", "##34", "don", "!!", "...", "The", "Cat"]


def hard():
    """Lines of what cutting and normalising may stumble over, and of any code points at all."""
    g = random.Random(5)
    points = [c for c in range(1, 0x30000) if not 0xD800 <= c < 0xE000 and chr(c) not in "\n\r"]
    draws = [lambda: g.choice("abc the cat flying don't 12 34 !! ... ÉéàßǅİΣ"), lambda: chr(g.choice(points)),
             lambda: g.choice(" \t  \u00a0\u3000\u200b\u0301\u0327"), lambda: g.choice(".,!?-_—'\"¿"),
             lambda: g.choice("日本語ⅷ½²٣"), lambda: g.choice(["The", "Cat ", "flying"])]
    return ["".join(g.choice(draws)() for _ in range(g.randint(1, 24))) for _ in range(120)]


def parts():
    n, p = normalizers, pre_tokenizers
    made = {
        "quicktour": (n.Sequence([n.NFD(), n.Lowercase(), n.StripAccents()]), p.Whitespace()),
        "bert-words": (n.BertNormalizer(), p.Whitespace()),
        "digits": (n.Sequence([n.NFKC(), n.Strip()]), p.Sequence([p.WhitespaceSplit(), p.Punctuation(), p.Digits(True)])),
        "runs": (None, p.Sequence([p.WhitespaceSplit(), p.Punctuation("contiguous"), p.Digits(False)])),
        "previous": (None, p.Sequence([p.Punctuation("merged_with_previous"), p.WhitespaceSplit()])),
        "next": (n.Lowercase(), p.Sequence([p.Punctuation("merged_with_next"), p.WhitespaceSplit()])),
        "removed": (n.NFC(), p.Sequence([p.Punctuation("removed"), p.CharDelimiterSplit("a")])),
        "uncut": (n.Lowercase(), None),
        "level": (n.Lowercase(), p.Whitespace()),
        "level-bert": (n.NFD(), p.BertPreTokenizer()),
    }
    vocab = {w: i for i, w in enumerate(dict.fromkeys(ENTRIES))}
    for name, (normalizer, words) in made.items():
        t = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]") if "level" in name else
                      models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=12))
        if normalizer:
            t.normalizer = normalizer
        if words:
            t.pre_tokenizer = words
        ids("parts-" + name, "bert-class", {"tokenizer.json": json.loads(t.to_str()), "special_tokens_map.json": {},
                                            "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast",
                                                                      "unk_token": "[UNK]"}},
            length=False, texts=hard())


# ---- vectors ----

def modules(*kinds, new=False):
    """modules.json of Transformer, then (kind, folder)."""
    first = ("Transformer", "")
    return [{"idx": i, "name": str(i), "path": path, "type": NEW[kind] if new else OLD + kind}
            for i, (kind, path) in enumerate([first, *kinds])]


def vectors(name, files, into=None, **encode):
    folder, whole = build(name, "sentence", files, into)
    model = SentenceTransformer(str(whole), device="cpu")
    made = [torch.from_numpy(model.encode([line], **encode)[0]).float() for line in TEXTS]
    save_file({"row.vector": torch.stack(made).contiguous()}, folder / "want.safetensors")


def flags(**on):
    names = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    return {"word_embedding_dimension": 24, **{"pooling_mode_" + n: on.get(n, False) for n in names}}


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) / shape[-1] ** 0.5


def sentences():
    pooling = "1_Pooling/config.json"
    alone = modules(("Pooling", "1_Pooling"))
    vectors("modes-flags", {"modules.json": alone, pooling: flags(mean_tokens=True, cls_token=True,
                                                                   mean_sqrt_len_tokens=True)})
    vectors("modes-none", {"modules.json": alone, pooling: flags()})
    vectors("modes-list", {"modules.json": modules(("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"), new=True),
                           pooling: {"embedding_dimension": 24, "pooling_mode": ["weightedmean", "lasttoken", "max"],
                                     "include_prompt": True}})
    for mode in ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"):
        vectors("mode-" + mode, {"modules.json": alone, pooling: {"embedding_dimension": 24, "pooling_mode": mode}})
    dense = {"in_features": 24, "out_features": 10, "bias": True,
             "activation_function": "torch.nn.modules.activation.Tanh"}
    vectors("dense", {
        "modules.json": modules(("Pooling", "1_Pooling"), ("Dense", "2_Dense"), ("LayerNorm", "3_LayerNorm"),
                                ("Dropout", "4_Dropout"), ("Normalize", "5_Normalize")),
        pooling: flags(mean_tokens=True), "2_Dense/config.json": dense,
        "2_Dense/model.safetensors": {"linear.weight": 3 * draw(1, 10, 24), "linear.bias": draw(2, 10)},
        "3_LayerNorm/config.json": {"dimension": 10},
        "3_LayerNorm/model.safetensors": {"norm.weight": 1 + draw(3, 10), "norm.bias": draw(4, 10)},
        "4_Dropout/config.json": {"dropout": 0.3}})
    vectors("dense-residual", {
        "modules.json": modules(("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"), ("Dense", "3_Dense"),
                                ("Dense", "4_Dense")),
        pooling: flags(cls_token=True),
        "3_Dense/config.json": dense | {"out_features": 24, "use_residual": True,
                                        "activation_function": "torch.nn.modules.activation.GELU"},
        "3_Dense/model.safetensors": {"linear.weight": draw(5, 24, 24), "linear.bias": draw(6, 24)},
        "4_Dense/config.json": dense | {"out_features": 7, "use_residual": True, "bias": False,
                                        "activation_function": "torch.nn.modules.linear.Identity"},
        "4_Dense/pytorch_model.bin": {"linear.weight": draw(7, 7, 24), "residual.weight": draw(8, 7, 24)}})
    prompts = {"config_sentence_transformers.json": {
        "prompts": {"query": "the query: ", "none": ""}, "default_prompt_name": "query",
        "similarity_fn_name": "cosine"}}
    vectors("prompt-kept", {"modules.json": alone, pooling: flags(mean_tokens=True), **prompts})
    vectors("prompt-past", {"modules.json": alone, **prompts, pooling: {
        "embedding_dimension": 24, "include_prompt": False,
        "pooling_mode": ["mean", "weightedmean", "cls", "lasttoken", "max"]}})
    cased = changed("sentence", "tokenizer.json")
    cased["normalizer"] |= {"lowercase": False, "strip_accents": None}
    vectors("lower", {"tokenizer.json": cased, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
                      "sentence_bert_config.json": {"max_seq_length": 32, "do_lower_case": True}})
    below = [modules(("Pooling", "1_Pooling"))[0] | {"path": "0_Transformer"}, *modules(("Pooling", "1_Pooling"))[1:]]
    vectors("subfolder", {"modules.json": below, pooling: flags(max_tokens=True)}, into="0_Transformer")
    vectors("length", {"sentence_bert_config.json": {"max_seq_length": 9},
                       "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": 6}})


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    tokenizers()
    parts()
    sentences()


if __name__ == "__main__":
    main()
