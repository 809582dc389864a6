"""Archives of torch.save -> tests/golden/torch/.

    mixed.bin, mixed.safetensors   the same tensors: all types, views that share a storage, that lie
                                   across it, scalars, empty ones, parameters
    old.bin                        the same as PyTorch wrote them before 1.6
    evil.bin                       an archive whose pickle runs a command
"""
import collections
import os
import pickle
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parent.parent / "golden" / "torch"


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/weft-was-here",)


def mixed():
    g = torch.Generator().manual_seed(0)
    base = torch.randn(60, generator=g)
    whole = torch.arange(-6, 6)
    return collections.OrderedDict({
        "dense": torch.randn(3, 4, generator=g),
        "part": base[7:19].view(3, 4),
        "turned": base[20:32].view(3, 4).t(),
        "every": base[::7],
        "deep": base[:24].view(2, 3, 4).permute(2, 0, 1),
        "repeated": base[:4].view(4, 1).expand(4, 3),
        "scalar": torch.tensor(-1e4),
        "empty": torch.empty(0, 5),
        "parameter": torch.nn.Parameter(torch.randn(5, generator=g)),
        "f16": torch.randn(4, generator=g).half(),
        "bf16": torch.randn(4, generator=g).bfloat16(),
        "f64": torch.randn(2, generator=g).double(),
        "i64": whole, "i32": whole.int(), "i16": whole.short(), "i8": whole.char(),
        "u8": whole.abs().byte(), "bool": whole > 0,
    })


def main():
    OUT.mkdir(exist_ok=True)
    tensors = mixed()
    tensors._metadata = collections.OrderedDict({"": {"version": 1}, "part": {"version": 2}})
    torch.save(tensors, OUT / "mixed.bin")
    torch.save(tensors, OUT / "old.bin", _use_new_zipfile_serialization=False)
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()},
              OUT / "mixed.safetensors")
    with zipfile.ZipFile(OUT / "evil.bin", "w") as z:
        z.writestr(zipfile.ZipInfo("evil/data.pkl"), pickle.dumps({"a": Evil()}, protocol=2))


if __name__ == "__main__":
    main()
