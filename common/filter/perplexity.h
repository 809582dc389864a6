/* perplexity.h - how likely a language model finds given tokens.
 *
 * A causal model (GPT-2): -log p(x_i | x_<i), for all tokens but the first, or with --bos for
 * all. Rows longer than a window are taken in windows that overlap, and each token is judged once,
 * in the first window that has it. A masked model (BERT): the pseudo-log-likelihood of Salazar et
 * al. 2020, -log p(x_i | the others), x_i masked; special tokens are not judged. */
#ifndef WEFT_PERPLEXITY_H
#define WEFT_PERPLEXITY_H

#include "filter/encode_filter.h"
#include "filter/head_filter.h"

typedef struct Perplexity {
    EncodeFilter encode;
    int64_t window, overlap; /* tokens; window 0: the model's positions */
    bool bos;
    /* private */
    Head *head;
    bool masked;
    int32_t mask;
} Perplexity;

/* Opens the model that -m names; without -m the first frame's is waited for. */
int perplexity_begin(Perplexity *p, Err *e);
/* nll: for each token of the frame -log p, NAN where it is not judged. On a fault of one row
 * e->row is 1 + that row. */
int perplexity_frame(Perplexity *p, const Frame *f, double *nll, Err *e);
void perplexity_end(Perplexity *p);

#endif
