/* params.h - the parameters of a model, as a list: what each is called, its shape, its place among
 * all, and who has a say in it. Weights are read by it, `show` counts by it, training steps over
 * it. plan.h says what they are for.
 *
 * The parts of one matrix (query, key, value) follow each other in the list, and so do their
 * biases: in an arena of `numbers` f32, which holds the model, they lie one below the other. */
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
    bool waves;         /* a table of positions that is made where there is none: never learns */
    bool fresh;         /* the checkpoint does not have it: it is to be drawn */
    bool adapter;       /* it is no part of the model, but changes one */
    Part part;
    int layer; /* -1: of no layer */
    int heads; /* how many times its rows (columns, where by_col) go through the layer's heads: a
                  query's once, a query's, key's and value's in one three times; 0: not at all */
    bool by_col;
} Param;

typedef struct Params {
    Param *param;
    int count;
    int64_t numbers;
} Params;

/* Appends a parameter; its index. */
int params_add(Params *p, Param a);
/* Gives all their places: those that decay, then the others, in the order of the list. */
void params_place(Params *p);
/* By a checkpoint's name, with the prefix or without; -1: it is none of them. */
int params_find(const Params *p, const char *name, const char *prefix);
void params_clear(Params *p);

static inline int64_t param_numbers(const Param *p)
{
    return p->rows * (p->cols ? p->cols : 1);
}

#endif
