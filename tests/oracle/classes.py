"""What transformers knows of models beside their folders' files -> tests/golden/tok/classes.tsv.

A line a model_type: the class of its tokenizer; the class's CLS, SEP, PAD, MASK and UNK tokens (-: it
has none); whether its mask token takes the spaces before it, and is sought in normalised text;
whether token types are made; how a position table of 40 entries limits a row: tokens, 0 where the
model has no such table. Yes and no are 1 and 0.
"""
from pathlib import Path

import transformers
from tokenizers import AddedToken, Tokenizer, models, normalizers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING, model_type_to_module_name
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
OUT = GOLDEN / "tok" / "classes.tsv"
SLOW = {"MarianTokenizer": GOLDEN / "models" / "marian-spm"}  # no fast class: a folder of its own
MODELING = Path(transformers.__file__).parent / "models"
TYPES = ["albert", "bart", "bert", "camembert", "deberta-v2", "distilbert", "electra", "gpt2", "llama", "longformer", "longt5",
         "marian", "mistral", "mobilebert", "mpnet", "mt5", "opt", "qwen2",
         "qwen3", "roberta", "t5", "umt5", "xlm-roberta", "xlm-roberta-xl"]
SPECIAL = ["cls_token", "sep_token", "pad_token", "mask_token", "unk_token"]
POSITIONS, PAD = 40, 1


def tokenizer(name):
    """One of the class that knows no words."""
    if name in SLOW:
        return getattr(transformers, name).from_pretrained(SLOW[name])
    bare = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    bare.normalizer = normalizers.BertNormalizer()
    return getattr(transformers, name + "Fast")(tokenizer_object=bare)


def length(model_type, config):
    if not hasattr(config, "max_position_embeddings") and not hasattr(config, "n_positions"):
        return 0
    module = model_type_to_module_name(model_type)
    source = (MODELING / module / f"modeling_{module}.py").read_text()
    return POSITIONS - PAD - 1 if "create_position_ids_from_input_ids" in source else POSITIONS


def row(model_type):
    name = TOKENIZER_MAPPING_NAMES[model_type][0]
    config, t = CONFIG_MAPPING[model_type](), tokenizer(name)
    special = [t._special_tokens_map.get(key) for key in SPECIAL]
    mask = special[SPECIAL.index("mask_token")]
    types = getattr(config, "type_vocab_size", 0) > 1 and "token_type_ids" in t.model_input_names
    own = isinstance(mask, AddedToken)  # else a text, which takes nothing and is sought as it is
    flags = [own and mask.lstrip, own and mask.normalized, types]
    return [model_type, name, *(str(s or "-") for s in special), *(str(int(f)) for f in flags),
            str(length(model_type, config))]


OUT.write_text("".join("\t".join(row(model_type)) + "\n" for model_type in TYPES))
