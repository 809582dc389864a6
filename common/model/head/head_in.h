/* head_in.h - what a head is made of; for head*.c alone. */
#ifndef WEFT_HEAD_IN_H
#define WEFT_HEAD_IN_H

#include "model/head/head.h"
#include "model/transformer/transformer.h"

/* y = norm(act(x W' + b)) */
typedef struct HeadLayer {
    Weight *w;
    Act act;
    const float *gamma, *beta; /* NULL: no norm */
} HeadLayer;

enum { HELD = 4 * HEAD_LAYERS };

struct Head {
    Device *dev;
    char *folder;
    HeadFile file; /* a trained head's: */
    bool trained;  /* one that stands alone, */
    bool beside;   /* or beside the checkpoint, whose class head it is */
    Config config; /* a checkpoint's; of a trained head the encoder's, where it is needed */
    Weights *weights;
    char *activation; /* of a checkpoint with one label, as CrossEncoder has it; or NULL */
    char fingerprint[HASH_TEXT];
    const HeadKind *kind[HEAD_TASKS];
    HeadTask task; /* the one in use */
    HeadFrom from;
    bool packed, words;
    Pooler *pooler;
    bool by_panels; /* the vocabulary's matrix lies apart, for head_nll */
    KType type;     /* its type */
    Weight **panel;
    int panels;
    int layers; /* without the panels */
    HeadLayer layer[HEAD_LAYERS];
    int64_t size[HEAD_LAYERS + 1];
    const void *held[HELD]; /* device memory that the layers refer to */
    int helds;
};

/* The vocabulary's matrix [n, cols] and its bias [n] or NULL as panels of columns. */
int head_pack_panels(Head *h, const float *w, const float *b, int64_t n, int64_t cols, Err *e);

#endif
