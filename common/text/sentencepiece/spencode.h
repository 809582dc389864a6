/* spencode.h - texts to pieces and back as SentencePiece itself has it, for classes that call the
 * library (MarianTokenizer). unigram.h and metaspace.h are what `tokenizers` makes of the same
 * files, and differ: here the normalizer takes the longest entry rather than a character and its
 * marks, text is cut as a whole, and sums are f32.
 *
 *     SpEncoder *s = spencoder_new(&spiece, &e); // `spiece` stays as long as it does
 *     spencoder_ids(s, &vocab, unknown);         // ids are those of another vocabulary
 *     spencoder_encode(s, work, text, at, limit, &tokens);
 *
 * Unigram alone (Kudo 2018); a piece that the vocabulary lacks is its unknown one. */
#ifndef WEFT_SPENCODE_H
#define WEFT_SPENCODE_H

#include "text/sentencepiece/spiece.h"
#include "text/tokens.h"

typedef struct SpEncoder SpEncoder; /* shared by threads: nothing changes it */
typedef struct SpWork SpWork;       /* one a thread */

/* NULL: it is BPE's, or two pieces are one. */
SpEncoder *spencoder_new(const Spiece *s, Err *e);
void spencoder_ids(SpEncoder *s, const Vocab *v, int32_t unknown);
void spencoder_free(SpEncoder *s);

SpWork *spwork_new(void);
void spwork_free(SpWork *w);

/* Appends the ids of a text that begins at byte `at` of the whole. A span is what SentencePiece
 * calls a piece's surface: empty for a mark that no space gave, and of several pieces that one
 * character has become all but the last. Stops soon after out->n exceeds limit. */
void spencoder_encode(const SpEncoder *s, SpWork *w, Str text, int32_t at, size_t limit,
                      Tokens *out);

#endif
