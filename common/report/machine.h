/* machine.h - what this machine has to compute with. */
#ifndef WEFT_MACHINE_H
#define WEFT_MACHINE_H

#include "base/mem.h"

/* Lines "cpu", "vector", "threads", "memory", "cuda". threads: how many a program would use. */
void machine_put(Buf *b, int threads);

#endif
