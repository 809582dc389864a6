"""gen.py: `gen` beside transformers, CTranslate2 and llama.cpp on random models of the shapes of
GPT-2 (124 M parameters; 16 ids each go on by 64, batches of 1 and 8), T5-base and
distilbart-cnn-12-6 (4 beams, a batch of 8, 128 ids each become 60). Prints Markdown.

All run in turns, and what counts is the median of ROUNDS (3). Peers have loaded everything
before; weft is timed as a user starts it. So each does one new id, too, and a step is what the
others took: seconds less those of one, for each more id of all rows. Its floor is the time in
which as many threads read the weights that a step needs from memory, once, at the speed at which
they read 512 MiB in the same run; kept keys and values come on top.

THREADS (the cores), SHAPES (gpt2-1 gpt2-8 t5-base-8 distilbart-8), CONTENDERS (all there are;
names as in the table). llama.cpp is that of xllamacpp, which PyPI has compiled (llama-cpp-python
is source there, ten minutes and more of compiling); it runs GPT-2 alone, for it has neither beams
nor BART."""
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench import REST, THREADS, WORK, machine
from gen_peers import PEERS, READ

ROUNDS = int(os.environ.get("ROUNDS", 3))
SHAPES = {"gpt2-1": ("gpt2", 1, 16, 64, 1), "gpt2-8": ("gpt2", 8, 16, 64, 1),
          "t5-base-8": ("t5-base", 8, 128, 60, 4), "distilbart-8": ("distilbart", 8, 128, 60, 4)}
OURS = {f"weft-{t}": t for t in ("f32", "bf16", "int8")}
BYTES = {"f32": 4, "bf16": 2, "int8": 1, "q8_0": 34 / 32}


def byte_level(words, special):
    """A tokenizer.json of so many words, of which the special ones come where they say."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    ordinary = iter(sorted(pre_tokenizers.ByteLevel.alphabet()) + [f"w{i}" for i in range(words)])
    vocab = {special.get(i) or next(ordinary): i for i in range(words)}
    t = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    return t


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast
    end = "<|endoftext|>"
    return (GPT2LMHeadModel(GPT2Config()),
            GPT2TokenizerFast(tokenizer_object=byte_level(50257, {50256: end})),
            lambda name: "wpe" not in name)


def t5():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import T5Config, T5ForConditionalGeneration, T5TokenizerFast
    config = T5Config(d_model=768, d_ff=3072, num_layers=12, num_heads=12,
                      decoder_start_token_id=0)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"\u2581w{i}", -10.0) for i in range(32000 - len(pieces))]
    t = Tokenizer(models.Unigram(pieces, 2, False))
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    return (T5ForConditionalGeneration(config), T5TokenizerFast(tokenizer_object=t),
            lambda name: name == "shared.weight" or name.startswith("decoder.") and
            "EncDecAttention.k" not in name and "EncDecAttention.v" not in name)


def distilbart():
    from transformers import BartConfig, BartForConditionalGeneration, BartTokenizerFast
    config = BartConfig(vocab_size=50264, d_model=1024, encoder_layers=12, decoder_layers=6,
                        encoder_attention_heads=16, decoder_attention_heads=16,
                        encoder_ffn_dim=4096, decoder_ffn_dim=4096, forced_eos_token_id=None,
                        normalize_before=False, normalize_embedding=True)
    special = {0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>"}
    return (BartForConditionalGeneration(config),
            BartTokenizerFast(tokenizer_object=byte_level(50264, special)),
            lambda name: name == "model.shared.weight" or name.startswith("model.decoder.") and
            not any(part in name for part in ("encoder_attn.k_proj", "encoder_attn.v_proj",
                                              "embed_positions")))


def make(name):
    import torch
    torch.manual_seed(0)
    folder = WORK / "gen" / name
    model, tokenizer, read = {"gpt2": gpt2, "t5-base": t5, "distilbart": distilbart}[name]()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    weights = sum(w.numel() for n, w in model.named_parameters() if read(n))
    (folder / "step").write_text(f"{weights}\n")


def made(name):
    """The folder of a random model; how many weights a step reads. By a process of its own: what
    this one holds would count as our programs' memory, which it starts."""
    folder = WORK / "gen" / name
    if not (folder / "step").exists():
        subprocess.run([sys.executable, __file__, "make", name], check=True,
                       stdout=subprocess.DEVNULL)
    return folder, int((folder / "step").read_text())


def prompts(rows, length):
    """Ids that are in every vocabulary and none of the special ones, as JSON and as a stream."""
    ids = np.random.default_rng(0).integers(1000, 30000, (rows, length), np.int32)
    plain, stream = WORK / "gen" / "ids.json", WORK / "gen" / "ids.weft"
    plain.write_text(json.dumps(ids.tolist()))
    from safetensors.numpy import save_file
    save_file({"row.tokens": np.arange(rows + 1, dtype=np.int64) * length,
               "token.id": ids.reshape(-1)}, stream)
    return plain, stream


