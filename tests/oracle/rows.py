"""What transformers makes of whole rows: pairs in windows, zero-shot, words -> tests/golden/tok/.

    qa.jsonl          {"question", "context"}      qa-MAX-STRIDE.rows
    qa.jsonl again, the first text in windows      qf-MAX-STRIDE.rows
    candidates.txt    a text a line                candidates-MAX.rows
    sentences.conll   words and tags               sentences-MAX.rows, sentences-MAX-STRIDE.rows

and the same of two other templates, as MODEL-NAME.rows: rows-roberta (a small byte-level BPE of
RoBERTa's layout, four special tokens in a pair) and rows-t5 (one behind each text).
NAME.rows are rows as tests/unit/frames.c prints them. wordpiece-uncased is tok.py's.
"""
import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.pipelines.zero_shot_classification import ZeroShotClassificationArgumentHandler

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
OUT = GOLDEN / "tok"
MODELS = GOLDEN / "models"

QUESTIONS = [
    ("who was it?", "They said it was there, but was it? No one could say who it was, or when, and where."),
    ("", "when the new york train was late, no one was there; the next one came (at last) at 12:45."),
    ("was it the cat?", "it was the cat"),
    ("where?", "Café naïve façade: 日本語のテキスト was there, e\u0301a\u0300 and 😀 too, said İstanbul."),
    ("what of this?", ""),
]
TEXTS = [
    "I have a problem with my phone that needs to be resolved asap!!",
    "the new york game was late again, and no one was there to say when it would begin at last",
    "", "Café 日本語", "they won",
]
CANDIDATES, TEMPLATE = ' politics , "sports, games",new phones,,日本 ', "This text is about {}."
CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP B-MISC
call NN I-NP O
to TO B-VP O
boycott VB I-VP O
British JJ B-NP B-MISC
lamb NN I-NP O
. . O O

Peter\tNNP\tB-NP\tB-PER
Blackburn\tNNP\tI-NP\tI-PER

BRUSSELS NNP B-NP B-LOC
1996-08-22 CD I-NP O

-DOCSTART- -X- -X- O
日本 NNP B-NP B-LOC
naïve JJ O O
don't VB O O
\u200b NN O B-MISC
[MASK] NN O B-MISC
New\u00a0York NNP O B-LOC
""" + "".join(f"word{i} NN O {'B-PER' if i % 3 == 0 else 'I-PER' if i % 3 == 1 else 'O'}\n" for i in range(14))


def make_roberta(folder):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    t.train_from_iterator(
        [" ".join(TEXTS), CONLL, *(x for pair in QUESTIONS for x in pair)],
        trainers.BpeTrainer(vocab_size=420, special_tokens=special, show_progress=False,
                            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=True)
    t.save(str(folder / "tokenizer.json"))


def make_t5(folder):
    t = Tokenizer.from_file(str(MODELS / "wordpiece-uncased" / "tokenizer.json"))
    t.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", pair="$A [SEP] $B [SEP]", special_tokens=[("[SEP]", 3)])
    t.save(str(folder / "tokenizer.json"))


def load(name, make=None):
    folder = MODELS / name
    if make and not folder.exists():
        folder.mkdir(parents=True)
        make(folder)
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), add_prefix_space=True) if make \
        else AutoTokenizer.from_pretrained(folder)


def bytes_at(text):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return at


def line(enc, source, texts, starts=None, tags=None, before=None):
    """starts: for words, the byte in texts[0] at which each begins; tags: of the words; before:
    the word of the token before this window's first."""
    words, spans, labels = enc.word_ids, [], []
    for (b, e), s, w in zip(enc.offsets, enc.sequence_ids, words):
        if s is None:
            spans += [0, 0]
        elif starts is None:
            spans += [bytes_at(texts[s])[b], bytes_at(texts[s])[e]]
        else:
            at, text = starts[w]
            spans += [at + bytes_at(text)[b], at + bytes_at(text)[e]]
    for i, w in enumerate(words):
        labels.append(tags[w] if tags and w is not None and w != before else "")
        before = before if w is None else w
    for i, s in enumerate(enc.sequence_ids):
        # RobertaProcessing takes the space off a token's span, but leaves it to the first of each
        # window, as if that began the text. Here a span is the same in every window.
        if s is not None and texts[s].encode()[spans[2 * i]:spans[2 * i] + 1] == b" " and spans[2 * i] + 1 < spans[2 * i + 1]:
            spans[2 * i] += 1
    out = [f"row.tokens: {len(enc.ids)}"]
    if tags:
        out.append("token.label: " + " ".join(f"'{t}'" for t in labels))
    out += [f"row.source: {source}", f"row.text: '{texts[0]}'"]
    if len(texts) > 1:
        out.append(f"row.pair: '{texts[1]}'")
    out.append("token.id: " + " ".join(map(str, enc.ids)))
    out.append("token.span: " + " ".join(map(str, spans)))
    out.append("token.part: " + " ".join("255" if s is None else str(s) for s in enc.sequence_ids))
    if prefix == "":
        out.append("token.type: " + " ".join(map(str, enc.type_ids)))
    return " ".join(out) + "\n"


