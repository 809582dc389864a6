/* hugemem.h - memory for what is large and stays: weights and batches. Asks the kernel for 2 MB
 * pages, of which a start needs 500 times fewer, and carves small requests out of shared runs
 * of them. Thread-safe. */
#ifndef WEFT_HUGEMEM_H
#define WEFT_HUGEMEM_H

#include <stddef.h>

void *huge_alloc(size_t bytes); /* on 64 bytes, uninitialised; NULL: no more */
void huge_free(void *p);        /* NULL is fine */

#endif
