"""transformers' MarianTokenizer in the shape of the library `tokenizers`, for unigram.py: it has no fast twin,
and no spans of its own. Those here are SentencePiece's, of the same pieces."""
import json
import warnings
from types import SimpleNamespace

from sentencepiece import sentencepiece_model_pb2
from transformers import MarianTokenizer

warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")


class Slow:
    def __init__(self, folder):
        self.t = MarianTokenizer.from_pretrained(folder)

    def pieces(self, text):
        """(token, begin, end) in characters, as PreTrainedTokenizer.tokenize() cuts it."""
        at = 0
        for part in self.t.tokens_trie.split(text):
            if part in self.t._added_tokens_encoder:
                yield part, at, at + len(part)
            else:
                code, rest = self.t.remove_language_code(part)
                first = at + len(part) - len(rest)
                if code:
                    yield code[0], at, first
                said = self.t.spm_source.encode(rest, out_type="offset_mapping")
                for piece, (a, b) in zip(said["pieces"], said["offsets"]):
                    yield piece, first + a, first + b
            at += len(part)

    def encode(self, text, add_special_tokens=True):
        pieces, tokens = list(self.pieces(text)), self.t.tokenize(text)
        assert [p[0] for p in pieces] == tokens, text
        ids, spans = self.t.convert_tokens_to_ids(tokens), [(a, b) for _, a, b in pieces]
        if add_special_tokens:
            ids, spans = self.t.build_inputs_with_special_tokens(ids), spans + [(0, 0)]
        return SimpleNamespace(ids=ids, offsets=spans, word_ids=list(range(len(ids))),
                               token_to_word=lambda i: i, word_to_chars=lambda i: spans[i])

    def encode_batch(self, texts, add_special_tokens=True):
        return [self.encode(text, add_special_tokens) for text in texts]


CODES = [">>fra<<", ">>deu<<"]


def changed(model, **types):
    """The file with pieces of other types."""
    m = sentencepiece_model_pb2.ModelProto()
    m.ParseFromString(model)
    for p in m.pieces:
        if p.piece in types:
            p.type = types[p.piece]
    return m.SerializeToString()


def names(*models):
    """All pieces of the files, as vocab.json is to number them: the two specials, the others, the codes, padding."""
    found = set()
    for model in models:
        m = sentencepiece_model_pb2.ModelProto()
        m.ParseFromString(model)
        found |= {p.piece for p in m.pieces}
    rest = sorted(found - {"<unk>", "<s>", "</s>", "<pad>"})
    return ["</s>", "<unk>", *rest, *CODES, "<pad>"]


def files(source, target, vocab, **config):
    return {"source.spm": source, "target.spm": target, "vocab.json": {v: i for i, v in enumerate(vocab)},
            "config.json": {"model_type": "marian"},
            "tokenizer_config.json": {"source_lang": "en", "target_lang": "de", **config}}
