"""One small random model of every class with a head, as transformers saves it, and its logits ->
tests/golden/models/, tests/golden/heads/.

    NAME.safetensors      a few rows of ids, some with mask tokens, each run alone in float32
        row.tokens, token.id, token.type (BERT's kin) as a stream has them
        token.hidden                                what goes into the head
        want.TASK     logits: class, next [n,c]; token, span [t,c]; mask [m,V] at the masks, lm
                      [n,V] at each row's last token
        want.TASK.all [t,V], for some

Words are few, so that the vocabularies are small; those of a kind are shared.
"""
import shutil
from pathlib import Path

import torch
import transformers as T
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import processors

from models import MODELS, WORDS, labels, old_name, rewrite, vocabulary

OUT = MODELS.parent / "heads"
HIDDEN, HEADS, INNER, LAYERS, LENGTH = 24, 2, 40, 2, 64
NAMES = "Berlin Paris Anna Bob Smith Delta Boston London Europe company city works lives born".split()
COMMON = WORDS[:70] + ["love", "hate", "good", "bad", "great", "flight", "cat", "mat"]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]
MOODS = ["negative", "neutral", "positive"]
NLI = ["contradiction", "neutral", "entailment"]


def widen(model, seed):
    """Redraws every parameter, from one generator, by the module that it belongs to."""
    g = torch.Generator().manual_seed(seed)
    seen = set()
    for name, module in sorted(model.named_modules()):
        for key, p in sorted(module.named_parameters(recurse=False)):
            if id(p) in seen:
                continue
            seen.add(id(p))
            r = torch.randn(p.shape, generator=g)
            if isinstance(module, torch.nn.LayerNorm) and key == "weight":
                r = 1 + 0.2 * r
            elif key == "bias":
                r = 0.3 * r
            elif isinstance(module, torch.nn.Embedding):
                r = 0.7 * r
            else:
                conv = type(module).__name__ == "Conv1D"
                r = r * (1.7 / p.shape[0 if conv else -1] ** 0.5)
            p.data.copy_(r)
    model.tie_weights()
    return model.eval()


def wordpiece(folder, cased=False):
    vocab = vocabulary(COMMON + [n if cased else n.lower() for n in NAMES])
    if cased:
        vocab += ["A", "B", "I", "The", "##B", "##I", "##T"]
    (folder / "vocab.txt").write_text("".join(v + "\n" for v in vocab), encoding="utf-8")
    return T.BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=not cased,
                               model_max_length=LENGTH)


def distil(folder):
    wordpiece(folder)
    return T.DistilBertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=LENGTH)


