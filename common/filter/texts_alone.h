/* texts_alone.h - a frame without what a model made of its texts, for another model to read them.
 */
#ifndef WEFT_TEXTS_ALONE_H
#define WEFT_TEXTS_ALONE_H

#include "io/frame.h"

/* Row i's text as it was before `tok --prefix` and the like, where the frame tells of such. */
Str text_plain(const Frame *f, int64_t i);
/* All rows' so; the frame tells of none then. */
void texts_plain(Frame *f);
/* Tokens, vectors and logits go, and what the metadata say of where they come from. Texts, labels
 * and kept columns stay, and what else the rows have. */
void texts_alone(Frame *f);

#endif
