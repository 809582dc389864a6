#include "generate/settings.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

const Settings settings_unset = {
    .beams = UNSET,
    .returns = UNSET,
    .max_length = UNSET,
    .max_new = UNSET,
    .min_length = UNSET,
    .min_new = UNSET,
    .no_repeat = UNSET,
    .encoder_no_repeat = UNSET,
    .top_k = UNSET,
    .sample = UNSET,
    .early = UNSET,
    .temperature = NAN,
    .top_p = NAN,
    .min_p = NAN,
    .typical = NAN,
    .epsilon = NAN,
    .eta = NAN,
    .repetition = NAN,
    .encoder_repetition = NAN,
    .length_penalty = NAN,
    .bos = UNSET,
    .pad = UNSET,
    .start = UNSET,
    .forced_bos = UNSET,
    .decay_start = UNSET,
};

static void whole(int64_t *to, int64_t from)
{
    if (from != UNSET)
        *to = from;
}

static void real(double *to, double from)
{
    if (!isnan(from))
        *to = from;
}

void settings_replace(Settings *s, const Settings *given)
{
    whole(&s->beams, given->beams);
    whole(&s->returns, given->returns);
    whole(&s->max_length, given->max_length);
    whole(&s->max_new, given->max_new);
    whole(&s->min_length, given->min_length);
    whole(&s->min_new, given->min_new);
    whole(&s->no_repeat, given->no_repeat);
    whole(&s->encoder_no_repeat, given->encoder_no_repeat);
    whole(&s->top_k, given->top_k);
    if (given->max_length != UNSET && given->max_new == UNSET)
        s->max_new = UNSET; /* what the folder says of the same */
    s->sample = given->sample != UNSET ? given->sample : s->sample;
    s->early = given->early != UNSET ? given->early : s->early;
    real(&s->temperature, given->temperature);
    real(&s->top_p, given->top_p);
    real(&s->min_p, given->min_p);
    real(&s->typical, given->typical);
    real(&s->epsilon, given->epsilon);
    real(&s->eta, given->eta);
    real(&s->repetition, given->repetition);
    real(&s->encoder_repetition, given->encoder_repetition);
    real(&s->length_penalty, given->length_penalty);
}

/* ---- do they go together? ---- */

static int check_rates(const Settings *s, Err *e)
{
    if (s->sample && !(s->temperature > 0))
        return err_usage(e,
                         "--temperature %g with --sample: it must be above 0 (without --sample "
                         "the likeliest word is taken)",
                         s->temperature);
    if (!(s->top_p > 0 && s->top_p <= 1))
        return err_usage(e, "--top-p %g is not within 0 (excluded) and 1", s->top_p);
    if (!isnan(s->min_p) && !(s->min_p >= 0 && s->min_p <= 1))
        return err_usage(e, "--min-p %g is not within 0 and 1", s->min_p);
    if (!(s->typical > 0 && s->typical <= 1))
        return err_usage(e, "--typical %g is not within 0 (excluded) and 1", s->typical);
    if (!(s->repetition > 0) || !(s->encoder_repetition > 0))
        return err_usage(e, "--repetition-penalty %g: it must be above 0", s->repetition);
    return 0;
}

static int check_token(const char *key, int64_t id, int64_t words, Err *e)
{
    if (id >= words || id < UNSET)
        return err_set(e, "%s %" PRId64 " is outside the vocabulary of %" PRId64, key, id, words);
    return 0;
}

static int check_tokens(const char *key, const Ids *l, int64_t words, Err *e)
{
    for (int64_t i = 0; i < l->n; i++)
        if (l->id[i] < 0 || check_token(key, l->id[i], words, e) < 0)
            return check_token(key, l->id[i] < 0 ? words : l->id[i], words, e);
    return 0;
}

static int check_words(const Settings *s, int64_t words, Err *e)
{
    if (check_token("bos_token_id", s->bos, words, e) < 0 ||
        check_token("decoder_start_token_id", s->start, words, e) < 0 ||
        check_token("forced_bos_token_id", s->forced_bos, words, e) < 0 ||
        check_tokens("eos_token_id", &s->eos, words, e) < 0 ||
        check_tokens("forced_eos_token_id", &s->forced_eos, words, e) < 0)
        return -1;
    for (int i = 0; i < s->biases; i++)
        if (check_tokens("sequence_bias", &s->bias[i].ids, words, e) < 0)
            return -1;
    for (int i = 0; i < s->bads; i++)
        if (check_tokens("bad words", &s->bad[i], words, e) < 0)
            return -1;
    return 0;
}

int settings_check(const Settings *s, int64_t words, Err *e)
{
    if (s->beams < 1)
        return err_usage(e, "--beams %" PRId64 ": there must be one at least", s->beams);
    if (s->returns < 1)
        return err_usage(e, "-r %" PRId64 ": an answer at least", s->returns);
    if (s->beams > 1 && s->returns > s->beams)
        return err_usage(
            e, "-r %" PRId64 " answers, but there are %" PRId64 " beams: --beams %" PRId64,
            s->returns, s->beams, s->returns);
    if (s->beams == 1 && !s->sample && s->returns > 1)
        return err_usage(e, "-r %" PRId64 ": without --beams or --sample there is one answer",
                         s->returns);
    if (s->max_new == 0 || s->max_length == 0)
        return err_usage(e, "--max-%s 0 leaves no room for an answer",
                         s->max_new ? "length" : "new");
    if (s->max_new != UNSET && s->min_new > s->max_new)
        return err_usage(e, "--min-new %" PRId64 " is above --max-new %" PRId64, s->min_new,
                         s->max_new);
    if (s->max_new == UNSET && s->max_length != UNSET && s->min_length > s->max_length)
        return err_usage(
            e, "--min-length %" PRId64 " is above the maximum of %" PRId64 " (--max-length)",
            s->min_length, s->max_length);
    return check_rates(s, e) < 0 ? -1 : check_words(s, words, e);
}

/* ---- lists ---- */

void settings_stop(Settings *s, const char *text)
{
    s->stop = mem_resize(s->stop, (size_t)s->stops + 1, sizeof *s->stop);
    s->stop[s->stops++] = mem_str(text);
}

void settings_bad(Settings *s, Ids words)
{
    s->bad = mem_resize(s->bad, (size_t)s->bads + 1, sizeof *s->bad);
    s->bad[s->bads++] = words;
}

void settings_clear(Settings *s)
{
    for (int i = 0; i < s->biases; i++)
        free(s->bias[i].ids.id);
    for (int i = 0; i < s->bads; i++)
        free(s->bad[i].id);
    for (int i = 0; i < s->stops; i++)
        free(s->stop[i]);
    free(s->bias);
    free(s->bad);
    free(s->stop);
    free(s->eos.id);
    free(s->forced_eos.id);
    free(s->suppress.id);
    free(s->begin_suppress.id);
    *s = settings_unset;
}