def byte_pairs(special):
    """Byte-level BPE of the words above; `special` first, all but the mask, which is last."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    text = [" ".join(COMMON[i:] + NAMES) for i in range(0, len(COMMON), 10)]
    front = [s for s in special if s != "<mask>"]
    t.train_from_iterator(text, trainers.BpeTrainer(
        vocab_size=len(front) + 256 + 90, special_tokens=front, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def roberta_bpe(_folder, kind=T.RobertaTokenizerFast):
    t = byte_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0),
                                                    add_prefix_space=False)
    return kind(tokenizer_object=t, model_max_length=LENGTH, bos_token="<s>", eos_token="</s>",
                sep_token="</s>", cls_token="<s>", unk_token="<unk>", pad_token="<pad>",
                mask_token="<mask>")


def bart_bpe(folder):
    return roberta_bpe(folder, T.BartTokenizerFast)


def gpt2_bpe(_folder):
    t = byte_pairs(["<|endoftext|>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return T.GPT2TokenizerFast(tokenizer_object=t, model_max_length=LENGTH)


def pieces(special, unknown):
    """Unigram: special tokens, then pieces with the score of their rank."""
    words = ["\u2581"] + ["\u2581" + w for w in COMMON + NAMES] + ["ing", "ed", "er", "s", "t"]
    singles = [c for c in vocabulary([])[5:] if not c.startswith("##") and c not in words]
    singles += [c for c in "ABDELPST" if c not in singles]
    ranked = [(s, 0.0) for s in special]
    ranked += [(w, -4.0 - 0.03 * i) for i, w in enumerate(words)]
    ranked += [(c, -9.0 - 0.03 * i) for i, c in enumerate(singles)]
    t = Tokenizer(models.Unigram(ranked, unk_id=unknown, byte_fallback=False))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(),
                                         normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    t.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    return t


def xlm_unigram(_folder):
    t = pieces(["<s>", "<pad>", "</s>", "<unk>"], 3)
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)])
    return T.XLMRobertaTokenizerFast(tokenizer_object=t, model_max_length=LENGTH)


def albert_unigram(_folder):
    t = pieces(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], 1)
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return T.AlbertTokenizerFast(tokenizer_object=t, model_max_length=LENGTH)


def deberta_unigram(_folder):
    t = pieces(["[PAD]", "[CLS]", "[SEP]", "[UNK]"], 3)
    t.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKC(),
                                         normalizers.Replace(Regex(" {2,}"), " ")])
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return T.DebertaV2TokenizerFast(tokenizer_object=t, model_max_length=LENGTH)


def electra_wordpiece(folder):
    wordpiece(folder)
    return T.ElectraTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=LENGTH)


def bert(size, **more):
    return T.BertConfig(vocab_size=size, hidden_size=HIDDEN, num_hidden_layers=LAYERS,
                        num_attention_heads=HEADS, intermediate_size=INNER,
                        max_position_embeddings=LENGTH, **more)


def electra(size, **more):
    return T.ElectraConfig(vocab_size=size, hidden_size=HIDDEN, embedding_size=16,
                           num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                           intermediate_size=INNER, max_position_embeddings=LENGTH, **more)


def albert(size, **more):
    return T.AlbertConfig(vocab_size=size, hidden_size=HIDDEN, embedding_size=16,
                          num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                          intermediate_size=INNER, max_position_embeddings=LENGTH, bos_token_id=2,
                          eos_token_id=3, **more)


def roberta(size, kind=T.RobertaConfig, **more):
    return kind(vocab_size=size, hidden_size=HIDDEN, num_hidden_layers=LAYERS,
                num_attention_heads=HEADS, intermediate_size=INNER, type_vocab_size=1,
                max_position_embeddings=LENGTH + 2, layer_norm_eps=1e-5, pad_token_id=1,
                bos_token_id=0, eos_token_id=2, **more)


def xlm_roberta(size, **more):
    return roberta(size, T.XLMRobertaConfig, **more)


def distilbert(size, **more):
    return T.DistilBertConfig(vocab_size=size, dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS,
                              hidden_dim=INNER, max_position_embeddings=LENGTH, **more)


def gpt2(size, **more):
    return T.GPT2Config(vocab_size=size, n_embd=HIDDEN, n_layer=LAYERS, n_head=HEADS,
                        n_positions=LENGTH, bos_token_id=0, eos_token_id=0, **more)


def mpnet(size, **more):
    return T.MPNetConfig(vocab_size=size, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                         intermediate_size=INNER, max_position_embeddings=LENGTH + 2, **more)


def opt(size, **more):
    return T.OPTConfig(vocab_size=size, hidden_size=HIDDEN, word_embed_proj_dim=HIDDEN, num_hidden_layers=LAYERS,
                       num_attention_heads=HEADS, ffn_dim=INNER, max_position_embeddings=LENGTH,
                       **{"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0, **more})


def llama(size, kind=T.LlamaConfig, **more):
    return kind(vocab_size=size, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                num_key_value_heads=1, intermediate_size=INNER, max_position_embeddings=LENGTH,
                **{"bos_token_id": 0, "eos_token_id": 0, **more})


def qwen3(size, **more):
    return llama(size, T.Qwen3Config, head_dim=HIDDEN // HEADS, **more)


def modernbert(size, **more):
    return T.ModernBertConfig(vocab_size=size, hidden_size=HIDDEN, num_hidden_layers=LAYERS + 1,
                              num_attention_heads=HEADS, intermediate_size=INNER, max_position_embeddings=LENGTH,
                              local_attention=8, pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0,
                              sep_token_id=2, **more)


def deberta(size, **more):
    return T.DebertaV2Config(**{"vocab_size": size, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
                                "num_attention_heads": HEADS, "intermediate_size": INNER,
                                "max_position_embeddings": LENGTH, "relative_attention": True, "position_buckets": 16,
                                "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": "p2c|c2p",
                                "position_biased_input": False, "type_vocab_size": 0, **more})


def bart(size, kind=T.BartConfig, **more):
    return kind(vocab_size=size, d_model=HIDDEN, encoder_layers=2, decoder_layers=1,
                        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS,
                        encoder_ffn_dim=INNER, decoder_ffn_dim=INNER,
                        max_position_embeddings=LENGTH, **more)


def mbart(size, **more):
    return bart(size, T.MBartConfig, **more)


# name: class, configuration, its options, tokenizer
MADE = {
    "bert-pretraining": (T.BertForPreTraining, bert, {}, wordpiece),
    "bert-mask": (T.BertForMaskedLM, bert, {"tie_word_embeddings": False, "hidden_act": "relu"},
                  wordpiece),
    "bert-next": (T.BertForNextSentencePrediction, bert, {}, wordpiece),
    "bert-token": (T.BertForTokenClassification, bert, labels(*TAGS),
                   lambda folder: wordpiece(folder, cased=True)),
    "bert-span": (T.BertForQuestionAnswering, bert, {}, wordpiece),
    "bert-lm": (T.BertLMHeadModel, bert, {"is_decoder": True}, wordpiece),
    "bert-multi": (T.BertForSequenceClassification, bert,
                   {"problem_type": "multi_label_classification", **labels("toxic", "rude", "spam")},
                   wordpiece),
    "bert-regression": (T.BertForSequenceClassification, bert,
                        {"problem_type": "regression", "num_labels": 1}, wordpiece),
    "bert-nli": (T.BertForSequenceClassification, bert, labels("ENTAILMENT", "NEUTRAL", "CONTRA"),
                 wordpiece),
    "distilbert-class": (T.DistilBertForSequenceClassification, distilbert,
                         labels("NEGATIVE", "POSITIVE"), distil),
    "distilbert-mask": (T.DistilBertForMaskedLM, distilbert, {}, distil),
    "distilbert-token": (T.DistilBertForTokenClassification, distilbert, labels(*TAGS[:5]), distil),
    "distilbert-span": (T.DistilBertForQuestionAnswering, distilbert, {}, distil),
    "roberta-class": (T.RobertaForSequenceClassification, roberta, labels(*MOODS), roberta_bpe),
    "roberta-mask": (T.RobertaForMaskedLM, roberta, {}, roberta_bpe),
    "roberta-token": (T.RobertaForTokenClassification, roberta, labels(*TAGS[:5]), roberta_bpe),
    "roberta-span": (T.RobertaForQuestionAnswering, roberta, {}, roberta_bpe),
    "xlm-roberta-token": (T.XLMRobertaForTokenClassification, xlm_roberta, labels(*TAGS), xlm_unigram),
    "gpt2-lm": (T.GPT2LMHeadModel, gpt2, {}, gpt2_bpe),
    "gpt2-class": (T.GPT2ForSequenceClassification, gpt2, {"pad_token_id": 0, **labels(*MOODS)},
                   gpt2_bpe),
    "bart-mnli": (T.BartForSequenceClassification, bart, labels(*NLI), bart_bpe),
    "electra-class": (T.ElectraForSequenceClassification, electra, labels("no", "yes"),
                      electra_wordpiece),
    "electra-mask": (T.ElectraForMaskedLM, electra, {}, electra_wordpiece),
    "albert-class": (T.AlbertForSequenceClassification, albert, labels("no", "yes"),
                     albert_unigram),
    "albert-mask": (T.AlbertForMaskedLM, albert, {}, albert_unigram),
    "bart-mask": (T.BartForConditionalGeneration, bart, {}, bart_bpe),
    "mbart-mask": (T.MBartForConditionalGeneration, mbart, {}, bart_bpe),
    "mpnet-mask": (T.MPNetForMaskedLM, mpnet, {}, roberta_bpe),
    "mpnet-class": (T.MPNetForSequenceClassification, mpnet, labels(*MOODS), roberta_bpe),
    "opt-lm": (T.OPTForCausalLM, opt, {}, gpt2_bpe),
    "opt-class": (T.OPTForSequenceClassification, opt, labels(*MOODS), gpt2_bpe),
    "llama-lm": (T.LlamaForCausalLM, llama, {}, gpt2_bpe),
    "qwen3-class": (T.Qwen3ForSequenceClassification, qwen3, {"pad_token_id": 0, **labels(*MOODS)}, gpt2_bpe),
    "modernbert-mask": (T.ModernBertForMaskedLM, modernbert, {}, roberta_bpe),
    "modernbert-class": (T.ModernBertForSequenceClassification, modernbert, labels(*MOODS), roberta_bpe),
    "modernbert-mean": (T.ModernBertForSequenceClassification, modernbert,
                        {"classifier_pooling": "mean", **labels(*MOODS)}, roberta_bpe),
    "modernbert-token": (T.ModernBertForTokenClassification, modernbert, labels(*TAGS[:5]), roberta_bpe),
    "deberta-class": (T.DebertaV2ForSequenceClassification, deberta, labels(*NLI), deberta_unigram),
    "deberta-tanh-class": (T.DebertaV2ForSequenceClassification, deberta,
                           {"pooler_hidden_act": "tanh", **labels("no", "yes")}, deberta_unigram),
    "deberta-token": (T.DebertaV2ForTokenClassification, deberta, labels(*TAGS[:5]), deberta_unigram),
    "deberta-span": (T.DebertaV2ForQuestionAnswering, deberta, {}, deberta_unigram),
    # Tied, its dense layer would become the embeddings' matrix.
    "deberta-mask": (T.DebertaV2ForMaskedLM, deberta, {"legacy": False, "tie_word_embeddings": False},
                     deberta_unigram),
    "deberta-legacy-mask": (T.DebertaV2ForMaskedLM, deberta, {"legacy": True, "embedding_size": 16}, deberta_unigram),
}
TASKS = {"mean": ["class"], "pretraining": ["mask", "next"], "multi": ["class"], "regression": ["class"],
         "nli": ["class"], "mnli": ["class"]}
HALF = {"distilbert-mask", "bart-mnli", "mbart-mask"}  # stored in 16 bits
ALL = {"bert-pretraining", "gpt2-lm"}  # with want.TASK.all, which is large


def make(name, seed):
    kind, config, options, tokens = MADE[name]
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tokenizer = tokens(folder)
    tokenizer.save_pretrained(folder)
    model = widen(kind(config(len(tokenizer), **options)), seed)
    if name == "bart-mask":  # mbart's stays 0
        model.final_logits_bias.normal_(generator=torch.Generator().manual_seed(seed))
    if name in HALF:
        model = model.to(torch.float16)
    model.save_pretrained(folder)
    if name == "bert-pretraining":  # as the first checkpoints of all were
        rewrite(folder, old_name)
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    return model, tokenizer


def rows_of(tokenizer, size):
    """Ids as a tokenizer might make them: of a few lengths, masks in some."""
    g = torch.Generator().manual_seed(7)
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows = []
    for i, n in enumerate((5, 1, 17, 30, 9)):
        ids = torch.randint(5, size, (n,), generator=g)
        if tokenizer.mask_token_id is not None:
            ids[ids == tokenizer.mask_token_id] = 5
            ids[[0, n // 2] if i == 2 else [n // 2]] = tokenizer.mask_token_id
            if i == 4:
                ids[n // 2] = 6  # no mask here
        ends = [torch.tensor([x]) for x in (first, last) if x is not None]
        ids = torch.cat([ends[0], ids, ends[1]]) if ends else ids
        if not ends and i == 3:
            ids[-3:] = 0  # GPT-2's end, which is its padding, too
        kind = torch.zeros_like(ids)
        kind[2 + n // 2:] = i % 2
        rows.append((ids, kind))
    return rows


def hidden_of(said, model, ids):
    if model.config.model_type == "modernbert":  # whose hidden_states end before its last norm
        with torch.inference_mode():
            return model.model(ids[None]).last_hidden_state[0]
    states = said.get("decoder_hidden_states") or said["hidden_states"]
    return states[-1][0]


def logits_of(task, said, ids, mask):
    if task == "next":
        return said.get("seq_relationship_logits", said.get("logits"))
    if task == "class":
        return said["logits"]
    if task == "span":
        return torch.stack([said["start_logits"][0], said["end_logits"][0]], 1)
    logits = said.get("prediction_logits", said.get("logits"))[0]
    return logits[ids == mask] if task == "mask" else logits[-1:] if task == "lm" else logits


def reference(name, model, tokenizer):
    rows = rows_of(tokenizer, model.config.vocab_size)
    typed = name.startswith(("albert", "bert", "electra"))
    out = {"hidden": []}
    last = name.split("-")[-1]
    for ids, kind in rows:
        more = {"token_type_ids": kind[None]} if typed else {}
        with torch.inference_mode():
            said = model(ids[None], output_hidden_states=True, **more)
        out["hidden"].append(hidden_of(said, model, ids))
        for task in TASKS.get(last, [last]):
            out.setdefault("want." + task, []).append(
                logits_of(task, said, ids, tokenizer.mask_token_id))
            if name in ALL and task != "next":
                out.setdefault(f"want.{task}.all", []).append(logits_of("all", said, ids, None))
    made = {k: torch.cat(v).float().contiguous() for k, v in out.items()}
    made["token.hidden"] = made.pop("hidden")
    made["row.tokens"] = torch.tensor([0] + [len(i) for i, _ in rows]).cumsum(0)
    made["token.id"] = torch.cat([i for i, _ in rows]).to(torch.int32)
    if typed:
        made["token.type"] = torch.cat([k for _, k in rows]).to(torch.uint8)
    return made


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(MADE, 100):
        model, tokenizer = make(name, seed)
        # As `tok` says it; for BERT `head` is to find it.
        told = None if name.startswith("bert") or not tokenizer.mask_token else {
            "mask": str(tokenizer.mask_token_id)}
        save_file(reference(name, model, tokenizer), OUT / f"{name}.safetensors", metadata=told)


if __name__ == "__main__":
    main()
