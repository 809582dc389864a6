/* encode_filter.h - what `embed` and `encode` do to a frame: the model is found when the first
 * frame names it (or before, by -m), checked against the stream, and run. Of static embeddings
 * `encode` gives each token's own, and `embed` the rows' means at once: all tokens' vectors would
 * be many times as many bytes, which nobody asks for but to take their mean. */
#ifndef WEFT_ENCODE_FILTER_H
#define WEFT_ENCODE_FILTER_H

#include "base/opt.h"
#include "io/stream.h"
#include "model/bag.h"
#include "model/transformer/transformer.h"

typedef struct EncodeFilter {
    const Common *common;
    int64_t layers; /* -1 all, 0 the embeddings */
    bool attention;
    bool means; /* of static embeddings: row.vector in place of the tokens */
    In *in; /* where frames come from, to be joined to as many tokens as the device likes; or NULL
             */
    Device *dev;
    Transformer *enc;
    Bag *bag;            /* one of the two */
    char *name, *folder; /* as the stream is to say; where it lies */
    char fingerprint[HASH_TEXT];
    bool checked;    /* the stream's vocabulary is ours */
    int64_t mark[2]; /* of the frames that are worked on, in turn */
    int started, finished;
} EncodeFilter;

/* Opens the model that -m names at once; without -m the first frame's model is waited for. */
int encode_begin(EncodeFilter *f, Err *e);
/* Opens the model unless it is open, and checks that it has the vocabulary of the frame's ids. */
int encode_open(EncodeFilter *f, const Frame *frame, Err *e);
int encode_frame(void *filter, Frame *f, Err *e); /* a StreamFn */
/* The two of stream_run_late. */
int encode_start(void *filter, Frame *f, Err *e);
int encode_finish(void *filter, Frame *f, Err *e);
void encode_end(EncodeFilter *f);

#endif
