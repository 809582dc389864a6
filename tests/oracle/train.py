"""Twenty steps of torch.optim.AdamW on heads over vectors -> tests/golden/train/.

    linear*.safetensors, mlp*.safetensors
        x [n,h] F32, y [n] I64         vectors and classes; one batch holds them all, so that the
                                       order of rows plays no part
        w0 b0 (w1 b1)                  the head before the first step; torch's layout [out,in];
                                       of two layers ReLU stands between
        loss [20], lr [20], norm [20]  each step's mean cross entropy, rate, and gradient norm
                                       before clipping
        final.w0 final.b0 ...          the head after the last step
    __metadata__: lr, weight_decay (biases exempt), warmup (steps), steps, clip

betas (0.9, 0.999), eps 1e-8; the rate rises from 0 over the warm-up and falls to 0 at the last
step (transformers' get_linear_schedule_with_warmup); gradients are clipped to norm 1.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import get_linear_schedule_with_warmup

from stable import sort_metadata

OUT = Path(__file__).resolve().parent.parent / "golden" / "train"
STEPS, LR, CLIP = 20, 0.02, 1.0


def head(g, sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layer = torch.nn.Linear(a, b)
        layer.weight.data = torch.randn(b, a, generator=g) * (1.5 / a ** 0.5)
        layer.bias.data = torch.randn(b, generator=g) * 0.1
        layers += [torch.nn.ReLU(), layer] if layers else [layer]
    return torch.nn.Sequential(*layers)


def weights(model, prefix=""):
    linear = [m for m in model if isinstance(m, torch.nn.Linear)]
    return {f"{prefix}{k}{i}": p.detach().clone()
            for i, m in enumerate(linear) for k, p in (("w", m.weight), ("b", m.bias))}


def write(name, sizes, seed, weight_decay, warmup):
    g = torch.Generator().manual_seed(seed)
    n = 40
    x = torch.randn(n, sizes[0], generator=g) * 2
    y = torch.randint(sizes[-1], (n,), generator=g)
    x[torch.arange(n), y] += 1.5
    model = head(g, sizes)
    out = {"x": x, "y": y, **weights(model)}
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": weight_decay},
                                   {"params": plain, "weight_decay": 0.0}], lr=LR)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, STEPS)
    log = {"loss": [], "lr": [], "norm": []}
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        for key, value in (("loss", loss.item()), ("lr", schedule.get_last_lr()[0]),
                           ("norm", norm.item())):
            log[key].append(value)
        optimizer.step()
        schedule.step()
    out |= {k: torch.tensor(v) for k, v in log.items()} | weights(model, "final.")
    assert max(log["norm"]) > CLIP > min(log["norm"]), log["norm"]
    path = OUT / f"{name}.safetensors"
    save_file(out, path, metadata={
        "lr": str(LR), "weight_decay": str(weight_decay), "warmup": str(warmup),
        "steps": str(STEPS), "clip": str(CLIP)})
    sort_metadata(path)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write("linear", [12, 3], 1, 0.0, 0)
    write("linear-decay", [12, 3], 2, 0.01, 4)
    write("mlp", [12, 8, 3], 3, 0.0, 4)
    write("mlp-decay", [12, 8, 6, 3], 4, 0.01, 0)
