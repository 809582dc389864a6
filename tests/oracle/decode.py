"""Ids back to texts, and tokens to words -> tests/golden/tok/.

    decode.jsonl    {"model", "ids", "raw", "clean", "text"}: transformers' decode(); without "clean" it is the
                    model's own way
    decoders.jsonl  {"decoder", "tokens", "text"}: single decoders of the library `tokenizers`
    words.jsonl     {"model", "text", "words"}: of each token the bytes [start, end) of the text that
                    it stands for, and those of its word (token_to_word, word_to_chars)
    made-TASK.safetensors, made-TASK.jsonl
                    rows as they are generated, and what the task's pipeline makes of them
"""
import json
import random
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast, pipelines

from stable import sort_metadata

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS, OUT = GOLDEN / "models", GOLDEN / "tok"
KINDS = ["wordpiece-uncased", "wordpiece-cased", "wordpiece-added", "roberta-mask", "gpt2-lm",
         "bart-mnli", "albert-class", "xlm-roberta-token"]
SLOW = ["marian-spm", "marian-odd"]  # without a fast class: no words, and ids that it lacks are told as unknown
TEXTS = [
    "The cat isn't here , is it ?", "I do not know . He 's gone ! They 've \" ' quoted ' \"",
    "Café naïve Straße 日本語 emoji 😀 👩\u200d🚀", "a  b   c", " leading and trailing ", "x\u0301\u0323y",
    "don't [MASK] it <mask> now", "unaffable un-able un.able", "1,234.56 $5.00 100%", "ctrl\x01a\u00adb",
    "Yesterday cat cats", "\u1e0b\u0323 \u212b \u3000wide", "é" * 110, "", "a\nb\tc", "[CLS] a [SEP]",
]


def load(name):
    folder = MODELS / name
    if not (folder / "config.json").exists():
        return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_file(str(folder / "tokenizer.json")))
    if name.startswith("wordpiece"):
        return BertTokenizerFast.from_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def write(name, rows):
    with open(OUT / name, "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


def sequences(t, rnd):
    size = len(t)
    for text in TEXTS:
        if len(text) < 100:
            yield t(text)["input_ids"]
    for _ in range(5):
        yield [rnd.randrange(size) for _ in range(rnd.randint(1, 16))]
    yield []
    if t.is_fast:
        yield [size, 5, size + 70000, 6, 2**31 - 1]
    yield list(range(8))
    yield [t.convert_tokens_to_ids(x) for x in t.all_special_tokens]


def decoded():
    rnd = random.Random(7)
    for name in KINDS + SLOW:
        t = load(name)
        for ids in sequences(t, rnd):
            for raw in (False, True):
                yield {"model": name, "ids": ids, "raw": raw,
                       "text": t.decode(ids, skip_special_tokens=not raw)}
            yield {"model": name, "ids": ids, "raw": False, "clean": True,
                   "text": t.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)}


def meta(scheme, **more):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True, **more}


DECODERS = [
    None, {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "WordPiece", "prefix": "@", "cleanup": False},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    meta("always"), meta("first"), meta("never"), {"type": "Metaspace", "replacement": "_", "add_prefix_space": True},
    {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": "a", "start": 1, "stop": 2},
    {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                                      {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, meta("always")]},
    {"type": "Replace", "pattern": {"Regex": r"a{2,}|(?<=\w)x|\W$|^(?=b)"}, "content": "-"},
]
TOKENS = [
    ["Hello", "##world", "!", ".", "n't", "do", "not", "'", "s"], ["▁Hello", "▁▁wor", "ld▁", "_x", "▁"],
    ["<0x61>", "<0xE2>", "<0x96>", "<0x81>", "b", "<0xff>", "<0xC3>", "<0x+F>", "<0xZZ>", "<0x20>"],
    ["a</w>", "b", "</w>c</w>", "d</w>"], ["Ġthe", "Ġc", "af", "Ã©", "Ċ", "Ã", "âĤ", "x", "日"], ["aaaxaaa", "aba", "xa", "ax"],
    ["do", " do not", "he", "'s"], ["ð", "Ł", "ĺ", "Ģ", "ð", "Ł", "a", "í", "ł", "Ģ", "ô", "ı", "À", "¯"],
    ["@x", "@", "y@", "##"], ["x"], ["▁"], ["é", "éa", "éaaa"],
]


def decoders():
    base = json.loads((MODELS / "wordpiece-uncased" / "tokenizer.json").read_text())
    for decoder in DECODERS:
        base["decoder"] = decoder
        t = Tokenizer.from_str(json.dumps(base))
        for tokens in TOKENS:
            try:
                text = t.decoder.decode(tokens) if decoder else " ".join(tokens)
            except BaseException:  # the library panics where there is less than is to be stripped
                continue
            yield {"decoder": decoder, "tokens": tokens, "text": text}


def words():
    for name in KINDS:
        t = load(name)
        for text in TEXTS:
            at = [0]
            for c in text:
                at.append(at[-1] + len(c.encode()))
            e = t(text, add_special_tokens=False, return_offsets_mapping=True)
            rows = []
            for i, (start, end) in enumerate(e["offset_mapping"]):
                span = e.word_to_chars(e.token_to_word(i))
                if start < end:  # others stand for nothing in the text
                    rows.append([at[start], at[end], at[span.start], at[span.end]])
            yield {"model": name, "text": text, "words": rows}


MADE = {"text-generation": "gpt2-lm", "text2text-generation": "albert-class", "summarization": "bart-mnli",
        "translation": "marian-spm", "translation_en_to_de": "marian-odd"}
FINISH = ["end", "length", "stop"]


def record(task, t, ids):
    """By the pipeline's own postprocess(), which needs of it but this."""
    if task == "text-generation":
        said = {"generated_sequence": torch.tensor([[ids]]), "input_ids": None, "prompt_text": ""}
        return pipelines.TextGenerationPipeline.postprocess(SimpleNamespace(tokenizer=t, framework="pt"), said)[0]
    kind = {"su": pipelines.SummarizationPipeline, "tr": pipelines.TranslationPipeline}.get(
        task[:2], pipelines.Text2TextGenerationPipeline)
    return kind.postprocess(SimpleNamespace(tokenizer=t, return_name=kind.return_name), {"output_ids": [[ids]]})[0]


def made():
    texts = TEXTS[:12] + [" It 's here , isn't it ?", "a \"b\" c \\ d"]
    for task, name in MADE.items():
        t = load(name)
        rows = [t(text)["input_ids"] for text in texts]
        finish, score = [i % 3 for i in range(len(rows))], [-i / 8 for i in range(len(rows))]
        path = OUT / f"made-{task}.safetensors"
        save_file({"row.tokens": torch.tensor([0] + [len(r) for r in rows]).cumsum(0),
                   "token.id": torch.tensor(sum(rows, []), dtype=torch.int32),
                   "row.finish": torch.tensor(finish, dtype=torch.uint8), "row.score": torch.tensor(score)},
                  path, metadata={"task": task})
        sort_metadata(path)
        write(f"made-{task}.jsonl", (record(task, t, ids) | {"finish": FINISH[f], "score": s}
                                     for ids, f, s in zip(rows, finish, score)))


write("decode.jsonl", decoded())
made()
write("decoders.jsonl", decoders())
write("words.jsonl", words())
