/* head_filter.h - what `head` does to a frame: the logits of one of the model's heads. */
#ifndef WEFT_HEAD_FILTER_H
#define WEFT_HEAD_FILTER_H

#include "base/opt.h"
#include "io/frame.h"
#include "model/head/head.h"

typedef struct HeadFilter {
    const Common *common;
    int task; /* a HeadTask, or -1: the only one, or mask where rows tell */
    bool all; /* logits for every token */
    Device *dev;
    Head *head;
    bool chosen, told; /* a head is in use; it is for the rows to tell whether it is meant */
    int32_t mask;      /* the mask token's id, where picks need it */
    char *classes, *name, *folder; /* as the stream says them; where it lies */
    char *called;                  /* by messages: "the head moods" */
} HeadFilter;

int head_begin(HeadFilter *f, Err *e);
int64_t head_part(void *filter, const Frame *f, int64_t first, Err *e); /* a PartFn */
int head_frame(void *filter, Frame *f, Err *e);
void head_end(HeadFilter *f);

#endif
