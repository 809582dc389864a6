/* entity_counts.h - entity-level precision, recall and F1 of labels in a row, as seqeval counts them
 * (its default mode, that of conlleval): an answer is right where type, begin and end are.
 *
 * B-TYPE begins an entity, I-TYPE goes on with it or begins one where none of its type is open;
 * E- and S- end one. A label without such a letter is a type of its own that goes on. */
#ifndef WEFT_ENTITY_COUNTS_H
#define WEFT_ENTITY_COUNTS_H

#include "base/mem.h"
#include "measure/classes.h"

typedef struct ChunkTag {
    char mark;    /* B I E S, or O: none */
    int32_t type; /* of Chunks.type; -1: none */
} ChunkTag;

/* An entity that is open in a sequence: of gold labels, or of answers. */
typedef struct ChunkEdge {
    ChunkTag last;
    int64_t begin;
    int32_t type; /* -1: none is open */
} ChunkEdge;

typedef struct ChunkCount {
    int64_t right, said, gold;
} ChunkCount;

typedef struct Chunks {
    char **type;       /* names, in order of the alphabet */
    ChunkCount *count; /* [types] */
    int32_t types;
    ChunkTag *tag;     /* [classes] */
    int64_t at, words, hits;
    double loss; /* sum */
    ChunkEdge gold, said;
} Chunks;

Chunks chunks_new(const Classes *c);
/* The next word of a sequence, and the end of one. */
void chunks_add(Chunks *x, int64_t gold, int64_t said, double nll);
void chunks_end(Chunks *x);
void chunks_free(Chunks *x);
/* rows: sequences */
void chunks_put(Buf *b, const Chunks *x, int64_t rows, bool json);

#endif
