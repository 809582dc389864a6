/* transformer_learn.h - a transformer that learns: its parameters lie in one piece of device
 * memory, in which an optimizer may change them, and what a batch did on its way forward is kept
 * for the way back.
 *
 *     Transformer *t = transformer_open(folder, dev, K_F32, &e);
 *     ... a head adds its own parameters to transformer_plan(t) ...
 *     transformer_learns(t, &e);
 *     transformer_forward(t, &in, numbers, seed, &e);
 *     ... transformer_states(t) -> loss -> transformer_states_grad(t) ...
 *     transformer_backward(t, &learn, &e);
 *     ... transformer_numbers(t) are changed by learn.grad ...
 *     transformer_renew(t, NULL);
 */
#ifndef WEFT_TRANSFORMER_LEARN_H
#define WEFT_TRANSFORMER_LEARN_H

#include "model/transformer/plan.h"
#include "model/transformer/transformer.h"

/* Dropout of a batch: what it is drawn from. */
typedef struct Drops {
    uint64_t seed;          /* of the run and the step */
    const int64_t *numbers; /* [tokens]: a number that each token has in all batches */
    bool still_embeds;      /* none in the embeddings, */
    int64_t still;          /* and so many layers: those that do not learn */
} Drops;

/* Where gradients go, and which are wanted. */
typedef struct Learn {
    float *grad;        /* [params.numbers], device; tables' are added to, so zero before */
    const bool *trains; /* by parameter: whose is made */
    int64_t first;      /* the lowest layer with one that does */
    bool embeds;        /* something below the layers does */
    bool add;           /* to the gradients that are there */
} Learn;

/* A model whose numbers have not been read: c is taken over. w NULL: it is to be made. */
Transformer *transformer_planned(Config *c, Weights *w, Device *dev, KType type);
Device *transformer_device(const Transformer *t);
bool transformer_has_weights(const Transformer *t); /* it has a checkpoint */
Plan *transformer_plan(Transformer *t);
Config *transformer_settings(Transformer *t); /* rates of dropout may be changed */

/* What a layer leaves for the way back is to be made again there, but for the state that it begins
 * with: memory for one layer instead of all, at the price of another way forward. */
void transformer_make_again(Transformer *t);

/* Gives parameters their places, reads those that the checkpoint has, and makes matrices ready. */
int transformer_learns(Transformer *t, Err *e);
float *transformer_numbers(Transformer *t); /* [plan.params.numbers], device */
/* Matrices as products read them, once numbers have changed: of these parameters, NULL all. */
void transformer_renew(Transformer *t, const bool *changed);
/* As products read it: matrix `id` of the plan; a parameter's numbers. */
const Weight *transformer_weight(const Transformer *t, int id);
const float *transformer_value(const Transformer *t, int param);

/* Does the last layer leave out what nobody reads, if it is told what is read? */
bool transformer_picks(const Transformer *t);
/* All rows of `in` at once. drops NULL: none (then gradients are of evaluation). */
int transformer_forward(Transformer *t, const TransformerIn *in, const Drops *drops, Err *e);
/* The last states of that batch, [tokens, hidden] as products read them, or [reads, hidden] of
 * those that are read, and where their gradient in f32 is to be put. */
View transformer_states(const Transformer *t);
View transformer_states_grad(const Transformer *t);
/* Room for the way back, before transformer_states_grad is asked for. */
int transformer_back(Transformer *t, const Learn *l, const TransformerIn *in, Err *e);
/* From that gradient to those of the parameters. */
void transformer_backward(Transformer *t);

#endif
