/* gen - ids to the ids that a model writes behind them, or of them. */
#include "base/msg.h"
#include "base/num.h"
#include "bin/programs.h"
#include "filter/generate_filter.h"

#include <math.h>

static const char *const earlies[] = {"no", "yes", "never", NULL};
static const char *const sides[] = {"left", NULL};

enum {
    KEY_SAMPLE = OPT_LONG,
    KEY_STOP,
    KEY_TRUNC,
    MOST_TOKENS = 1 << 24,
    MOST_LINES = 1 << 12,
    MOST_ANSWERS = 1 << 16
};

#define WHOLE(member, lo, hi) OPT_INT(GenerateFilter, asked.member, lo, hi)
#define REAL(member, lo, hi) OPT_REAL(GenerateFilter, asked.member, lo, hi)

static const Opt options[] = {
    {0, "beams", "N", "search with N beams", WHOLE(beams, 0, MOST_LINES)},
    {KEY_SAMPLE, "sample", NULL, "draw each token by its probability", OPT_KEY},
    {0, "temperature", "X", "divide scores by X before drawing", REAL(temperature, 0, 1e6)},
    {0, "top-k", "N", "draw among the N likeliest (50; 0: all)", WHOLE(top_k, 0, MOST_TOKENS)},
    {0, "top-p", "X", "draw among the likeliest that have X of the whole", REAL(top_p, 0, 1)},
    {0, "min-p", "X", "draw among those that have X of the likeliest's", REAL(min_p, 0, 1)},
    {0, "typical", "X", "draw among the most typical that have X of the whole",
     REAL(typical, 0, 1)},
    {'r', "return", "N", "N answers a row, with --beams or --sample",
     WHOLE(returns, 1, MOST_ANSWERS)},
    {0, "max-length", "N", "most tokens, the prompt's included", WHOLE(max_length, 0, MOST_TOKENS)},
    {0, "max-new", "N", "most tokens of an answer (20)", WHOLE(max_new, 0, MOST_TOKENS)},
    {0, "min-length", "N", "least tokens, the prompt's included",
     WHOLE(min_length, 0, MOST_TOKENS)},
    {0, "min-new", "N", "least tokens of an answer", WHOLE(min_new, 0, MOST_TOKENS)},
    {0, "no-repeat", "N", "no N tokens in a row twice", WHOLE(no_repeat, 0, MOST_TOKENS)},
    {0, "encoder-no-repeat", "N", "no N tokens in a row that the source has",
     WHOLE(encoder_no_repeat, 0, MOST_TOKENS)},
    {0, "length-penalty", "X", "beams: divide by length to the power of X",
     REAL(length_penalty, -1e6, 1e6)},
    {0, "early-stopping", "yes|no|never", "beams: when enough answers are whole (no)",
     OPT_WORD(GenerateFilter, asked.early, EARLY_NO, earlies)},
    {0, "repetition-penalty", "X", "divide the scores of tokens that were said by X",
     REAL(repetition, 0, 1e6)},
    {0, "bad-words", "FILE", "texts that must not come, a line each",
     OPT_TEXT(GenerateFilter, bad_words)},
    {KEY_STOP, "stop", "TEXT", "end behind this text (repeatable)", OPT_KEY},
    {0, "choices", "A,B", "answer with one of these", OPT_TEXT(GenerateFilter, choices)},
    {KEY_TRUNC, "trunc", "left", "keep the end of a prompt that is too long", OPT_KEY},
    {0, "cache", "FILE", "keep the prompts' common beginning in FILE",
     OPT_TEXT(GenerateFilter, cache)},
    {'b', "batch", "N", "rows at a time (as memory allows)",
     OPT_INT(GenerateFilter, batch, 1, 65536)},
    {0, "prompt", NULL, "the prompt, too", OPT_FLAG(GenerateFilter, prompt)},
    {0, "scores", NULL, "each token's log-probability, too", OPT_FLAG(GenerateFilter, scores)},
    {0},
};

static int set_option(GenerateFilter *f, const Args *a, int key, Err *e)
{
    if (key == KEY_SAMPLE)
        f->asked.sample = true;
    else if (key == KEY_TRUNC)
        f->trunc_left = args_word(a, sides) == 0;
    else if (!*a->value)
        return err_usage(e, "--stop: an empty text would end every answer at once");
    else
        settings_stop(&f->asked, a->value);
    return 0;
}

int main(int argc, char **argv)
{
    Err e = {0};
    GenerateFilter f = {.asked = settings_unset};
    Args a = args_begin(PROGRAM(gen), options, &f, argc, argv);
    for (int k; (k = args_next(&a)) != -1;)
        if (set_option(&f, &a, k, &e) < 0)
            die(&e);
    f.common = &a.common;
    In *in = in_open(a.files, a.nfiles);
    if (generate_run(&f, in, &e) < 0)
        die(&e);
    in_close(in);
    settings_clear(&f.asked);
    return 0;
}
