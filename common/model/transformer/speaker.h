/* speaker.h - the half of a model that writes: ids so far in, logits over the words out, one step
 * after another, with the keys and values of what went before kept.
 *
 * A model with an encoder reads a text first (speaker_read): the keys and values that its decoder
 * looks at are computed once and kept, too. Steps take any number of rows, each with any number of
 * new tokens, and a token's numbers are the same bits whatever the cut into steps and rows. */
#ifndef WEFT_SPEAKER_H
#define WEFT_SPEAKER_H

#include "model/transformer/kept.h"
#include "model/transformer/transformer.h"

typedef struct Speaker Speaker;

/* form: what the decoder's weights are rounded to; the encoder runs in bf16 where that is asked
 * for, else in f32. A model that does not write is an error that says what it can do. */
Speaker *speaker_load(const char *folder, Device *dev, ThinForm form, Err *e);
void speaker_free(Speaker *s);
const Config *speaker_config(const Speaker *s);
bool speaker_reads(const Speaker *s); /* has it an encoder? */
/* What a kept token takes in a layer, in f32, and in how many layers. */
int64_t speaker_token_wide(const Speaker *s);
int64_t speaker_token_layers(const Speaker *s);
/* What kept keys and values depend on: a digest of weights and form. */
void speaker_identity(const Speaker *s, char out[HASH_TEXT]);
/* Until what was asked of the device is there. */
int speaker_wait(Speaker *s, Err *e);

/* Room for so many tokens, and for so many that are read. What was kept before is gone, so no track
 * may be left. */
int speaker_keep(Speaker *s, int64_t tokens, int64_t read, Err *e);
Kept *speaker_kept(Speaker *s);
Kept *speaker_memory(Speaker *s);

/* Reads in->rows texts; memory[i], which is empty, is then row i's. There is room for them. */
int speaker_read(Speaker *s, const TransformerIn *in, Track *memory, Err *e);

typedef struct Speech {
    int64_t rows;
    const int64_t *starts;      /* [rows + 1], host: each row's new tokens */
    const int32_t *id;          /* [tokens] */
    const Track *const *track;  /* [rows] with slots for the new tokens, the last ones */
    const Track *const *memory; /* [rows] of what was read; rows of one memory stand together */
} Speech;

/* What is heard of each row's last new token: host memory. */
typedef struct Heard {
    double *lse;   /* [rows]: the log of the sum of the exponentials of the logits */
    float *top;    /* [rows]: the largest logit, */
    int32_t *word; /* [rows]: and whose it is, the first of equal ones; -1: all are impossible */
    float *logits; /* [rows, vocabulary]; NULL: not wanted */
    int best;      /* so many of the largest logits, falling, of equal ones the lower word first: */
    float *value;  /* [rows, best]; */
    int32_t *whose; /* likewise; -1: there are no more */
} Heard;

int speaker_run(Speaker *s, const Speech *in, const Heard *out, Err *e);
/* All logits of a row of the last step. */
int speaker_logits(Speaker *s, int64_t row, float *logits, Err *e);

#endif
