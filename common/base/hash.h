/* hash.h - 128-bit digests (XXH3, libxxhash) for fingerprints and `show --digest`. They tell
 * apart what differs by accident; they are no protection against anyone who wants them equal. */
#ifndef WEFT_HASH_H
#define WEFT_HASH_H

#include <stddef.h>

typedef struct Hash Hash;
enum { HASH_TEXT = 33 }; /* 32 hexadecimal digits and a NUL */

Hash *hash_new(void);
void hash_add(Hash *h, const void *p, size_t n);
void hash_end(Hash *h, char out[HASH_TEXT]); /* releases h */

#endif