def ids_in(path):
    """How many ids a stream holds (weft-stream(5))."""
    n = 0
    with open(path, "rb") as f:
        while size := f.read(8):
            header = json.loads(f.read(struct.unpack("<Q", size)[0]))
            tensors = [v for k, v in header.items() if k != "__metadata__"]
            n += header.get("token.id", {"shape": [0]})["shape"][0]
            f.seek(max((t["data_offsets"][1] for t in tensors), default=0), 1)
    return n


class Weft:
    def __init__(self, dtype, folder, stream, rows, beams):
        self.command = ["gen", "-m", folder, "-b", str(rows), "-t", dtype, "-j", str(THREADS)]
        self.command += ["--beams", str(beams)] if beams > 1 else []
        self.stream, self.rows = stream, rows

    def run(self, n):
        out = WORK / "gen" / "out.weft"
        begin = time.perf_counter()
        with open(self.stream, "rb") as i, open(out, "wb") as o:
            process = subprocess.Popen([*self.command, "--max-new", str(n), "--min-new", str(n)],
                                       stdin=i, stdout=o)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        if status != 0 or ids_in(out) < self.rows * n:
            raise SystemExit(f"gen.py: gen failed, or made less than {n} ids a row")
        return seconds, usage.ru_maxrss / 1024

    def close(self):
        pass


class Peer:
    def __init__(self, name, folder, ids, beams):
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("gen_peers.py"), name, folder, ids,
             str(beams), str(THREADS)], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=open(WORK / "gen" / f"{name}.log", "w"))
        while self.answer() != "ready":
            pass

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"gen.py: {self.name} died: see {WORK}/gen/{self.name}.log")
        return line.strip()

    def run(self, n):
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        return tuple(map(float, self.answer().split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def names(beams):
    there = [*OURS, *(name for name in PEERS if name != "memory")]
    if not shutil.which("gen"):
        there = [n for n in there if n not in OURS]
        print("gen.py: no gen on PATH: peers alone", file=sys.stderr)
    wanted = os.environ.get("CONTENDERS", " ".join(there)).split()
    if unknown := [n for n in wanted if n not in there]:
        raise SystemExit(f"gen.py: CONTENDERS: not there: {' '.join(unknown)}")
    return [n for n in wanted if beams == 1 or not n.startswith("llama")]


def measure(shape):
    model, rows, length, new, beams = SHAPES[shape]
    folder, weights = made(model)
    ids, stream = prompts(rows, length)
    contenders = {n: Weft(OURS[n], folder, stream, rows, beams) if n in OURS else
                  Peer(n, folder, ids, beams) for n in names(beams)}
    memory, reads = Peer("memory", folder, ids, beams), []
    one = {n: [] for n in contenders}
    all_of_it = {n: [] for n in contenders}
    for _ in range(ROUNDS):
        time.sleep(REST)
        reads += [memory.run(1)[0] for _ in range(5)]
        for name, c in contenders.items():
            time.sleep(REST)
            one[name].append(c.run(1))
            all_of_it[name].append(c.run(new))
    for c in [memory, *contenders.values()]:
        c.close()
    speed = READ / statistics.median(reads)
    print(f"{shape}: {rows} rows of {length} ids, {new} new, {beams} beams, {weights / 1e6:.0f} M "
          f"weights a step; memory is read at {speed / 1e9:.1f} GB/s; {machine()}; medians of "
          f"{ROUNDS}\n")
    print("| contender | seconds | range | ids/s | one id, s | a step, ms | its ids/s | "
          "floor, ms | peak MiB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name in contenders:
        seconds = [s for s, _ in all_of_it[name]]
        middle, first = statistics.median(seconds), statistics.median(s for s, _ in one[name])
        step = (middle - first) / (new - 1)
        floor = weights * BYTES[name.rsplit("-", 1)[1]] / speed
        print(f"| {name} | {middle:.2f} | {min(seconds):.2f}-{max(seconds):.2f} | "
              f"{rows * new / middle:.1f} | {first:.2f} | {step * 1e3:.1f} | {rows / step:.1f} | "
              f"{floor * 1e3:.1f} | {max(m for _, m in all_of_it[name]):.0f} |")
    print(flush=True)


def main():
    (WORK / "gen").mkdir(parents=True, exist_ok=True)
    for shape in os.environ.get("SHAPES", " ".join(SHAPES)).split():
        measure(shape)


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(sys.argv[2])
    else:
        main()
