"""What transformers' generate() answers, a row at a time, and how near it came to answering
something else."""
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers as T

from generate_models import OUT

FAR = -1e8  # scores below are of what cannot be: -inf, and beams that have not begun


@dataclass
class Answer:
    ids: list  # new tokens
    finish: int  # 0 end, 1 length, 2 stop
    score: float  # of beams, else None
    logprob: list  # of each new token


@dataclass
class Seen:
    """What went on while a row was answered."""
    gap: float = float("inf")  # the least difference of two numbers whose order decided something
    limit: int = 0  # its greatest length
    at_once: bool = False  # all beams ended in one step, before the greatest length
    notes: list = field(default_factory=list)

    def note(self, better, worse):
        """better was to be greater than worse."""
        better, worse = float(better), float(worse)
        if worse > FAR and better < float("inf"):
            self.gap = min(self.gap, abs(better - worse))


def options(text, folder, tokenizer):
    """What generate() is told for gen's options. folder: where files that they name lie."""
    names = {"--beams": "num_beams", "--max-length": "max_length", "--max-new": "max_new_tokens",
             "--min-length": "min_length", "--min-new": "min_new_tokens", "--top-k": "top_k",
             "--no-repeat": "no_repeat_ngram_size", "-r": "num_return_sequences",
             "--encoder-no-repeat": "encoder_no_repeat_ngram_size"}
    reals = {"--length-penalty": "length_penalty", "--temperature": "temperature",
             "--repetition-penalty": "repetition_penalty", "--top-p": "top_p",
             "--min-p": "min_p", "--typical": "typical_p"}
    said, words = {}, iter(text.split())
    for word in words:
        if word == "--scores":
            continue
        if word == "--sample":
            said["do_sample"] = True
            continue
        value = next(words)
        if word in names:
            said[names[word]] = int(value)
        elif word in reals:
            said[reals[word]] = float(value)
        elif word == "--early-stopping":
            said["early_stopping"] = {"yes": True, "no": False, "never": "never"}[value]
        elif word == "--bad-words":
            lines = (folder / value).read_text().split("\n")[:-1]
            said["bad_words_ids"] = [tokenizer(t).input_ids for t in lines]
        elif word == "--stop":
            said["stop_strings"] = [value]
        elif word == "--choices":
            said["choices"] = [tokenizer(t).input_ids for t in value.split(",")]
        else:
            raise ValueError(word)
    return said


def load(name, settings):
    """The model with settings in place of its generation_config.json, as from_pretrained finds
    them. settings None: its own."""
    writes_alone = name.startswith(("gpt2", "opt", "llama", "mistral", "qwen3"))
    kind = T.AutoModelForCausalLM if writes_alone else T.AutoModelForSeq2SeqLM
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at) / name
        shutil.copytree(OUT / name, folder)
        if settings is not None:
            (folder / "generation_config.json").write_text(json.dumps(settings))
        model = kind.from_pretrained(folder, attn_implementation="eager").eval()
    watch(model)
    return model


# ---- watching decisions ----


def watch(model):
    """Lets the model note in model.seen what decides."""
    model.seen, kind = Seen(), type(model)
    criteria, best = model._get_stopping_criteria, model._get_top_k_continuations
    going, finished = model._get_running_beams_for_next_iteration, model._update_finished_beams
    heuristic = model._check_early_stop_heuristic
    state = model.state = {}
    assert kind._beam_search is T.GenerationMixin._beam_search

    def get_stopping_criteria(generation_config, **more):
        model.seen.limit = generation_config.max_length
        ends = generation_config._eos_token_tensor
        state["ends"] = [] if ends is None else ends.tolist()
        return criteria(generation_config, **more)

    def get_top_k_continuations(accumulated_log_probs, **more):
        state["all"], state["vocab"] = accumulated_log_probs[0], more["vocab_size"]
        return best(accumulated_log_probs, **more)

    def get_running_beams(topk_log_probs, next_token_hits_stopping_criteria, num_beams, **more):
        scores, hit = topk_log_probs[0], next_token_hits_stopping_criteria[0]
        watch_candidates(model.seen, state, scores, hit, num_beams)
        return going(topk_log_probs=topk_log_probs, num_beams=num_beams,
                     next_token_hits_stopping_criteria=next_token_hits_stopping_criteria, **more)

    def update_finished_beams(**more):
        new, penalty = more["cur_len"] + 1 - more["decoder_prompt_len"], more["length_penalty"]
        ended = (more["next_token_hits_stopping_criteria"] & more["top_num_beam_mask"])[0]
        full = bool(more["is_sent_finished"].all()) and more["early_stopping"] is True
        if full or not bool(more["is_early_stop_heuristic_unsatisfied"].all()):
            ended = torch.zeros_like(ended)
        merged = [(s, max(n, 1) ** penalty) for s, n in zip(
            more["beam_scores"][0].tolist(), (more["beam_indices"][0] >= 0).sum(-1).tolist())]
        merged += [(s / new ** penalty, new ** penalty)
                   for s in more["topk_log_probs"][0][ended].tolist()]
        state["finished"] = sorted(merged, reverse=True)
        note_order(model.seen, state["finished"], more["num_beams"] - 1)
        return finished(**more)

    def check_early_stop_heuristic(**more):
        new = heuristic(**more)
        if bool(more["is_sent_finished"].all()):
            length = more["cur_len"] - more["decoder_prompt_len"]
            if more["early_stopping"] == "never" and more["length_penalty"] > 0:
                length = more["max_length"] - more["decoder_prompt_len"]
            by = length ** more["length_penalty"]
            running = (more["running_beam_scores"][0, 0].item() / by, by)
            note_order(model.seen, [running, state["finished"][len(more["beam_scores"][0]) - 1]], 0)
        return new

    model._get_stopping_criteria = get_stopping_criteria
    model._get_top_k_continuations = get_top_k_continuations
    model._get_running_beams_for_next_iteration = get_running_beams
    model._update_finished_beams = update_finished_beams
    model._check_early_stop_heuristic = check_early_stop_heuristic


