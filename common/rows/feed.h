/* feed.h - records become frames of rows, by one thread or by several: the same rows in the same
 * order, and every fault where it is, behind the rows before it.
 *
 *     Feed *f = feed_new(&spec);
 *     feed_put(f, &rec, &e); ...  // frames go to spec.frame as they are made
 *     feed_flush(f, &e);          // nothing waits any more: the reader is idle
 *     feed_end(f, &e);            // the last frame, which says that it ends the stream
 *
 * Threads are started when there has been enough to do, and no more than find work. */
#ifndef WEFT_FEED_H
#define WEFT_FEED_H

#include "rows/fields.h"

typedef struct FeedSpec {
    const Fields *fields; /* as fields_ask() has filled in `input` and `rows` */
    const RecSpec *input;
    const RowSpec *rows;
    int threads;
    int (*frame)(void *ctx, Frame *f, Err *e); /* takes a frame; called on the caller's thread */
    void *ctx;
} FeedSpec;

typedef struct Feed Feed;

Feed *feed_new(const FeedSpec *spec);
/* -1: a record's fault, place and number before it, or what spec.frame said; nothing more may
 * be put then, and all rows before the fault have gone out after feed_flush(). */
int feed_put(Feed *f, const Record *rec, Err *e);
int feed_flush(Feed *f, Err *e);
int feed_end(Feed *f, Err *e);
int64_t feed_cut(const Feed *f); /* rows cut, of those that went out */
void feed_free(Feed *f);         /* NULL is fine */

#endif
