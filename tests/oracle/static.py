"""Static embeddings -> tests/golden/static/NAME: folders as model2vec and sentence-transformers save
them, and what these say of tests/golden/static/texts.

    model/     the folder
    want.ids   the ids of each text that its vector is made of
    want.safetensors
        row.vector    what the library that wrote the folder makes of each text

distil.vectors.safetensors are vectors, row.vector, for each entry of the vocabulary of the model
"sentence", and distil.table.safetensors are the embeddings that model2vec's distil makes of them, but
that special tokens are left out of it and are zeros.
"""
import importlib.util
import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "build" / "oracle-static"))  # static.txt, by make.sh

import numpy as np  # noqa: E402
import torch  # noqa: E402
from model2vec import StaticModel  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from sentence_transformers.base.modules import Dense, Normalize  # noqa: E402
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, StaticEmbedding  # noqa: E402
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: E402

GOLDEN = HERE.parent / "golden"
OUT = GOLDEN / "static"
TEXTS = ["the cat sat on the mat", "We Love flying, ÉCOLE and İstanbul", "", "one", "\u2603 cat \u2603", "\u2603",
         "the new york train was late and no one was there at the end of the day",
         "unhelpfulnessful " * 9 + "cat"]
DIM = 12


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) / shape[-1] ** 0.5


def tokenizer(name):
    return Tokenizer.from_file(str(GOLDEN / "models" / name / "tokenizer.json"))


def words():
    """Words alone, most of them unknown."""
    known = ["<pad>", "[UNK]", "the", "cat", "sat", "one", "day", "new york", "love"]
    t = Tokenizer(models.WordLevel({w: i for i, w in enumerate(known)}, unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    t.add_tokens(["new york"])
    return t


def store(name, ids, vectors):
    folder = OUT / name
    (folder / "want.ids").write_text("".join(" ".join(map(str, r)) + "\n" for r in ids))
    save_file({"row.vector": torch.from_numpy(np.asarray(vectors, dtype=np.float32)).contiguous()},
              folder / "want.safetensors")


def fresh(name):
    folder = OUT / name / "model"
    folder.mkdir(parents=True)
    return folder


def model2vec(name, tok, vectors, without=(), **more):
    folder = fresh(name)
    StaticModel(vectors, tok, **more).save_pretrained(folder)
    (folder / "README.md").unlink()
    for file in without:
        (folder / file).unlink()
    model = StaticModel.from_pretrained(folder)
    model._set_max_length_in_tokenizer(model.max_length)  # as its encode() cuts
    cut = [t[:model.max_length * model.median_token_length] if model.max_length else t for t in TEXTS]
    store(name, model.tokenize(cut), model.encode(TEXTS))


def sentences(name, tok, *behind, into=None, dim=DIM, half=False):
    folder, table = fresh(name), torch.from_numpy(draw(7, tok.get_vocab_size(), dim))
    static = StaticEmbedding(tok, embedding_weights=table.half() if half else table)
    model = SentenceTransformer(modules=[static, *behind], device="cpu")
    model.save(str(folder), create_model_card=False)
    if into:
        (folder / into).mkdir()
        for file in ("tokenizer.json", "model.safetensors"):
            shutil.move(folder / file, folder / into / file)
        modules = json.loads((folder / "modules.json").read_text())
        modules[0] |= {"path": into, "type": "sentence_transformers.models.StaticEmbedding"}
        (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")
    model = SentenceTransformer(str(folder), device="cpu")
    ids = [e.ids for e in model[0].tokenizer.encode_batch(TEXTS, add_special_tokens=False)]
    store(name, ids, model.encode(TEXTS))


def dense(seed, wide, narrow, act):
    d = Dense(in_features=wide, out_features=narrow, activation_function=act)
    with torch.no_grad():
        d.linear.weight.copy_(torch.from_numpy(draw(seed, narrow, wide)))
        d.linear.bias.copy_(torch.from_numpy(draw(seed + 1, narrow)))
    return d


def distil(dims=10):
    """model2vec.distill wants more packages, its arithmetic does not."""
    path = Path(sys.modules["model2vec"].__file__).parent / "distill" / "inference.py"
    spec = importlib.util.spec_from_file_location("inference", path)
    inference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inference)
    tok = tokenizer("sentence")
    size, special = tok.get_vocab_size(), len(tok.get_added_tokens_decoder())
    vectors = draw(14, size, 24) @ draw(15, 24, 24) + draw(16, 24)
    kept = vectors[special:].astype(np.float64)
    table = inference.apply_pca(kept, dims) * inference.compute_weights(len(kept), 1e-4)[:, None]
    whole = np.concatenate([np.zeros((special, dims)), table]).astype(np.float32)
    save_file({"row.vector": torch.from_numpy(vectors)}, OUT / "distil.vectors.safetensors")
    save_file({"embeddings": torch.from_numpy(whole)}, OUT / "distil.table.safetensors")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    (OUT / "texts").write_text("".join(t + "\n" for t in TEXTS))
    bert = tokenizer("sentence")
    size, some = bert.get_vocab_size(), {"config": {"model_type": "model2vec", "architectures": ["StaticModel"]}}
    model2vec("m2v", bert, draw(1, size, DIM), **some)
    model2vec("m2v-unit", bert, draw(2, size, DIM), normalize=True, **some)
    model2vec("m2v-old", bert, draw(2, size, DIM), without=["modules.json"], normalize=True, **some)
    model2vec("m2v-shared", bert, draw(3, 20, DIM), normalize=True, weights=np.abs(draw(4, size)).astype(np.float64),
              token_mapping=np.random.default_rng(5).integers(0, 20, size), **some)
    model2vec("m2v-f16", bert, draw(6, size, DIM).astype(np.float16), **some)
    model2vec("m2v-f64", bert, draw(6, size, DIM).astype(np.float64), **some)
    model2vec("m2v-int8", bert, np.rint(127 * np.clip(draw(6, size, DIM), -1, 1)).astype(np.int8), normalize=True, **some)
    model2vec("m2v-short", bert, draw(1, size, DIM), max_length=6, **some)
    model2vec("m2v-endless", bert, draw(1, size, DIM), max_length=None, **some)
    listed = words()
    model2vec("m2v-words", listed, draw(8, listed.get_vocab_size(), DIM), normalize=True, **some)
    for name in ("bpe-gpt2", "unigram-xlmr"):
        tok = tokenizer(name)
        model2vec("m2v-" + name.split("-")[0], tok, draw(9, tok.get_vocab_size(), DIM), normalize=True, **some)
    sentences("st", bert)
    sentences("st-unit", bert, Normalize(), into="0_StaticEmbedding")
    sentences("st-dense", bert, dense(10, DIM, 8, torch.nn.Tanh()), Normalize(), dense(12, 8, 5, torch.nn.Identity()))
    norm = LayerNorm(DIM)
    with torch.no_grad():
        norm.norm.weight.copy_(torch.from_numpy(1 + draw(17, DIM)))
        norm.norm.bias.copy_(torch.from_numpy(draw(18, DIM)))
    sentences("st-behind", bert, norm, Dropout(0.1), dense(19, DIM, 6, torch.nn.GELU()))
    sentences("st-f16", bert, half=True)
    cut = tokenizer("sentence")
    cut.enable_truncation(5, direction="left")
    cut.enable_padding()
    sentences("st-cut", cut)
    distil()


if __name__ == "__main__":
    main()
