/* bag.h - static embeddings: a table has a vector for each token, and a row's is their mean. No
 * layer stands between, and no token knows of another. Folders are model2vec's, or hold the module
 * StaticEmbedding of sentence-transformers; sums are f32. */
#ifndef WEFT_BAG_H
#define WEFT_BAG_H

#include "base/hash.h"
#include "kernels/device.h"
#include "model/weights.h"

/* What makes the ids that go into it, beside tokenizer.json. */
typedef struct BagFacts {
    bool model2vec;     /* by its rules: what is unknown goes, and a text's length is bounded */
    bool normalize;     /* vectors are brought to length 1, which modules.json may say, too */
    int64_t max_length; /* tokens a row, as model2vec says; 0: any number */
} BagFacts;

/* 1: the folder with the tokenizer and the weights (model_encoder_folder) is one of these, 0: it is
 * not. facts may be NULL. */
int bag_is(const char *folder, BagFacts *facts, Err *e);

typedef struct Bag Bag;

Bag *bag_load(const char *folder, Device *dev, Err *e);
void bag_free(Bag *b);
int64_t bag_width(const Bag *b);
/* What the stream calls `encoder`. */
void bag_identity(const Bag *b, char out[HASH_TEXT]);

typedef struct BagIn {
    const int32_t *id;     /* [tokens] */
    const int64_t *starts; /* [rows + 1] */
    int64_t rows, tokens;
} BagIn;

/* Ids within the table: else -1, e->row, message. */
int bag_check(const Bag *b, const BagIn *in, Err *e);
/* Host memory f32 [rows, width]: the mean of each row's tokens; zeros where it has none. */
int bag_means(Bag *b, const BagIn *in, float *out, Err *e);
/* Host memory [tokens, width] of this type: what each token adds. */
int bag_tokens(Bag *b, const BagIn *in, KType type, void *out, Err *e);

#endif
