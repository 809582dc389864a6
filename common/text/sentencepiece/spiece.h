/* spiece.h - SentencePiece's model files (spiece.model, sentencepiece.bpe.model,
 * tokenizer.model): a protobuf message ModelProto, of which what transformers'
 * convert_slow_tokenizer.py reads is read here, and what SentencePiece's own encoding needs. */
#ifndef WEFT_SPIECE_H
#define WEFT_SPIECE_H

#include "base/err.h"
#include "base/mem.h"
#include "text/merges.h"

#include <stdbool.h>

enum { /* SentencePiece.Type */
       SPIECE_NORMAL = 1,
       SPIECE_UNKNOWN,
       SPIECE_CONTROL,
       SPIECE_USER,
       SPIECE_UNUSED,
       SPIECE_BYTE,
};
enum { SPIECE_UNIGRAM = 1, SPIECE_BPE = 2 }; /* TrainerSpec.ModelType */

typedef struct SpiecePiece {
    Str text;
    float score;
    int type;
} SpiecePiece;

typedef struct Spiece {
    Buf bytes; /* the file; texts point into it */
    SpiecePiece *piece;
    size_t n, cap;
    int model;
    int32_t unknown;
    Str unknown_text, charsmap;
    /* What transformers' converter leaves to its classes, and SentencePiece itself goes by: */
    Str unknown_shown;         /* unk_surface */
    bool prefix, trim, escape; /* add_dummy_prefix, remove_extra_whitespaces, ... */
    bool suffix, fallback;     /* treat_whitespace_as_suffix, byte_fallback */
    Str back;                  /* denormalizer_spec's charsmap */
} Spiece;

/* -1: it cannot be read, or is no such file or not whole. */
int spiece_read(Spiece *s, const char *path, Err *e);
void spiece_free(Spiece *s);

/* The merges of a BPE's pieces: every way to write a piece as two, better scores first, as
 * transformers derives them. `score` is by id in `v`, the vocabulary that was made of s. */
int spiece_merges(const Spiece *s, const Vocab *v, const double *score, MergeList *to, Err *e);

#endif
