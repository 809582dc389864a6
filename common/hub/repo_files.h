/* repo_files.h - which of a repository's files weft reads. */
#ifndef WEFT_REPO_FILES_H
#define WEFT_REPO_FILES_H

#include "base/err.h"
#include "base/namemap.h"

#include <jansson.h>

typedef struct NameList {
    char **name;
    int n, room;
    NameMap names; /* those that are in it */
} NameList;

void names_add(NameList *l, const char *name); /* once */
bool names_has(const NameList *l, const char *name);
void names_free(NameList *l);

/* The files of a repository as its hub lists them: {"siblings": [{"rfilename": ...}, ...]}.
 * NameList that would lead out of the folder are an error. */
int repo_files_listed(NameList *all, const json_t *info, Err *e);
/* Configuration, tokenizer and, of the weights, one of: model.safetensors or its index,
 * pytorch_model.bin or its index. An error where there is no config.json, or no weights. */
int repo_files_wanted(NameList *want, const NameList *all, Err *e);
/* The shards that an index names ({"weight_map": {tensor: file}}), and the configurations of the
 * modules that a modules.json names ([{"path": ...}]): what else is wanted once FOLDER/name is
 * there. */
int repo_files_more(NameList *want, const NameList *all, const char *folder, const char *name,
                    Err *e);

#endif
