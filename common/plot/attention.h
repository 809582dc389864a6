/* attention.h - where the heads of a layer look, in one row. */
#ifndef WEFT_ATTENTION_H
#define WEFT_ATTENTION_H

#include "io/stream.h"
#include "plot/chart.h"

typedef struct AttentionSpec {
    int64_t row, layer; /* from 1; layer 0: the last */
    const char *model;  /* whose tokenizer spells the tokens; NULL: the stream's */
} AttentionSpec;

/* A map for each head, tokens on both axes, of a stream that `encode --attention` made. */
Chart *attention_chart(In *in, const AttentionSpec *spec, Err *e);

#endif
