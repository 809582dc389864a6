/* torchfile.h - pytorch_model.bin, the zip archives that torch.save writes (since 1.6): a pickled
 * dictionary, and a file for each run of numbers; or as it wrote them before, one behind the other.
 * Found by name like the tensors of safetensors.h; a tensor's numbers are read when they are asked
 * for. */
#ifndef WEFT_TORCHFILE_H
#define WEFT_TORCHFILE_H

#include "base/err.h"
#include "store/safetensors.h"

typedef struct TorchFile TorchFile;

/* PATH.bin, or PATH.bin.index.json. Dictionary, shapes and sizes are checked. *e names the file. */
TorchFile *torch_open(const char *path, Err *e);
int torch_count(const TorchFile *f);
/* In order of the names. data is NULL: */
StView torch_at(const TorchFile *f, int i);
int torch_find(const TorchFile *f, const char *name, StView *v); /* 0, or -1: not there */
/* until this gives v its numbers, dense, which live as long as f. */
int torch_read(TorchFile *f, StView *v, Err *e);
uint64_t torch_bytes(const TorchFile *f); /* on disk */
void torch_close(TorchFile *f);

#endif
