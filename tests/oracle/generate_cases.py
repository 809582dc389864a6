"""The cases of generate.py: what gen is told, and what it is told without the rule that a case is
about, which must then answer otherwise."""
from dataclasses import dataclass

PLAIN = "--beams 1"  # greedy, whatever the model's settings say


@dataclass
class Case:
    name: str
    model: str
    options: str = ""
    base: tuple = None  # options and settings that must not give the same; None: nothing to show
    settings: dict = None  # over the model's generation_config.json
    rows: int = 4


def beam_cases(model, prefix, rest=""):
    """Beams, early stopping and length penalty, told apart from their neighbours."""
    for beams, stop, penalty, back in (
            (2, "yes", 1, 2), (2, "no", 0.5, 1), (2, "never", 2, 2), (4, "yes", 0.5, 3),
            (4, "no", 2, 4), (4, "never", -1, 1), (5, "yes", 2, 5), (5, "no", -1, 2),
            (5, "never", 0.5, 3)):
        new = 6 if penalty < 0 else 14
        yield Case(f"{prefix}-beams-{beams}-{stop}-{penalty:g}", model,
                   f"--beams {beams} --early-stopping {stop} --length-penalty {penalty:g} "
                   f"-r {back} --max-new {new}{rest}")
    four = f"--beams 4 --max-new 16{rest}"
    yield Case(f"{prefix}-beams-4", model, four + " --early-stopping no",
               (PLAIN + f" --max-new 16{rest}", None))
    long = f"--beams 4 --max-new 30 -r 2 --length-penalty 1.5{rest}"
    yield Case(f"{prefix}-early-yes", model, long + " --early-stopping yes",
               (long + " --early-stopping no", None))
    other = "yes" if model == "gpt2" else "no"  # from which its rows do not differ
    yield Case(f"{prefix}-early-never", model, long + " --early-stopping never",
               (long + " --early-stopping " + other, None))
    yield Case(f"{prefix}-penalty-2", model, four + " --early-stopping no --length-penalty 2",
               (four + " --early-stopping no --length-penalty 0.5", None))
    yield Case(f"{prefix}-penalty-0", model, four + " --early-stopping no --length-penalty 0",
               (four + " --early-stopping no --length-penalty 2", None))
    yield Case(f"{prefix}-beams-no-repeat", model, four + " --no-repeat 2 -r 2",
               (four + " --no-repeat 0 -r 2", None))
    yield Case(f"{prefix}-beams-repetition", model, four + " --repetition-penalty 1.4 -r 2",
               (four + " --repetition-penalty 1 -r 2", None))
    yield Case(f"{prefix}-beams-min-new", model, four + " --min-new 13 -r 3 --scores",
               (four + " -r 3 --scores", None))
    if not rest:  # a forced first token leaves one beam
        yield Case(f"{prefix}-beams-one-step", model, "--beams 4 --max-new 1 -r 4")


def rule_cases(model, prefix, often):
    """Greedy with a rule each. often: what the model likes to say."""
    a, b, c, d = often[:4]
    plain = (PLAIN, None)

    def case(name, options="", settings=None):
        return Case(f"{prefix}-{name}", model, f"{PLAIN} {options}".strip(), plain, settings)
    yield case("repetition", "--repetition-penalty 1.3")
    yield case("no-repeat-2", "--no-repeat 2")
    yield case("no-repeat-3", "--no-repeat 3")
    yield case("encoder-no-repeat", "--encoder-no-repeat 2")
    yield case("min-length", "--min-length 18")
    yield case("min-new", "--min-new 12 --scores")
    yield case("max-new", "--max-new 7")
    yield case("max-length", "--max-length 16")
    yield case("bias", settings={"sequence_bias": [[[a], -3.0], [[b, b], -9.5], [[c], 1.5],
                                                   [[d, a], 4.0]]})
    yield case("encoder-repetition", settings={"encoder_repetition_penalty": 1.7})
    yield case("encoder-no-repeat-1", settings={"encoder_no_repeat_ngram_size": 1})
    yield case("suppress", settings={"suppress_tokens": [a, c]})
    yield case("begin-suppress", settings={"begin_suppress_tokens": [a, b, c, d]})
    yield case("forced-bos", settings={"forced_bos_token_id": d})
    yield case("forced-eos", settings={"forced_eos_token_id": b})
    yield case("decay", settings={"exponential_decay_length_penalty": [3, 1.4]})
    yield case("bad-ids", settings={"bad_words_ids": [[a, a], [b], [c, a]]})
    yield case("ends", settings={"eos_token_id": [c, a, 2]})


