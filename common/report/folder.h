/* folder.h - a model folder to read. */
#ifndef WEFT_FOLDER_H
#define WEFT_FOLDER_H

#include "base/err.h"
#include "base/mem.h"

/* Architecture and sizes, tokenizer and special tokens, labels, the modules with shapes and
 * numbers of parameters, totals and bytes. Works for families that nothing here can run. -1: no
 * config.json, or no weights. */
int folder_put(Buf *b, const char *folder, Err *e);

#endif
