/* config.h - what config.json says of a model, in one shape for all families.
 *
 * Keys and defaults are those of transformers' BertConfig and its kin. */
#ifndef WEFT_CONFIG_H
#define WEFT_CONFIG_H

#include "base/err.h"
#include "kernels/device.h"

#include <stdbool.h>

/* How an architecture calls its weights and how it differs. Names hold %d for the layer; each
 * stands for NAME.weight and NAME.bias. */
typedef struct Family {
    const char *type;   /* config.json's model_type */
    const char *prefix; /* before every name, in checkpoints with a head; may be absent */
    const char *word, *position, *kind, *embed_norm;
    const char *query, *key, *value, *attend_out, *attend_norm;
    const char *up, *down, *out_norm;
    const char *pooler;     /* dense layer and tanh over the first token; NULL: none */
    const char *classifier; /* class head's last layer */
    const char *pool;       /* pooling where the folder says nothing */
} Family;

typedef struct Config {
    const Family *family;
    char *architecture; /* architectures[0], or "" */
    int64_t vocab, hidden, layers, heads, inner, positions, types;
    Act act;
    char *act_name;
    float eps;
    double dropout;
    int64_t labels; /* of the class head: id2label, else num_labels, else 2 */
    char **label;
    char *problem; /* problem_type, or "" */
} Config;

/* FOLDER/config.json. An unknown model_type is an error that names it and those supported. */
int config_load(const char *folder, Config *c, Err *e);
void config_clear(Config *c);
/* The family of a model_type, or NULL; all names for a message ("bert"). */
const Family *family_find(const char *type);
const char *family_names(void);

#endif
