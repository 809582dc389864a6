/* recut.h - frames cut anew, so that the same rows make the same bytes however they came: as many
 * as FRAME_ROWS and FRAME_TOKENS let, and an end only where there was one.
 *
 *     Recut r = {.to = out};
 *     recut_write(&r, f, &e); ...  // f->end lets go what is held
 *     recut_clear(&r);             // before a stream's end: what is held is lost */
#ifndef WEFT_RECUT_H
#define WEFT_RECUT_H

#include "io/stream.h"

typedef struct Recut {
    Out *to;
    Frame **held; /* private: they agree, and fit into one */
    int n;
    int64_t rows, tokens;
} Recut;

/* Takes the frame. */
int recut_write(Recut *r, Frame *f, Err *e);
void recut_clear(Recut *r);

#endif
