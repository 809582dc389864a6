/* vectors.h - labelled vectors: all rows of a stream that `pool` wrote, where they can be read
 * in any order.
 *
 *     Vectors v;
 *     Classes c;
 *     if (vectors_read(&v, files, n, false, &e) < 0 || vectors_classes(&v, &c, &e) < 0 ||
 *         vectors_number(&v, &c, &e) < 0)
 *         return -1;
 *     // v.x is f32 [v.rows, v.width], v.target[i] the class of row i
 *
 * The vectors lie in an unlinked file in $TMPDIR, mapped: memory does not grow with them. */
#ifndef WEFT_VECTORS_H
#define WEFT_VECTORS_H

#include "base/err.h"
#include "measure/classes.h"

#include <stdbool.h>

enum { VECTORS_CLASSES = 4096 }; /* more different labels than this are no classes */

typedef struct Vectors {
    const float *x; /* [rows, width] */
    int64_t rows, width;
    int32_t *target; /* [rows] */
    float *weight;   /* [rows], of row.weight; NULL: the stream has none */
    int64_t skipped; /* rows without a label, left out */
    bool tokens;     /* vectors_read failed for want of vectors, but tokens are there */
    char *place;     /* where it was read: "stdin", or the first file's name */
    char *model, *encoder, *vocab, *pool, *layer; /* metadata; "" where absent */
    char *labels;                /* JSON array: the order given to `tok`; NULL: none was */
    struct LabelIds *labels_met; /* private: the labels met */
} Vectors;

/* Reads to the end, which must be there. Fails on a row without a label (unless `skip`), a
 * vector or weight that is not finite, and a change of width, pool or layer. */
int vectors_read(Vectors *v, char **files, int nfiles, bool skip, Err *e);
void vectors_free(Vectors *v); /* after a failure too */

/* The classes of these rows: those of `labels` in its order, else the labels met, sorted. */
int vectors_classes(const Vectors *v, Classes *c, Err *e);
/* Turns v->target into indices of c. A label that is none of them is an error that names the
 * first row which has it. */
int vectors_number(Vectors *v, const Classes *c, Err *e);
/* Do b's vectors come from where a's do? */
int vectors_agree(const Vectors *a, const Vectors *b, Err *e);

#endif
