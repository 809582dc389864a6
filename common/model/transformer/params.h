/* params.h - the parameters of a model, as a list: what each is called, its shape, its place among
 * all, and who has a say in it. Weights are read by it, `show` counts by it, training steps over
 * it. plan.h says what they are for.
 *
 * The numbers of all parameters have one order, that of the network, in which the parts of one
 * matrix (query, key, value) lie one below the other and their biases likewise: an arena of
 * `numbers` f32 holds the model. */
#ifndef WEFT_PARAMS_H
#define WEFT_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum Part { PART_EMBEDDINGS, PART_LAYERS, PART_POOLER, PART_HEADS, PARTS } Part;
extern const char *const part_names[PARTS];

typedef struct Param {
    char *name;         /* Hugging Face's, without the family's prefix */
    int64_t rows, cols; /* as checkpoints have it; cols 0: a vector */
    int64_t at;         /* its first number in the arena */
    bool decays;        /* weight decay is for it: it is no bias and no norm's */
    Part part;
    int layer; /* -1: of no layer */
} Param;

typedef struct Params {
    Param *param;
    int count;
    int64_t numbers;
} Params;

/* Appends a parameter, whose `at` is where the last one ends; its index. */
int params_add(Params *p, Param a);
/* By a checkpoint's name, with the prefix or without; -1: it is none of them. */
int params_find(const Params *p, const char *name, const char *prefix);
void params_clear(Params *p);

static inline int64_t param_numbers(const Param *p)
{
    return p->rows * (p->cols ? p->cols : 1);
}

#endif
