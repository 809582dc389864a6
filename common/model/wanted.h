/* wanted.h - which of a repository's files weft reads. */
#ifndef WEFT_WANTED_H
#define WEFT_WANTED_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct Names {
    char **name;
    int n;
} Names;

void names_add(Names *l, const char *name); /* once */
bool names_has(const Names *l, const char *name);
void names_free(Names *l);

/* The files of a repository as its hub lists them: {"siblings": [{"rfilename": ...}, ...]}. Names
 * that would lead out of the folder are an error. */
int wanted_listed(Names *all, const json_t *info, Err *e);
/* Configuration, tokenizer and, of the weights, one of: model.safetensors or its index,
 * pytorch_model.bin or its index. An error where there is no config.json, or no weights. */
int wanted_files(Names *want, const Names *all, Err *e);
/* The shards that an index names ({"weight_map": {tensor: file}}), and the configurations of the
 * modules that a modules.json names ([{"path": ...}]): what else is wanted once FOLDER/name is
 * there. */
int wanted_more(Names *want, const Names *all, const char *folder, const char *name, Err *e);

#endif
