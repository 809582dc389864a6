/* block.h - the memory of frames, which tensors share. */
#ifndef WEFT_BLOCK_H
#define WEFT_BLOCK_H

#include "base/mapping.h"
#include "base/mem.h"

/* Memory that several tensors (and frames) share; freed with its last user. */
typedef struct Block {
    _Atomic int users;
    size_t size;
    size_t room;      /* that there is, of block_new()'s */
    void *p;          /* on 64 bytes, unless by block_of() */
    Mapping *mapping; /* private, and p and size are whole pages; NULL: none */
} Block;

/* What was in use before may be given again: a page costs more to get from the system than to
 * write, and a stream's frames are much alike. Any thread may call these. */
Block *block_new(size_t size);
Block *block_of(void *p, size_t size); /* memory of mem.h's, which the block takes over */
Block *block_share(Block *b);
void block_drop(Block *b); /* NULL is fine */

#endif
