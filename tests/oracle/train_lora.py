"""Adapters for train_steps.py's models, by peft: beginning as `train` begins them, so that what follows
can be compared."""
import struct

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

MASK = (1 << 64) - 1
TASKS = {"class": "SEQ_CLS", "multi": "SEQ_CLS", "regression": "SEQ_CLS", "token": "TOKEN_CLS",
         "span": "QUESTION_ANS", "clm": "CAUSAL_LM"}
# Families whose targets peft does not know by itself: the like of those that it does.
TARGETS = {"distilbert": ["q_lin", "v_lin"], "albert": ["query", "value"]}
# What learns with the adapters where peft does not find it by the task, and what is no layer's.
HEADS = {"bart": ["classification_head"], "electra": ["classifier"]}
OUTSIDE = [".*pooler.*", ".*pre_classifier.*", ".*classification_head.*", ".*qa_outputs.*", ".*classifier.*", ".*score.*"]


class Rand:
    """xoshiro256** (Blackman and Vigna 2021), its state filled by four steps of SplitMix64."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9e3779b97f4a7c15) & MASK
            z = seed
            z = ((z ^ z >> 30) * 0xbf58476d1ce4e5b9) & MASK
            z = ((z ^ z >> 27) * 0x94d049bb133111eb) & MASK
            self.s.append(z ^ z >> 31)

    def unit(self):
        def turn(x, k):
            return (x << k | x >> (64 - k)) & MASK
        s = self.s
        out, t = turn(s[1] * 5 & MASK, 7) * 9 & MASK, s[1] << 17 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = turn(s[3], 45)
        return (out >> 11) * 2.0 ** -53


def name_seed(name, seed):
    """FNV-1a over the name, from the seed on."""
    h = 0xcbf29ce484222325 ^ seed
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001b3) & MASK
    return h


def drawn(name, shape, seed):
    """Uniform in +-1/sqrt(inputs), which is kaiming_uniform_(a=sqrt(5)), by seed and name."""
    r, bound = Rand(name_seed(name, seed)), 1 / shape[1] ** 0.5
    numbers = [bound * (2 * r.unit() - 1) for _ in range(shape[0] * shape[1])]
    packed = struct.pack(f"<{len(numbers)}f", *numbers)
    return torch.frombuffer(bytearray(packed), dtype=torch.float32).reshape(shape)


def adapt(model, objective, o, seed=42):
    """The model with adapters, as `train --lora` has it."""
    rank, _, alpha = o["lora"].partition(":")
    kind, prefix = model.config.model_type, model.base_model_prefix + "."
    more = {"target_modules": TARGETS.get(kind)}
    if o.get("lora-all"):
        more = {"target_modules": "all-linear", "exclude_modules": "|".join(OUTSIDE)}
    if alpha:
        more["lora_alpha"] = float(alpha)
    if objective != "clm":
        more["modules_to_save"] = HEADS.get(kind)
    adapted = get_peft_model(model, LoraConfig(
        task_type=TASKS[objective], r=int(rank), fan_in_fan_out=kind == "gpt2", **more))
    for name, p in adapted.named_parameters():
        if "lora_A" in name:
            own = name.removeprefix("base_model.model.").removeprefix(prefix)
            p.data = drawn(own.replace(".default", ""), tuple(p.shape), seed)
    return adapted.eval()


def tensors(model):
    """What peft saves of it: name and shape."""
    return [(n, list(p.shape)) for n, p in sorted(get_peft_model_state_dict(model).items())]


def merged(model):
    """The model without adapters, which its matrices have taken in; the names of what has changed."""
    changed = {n.split(".lora_A")[0].split(".modules_to_save")[0] for n, p in model.named_parameters()
               if p.requires_grad and ".lora_B" not in n}
    changed = {n.removeprefix("base_model.model.") for n in changed}
    model = model.merge_and_unload()
    return model, [n for n, _ in model.named_parameters()
                   if n.endswith(".weight") and any(n.startswith(c + ".") for c in changed)]
