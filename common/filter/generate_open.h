/* generate_open.h - what `gen` needs before the first row: the model, its settings, and the texts
 * that options name as tokens. */
#ifndef WEFT_GENERATE_OPEN_H
#define WEFT_GENERATE_OPEN_H

#include "filter/generate_options.h"
#include "generate/generate.h"
#include "io/frame.h"

typedef struct GenerateOpen {
    Device *dev;
    char *name, *folder; /* as the stream is to say; where it lies */
    Speaker *speaker;
    Settings settings;
    Tokenizer *tokenizer; /* NULL: no text is asked for */
    Choices *choices;
    Prefix prefix;        /* of --cache's file, if it was there */
    bool keeps;           /* it was not: it is to be made */
    Generator *generator; /* NULL: nothing is open */
    bool checked;         /* the stream's vocabulary is ours */
    char *task;           /* what the stream is to say it was for */
} GenerateOpen;

/* Opens all of it, unless it is open: the model that -m names or the frame does (frame may be NULL
 * with -m); then, that the frame's ids are the model's. */
int generate_open(GenerateOpen *o, const GenerateFilter *f, const Frame *frame, Err *e);
/* What the stream says of where its tokens come from. */
void generate_tell(const GenerateOpen *o, const GenerateFilter *f, Frame *frame);
/* Writes the file of --cache, where it was not there. */
int generate_keep(GenerateOpen *o, const GenerateFilter *f, Err *e);
void generate_close(GenerateOpen *o);

#endif
