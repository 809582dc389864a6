/* generate_in.h - what a row under way is: generate.c has the rows and their steps, going.c what
 * becomes of one, beam.c the same where answers compete. */
#ifndef WEFT_GENERATE_IN_H
#define WEFT_GENERATE_IN_H

#include "generate/generate.h"
#include "generate/rules.h"

/* An answer that is being written. */
typedef struct Line {
    int32_t *id;    /* with what stands before it */
    float *logprob; /* of each of the answer's */
    int64_t n;
    Track track; /* of the tokens that the model has seen; the others are new */
    float score; /* beams' */
    bool done;
    Finish finish;
    int64_t at; /* which line of the step's it is */
} Line;

typedef struct Going {
    struct Going *next; /* the row behind it */
    uint64_t row;       /* its number in the run */
    int32_t *source;    /* the text that is read, or the prompt */
    int64_t sources;
    Track memory;  /* of what was read */
    int64_t first; /* tokens before an answer */
    int64_t max_length, min_length, min_new;
    bool cut;
    bool begun, done;
    Line *line; /* under way */
    int lines;
    Line *fin; /* answers that are whole, best first */
    int fins;
    bool open; /* beams: can those under way still be among the best? */
    Written *answer;
    char *why;
    Done result;
} Going;

struct Generator {
    Speaker *speaker;
    const Settings *settings;
    GenerateWith with;
    int64_t words;
    int64_t most;         /* rows at a time */
    Going *first, **last; /* all rows, in order; those under way come before those that wait */
    int64_t under_way, waiting;
    uint64_t rows;
    RuleWork *work;
    bool likeliest; /* each token is the likeliest by the model's own numbers, as they are */
    Heard heard;    /* of a step's lines: all logits, or where they are enough the best, or none */
    Err lost;       /* why logits did not come */
    float *score;   /* [words] */
    int64_t room;   /* lines that `heard` has room for */
    Buf text;
    Track *prompt; /* prompts whose keys are still there, and their tokens */
    Ids *prompts;
    int prompt_count;
    Track prefix;     /* of with.prefix */
    Prefix common;    /* what is kept of the first prompt, */
    Ids first_prompt; /* and what it has in common with all others */
};

enum { PROMPTS = 4 /* that are kept after their rows */ };

/* prompts.c: tokens that both begin with; gives up those kept; the longest beginning of the row's
 * prompt whose keys are there, its track or NULL; is a row about to begin alike, so that it pays to
 * wait?; the prompt of a row whose keys are there now. */
int64_t prompts_in_common(const int32_t *a, int64_t n, const int32_t *b, int64_t m);
void prompts_forget(Generator *g);
const Track *prompts_known(const Generator *g, const Going *row, int64_t *n);
bool prompts_worth_a_wait(const Generator *g, const Going *row, int64_t have);
void prompts_add(Generator *g, const Going *r);

/* A step's logits of a row's lines are there: goes on. */
void going_step(Generator *g, Going *r);
void beam_step(Generator *g, Going *r);
int64_t beam_kept(const Settings *s); /* candidates of a step that are looked at */
/* Is each token the likeliest by the model's own numbers, as they are? Else of how many of the
 * largest, one more than can be chosen, it is known that they are enough, or not; 0: of none. */
bool going_likeliest(const Generator *g);
int going_best(const Generator *g);
/* All logits of a line of the step. */
void going_logits(Generator *g, const Line *l, float *to);
/* Is it over with this token behind the line? *why. */
bool going_ends(Generator *g, const Going *r, const int32_t *id, int64_t n, Finish *why);
/* The scores of a line's next token by the rules, in g->score. */
float *going_rules(Generator *g, const Going *r, const Line *l, float *score);
void going_fail(Generator *g, Going *r, const char *why);
/* Gives up what it holds but its answers. */
void going_over(Generator *g, Going *r);
void line_copy(Generator *g, Line *to, const Line *from, bool keys);
void line_add(Line *l, int32_t id, float logprob);
void line_clear(Generator *g, Line *l);
static inline int64_t line_said(const Going *r, const Line *l)
{
    return l->n - r->first;
}

#endif
