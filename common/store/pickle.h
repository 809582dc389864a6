/* pickle.h - what torch.save pickles of a tensor dictionary, and nothing else: a pickle is a
 * program, and this one runs no more of it than a dictionary of tensors needs. Any other
 * instruction, and any other name, is refused by its name. Protocol 2, as torch.save writes it
 * (Python's pickletools.py; torch/serialization.py, torch/_utils.py). */
#ifndef WEFT_PICKLE_H
#define WEFT_PICKLE_H

#include "base/dtype.h"
#include "base/err.h"
#include "store/safetensors.h"

#include <stdbool.h>

/* Numbers side by side, that tensors are cut from. */
typedef struct PickleStorage {
    char *key; /* what the archive calls it */
    DType type;
    int64_t count; /* numbers */
} PickleStorage;

typedef struct PickleTensor {
    char *name;
    int storage; /* index */
    int rank;
    int64_t shape[ST_RANKS], stride[ST_RANKS], offset; /* in numbers, within the storage */
} PickleTensor;

typedef struct PickleDict {
    PickleTensor *tensor; /* in the dictionary's order */
    int tensors;
    PickleStorage *storage;
    int storages;
    int *order; /* of a file before 1.6: whose numbers come first, second ... */
} PickleDict;

/* Reads n bytes, of 2^21 instructions at most. Names are there once, shapes are within their
 * storage. 0 or -1; either way d is to be cleared. */
int pickle_read(const char *bytes, size_t n, PickleDict *d, Err *e);
/* Does a file as PyTorch wrote it before 1.6 begin so? The same instructions make its dictionary,
 * between pickles of a magic number, a version, the machine and the storages' keys; behind *used
 * bytes stand the storages, each behind its count of numbers in 8 bytes. */
bool pickle_is_old(const char *bytes, size_t n);
int pickle_read_old(const char *bytes, size_t n, PickleDict *d, size_t *used, Err *e);
void pickle_clear(PickleDict *d);

#endif
