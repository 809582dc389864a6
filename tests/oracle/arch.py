"""Small random models of every architecture, and what transformers says of them
-> tests/golden/models/NAME, tests/golden/encode/.

    NAME.ids              rows of ids, a line each: what `tok --ids` reads
    NAME.safetensors
        row.tokens, token.id
        pool.pooler [n,h] where the checkpoint has a pooler
        layer.N [t,h]     hidden states after layer N; of BART and its kin first the encoder's, from
                          its embeddings to its last layer, then those of the decoder's layers
    NAME-look.ids, NAME-look.safetensors: few short rows
        attention [t, layers, heads, longest]  the weights, 0 beyond a row's end

Every row is run alone, in float32. Weights are drawn wide, so that attention is far from uniform.
"""
import json
import shutil
from pathlib import Path

import torch
import transformers as tf
from safetensors.torch import load_file, save_file
from transformers.models.marian.modeling_marian import shift_tokens_right

from stable import sort_metadata

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
VOCAB = 61
POOLED = {"xlm-roberta", "camembert", "albert", "mpnet"}
LENGTHS = [1, 6, 33, 18]
BERT = {"vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 40, "max_position_embeddings": 40, "type_vocab_size": 1}
BART = {"vocab_size": VOCAB, "d_model": 24, "encoder_layers": 2, "decoder_layers": 2,
        "encoder_attention_heads": 3, "decoder_attention_heads": 3, "encoder_ffn_dim": 40,
        "decoder_ffn_dim": 40, "max_position_embeddings": 36}
GPT2 = {"vocab_size": VOCAB, "n_embd": 24, "n_layer": 2, "n_head": 2, "n_positions": 36,
        "bos_token_id": 0, "eos_token_id": 0}
T5 = {"vocab_size": VOCAB, "d_model": 24, "d_kv": 10, "d_ff": 40, "num_layers": 2, "num_heads": 3}


def widen(model, seed, by=1.6):
    """Redraws every parameter by shape and name, from one generator; matrices `by` times as wide
    as keeps their outputs' variance."""
    g = torch.Generator().manual_seed(seed)
    conv = {n + ".weight" for n, m in model.named_modules() if isinstance(m, tf.pytorch_utils.Conv1D)}
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if p.dim() == 1 and name.endswith("weight"):
            r = 1 + 0.2 * r
        elif name.endswith("bias"):
            r = 0.2 * r
        elif "relative" in name:
            r = 1.5 * r
        elif any(word in name for word in ("embeddings", "embed_", "shared", "wte", "wpe")):
            r = 0.6 * r
        else:
            r = r * (by / p.shape[0 if name in conv else -1] ** 0.5)
        p.data.copy_(r)
    return model.eval()


def rows_of(seed, lengths, pad=None):
    """pad: rows get this id at some places, as text that was padded and joined would."""
    g = torch.Generator().manual_seed(seed)
    rows = [torch.randint(4, VOCAB, (n,), generator=g).tolist() for n in lengths]
    if pad is not None:
        rows[1][2] = pad
        rows[2][0] = pad
        rows[2][-3:] = [pad] * 3
    return rows


def states_of(said):
    if getattr(said, "encoder_hidden_states", None) is not None:
        return said.encoder_hidden_states + said.decoder_hidden_states[1:]
    return said.hidden_states[:-1] + (said.last_hidden_state,)


def weights_of(said):
    """[t, layers, heads, t] of one row; a decoder's are those of its attention to itself."""
    if getattr(said, "encoder_attentions", None) is not None:
        layers = said.encoder_attentions + said.decoder_attentions
    else:
        layers = said.attentions
    return torch.stack([a[0] for a in layers]).permute(2, 0, 1, 3)


def run(model, rows, **more):
    def decoder(row):
        if not isinstance(model, tf.MarianModel):
            return {}
        shifted = shift_tokens_right(torch.tensor([row]), model.config.pad_token_id, model.config.decoder_start_token_id)
        return {"decoder_input_ids": shifted}
    with torch.inference_mode():
        return [model(torch.tensor([r]), **decoder(r), **more) for r in rows]


def write(name, tensors, rows):
    lengths = torch.tensor([0] + [len(r) for r in rows])
    tensors |= {"row.tokens": lengths.cumsum(0),
                "token.id": torch.tensor(sum(rows, []), dtype=torch.int32)}
    out = GOLDEN / "encode"
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / f"{name}.safetensors",
              metadata={"format": "pt"})
    sort_metadata(out / f"{name}.safetensors")
    (out / f"{name}.ids").write_text("".join(" ".join(map(str, r)) + "\n" for r in rows))


