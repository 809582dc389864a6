/* filter.h - what `embed`, `encode`, `pool` and `head` do to a frame: the model is found when
 * the first frame names it (or before, by -m), checked against the stream, and run. */
#ifndef WEFT_FILTER_H
#define WEFT_FILTER_H

#include "base/opt.h"
#include "io/frame.h"
#include "model/transformer/transformer.h"
#include "model/head/head.h"
#include "model/head/pooling.h"

typedef struct EncodeFilter {
    const Common *common;
    int64_t layers; /* -1 all, 0 the embeddings */
    bool attention;
    Device *dev;
    Encoder *enc;
    char *name, *folder; /* as the stream is to say; where it lies */
    char fingerprint[HASH_TEXT];
    bool checked; /* the stream's vocabulary is ours */
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

/* The device that -D asks for; without it a GPU if one answers and the work is worth waking it
 * (a GPU takes longer to start than a head to run), else the CPU. */
Device *filter_device(const Common *c, bool worth, Err *e);

typedef struct PoolFilter {
    const Common *common;
    Pooling want; /* kind POOL_NONE: what the model says */
    Device *dev;
    Pooler *pooler;
    Pooling used;
} PoolFilter;

/* token.hidden -> row.vector; the token tensors stay. */
int pool_vectors(Pooler *p, Frame *frame, Err *e);
int pool_frame(void *filter, Frame *f, Err *e);
void pool_end(PoolFilter *f);

typedef struct HeadFilter {
    const Common *common;
    int task; /* a HeadTask, or -1: the only one, or mask where rows tell */
    bool all; /* logits for every token */
    Device *dev;
    Head *head;
    bool chosen, told; /* a head is in use; it is for the rows to tell whether it is meant */
    int32_t mask;      /* the mask token's id, where picks need it */
    char *classes, *name, *folder; /* as the stream says them; where it lies */
} HeadFilter;

int head_begin(HeadFilter *f, Err *e);
int64_t head_part(void *filter, const Frame *f, int64_t first, Err *e); /* a PartFn */
int head_frame(void *filter, Frame *f, Err *e);
void head_end(HeadFilter *f);

#endif
