"""One peer of gen.py as a process of its own: gen_peers.py PEER FOLDER IDS.json BEAMS THREADS

Loads, answers "ready", then for every number N on standard input continues all prompts by N ids
each, and answers with the seconds that took and its peak memory in MiB. The ids' end is no
choice, so that all rows make N. A prompt is what a decoder goes on from, or an encoder's text.
"""
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

READ = 1 << 29  # bytes, more than any cache holds


def must(lengths, n):
    if any(length != n for length in lengths):
        raise SystemExit(f"gen_peers.py: {sorted(set(lengths))} ids, not {n} each")


def has_encoder(folder):
    return json.loads((folder / "config.json").read_text()).get("is_encoder_decoder", False)


def made_apart(path, maker):
    """Made by another process, whose memory is not this one's peak."""
    if not path.exists():
        subprocess.run([sys.executable, __file__, maker, path.parent], check=True,
                       stdout=subprocess.DEVNULL)
    return path


def transformers(dtype, folder, rows, beams, threads):
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM
    torch.set_num_threads(threads)
    both = has_encoder(folder)
    kind = AutoModelForSeq2SeqLM if both else AutoModelForCausalLM
    model = kind.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    ids = torch.tensor(rows)
    before = 1 if both else len(rows[0])  # the decoder's start

    def run(n):
        with torch.inference_mode():
            out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                 num_beams=beams, max_new_tokens=n, min_new_tokens=n,
                                 pad_token_id=model.config.eos_token_id)
        must([len(row) - before for row in out], n)
    return run


def to_ctranslate2(folder):
    import ctranslate2
    ctranslate2.converters.TransformersConverter(str(folder)).convert(str(folder / "ctranslate2"))


def ctranslate2(compute, folder, rows, beams, threads):
    import ctranslate2 as ct
    converted = made_apart(folder / "ctranslate2", "to_ctranslate2")
    both = has_encoder(folder)
    vocab = json.loads((converted / ("shared_vocabulary.json" if both else
                                     "vocabulary.json")).read_text(encoding="utf-8"))
    words = [[vocab[i] for i in row] for row in rows]
    make = ct.Translator if both else ct.Generator
    model = make(str(converted), device="cpu", compute_type=compute, inter_threads=1,
                 intra_threads=threads)

    def run(n):
        if both:
            out = model.translate_batch(words, beam_size=beams, max_decoding_length=n,
                                        min_decoding_length=n)
            must([len(o.hypotheses[0]) for o in out], n)
        else:
            out = model.generate_batch(words, beam_size=beams, max_length=n, min_length=n,
                                       include_prompt_in_result=False)
            must([len(o.sequences_ids[0]) for o in out], n)
    return run


def to_gguf(folder):
    """GPT-2's weights as llama.cpp reads them: matrices in Q8_0, the rest in f32."""
    path = folder / "q8_0.gguf"
    import gguf
    from safetensors.numpy import load_file
    config = json.loads((folder / "config.json").read_text())
    vocab = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    writer = gguf.GGUFWriter(str(path) + ".new", "gpt2")
    writer.add_block_count(config["n_layer"])
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(sorted(vocab, key=vocab.get))
    writer.add_token_types([gguf.TokenType.NORMAL] * len(vocab))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    part = {"ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
            "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}
    whole = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm"}
    for name, x in load_file(folder / "model.safetensors").items():
        name, kind = name.removeprefix("transformer.").rsplit(".", 1)
        if name in whole:
            to = f"{whole[name]}.{kind}"
        else:
            _, layer, rest = name.split(".", 2)
            to = f"blk.{layer}.{part[rest]}.{kind}"
            x = x.T if x.ndim == 2 else x  # by input: Conv1D
        quantised = x.ndim == 2 and name != "wpe"
        kind = gguf.GGMLQuantizationType.Q8_0 if quantised else gguf.GGMLQuantizationType.F32
        x = np.ascontiguousarray(x)
        writer.add_tensor(to, gguf.quants.quantize(x, kind) if quantised else x, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    Path(str(path) + ".new").rename(path)


def llama(folder, rows, beams, threads):
    """llama.cpp's server, in this process; rows are requests that come at once."""
    from concurrent.futures import ThreadPoolExecutor
    import xllamacpp
    if beams > 1:
        raise SystemExit("gen_peers.py: llama.cpp has no beams")
    params = xllamacpp.CommonParams()
    params.model.path = str(made_apart(folder / "q8_0.gguf", "to_gguf"))
    params.n_parallel = len(rows)
    params.n_ctx = 128 * len(rows)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0
    server = xllamacpp.Server(params)
    pool = ThreadPoolExecutor(len(rows))

    def run(n):
        ask = {"n_predict": n, "temperature": 0, "top_k": 1, "ignore_eos": True,
               "cache_prompt": False}
        out = pool.map(lambda row: server.handle_completions({"prompt": row, **ask}), rows)
        must([o["usage"]["completion_tokens"] for o in out], n)
    return run


def memory(folder, rows, beams, threads):
    """No peer: what reads READ bytes."""
    import torch
    torch.set_num_threads(threads)
    x = torch.ones(READ // 4)
    return lambda n: x.sum().item()


MAKERS = {"to_ctranslate2": to_ctranslate2, "to_gguf": to_gguf}
PEERS = {
    "memory": memory,
    "transformers-f32": lambda *a: transformers("float32", *a),
    "transformers-bf16": lambda *a: transformers("bfloat16", *a),
    "ctranslate2-f32": lambda *a: ctranslate2("float32", *a),
    "ctranslate2-int8": lambda *a: ctranslate2("int8", *a),
    "llama.cpp-q8_0": llama,
}


def main():
    peer, folder, ids, beams, threads = sys.argv[1:]
    run = PEERS[peer](Path(folder), json.loads(Path(ids).read_text()), int(beams), int(threads))
    run(2)
    print("ready", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        run(int(line))
        seconds = time.perf_counter() - begin
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


if __name__ == "__main__":
    if sys.argv[1] in MAKERS:
        MAKERS[sys.argv[1]](Path(sys.argv[2]))
    else:
        main()
