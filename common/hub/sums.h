/* sums.h - the checksums that files travel under, by libcrypto. */
#ifndef WEFT_SUMS_H
#define WEFT_SUMS_H

#include "base/err.h"

enum { SUM_TEXT = 65 }; /* hexadecimal digits and a NUL */

typedef enum SumKind {
    SUM_SHA256,   /* of the bytes */
    SUM_GIT_BLOB, /* SHA-1 of "blob N\0" and the bytes, as git names them */
} SumKind;

/* Of the whole file behind fd, from its beginning. */
int sum_file(int fd, SumKind kind, char out[SUM_TEXT], Err *e);

#endif
