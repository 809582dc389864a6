"""Models that write, with their tokenizers and a task: what goes through the whole pipe, from a
text to a text -> tests/golden/models/{t5,bart}-writer, tests/golden/pipelines/*.writer.json, a line
a text: what transformers' generate() and decode() make of it.
"""
import json
import shutil

import torch
from models import MODELS
from transformers import (BartConfig, BartForConditionalGeneration, PreTrainedTokenizerFast, T5Config,
                          T5ForConditionalGeneration)

OUT = MODELS.parent / "pipelines"
TEXTS = ["the cat sat on the mat", "no way to get home", "we love the great service"]
FRENCH = {"early_stopping": True, "max_length": 24, "num_beams": 4, "no_repeat_ngram_size": 2,
          "prefix": "translate English to French: "}
SUMMARY = {"max_length": 16, "min_length": 4, "num_beams": 2, "no_repeat_ngram_size": 2,
           "length_penalty": 2.0}


def draw(model, seed):
    """Wide enough that answers are no ties."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if "norm" in name:
            r = 1 + 0.1 * r
        elif "shared" in name or "embed" in name:
            r = r if name.startswith("shared") else 0.3 * r
        else:
            r = r * (1.5 / p.shape[-1] ** 0.5)
        p.data.copy_(r)
    return model.eval()


def answers(model, tokenizer, key, task):
    how = {k: v for k, v in task.items() if k != "prefix"}
    for text in TEXTS:
        ids = tokenizer(task.get("prefix", "") + text, return_tensors="pt").input_ids
        out = model.generate(ids, attention_mask=torch.ones_like(ids), **how)[0]
        said = tokenizer.decode(out, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        yield json.dumps({key: said}, ensure_ascii=False)


def write(name, make, config, source, files, key, task):
    """By the first seed whose answers differ."""
    folder = MODELS / name
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(MODELS / source / "tokenizer.json"))
    for seed in range(1000):
        model = draw(make(config), seed)
        lines = list(answers(model, tokenizer, key, task))
        if len(set(lines)) == len(lines):
            break
    else:
        raise AssertionError(name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    for file in files:
        shutil.copy(MODELS / source / file, folder)
    (OUT / f"{name}.json").write_text("\n".join(lines) + "\n")


def t5():
    words = len(PreTrainedTokenizerFast(tokenizer_file=str(MODELS / "rows-t5" / "tokenizer.json")))
    config = T5Config(vocab_size=words, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2,
                      decoder_start_token_id=0, pad_token_id=0, eos_token_id=3,
                      task_specific_params={"translation_en_to_fr": FRENCH})
    write("t5-writer", T5ForConditionalGeneration, config, "rows-t5", ["tokenizer.json"],
          "translation_text", FRENCH)


def bart():
    old = json.loads((MODELS / "bart-mnli" / "config.json").read_text())
    tokens = {k: v for k, v in old.items() if k.endswith("_token_id")}
    config = BartConfig(vocab_size=old["vocab_size"], d_model=16, encoder_layers=1, decoder_layers=1,
                        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24,
                        decoder_ffn_dim=24, max_position_embeddings=64,
                        task_specific_params={"summarization": SUMMARY}, **tokens)
    files = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    write("bart-writer", BartForConditionalGeneration, config, "bart-mnli", files, "summary_text",
          SUMMARY)


if __name__ == "__main__":
    bart()
    t5()
