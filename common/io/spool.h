/* spool.h - a whole stream laid aside, for programs that need its rows more than once, or their
 * number first. It lies in an unlinked file in $TMPDIR (default /tmp), not in memory.
 *
 *     Spool *s = spool_in(in, &e);     // only if the input has its end
 *     for (int i = 0; i < spool_frames(s); i++) {
 *         Frame *f = spool_frame(s, i, &e);
 *         ...
 *         frame_free(f);
 *     }
 *     spool_free(s); */
#ifndef WEFT_SPOOL_H
#define WEFT_SPOOL_H

#include "io/stream.h"

typedef struct Spool Spool;

/* Reads `in` to its end. NULL with *e (place included; empty where the program before us has
 * failed): nothing should be made of a stream that is not all there. in is not closed. */
Spool *spool_in(In *in, Err *e);
int64_t spool_rows(const Spool *s);
int spool_frames(const Spool *s);
int64_t spool_frame_rows(const Spool *s, int i);
/* Frame i in the order in which they came, ends included; it is the caller's, who may change
 * it (the spool keeps what came) and may keep it longer than the spool. */
Frame *spool_frame(const Spool *s, int i, Err *e);
void spool_free(Spool *s); /* NULL is fine */

/* An empty unlinked file there, for those who lay aside something of their own; or -1. */
int spool_file(Err *e);

#endif
