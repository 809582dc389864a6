"""Small random models that generate -> tests/golden/generate/NAME: what generate.py asks.

    gpt2        tied; with a byte-level tokenizer, so that texts can be said
    gpt2-ends   six end tokens and settings of its own
    gpt2-old    no generation_config.json: what it wants stands in config.json
    gpt2-nan    its 20th position is not a number
    bart        final_logits_bias, forced first and last token; more layers in the decoder
    bart-old    no generation_config.json, config.json without what is BartConfig's default;
                task_specific_params, which generate() does not read
    bart-nan    a bias that is not a number, and one without bounds
    mbart       starts with a language, which is forced once more
    t5          tied, scaled; fewer layers in the decoder
    flan        gated, a head of its own
    mt5         the same, no generation_config.json
    marian      static positions, which the file lacks; the pad token is a bad word
    opt         positions from 2, no generation_config.json
    llama       queries and keys that are turned, of fewer heads; a head of its own
    mistral     the same, tied, near keys alone are seen
    qwen3       the same, queries and keys have norms

Weights are drawn wide, so that answers are no ties, and so that some end early.
"""
import json
import shutil
from pathlib import Path

import torch
import transformers as T
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from heads import COMMON, NAMES

OUT = Path(__file__).resolve().parent.parent / "golden" / "generate"
LAST = ("ln_f", "model.norm.", "decoder.layer_norm.", "decoder.final_layer_norm.")  # of GPT-2, mBART, T5
END = "<|endoftext|>"
SPOKEN = 80  # of the tokens of gpt2: those behind are hardly ever said


def widen(model, seed, embedding, by, sharp=1.0):
    """Redraws every parameter by shape and name: embeddings and heads `embedding` wide, matrices
    `by` times as wide as keeps their outputs' variance, the norm before the head `sharp` wide."""
    g = torch.Generator().manual_seed(seed)
    conv = {n + ".weight" for n, m in model.named_modules()
            if isinstance(m, T.pytorch_utils.Conv1D)}
    for name, p in sorted(model.named_parameters()):
        if not p.requires_grad:  # static positions
            continue
        r = torch.randn(p.shape, generator=g)
        if p.dim() == 1 and name.endswith("weight"):
            r = 1 + 0.2 * r
        elif name.endswith("bias"):
            r = 0.2 * r
        elif "relative" in name:
            r = 1.5 * r
        elif "positions" in name or "wpe" in name:
            r = 0.8 * embedding * r
        elif any(word in name for word in ("embed_tokens", "shared", "wte", "lm_head")):
            r = embedding * r
        else:
            r = r * (by / p.shape[0 if name in conv else -1] ** 0.5)
        if any(last in name for last in LAST):
            r = sharp * r
        p.data.copy_(r)
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias.copy_(torch.randn(model.final_logits_bias.shape, generator=g))
    return model.eval()


def lean(model, ids, by):
    """Makes these tokens likelier."""
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias[0, ids] += by
    elif hasattr(model, "transformer"):
        for i in ids:
            w = model.transformer.wte.weight.data[i]
            model.transformer.ln_f.bias.data += by * w / w.square().sum()
    else:
        model.get_output_embeddings().weight.data[ids] *= by


def save(name, model, settings, drop=(), **config):
    """settings: generation_config.json, None for no such file. drop: what config.json lacks;
    config: what it has besides, which save_pretrained would move elsewhere."""
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    if settings is not None:
        write_json(folder / "generation_config.json",
                   settings | {"transformers_version": T.__version__})
    path = folder / "config.json"
    said = json.loads(path.read_text()) | config
    write_json(path, {k: v for k, v in said.items() if k not in drop})
    return folder


def write_json(path, what):
    path.write_text(json.dumps(what, indent=2, sort_keys=True) + "\n")


