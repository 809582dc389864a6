/* config.h - what config.json says of a model, in one shape for all families.
 *
 * Keys and defaults are those of transformers' configuration classes. */
#ifndef WEFT_CONFIG_H
#define WEFT_CONFIG_H

#include "base/err.h"
#include "kernels/device.h"
#include "model/families.h"

#include <jansson.h>

/* Rates of dropout, by where it is. */
typedef struct Dropouts {
    float embed;  /* of the embeddings, behind their norm */
    float attend; /* of attention's weights */
    float out;    /* of what attention gives, */
    float feed;   /* and the feed-forward, to the residual */
    float inner;  /* behind the activation */
    float last;   /* behind the last norm */
    float head;   /* of what the layers of a head for rows read, */
    float token;  /* for tokens, */
    float span;   /* for answers */
} Dropouts;

/* How places turn queries and keys: by `base` ^ (-2 i / turned) radians a place. */
typedef struct Rope {
    enum { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3 } kind;
    double base, near_base; /* near_base 0: all layers have one */
    double factor, low, high;
    int64_t length;
} Rope;

/* How queries and keys meet the distance of two tokens (He et al. 2021, DeBERTa). */
typedef struct Distances {
    bool by_query, by_key; /* which of them meets it */
    bool shared;           /* through the matrices that it meets contents by */
    bool normed;
    int64_t entries;       /* of the table: half of them for keys behind the query */
    int64_t buckets, most; /* up to buckets / 2 each has its own entry, then ranges that grow up to
                              `most`; buckets 0: each has */
} Distances;

typedef struct Config {
    const Family *family;
    char *architecture; /* architectures[0], or "" */
    int64_t vocab, hidden, heads, inner;
    int64_t layers; /* in all; the last `decoders` of them are a decoder's */
    int64_t decoders;
    int64_t speakers;  /* layers of a decoder that is none of these (config_speaks) */
    int64_t size;      /* of a head: queries are heads * size wide, */
    int64_t kv_heads;  /* keys and values kv_heads * size */
    int64_t embedding; /* width of the embeddings' tables */
    int64_t positions; /* tokens a row can have; 0: any number */
    int64_t first;     /* entry of the position table for the first token: it has first +
                          positions entries */
    int64_t types;
    int64_t buckets, distance; /* of the bias by distance */
    Distances far;             /* entries 0: none */
    bool unplaced;             /* there is no position table */
    int64_t turned;            /* columns of a head that are turned by the token's place; 0: none */
    Rope rope;
    int64_t window, every; /* keys more than `window` away are not seen, but in layers 0, every, ..;
                              every 0: in none; window 0: all are seen */
    int64_t pad, start;    /* padding id, or -1; the decoder's first id */
    int64_t eos, bos;      /* the ids that end and begin a text; bos -1: none */
    bool tied;             /* a vocabulary's output matrix is that of the word embeddings */
    Act act;
    char *act_name;
    bool gated, causal;
    float eps, scale;    /* of norms; of q k' */
    bool scale_by_layer; /* divided by the layer's number from 1 too */
    float embed_scale;   /* of word embeddings */
    Dropouts drop;
    double init;    /* spread of new weights: initializer_range, init_std; a factor for T5 */
    int64_t labels; /* of the class head: id2label, else num_labels, else the family's number */
    char **label;
    char *problem;   /* problem_type, or "" */
    Act pooler_act;  /* of a class head's pooler */
    bool class_mean; /* classifier_pooling: the class head reads a row's mean */
    uint8_t *pruned; /* [layers, heads]: 1 where the checkpoint lacks that head; NULL: nowhere */
} Config;

/* What a layer's q k' is multiplied by; layers count from 0. */
float config_attend_scale(const Config *c, int64_t layer);

/* Does a layer see only what is near? */
bool config_near(const Config *c, int64_t layer);

/* A model whose decoder only writes, as one that has it: for those who write. */
void config_speaks(Config *c);
/* The layers that reading a text goes through: all, or the encoder's. */
int64_t config_reads(const Config *c);

/* model_type, or what stands for it in a configuration without; NULL: nothing does. */
const char *config_type(const json_t *config, const char *folder);
/* Heads of a layer that the checkpoint has. */
int64_t config_heads(const Config *c, int64_t layer);

/* FOLDER/config.json. An unknown model_type is an error that names it and those supported. */
int config_load(const char *folder, Config *c, Err *e);
int config_load_file(const char *path, Config *c, Err *e); /* any file */
void config_clear(Config *c);

#endif
