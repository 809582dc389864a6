/* folderkeys.h - the keys of a model folder's JSON files: those that are gone by, and those that
 * must have a certain value, since weft lacks what they ask for. Of others that it knows the
 * reference's code for what weft reads makes nothing (folderkeys_tables.h). weft-model(5) has the
 * table in words. */
#ifndef WEFT_FOLDERKEYS_H
#define WEFT_FOLDERKEYS_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct FolderKey {
    const char *file, *key;
    const char *only; /* the values that it may have, as JSON, with | between; absent or null is
                         one, too; NULL: it is read */
    bool elsewhere;   /* who reads the file sees to that */
} FolderKey;

extern const FolderKey folder_keys[];
extern const int folder_key_count;

/* A notice for each key of the file in `folder` that no table has, unless its value is null, false
 * or empty; once in a program. Of config.json, tokenizer_config.json and generation_config.json. */
void folderkeys_note(const char *folder, const char *file, const json_t *j);

/* A key of the file with a value that it may not have: named. The file's name is its last part; e
 * does not say where it is. */
int folderkeys_check(const char *file, const json_t *j, Err *e);

#endif
