/* tokenise_texts.h - texts to a stream of ids, by the tokenizer of a model. */
#ifndef WEFT_TOKENISE_TEXTS_H
#define WEFT_TOKENISE_TEXTS_H

#include "base/opt.h"
#include "io/stream.h"
#include "rows/text_options.h"

typedef struct TokeniseTexts {
    const Common *common;
    TextOptions *options; /* ready */
    /* private */
    Tokenizer *tokenizer;
    char *folder, *model_name, *prefix; /* prefix: of the task, or the model's own */
    char prompt[24]; /* tokens that each row begins with by it, for pool; "": nobody asks */
    char mask[16];   /* the mask token's id; "": there is none */
} TokeniseTexts;

/* Finds the model. */
int tokenise_texts_open(TokeniseTexts *t, Err *e);
/* How long rows may be and what stands before each text, once it is known whether they are pairs
 * (options->rows.pair). */
int tokenise_texts_fit(TokeniseTexts *t, Err *e);
/* All texts of the files (none: standard input), and the stream's end; tells how many rows were
 * cut. -1: *e, place included; the rows before the fault have been sent. */
int tokenise_texts_run(const TokeniseTexts *t, char **files, int nfiles, Out *out, Err *e);
/* For who makes the rows of other texts: a frame's metadata; the notice of rows that were cut. */
void tokenise_texts_tell(const TokeniseTexts *t, Frame *f);
void tokenise_texts_told_cut(const TokeniseTexts *t, int64_t rows);
void tokenise_texts_close(TokeniseTexts *t);

#endif
