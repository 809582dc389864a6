/* filekind.h - files that are not what they are called: what stands in a model's folder because a
 * clone or a download brought another thing, or because somebody renamed it. */
#ifndef WEFT_FILEKIND_H
#define WEFT_FILEKIND_H

#include "base/err.h"
#include "base/mem.h"

/* A file that begins with these bytes (all of it, or its first 512) is a pointer of git-lfs or a
 * page of a web server: -1, and what it is. No file of a model begins so. */
enum { FILEKIND_BYTES = 512 };
int filekind_check(Str begins, Err *e);

/* What a file of weights is that is none of the kind it is called: "a pickle, as torch.save wrote
 * before PyTorch 1.6". NULL: unknown. */
const char *filekind_weights(Str begins);

#endif