def write(name, rows):
    (OUT / (prefix + name)).write_text("".join(rows) + "end\n", encoding="utf-8")


def questions():
    (OUT / "qa.jsonl").write_text("".join(
        json.dumps({"question": q, "context": c}, ensure_ascii=False) + "\n" for q, c in QUESTIONS), encoding="utf-8")
    for most, stride in ((20, 0), (20, 1), (20, 3), (24, 7), (31, 12), (48, 5)) if not prefix else ((24, 3), (31, 0), (40, 9)):
        rows, first = [], []
        for i, (q, c) in enumerate(QUESTIONS):
            how = dict(max_length=most, stride=stride, return_overflowing_tokens=True)
            # As lists: of two strings transformers takes an empty second one for none.
            rows += [line(e, i, (q, c)) for e in tokenizer([q], [c], truncation="only_second", **how).encodings]
            first += [line(e, i, (c, q)) for e in tokenizer([c], [q], truncation="only_first", **how).encodings]
        write(f"qa-{most}-{stride}.rows", rows)
        write(f"qf-{most}-{stride}.rows", first)


def candidates():
    (OUT / "candidates.txt").write_text("".join(t + "\n" for t in TEXTS), encoding="utf-8")
    names = ["politics", "sports, games", "new phones", "日本"]  # CANDIDATES as a list, since one has a comma
    pairs, _ = ZeroShotClassificationArgumentHandler()(TEXTS, names, TEMPLATE)
    for most in (21, 24, 48) if not prefix else (40,):
        write(f"candidates-{most}.rows", (
            line(tokenizer([a], [b], truncation="only_first", max_length=most).encodings[0], i // len(names), (a, b))
            for i, (a, b) in enumerate(pairs)))


def sentences():
    (OUT / "sentences.conll").write_text(CONLL, encoding="utf-8")
    found, words = [], []
    for text in CONLL.split("\n") + [""]:
        if not text.strip() or text.startswith("-DOCSTART-"):
            if words:
                found.append(words)
            words = []
        else:
            columns = text.split("\t") if "\t" in text else text.split(" ")
            words.append((columns[0], columns[-1]))
    for most, stride in ((48, None), (9, None), (9, 0), (12, 3)) if not prefix else ((60, None), (12, 3)):
        rows = []
        for i, words in enumerate(found):
            only = [w for w, _ in words]
            starts, at = [], 0
            for w in only:
                starts.append((at, w))
                at += len(w.encode()) + 1
            how = {} if stride is None else dict(stride=stride, return_overflowing_tokens=True)
            whole = tokenizer(only, is_split_into_words=True, add_special_tokens=False).word_ids()
            step = most - tokenizer.num_special_tokens_to_add() - (stride or 0)
            for k, e in enumerate(tokenizer(only, is_split_into_words=True, truncation=True, max_length=most, **how).encodings):
                rows.append(line(e, i, (" ".join(only),), starts, [t for _, t in words], whole[k * step - 1] if k else None))
        write(f"sentences-{most}{'' if stride is None else f'-{stride}'}.rows", rows)


OUT.mkdir(parents=True, exist_ok=True)
for model, make in (("wordpiece-uncased", None), ("rows-roberta", make_roberta), ("rows-t5", make_t5)):
    tokenizer, prefix = load(model, make), model + "-" if make else ""
    questions()
    candidates()
    sentences()
