"""A small random cross-encoder, and what sentence-transformers' CrossEncoder says by it ->
tests/golden/models/bert-rerank/, tests/golden/rerank/.

    corpus.txt, queries.txt  texts a line; some are longer than the model reads
    rank.tsv                 CrossEncoder.rank of each query over the whole corpus: the query's line,
                             the rank, the score, the text
    predict.tsv              CrossEncoder.predict of the first query with each text, for each folder
                             below: its name, the score
    NAME/                    what such a folder has in the place of the model's files: how a logit
                             becomes a score is said in another place, or not at all

The scores in rank.tsv are logits (Identity); in predict.tsv some are their sigmoids.
"""
import json
import shutil

import transformers as T
from sentence_transformers import CrossEncoder

from heads import bert, widen, wordpiece
from models import MODELS

OUT = MODELS.parent / "rerank"
FOLDER = MODELS / "bert-rerank"
IDENTITY, SIGMOID = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Sigmoid"
QUERIES = ["where is my bag?", "a good cat", "who lives in Berlin " * 12, "\u00e9t\u00e9 in Paris"]
CORPUS = ["they lost my bag", "the cat sat on the mat", "Anna lives in Berlin.",
          "I love this flight", "the company was born in Europe", "bad service, never again",
          "the time of the city and of that cat " * 9, "Bob of Paris", "", "good",
          "the cat sat on the mat"]
CONFIGS = {"config": {"sentence_transformers": {"activation_fn": SIGMOID}},
           "old": {"sbert_ce_default_activation_function": SIGMOID},
           "both": {"sentence_transformers": {"activation_fn": IDENTITY},
                    "sbert_ce_default_activation_function": SIGMOID},
           "other": {"sentence_transformers": {"activation_fn": "somewhere.Else"}},
           "none": {}}


def make():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    tokenizer = wordpiece(FOLDER)
    tokenizer.save_pretrained(FOLDER)
    model = T.BertForSequenceClassification(bert(len(tokenizer), num_labels=1))
    widen(model, 190).save_pretrained(FOLDER)
    say({"sentence_transformers": {"activation_fn": IDENTITY}}, FOLDER)


def say(more, folder):
    """The model's config.json with these keys."""
    config = json.loads((FOLDER / "config.json").read_text())
    config.pop("sentence_transformers", None)
    (folder / "config.json").write_text(json.dumps(config | more, indent=2, sort_keys=True) + "\n")


def encoder(overlay=None):
    folder = OUT / "whole"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FOLDER, folder)
    if overlay:
        shutil.copytree(overlay, folder, dirs_exist_ok=True)
    made = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    shutil.rmtree(folder)
    return made


def main():
    make()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    (OUT / "corpus.txt").write_text("".join(f"{t.strip()}\n" for t in CORPUS))
    (OUT / "queries.txt").write_text("".join(f"{t.strip()}\n" for t in QUERIES))
    model = encoder()
    with open(OUT / "rank.tsv", "w", encoding="utf-8") as f:
        for i, query in enumerate(QUERIES, 1):
            for k, said in enumerate(model.rank(query.strip(), [t.strip() for t in CORPUS],
                                                return_documents=True), 1):
                f.write(f"{i}\t{k}\t{said['score']:.7g}\t{said['text']}\n")
    for name, more in CONFIGS.items():
        (OUT / name).mkdir()
        say(more, OUT / name)
    model.activation_fn = T.activations.nn.Sigmoid()
    model.save_pretrained(str(OUT / "saved"))
    for made in (OUT / "saved").iterdir():
        if (FOLDER / made.name).exists() and made.name != "config.json" or made.suffix == ".md":
            made.unlink()
    with open(OUT / "predict.tsv", "w", encoding="utf-8") as f:
        for name in [*CONFIGS, "saved"]:
            for score in encoder(OUT / name).predict([(QUERIES[0], t.strip()) for t in CORPUS]):
                f.write(f"{name}\t{score:.7g}\n")


if __name__ == "__main__":
    main()