def beam_settings(model, prefix, often):
    """Beams with rules that only files can tell."""
    a, b, c, d = often[:4]
    four = "--beams 4 --max-new 12 -r 3"
    base = (four, None)
    for name, settings in (
            ("bias", {"sequence_bias": [[[a], -2.0], [[c, b], -5.5]]}),
            ("suppress-renormal", {"suppress_tokens": [a], "renormalize_logits": True}),
            ("forced-eos", {"forced_eos_token_id": d}),
            ("decay", {"exponential_decay_length_penalty": [2, 0.8]}),
            ("ends", {"eos_token_id": [c, a, b]})):
        yield Case(f"{prefix}-beams-{name}", model, four, base, settings)


def text_cases(often, say):
    """What is told in texts; say: a token's."""
    four = "--beams 4 --max-new 14 -r 2"
    stop = say(often[0]).strip()
    yield Case("gpt2-bad-words", "gpt2", f"{PLAIN} --bad-words bad-words.txt", (PLAIN, None))
    yield Case("gpt2-beams-bad-words", "gpt2", f"{four} --bad-words bad-words.txt", (four, None))
    yield Case("gpt2-stop", "gpt2", f"{PLAIN} --stop {stop}", (PLAIN, None))
    yield Case("gpt2-beams-stop", "gpt2", f"{four} --stop {stop}", (four, None))
    yield Case("gpt2-choices", "gpt2", f"{PLAIN} --choices good,bad,never", (PLAIN, None))
    yield Case("gpt2-beams-choices", "gpt2", "--beams 3 -r 3 --choices good,bad,never")


def own_cases(model, greedy=True):
    """A model with settings of its own: as it is, and with options in their place."""
    yield Case(f"{model}-own", model, "", (PLAIN, None) if greedy else None)
    yield Case(f"{model}-greedy", model, PLAIN)
    yield Case(f"{model}-all", model, "--beams 3 -r 3 --max-new 9 --scores")
    yield Case(f"{model}-penalty", model, "--beams 2 --early-stopping never --length-penalty 1.5")


def all_cases(often, say):
    """often: tokens that each model likes to say; say: a text of gpt2's tokens."""
    yield Case("gpt2-greedy", "gpt2", "", rows=6)
    yield Case("gpt2-scores", "gpt2", "--max-new 9 --scores")
    yield Case("gpt2-long", "gpt2", "--max-new 110 --min-new 104 --repetition-penalty 1.05")
    yield Case("gpt2-beams-long", "gpt2", "--beams 3 --max-new 110 --min-new 102 -r 2", rows=3)
    yield from rule_cases("gpt2", "gpt2", often["gpt2"])
    yield from text_cases(often["gpt2"], say)
    yield from beam_cases("gpt2", "gpt2")
    yield from beam_settings("gpt2", "gpt2", often["gpt2"])
    yield from own_cases("gpt2-ends")
    yield Case("gpt2-ends-five", "gpt2-ends", "--beams 5 --early-stopping no -r 5 --max-new 12")
    yield Case("gpt2-ends-at-once", "gpt2-ends", "--beams 3 -r 3", ("--beams 3 -r 3", None),
               {"exponential_decay_length_penalty": [2, 1.8]})
    yield from own_cases("gpt2-old")
    yield from rule_cases("t5", "t5", often["t5"])
    yield Case("t5-long", "t5", f"{PLAIN} --max-new 120 --min-new 108")
    yield from beam_cases("t5", "t5")
    yield from beam_settings("t5", "t5", often["t5"])
    yield from beam_cases("bart", "bart", " --no-repeat 0")
    yield Case("bart-beams-long", "bart", "--beams 2 --max-new 115 --min-new 104 --no-repeat 0",
               rows=3)
    yield from own_cases("bart")
    yield Case("bart-first", "bart", "", ("", {"forced_bos_token_id": None}))
    yield Case("bart-min-length", "bart", "--min-length 12", ("--min-length 0", None))
    yield from own_cases("bart-old")
    yield from own_cases("mbart")
    yield Case("mbart-first", "mbart", "", ("", {"forced_bos_token_id": 54}), {})
    yield from own_cases("flan", greedy=False)
    yield from own_cases("mt5", greedy=False)
    yield from own_cases("marian")
    yield Case("marian-pad", "marian", "", ("", {"bad_words_ids": None}))
    for name in ("opt", "llama", "mistral", "qwen3"):
        yield Case(f"{name}-greedy", name, "--max-new 30")
        yield Case(f"{name}-beams", name, "--beams 3 -r 3 --max-new 20")
        yield Case(f"{name}-long", name, f"{PLAIN} --max-new 100 --min-new 90 --repetition-penalty 1.05", rows=3)
    yield Case("bart-nan", "bart-nan", "", ("", {"remove_invalid_values": False}))
