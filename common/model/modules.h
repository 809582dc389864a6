/* modules.h - the modules of a sentence-transformers folder, as modules.json lists them. */
#ifndef WEFT_MODULES_H
#define WEFT_MODULES_H

#include "base/err.h"

#include <stdbool.h>

typedef enum ModuleKind {
    MODULE_TRANSFORMER,
    MODULE_STATIC, /* static embeddings (bag.h), whose vectors are the rows' already */
    MODULE_POOLING,
    MODULE_DENSE,
    MODULE_LAYER_NORM,
    MODULE_NORMALIZE,
    MODULE_NOTHING, /* dropout, which a trained model has none of */
} ModuleKind;

typedef struct Module {
    ModuleKind kind;
    char *path; /* its folder, which may be the model's itself */
} Module;

typedef struct Modules {
    Module *module; /* in their order; the first is the transformer, or static embeddings */
    int count;      /* 0: the folder has no modules.json */
} Modules;

/* A module that is not known, or stands where it cannot, is an error that names it. */
int modules_read(const char *folder, Modules *m, Err *e);
void modules_clear(Modules *m);

#endif
