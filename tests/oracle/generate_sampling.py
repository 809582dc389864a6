"""How likely each token is to be the next, after all rules -> tests/golden/generate/p/,
sampling.tsv."""
import torch
import transformers as T
from safetensors.torch import save_file

from generate_models import OUT, write_json
from generate_run import options
from stable import sort_metadata

NOISE = 1e-4  # of logits: who is kept must not hang on it
ROW = {"gpt2": [19, 26, 35, 29], "flan": [9, 30, 12, 1], "mt5": [7, 44, 31, 1]}
# name, model, options, over the model's settings
SETTINGS = (
    ("plain", "gpt2", "--sample --top-k 0", None),
    ("fifty", "gpt2", "--sample", None),
    ("temperature", "gpt2", "--sample --top-k 0 --temperature 0.7", None),
    ("hot", "gpt2", "--sample --top-k 0 --temperature 2.5", None),
    ("top-k", "gpt2", "--sample --top-k 7", None),
    ("top-p", "gpt2", "--sample --top-k 0 --top-p 0.8", None),
    ("min-p", "gpt2", "--sample --top-k 0 --min-p 0.15", None),
    ("typical", "gpt2", "--sample --top-k 0 --typical 0.35", None),
    ("epsilon", "gpt2", "--sample --top-k 0", {"epsilon_cutoff": 0.007}),
    ("eta", "gpt2", "--sample --top-k 0", {"eta_cutoff": 0.005}),
    ("all", "gpt2", "--sample --temperature 1.6 --top-k 20 --top-p 0.95 --min-p 0.01",
     {"typical_p": 0.95, "epsilon_cutoff": 0.003}),
    ("rules", "gpt2", "--sample --top-k 12 --repetition-penalty 2 --no-repeat 1",
     {"sequence_bias": [[[24], 2.0]], "renormalize_logits": True}),
    ("repetition", "gpt2", "--sample --top-k 0 --repetition-penalty 1.8 --temperature 1.5", None),
    ("file", "gpt2", "", {"do_sample": True, "top_p": 0.7, "temperature": 1.3}),
    ("min-new", "flan", "--sample --temperature 1.5 --min-new 1", None),
    ("source", "mt5", "--sample --temperature 2 --top-p 0.9", None),
)


class Last(T.LogitsProcessor):
    """Stands first or last among the rules: adds noise, or keeps what they made."""

    def __init__(self, noise=None):
        self.noise, self.scores = noise, None

    def __call__(self, input_ids, scores):
        self.scores = scores if self.noise is None else scores + self.noise
        return self.scores


def next_token(model, row, said, noise=None):
    """Probabilities [vocabulary] of the first new token of a row."""
    last, add = Last(), Last(noise)
    make = type(model)._get_logits_processor

    def with_both(**more):
        made = make(model, **more)
        return T.LogitsProcessorList(([add] if noise is not None else []) + made + [last])
    model._get_logits_processor = with_both
    ids = torch.tensor([row])
    said = {**said, "max_new_tokens": 1}
    with torch.inference_mode():
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **said)
    del model._get_logits_processor
    return last.scores[0].softmax(-1)


def make(models, write_stream):
    """models: generate.Models."""
    lines, seen = [], []
    for name, kind, text, over in SETTINGS:
        model = models.get(kind, over)
        said = options(text, OUT, models.tokenizer)
        p = next_token(model, ROW[kind], said)
        g = torch.Generator().manual_seed(3)
        for _ in range(20):
            noise = NOISE * torch.randn(p.shape, generator=g)
            other = next_token(model, ROW[kind], said, noise)
            assert torch.equal(other > 0, p > 0), name
        few = sorted(p[p > 0].tolist())
        assert len(few) >= 3 and few[-1] < 0.95, (name, few)
        assert not any(len(q) == len(p) and (q - p).abs().sum() < 0.02 for q in seen), name
        seen.append(p)
        print(f"p {name}: {len(few)} tokens, from {few[0]:.3g} to {few[-1]:.3g}")
        path = OUT / "p" / f"{name}.safetensors"
        save_file({"p": p.contiguous()}, path, metadata={"format": "pt"})
        sort_metadata(path)
        settings = "-"
        if over is not None:
            settings = f"settings/p-{name}.json"
            write_json(OUT / settings, models.settings(kind, over))
        lines.append((name, kind, text or "-", write_stream(kind, [ROW[kind]]),
                      str(path.relative_to(OUT)), settings))
    (OUT / "sampling.tsv").write_text("".join("\t".join(w) + "\n" for w in lines))
