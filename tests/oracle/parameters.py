"""How many parameters transformers counts in each golden model -> tests/golden/parameters.tsv:
folder, num_parameters() of the class that its config.json names. Folders that lack some of that
class's weights, which transformers would then draw, are left out."""
import json

import transformers
from transformers import logging

from models import MODELS

OUT = MODELS.parent / "parameters.tsv"
MADE = {"marian"}  # it counts tables that it makes itself
logging.set_verbosity_error()


def main():
    with open(OUT, "w", encoding="utf-8") as f:
        for folder in sorted(MODELS.iterdir()):
            if folder.name in MADE or not any(folder.glob("*model*.safetensors")) and not any(folder.glob("*.bin")):
                continue
            config = json.loads((folder / "config.json").read_text())
            kind = getattr(transformers, config["architectures"][0])
            model, said = kind.from_pretrained(folder, output_loading_info=True)
            if not said["missing_keys"]:
                f.write(f"{folder.name}\t{model.num_parameters()}\n")


if __name__ == "__main__":
    main()
