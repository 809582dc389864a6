/* settings.h - how answers are chosen: what transformers' generate() is told, by its names'
 * meanings and defaults (4.57.6).
 *
 * What a folder says comes from generation_config.json; where there is none, or it says that it was
 * made from config.json (_from_model_config) and that has settings, from config.json with its
 * class's own tokens; then, by name, from a task of task_specific_params. Options replace single
 * settings. A key that asks for another way to generate is refused by name. */
#ifndef WEFT_SETTINGS_H
#define WEFT_SETTINGS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum Early { EARLY_NO, EARLY_YES, EARLY_NEVER } Early;

typedef struct Ids {
    int32_t *id;
    int64_t n;
} Ids;

/* What is added to the last token's score behind the others. */
typedef struct SequenceBias {
    Ids ids;
    float bias;
} SequenceBias;

enum { UNSET = -1 }; /* of whole numbers and tokens; of real ones NAN */

typedef struct Settings {
    int64_t beams, returns;
    int64_t max_length, max_new, min_length, min_new; /* UNSET: none */
    int64_t no_repeat, encoder_no_repeat;
    int64_t top_k;
    int sample, early; /* a bool and an Early; UNSET in options */
    double temperature, top_p, min_p, typical, epsilon, eta;
    double repetition, encoder_repetition, length_penalty;
    /* of the folder alone */
    int32_t bos, pad, start; /* start: the decoder's first token */
    int32_t forced_bos;
    Ids eos, forced_eos, suppress, begin_suppress;
    SequenceBias *bias;
    int biases;
    Ids *bad;
    int bads;
    int64_t decay_start; /* UNSET: no decay */
    double decay;
    bool remove_invalid, renormalize;
    char **stop; /* texts that end an answer */
    int stops;
} Settings;

/* Nothing is said: what options start from. */
extern const Settings settings_unset;

/* type: config.json's model_type; task: of task_specific_params, or NULL. */
int settings_load(const char *folder, const char *type, const char *task, Settings *s, Err *e);
/* What `given` says replaces what s says. */
void settings_replace(Settings *s, const Settings *given);
/* Do they go together, over so many words? */
int settings_check(const Settings *s, int64_t words, Err *e);
void settings_stop(Settings *s, const char *text); /* one more */
void settings_bad(Settings *s, Ids words);         /* likewise; takes them over */
void settings_clear(Settings *s);

static inline bool ids_have(const Ids *l, int32_t id)
{
    for (int64_t i = 0; i < l->n; i++)
        if (l->id[i] == id)
            return true;
    return false;
}

#endif
