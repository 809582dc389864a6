/* nearest.h - the nearest rows of a corpus by cosine, exactly: every row of it is looked at.
 *
 *     Corpus *c = corpus_new(dev);
 *     corpus_add(c, frame, &e); ...         // frames with row.vector
 *     corpus_nearest(c, x, rows, k, near, &e);
 *
 * The corpus lies as panels of unit vectors, packed as the device likes them; queries go over it
 * as matrix products. On the CPU memory does not grow with it: panels beyond some, and texts, lie
 * in a file that nobody else sees (spool.h), and are packed again when they are searched. Cosines
 * are f32, within 1e-6; of equal ones the earlier row comes first. The same rows, whatever stands
 * beside them and however many threads there are. */
#ifndef WEFT_NEAREST_H
#define WEFT_NEAREST_H

#include "io/frame.h"
#include "kernels/device.h"

typedef struct Corpus Corpus;

typedef struct Near {
    int32_t row; /* of the corpus, from 0; -1: it has fewer */
    float cosine;
} Near;

Corpus *corpus_new(Device *dev);
void corpus_free(Corpus *c);

/* Vectors and texts of a frame. -1: no vectors, or of another width or origin than before. */
int corpus_add(Corpus *c, const Frame *f, Err *e);
/* The last panel: call it once, before the first query. */
int corpus_ready(Corpus *c, Err *e);
int64_t corpus_rows(const Corpus *c);
/* -1: not every row has a text, which may be empty. */
int corpus_texts(const Corpus *c, Err *e);
/* A row's text, without what tok put before it, until the next is asked for. */
int corpus_text(Corpus *c, int64_t row, Str *text, Err *e);
/* May f's vectors be compared with the corpus'? */
int corpus_fits(const Corpus *c, const Frame *f, Err *e);

/* x: f32 [rows, width], dense. near: [rows, k], falling. A vector of length 0 is at cosine 0 from
 * everything. One that is not finite is an error, with e->row; those before it have been answered.
 */
int corpus_nearest(Corpus *c, const float *x, int64_t rows, int k, Near *near, Err *e);

#endif