def note_order(seen, scores, i):
    """scores: (score, what its sum was divided by). The i-th was to be greater than the next;
    sums are what rounding is of."""
    if i + 1 < len(scores):
        (a, a_by), (b, b_by) = scores[i:i + 2]
        by = min(a_by, b_by)
        if a > FAR and b > FAR:
            seen.note(a * by, b * by)


def watch_candidates(seen, state, scores, hit, beams):
    """scores, hit: the best candidates, best first. Two things are decided: which of those that
    ended are among the first `beams`, and which `beams` of the others go on."""
    for i in hit.nonzero().flatten().tolist():
        if i < beams:
            seen.note(scores[i], scores[beams])
        else:
            seen.note(scores[beams - 1], scores[i])
    if bool(hit.all()):
        return
    if bool(hit[:beams].all()):
        seen.at_once = True
    ends = torch.tensor([t in state["ends"] for t in range(state["vocab"])])
    open_ = state["all"].view(-1, state["vocab"])[:, ~ends].flatten()
    first = open_.topk(min(beams + 1 + len(hit), len(open_)))[0]
    stopped = scores[hit]  # by a text: an end token is not among open_
    kept = [s for s in first.tolist() if s not in stopped.tolist()]
    if len(kept) > beams:
        seen.note(kept[beams - 1], kept[beams])


# ---- answering ----


def allow(choices, ends, start):
    """prefix_allowed_tokens_fn of texts that the answer may be, `start` tokens behind the front."""
    whole = [c + [ends[0]] for c in choices]

    def allowed(_batch, sent):
        so_far = sent.tolist()[start:]
        next_ones = {w[len(so_far)] for w in whole
                     if len(w) > len(so_far) and w[:len(so_far)] == so_far}
        return sorted(next_ones) or [ends[0]]
    return allowed


def answer(model, tokenizer, ids, said):
    """The answers of one row, [Answer], with what was seen."""
    model.seen = Seen()
    said = dict(said)
    start = 1 if model.config.is_encoder_decoder else max(len(ids), 1)
    if "choices" in said:
        ends = model.generation_config.eos_token_id
        said["prefix_allowed_tokens_fn"] = allow(
            said.pop("choices"), ends if isinstance(ends, list) else [ends], start)
    if "stop_strings" in said:
        said["tokenizer"] = tokenizer
    if ids:  # else the start token
        said |= {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids)).long()}
    with torch.inference_mode():
        out = model.generate(**said, return_dict_in_generate=True, output_scores=True)
    beams = getattr(out, "beam_indices", None)
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    answers = []
    for i in range(len(out.sequences) if beams is not None else 0):
        note_order(model.seen, model.state["finished"], i)  # which is told first
    for i, whole in enumerate(out.sequences):
        new = whole[start:].tolist()
        if beams is not None:
            new = new[:int((beams[i] >= 0).sum())]
        logprob = []
        for step, token in enumerate(new):
            if beams is not None:
                logprob.append(out.scores[step][beams[i, step], token].item())
            else:
                scores = out.scores[step][i]
                logprob.append(scores.log_softmax(-1)[token].item())
                two = scores.topk(2)[0]
                model.seen.note(two[0], two[1])
        finish = 0 if new[-1:] and new[-1] in ends else 1 if start + len(new) == model.seen.limit else 2
        if finish != 1 and start + len(new) == model.seen.limit and "stop_strings" in said:
            model.seen.gap = 0  # both at once: no case
        answers.append(Answer(new, finish, None if beams is None else
                              out.sequences_scores[i].item(), logprob))
    return answers, model.seen