def tokenizer():
    """Byte-level; the bytes that no text of its words has are its last tokens."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    words = [w for w in COMMON + NAMES if w.isalpha()]
    text = [" ".join(words[i:]).lower() + ". " for i in range(0, len(words), 10)]
    t.train_from_iterator(text, trainers.BpeTrainer(
        vocab_size=SPOKEN, special_tokens=[END], show_progress=False))
    state = json.loads(t.to_str())
    vocab = state["model"]["vocab"]
    for byte in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocab.setdefault(byte, len(vocab))
    t = Tokenizer.from_str(json.dumps(state))
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return T.GPT2TokenizerFast(tokenizer_object=t, model_max_length=160)


def gpt2(seed, size, end, by=2.0, **more):
    config = {"vocab_size": size, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 160,
              "bos_token_id": 0, "eos_token_id": 0}
    model = widen(T.GPT2LMHeadModel(T.GPT2Config(**config | more)), seed, 0.5, 2.5, 1.6)
    lean(model, end, by)
    return model


def bart(kind, config, seed, end, by=3.5, positions=128, **more):
    shape = {"vocab_size": 60, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2,
             "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24,
             "decoder_ffn_dim": 24, "max_position_embeddings": positions}
    if kind is T.MBartForConditionalGeneration:  # norms stand before what they norm
        model = widen(kind(config(**shape | more)), seed, 0.5, 2.5, 1.6)
    else:
        model = widen(kind(config(**shape | more)), seed, 0.2, 1.5)
        for name, p in model.named_parameters():  # else each row soon says one token again and again
            if p.requires_grad and "positions" in name:
                p.data *= 4
            elif "fc2" in name:
                p.data *= 0.3
            elif "encoder_attn.out_proj.weight" in name:
                p.data *= 0.6
        model.model.decoder.layers[-1].final_layer_norm.weight.data *= 3
    lean(model, end, by)
    return model


def t5(kind, config, seed, embedding, sharp, by, **more):
    shape = {"vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2,
             "num_heads": 2, "relative_attention_num_buckets": 12,
             "relative_attention_max_distance": 20}
    model = widen(kind(config(**shape | more)), seed, embedding, 0.9, sharp)
    for name, p in model.named_parameters():  # no other matrices may be wide: scores are not scaled
        if name.endswith((".o.weight", ".wo.weight")):
            p.data *= 3
    lean(model, [1], by)
    return model


def make_gpt2():
    tokens = tokenizer()
    model = gpt2(17, len(tokens), [0])
    model.transformer.wte.weight.data[SPOKEN:] *= 0.1
    folder = save("gpt2", model, {"bos_token_id": 0, "eos_token_id": 0})
    tokens.save_pretrained(folder)
    (folder / "special_tokens_map.json").unlink()
    ends = [3, 9, 17, 21, 30, 31]
    save("gpt2-ends", gpt2(5, 50, ends, by=0.7), {
        "bos_token_id": 0, "eos_token_id": ends, "pad_token_id": 1, "num_beams": 3,
        "max_new_tokens": 16, "repetition_penalty": 1.2, "length_penalty": 0.8,
        "early_stopping": True, "no_repeat_ngram_size": 3})
    save("gpt2-old", gpt2(8, 50, [0]), None, max_length=24, num_beams=3, early_stopping=True,
         no_repeat_ngram_size=2, repetition_penalty=1.1,
         task_specific_params={"text-generation": {"do_sample": True, "max_length": 50}})
    model = gpt2(404, 40, [0], n_embd=8, n_layer=1, n_positions=32)
    model.transformer.wpe.weight.data[20] = float("nan")
    save("gpt2-nan", model, {"bos_token_id": 0, "eos_token_id": 0})


def make_bart():
    save("bart", bart(T.BartForConditionalGeneration, T.BartConfig, 26, [2], encoder_layers=1), {
        "bos_token_id": 0, "decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1,
        "forced_bos_token_id": 0, "forced_eos_token_id": 2, "num_beams": 4,
        "early_stopping": True, "length_penalty": 2.0, "no_repeat_ngram_size": 3,
        "min_length": 6, "max_length": 24})
    save("bart-old", bart(T.BartForConditionalGeneration, T.BartConfig, 30, [2], positions=40),
         None, drop=("forced_eos_token_id", "decoder_start_token_id"), num_beams=2, max_length=15,
         task_specific_params={"summarization": {"length_penalty": 2.0, "max_length": 30,
                                                 "min_length": 12, "num_beams": 4}})
    model = bart(T.BartForConditionalGeneration, T.BartConfig, 413, [2], positions=40, d_model=8,
                 encoder_layers=1, decoder_layers=1, vocab_size=40)
    model.final_logits_bias[0, 7] = float("nan")
    model.final_logits_bias[0, 8] = -float("inf")
    save("bart-nan", model, {"bos_token_id": 0, "decoder_start_token_id": 2, "eos_token_id": 2,
                             "pad_token_id": 1, "remove_invalid_values": True})
    save("mbart", bart(T.MBartForConditionalGeneration, T.MBartConfig, 11, [2]), {
        "bos_token_id": 0, "decoder_start_token_id": 55, "eos_token_id": 2, "pad_token_id": 1,
        "forced_bos_token_id": 55, "forced_eos_token_id": 2, "num_beams": 5, "max_length": 20})
    model = bart(T.MarianMTModel, T.MarianConfig, 41, [0], by=2.5, pad_token_id=59,
                 eos_token_id=0, decoder_start_token_id=59, forced_eos_token_id=0,
                 scale_embedding=True, activation_function="swish")
    lean(model, [59], 6)  # which is a bad word
    save("marian", model, {
        "bad_words_ids": [[59]], "bos_token_id": 0, "decoder_start_token_id": 59,
        "eos_token_id": 0, "forced_eos_token_id": 0, "max_length": 30, "num_beams": 4,
        "pad_token_id": 59, "renormalize_logits": True})


def make_t5():
    special = {"decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
    save("t5", t5(T.T5ForConditionalGeneration, T.T5Config, 17, 0.5, 6.0, 1.6, num_decoder_layers=1,
                  decoder_start_token_id=0), special,
         task_specific_params={"translation_en_to_de": {
             "early_stopping": True, "max_length": 300, "num_beams": 4,
             "prefix": "translate English to German: "}})
    save("flan", t5(T.T5ForConditionalGeneration, T.T5Config, 6, 0.8, 1.0, 1.8,
                    feed_forward_proj="gated-gelu", tie_word_embeddings=False,
                    decoder_start_token_id=0), special)
    save("mt5", t5(T.MT5ForConditionalGeneration, T.MT5Config, 2, 0.8, 1.0, 1.8), None,
         drop=("decoder_start_token_id",))


def turned(kind, config, seed, **more):
    shape = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "intermediate_size": 24, "max_position_embeddings": 160,
             "bos_token_id": 1, "eos_token_id": 2}
    model = widen(kind(config(**shape | more)), seed, 0.5, 2.5, 1.6)
    lean(model, [2], 2.0)
    return model


def make_causal():
    said = {"bos_token_id": 1, "eos_token_id": 2}
    opt = widen(T.OPTForCausalLM(T.OPTConfig(
        vocab_size=60, hidden_size=16, word_embed_proj_dim=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=24,
        max_position_embeddings=160)), 51, 0.5, 2.5, 1.6)
    lean(opt, [2], 2.0)
    save("opt", opt, None)
    save("llama", turned(T.LlamaForCausalLM, T.LlamaConfig, 52), said)
    save("mistral", turned(T.MistralForCausalLM, T.MistralConfig, 53, sliding_window=6, head_dim=10,
                           tie_word_embeddings=True), said)
    save("qwen3", turned(T.Qwen3ForCausalLM, T.Qwen3Config, 54, num_key_value_heads=1, head_dim=8), said)


def make_models():
    OUT.mkdir(exist_ok=True)
    make_gpt2()
    make_bart()
    make_t5()
    make_causal()
