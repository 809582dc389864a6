/* headfile.h - the folder that `train` makes from vectors and `head` reads: a stack of Linear
 * layers with ReLU between them, and what made the vectors that it was trained on.
 *
 *     HeadFile h;
 *     if (headfile_is(folder) && headfile_load(folder, &h, &e) == 0) {
 *         // y = x W' + b: W is f32 h.weight[i] [h.size[i + 1], h.size[i]], b is h.bias[i]
 *         headfile_free(&h);
 *     }
 *
 * config.json (model_type "weft-head", see weft-model(5)) and model.safetensors with the names
 * that torch's Sequential(Linear, ReLU, Linear) has: head.0.weight, head.0.bias, head.2.weight,
 * .... */
#ifndef WEFT_HEADFILE_H
#define WEFT_HEADFILE_H

#include "base/err.h"
#include "base/outfolder.h"

#include <stdbool.h>
#include <stdint.h>

enum { HEAD_LAYERS = 9 }; /* Linear layers at most */

typedef struct HeadFile {
    char *model;           /* the encoder's folder or ORG/NAME; "" where the stream said none */
    char *encoder, *vocab; /* fingerprints of its weights and vocabulary, "" likewise */
    char *pool;            /* how rows became vectors ("mean", "cls,normalize"), "" likewise */
    int64_t layer;         /* after which of its layers; -1 where the stream said none */
    int layers;            /* Linear layers */
    int64_t size[HEAD_LAYERS + 1]; /* width of the vectors, of each hidden layer, classes */
    double dropout;                /* that it was trained with */
    char **label;                  /* size[layers] names */
    float *weight[HEAD_LAYERS], *bias[HEAD_LAYERS];
} HeadFile;

/* Is there a folder whose config.json says weft-head? */
bool headfile_is(const char *folder);
/* 0 or -1 with a message that names the file. */
int headfile_load(const char *folder, HeadFile *h, Err *e);
/* The Linear layers that `train --head linear` or mlp left beside a whole model (head.safetensors,
 * and `weft_head` in config.json), from its hidden width to its labels: pool, layers, sizes,
 * weights and no more. 1; 0: there are none; -1. */
int headfile_beside(const char *folder, int64_t width, int64_t outputs, HeadFile *h, Err *e);
/* Releases everything that either made. */
void headfile_free(HeadFile *h);

/* Its two files into the folder. `training` is a JSON object told under that key of config.json,
 * for people. */
int headfile_write(OutFolder *o, const HeadFile *h, const char *training, Err *e);

#endif
