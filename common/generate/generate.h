/* generate.h - rows of ids in, answers out, in order.
 *
 * Rows wait until there is room, go on together, each step a token for all of them, and leave when
 * they are done; others take their place. A row's answers are its own: neither ids nor scores
 * depend on what goes on beside it.
 *
 *     Generator *g = generator_new(speaker, &settings, &with, &e);
 *     generator_add(g, ids, n, &e);
 *     while (generator_busy(g)) {
 *         generator_step(g, &e);
 *         while ((done = generator_first(g))) { ...; generator_drop(g); }
 *     }
 */
#ifndef WEFT_GENERATE_H
#define WEFT_GENERATE_H

#include "generate/choices.h"
#include "generate/prefix.h"
#include "io/frame.h"

typedef struct Written {
    const int32_t *id; /* the answer's tokens alone */
    int64_t n;
    float score; /* beams': as sequences_scores; else the mean of logprob */
    Finish finish;
    const float *logprob; /* [n] of each token, by the rules */
} Written;

/* A row that is done. */
typedef struct Done {
    const Written *answer; /* best first */
    int64_t answers;       /* none where `why` says what went wrong */
    const char *why;
    bool cut; /* the maximum was less than was asked for: the positions end there */
} Done;

typedef struct GenerateWith {
    const Tokenizer *tokenizer; /* where the settings stop at texts */
    const Choices *choices;     /* NULL: any answer */
    const Prefix *prefix;       /* what prompts may begin with; NULL: nothing is known */
    bool keep;                  /* generator_common() will be asked for */
    uint64_t seed;
    int64_t batch; /* rows at a time; 0: as many as memory allows, but not too many */
} GenerateWith;

typedef struct Generator Generator;

/* All of it must live as long. */
Generator *generator_new(Speaker *s, const Settings *settings, const GenerateWith *with, Err *e);
void generator_free(Generator *g); /* NULL is fine */

/* One row more. Refused (and not taken) where it is empty and nothing begins an answer, has ids
 * outside the vocabulary, or leaves no room for an answer. */
int generator_add(Generator *g, const int32_t *id, int64_t n, Err *e);
int64_t generator_waiting(const Generator *g); /* rows that are not under way yet */
int64_t generator_batch(const Generator *g);
bool generator_busy(const Generator *g); /* is there a row that is not done? */
int generator_step(Generator *g, Err *e);
/* The oldest row, if it is done; NULL: it is not. */
const Done *generator_first(Generator *g);
void generator_drop(Generator *g); /* that one */
/* What all prompts so far begin with, and what the model keeps of it: at most the first one's
 * length. NULL: nothing. */
const Prefix *generator_common(Generator *g);
#endif
