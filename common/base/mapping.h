/* mapping.h - files mapped into memory. What is cut short while it is mapped, or cannot be read,
 * the kernel tells by SIGBUS alone: the program then says which file that is, removes what it was
 * making (tidy.h) and exits with EXIT_DATA. Any other SIGBUS does what it did before. */
#ifndef WEFT_MAPPING_H
#define WEFT_MAPPING_H

#include <stddef.h>
#include <sys/types.h>

typedef struct Mapping Mapping;

/* mmap(2) of n bytes from `at` on; the name is for the message. NULL with errno. */
Mapping *mapping_new(int fd, off_t at, size_t n, int prot, int flags, const char *name);
void *mapping_bytes(const Mapping *m);
void mapping_free(Mapping *m); /* NULL is fine */
/* The one whose bytes begin at p, or NULL. */
Mapping *mapping_find(const void *p);

#endif