def encode(name, kind, rows):
    model = kind.from_pretrained(GOLDEN / "models" / name, dtype=torch.float32,
                                 attn_implementation="eager").eval()
    said = run(model, rows, output_hidden_states=True)
    states = [states_of(s) for s in said]
    tensors = {f"layer.{n}": torch.cat([s[n][0] for s in states]) for n in range(len(states[0]))}
    if name in POOLED:
        tensors["pool.pooler"] = torch.cat([s.pooler_output for s in said])
    write(name, tensors, rows)
    if getattr(model.config, "pruned_heads", None):
        return  # weights of fewer heads, in each layer others
    short = [r[:9] for r in rows[:3]]
    said = [weights_of(s) for s in run(model, short, output_attentions=True)]
    wide = max(map(len, short))
    write(name + "-look", {"attention": torch.cat([
        torch.nn.functional.pad(w, (0, wide - w.shape[-1])) for w in said])}, short)


def save(name, model, **more):
    folder = GOLDEN / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **more)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return folder


def rename(folder, new_name, extra=None):
    path = folder / "model.safetensors"
    tensors = {new_name(k): v for k, v in load_file(path).items()} | (extra or {})
    save_file(tensors, path, metadata={"format": "pt"})


def main():
    # Ids that are padding, within rows and at their ends; no pooler, the prefix "roberta.".
    save("roberta", widen(tf.RobertaForMaskedLM(tf.RobertaConfig(**BERT, pad_token_id=1)), 21))
    encode("roberta", tf.RobertaModel, rows_of(1, LENGTHS, pad=1))

    save("xlm-roberta", widen(tf.XLMRobertaModel(tf.XLMRobertaConfig(
        **BERT | {"layer_norm_eps": 1e-5}, pad_token_id=3)), 22), max_shard_size="15KB")
    encode("xlm-roberta", tf.XLMRobertaModel, rows_of(2, LENGTHS, pad=3))

    # As TensorFlow's checkpoints name norms.
    folder = save("camembert", widen(tf.CamembertModel(tf.CamembertConfig(
        **BERT | {"num_hidden_layers": 1})), 23))
    rename(folder, lambda n: n.replace("LayerNorm.weight", "LayerNorm.gamma")
           .replace("LayerNorm.bias", "LayerNorm.beta"))
    model = tf.CamembertModel.from_pretrained(folder)
    assert torch.equal(model.embeddings.LayerNorm.weight,
                       load_file(folder / "model.safetensors")["embeddings.LayerNorm.gamma"])
    encode("camembert", tf.CamembertModel, rows_of(3, LENGTHS))

    distil = {"vocab_size": VOCAB, "dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 40,
              "max_position_embeddings": 33}
    save("distilbert", widen(tf.DistilBertModel(tf.DistilBertConfig(
        **distil, activation="relu")), 24).half())
    encode("distilbert", tf.DistilBertModel, rows_of(4, LENGTHS))

    save("electra", widen(tf.ElectraModel(tf.ElectraConfig(**BERT, embedding_size=20)), 25))
    encode("electra", tf.ElectraModel, rows_of(5, LENGTHS))

    save("albert", widen(tf.AlbertModel(tf.AlbertConfig(
        **BERT | {"num_hidden_layers": 3, "intermediate_size": 56}, embedding_size=16)), 26))
    encode("albert", tf.AlbertModel, rows_of(6, LENGTHS))

    # An old checkpoint: pickled, with the causal mask among the weights.
    model = widen(tf.GPT2LMHeadModel(tf.GPT2Config(**GPT2)), 27)
    folder = save("gpt2", model, safe_serialization=False)
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    for i in range(2):
        state[f"transformer.h.{i}.attn.bias"] = torch.ones(36, 36, dtype=torch.uint8).tril()[None, None]
        state[f"transformer.h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    torch.save(state, folder / "pytorch_model.bin")
    encode("gpt2", tf.GPT2Model, rows_of(7, LENGTHS))

    save("gpt2-scaled", widen(tf.GPT2Model(tf.GPT2Config(
        **GPT2 | {"n_head": 3}, n_inner=30, activation_function="relu",
        scale_attn_by_inverse_layer_idx=True)), 28))
    encode("gpt2-scaled", tf.GPT2Model, rows_of(8, LENGTHS))

    save("bart", widen(tf.BartModel(tf.BartConfig(**BART | {"decoder_layers": 1},
                                                  scale_embedding=True)), 29),
         safe_serialization=False, max_shard_size="20KB")
    encode("bart", tf.BartModel, rows_of(9, LENGTHS))

    save("mbart", widen(tf.MBartModel(tf.MBartConfig(**BART)), 30))
    encode("mbart", tf.MBartModel, rows_of(10, LENGTHS))

    # Its class asks for the decoder's ids: here the row's own, one late, as BART's takes them by itself. Positions
    # are the checkpoint's, and no waves, or made.
    marian = {**BART, "pad_token_id": VOCAB - 1, "decoder_start_token_id": VOCAB - 1, "activation_function": "swish",
              "scale_embedding": True}
    save("marian-table", widen(tf.MarianModel(tf.MarianConfig(**marian | {"decoder_layers": 1})), 33))
    encode("marian-table", tf.MarianModel, rows_of(13, LENGTHS, pad=VOCAB - 1))
    model = widen(tf.MarianMTModel(tf.MarianConfig(**marian | {"d_model": 30, "activation_function": "relu"})), 34)
    save("marian", model, safe_serialization=False)
    encode("marian", tf.MarianModel, rows_of(14, LENGTHS))

    # Rows longer than the distances that its attention tells apart.
    save("t5", widen(tf.T5ForConditionalGeneration(tf.T5Config(
        **T5, relative_attention_num_buckets=12, relative_attention_max_distance=20)), 31, by=0.9))
    encode("t5", tf.T5EncoderModel, rows_of(11, [1, 6, 70, 18]))

    save("mt5", widen(tf.MT5EncoderModel(tf.MT5Config(**T5, feed_forward_proj="gated-gelu")), 32, by=0.8))
    encode("mt5", tf.MT5EncoderModel, rows_of(12, [1, 6, 150, 18]))

    # Without some of their heads.
    def pruned(model, seed):
        model.prune_heads({0: [1], 1: [0, 2]})
        return widen(model, seed)

    few = {"num_attention_heads": 4}
    save("bert-pruned", pruned(tf.BertModel(tf.BertConfig(**BERT | few), add_pooling_layer=False), 35).half())
    encode("bert-pruned", tf.BertModel, rows_of(15, LENGTHS))
    save("distilbert-pruned", pruned(tf.DistilBertModel(tf.DistilBertConfig(**distil | {"n_heads": 4})), 36))
    encode("distilbert-pruned", tf.DistilBertModel, rows_of(16, LENGTHS))
    save("gpt2-pruned", pruned(tf.GPT2Model(tf.GPT2Config(**GPT2 | {"n_head": 4}, scale_attn_weights=False)), 37))
    encode("gpt2-pruned", tf.GPT2Model, rows_of(17, LENGTHS))

    # Positions by a table, and a bias by distance; rows longer than what is told apart.
    save("mpnet", widen(tf.MPNetModel(tf.MPNetConfig(**BERT | {"max_position_embeddings": 160, "type_vocab_size": 0})),
                        38))
    encode("mpnet", tf.MPNetModel, rows_of(18, [1, 6, 150, 18], pad=1))
    opt = {"vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 40,
           "max_position_embeddings": 36, "word_embed_proj_dim": 24}
    save("opt", widen(tf.OPTForCausalLM(tf.OPTConfig(**opt)), 39))
    encode("opt", tf.OPTModel, rows_of(19, LENGTHS))

    # Turned queries and keys: of fewer heads, with speeds of their own, with norms, near ones alone.
    llama = {"vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "intermediate_size": 40, "max_position_embeddings": 64}
    save("llama", widen(tf.LlamaForCausalLM(tf.LlamaConfig(**llama, rope_scaling={
        "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32}, rope_theta=500.0)), 40, by=0.8))
    encode("llama", tf.LlamaModel, rows_of(20, LENGTHS))
    save("mistral", widen(tf.MistralModel(tf.MistralConfig(**llama | {"num_key_value_heads": 1}, sliding_window=7,
                                                           head_dim=10)), 41, by=0.8))
    encode("mistral", tf.MistralModel, rows_of(21, LENGTHS))
    save("qwen2", widen(tf.Qwen2ForCausalLM(tf.Qwen2Config(**llama, tie_word_embeddings=True)), 42, by=0.8))
    encode("qwen2", tf.Qwen2Model, rows_of(22, LENGTHS))
    save("qwen3", widen(tf.Qwen3Model(tf.Qwen3Config(**llama, head_dim=16, rope_theta=1e6)), 43, by=0.8))
    encode("qwen3", tf.Qwen3Model, rows_of(23, LENGTHS))
    modern = {"vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 2,
              "intermediate_size": 20, "max_position_embeddings": 160, "pad_token_id": 0, "eos_token_id": 2,
              "bos_token_id": 1, "cls_token_id": 1, "sep_token_id": 2, "local_attention": 10}
    save("modernbert", widen(tf.ModernBertForMaskedLM(tf.ModernBertConfig(**modern)), 44, by=0.8))
    encode("modernbert", tf.ModernBertModel, rows_of(24, [1, 6, 150, 18]))

    # Queries and keys that meet distances: both through their own matrices, far ones in ranges; and one of them
    # through one of its own, beside positions and types.
    deberta = BERT | {"max_position_embeddings": 160, "type_vocab_size": 0, "relative_attention": True,
                      "position_biased_input": False, "layer_norm_eps": 1e-7}
    save("deberta-v3", widen(tf.DebertaV2Model(tf.DebertaV2Config(
        **deberta, share_att_key=True, position_buckets=32, pos_att_type="p2c|c2p", norm_rel_ebd="layer_norm")), 45))
    encode("deberta-v3", tf.DebertaV2Model, rows_of(25, [1, 6, 150, 18]))
    save("deberta-v2", widen(tf.DebertaV2ForMaskedLM(tf.DebertaV2Config(
        **deberta, position_buckets=8, max_relative_positions=40, pos_att_type=["c2p", "p2c"], share_att_key=False,
        embedding_size=16, attention_head_size=12)), 46))
    encode("deberta-v2", tf.DebertaV2Model, rows_of(26, [1, 6, 150, 18]))
    placed = deberta | {"position_biased_input": True, "type_vocab_size": 2, "max_position_embeddings": 36}
    save("deberta-v2-keys", widen(tf.DebertaV2Model(tf.DebertaV2Config(
        **placed | {"max_relative_positions": 20}, pos_att_type="p2c", share_att_key=False)), 47))
    encode("deberta-v2-keys", tf.DebertaV2Model, rows_of(27, LENGTHS))
    save("deberta-v2-queries", widen(tf.DebertaV2Model(tf.DebertaV2Config(**placed, pos_att_type="c2p")), 48))
    encode("deberta-v2-queries", tf.DebertaV2Model, rows_of(28, LENGTHS))
    save("deberta-v2-plain", widen(tf.DebertaV2Model(tf.DebertaV2Config(
        **placed | {"relative_attention": False}, pos_att_type="c2p")), 49))
    encode("deberta-v2-plain", tf.DebertaV2Model, rows_of(29, LENGTHS))


if __name__ == "__main__":
    main()
