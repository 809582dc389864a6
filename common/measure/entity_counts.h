/* entity_counts.h - entity-level precision, recall and F1 of labels in a row, as seqeval 1.2.2
 * counts them (its default mode, that of conlleval): an answer is right where type, begin and end
 * are.
 *
 * A label is a letter and a type: B-TYPE begins an entity, I-TYPE goes on with it or begins one
 * where none of its type is open, E- and S- end one, and any other letter (L- and U- of BILOU)
 * begins one where the type before is another, and goes on. A letter alone has the type _. So it is
 * to the letter of a label that is a word, too: PER is P of the type ER, and ORG is outside. */
#ifndef WEFT_ENTITY_COUNTS_H
#define WEFT_ENTITY_COUNTS_H

#include "base/mem.h"
#include "measure/classes.h"

typedef struct EntityTag {
    char mark;    /* the letter; O: none */
    int32_t type; /* of EntityCounts.type; negative: none */
} EntityTag;

/* An entity that is open in a sequence: of gold labels, or of answers. */
typedef struct OpenEntity {
    EntityTag last;
    int64_t begin;
} OpenEntity;

typedef struct EntityCount {
    int64_t right, said, gold;
} EntityCount;

typedef struct EntityCounts {
    char **type;        /* names, in order of the alphabet */
    EntityCount *count; /* [types] */
    int32_t types;
    EntityTag *tag; /* [classes] */
    int64_t at, words, hits;
    double loss; /* sum */
    OpenEntity gold, said;
} EntityCounts;

EntityCounts entity_counts_new(const Classes *c);
/* The next word of a sequence, and the end of one. */
void entity_counts_add(EntityCounts *x, int64_t gold, int64_t said, double nll);
void entity_counts_end(EntityCounts *x);
void entity_counts_free(EntityCounts *x);
/* F1 over all entities together. */
double entity_counts_f1(const EntityCounts *x);
/* rows: sequences */
void entity_counts_put(Buf *b, const EntityCounts *x, int64_t rows, bool json);

#endif
