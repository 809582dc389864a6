/* entities.h - labels of tokens made into entities, by the rules of transformers' pipeline for
 * token classification (aggregation_strategy). */
#ifndef WEFT_ENTITIES_H
#define WEFT_ENTITIES_H

#include "measure/classes.h"
#include "task/task.h"

/* A token with its scores, or what it has become part of. */
typedef struct Entity {
    int64_t label; /* class */
    double score;
    const double *scores; /* [classes]: of a single token */
    char *word;           /* its own */
    size_t word_n;
    int64_t start, end; /* characters */
    int64_t index;      /* of the token in its row */
    bool inside;        /* a token that goes on the word of the one before */
} Entity;

typedef struct Entities {
    Entity *item;
    int64_t n, cap;
} Entities;

void entities_add(Entities *list, const Entity *x); /* takes over the word */
void entities_clear(Entities *list);

/* What an entity is called: its label, or that without what stands before the first '-'. */
Str entity_name(const Classes *c, int64_t label, bool group);
/* Tokens become words and words groups, as `how` says; what is called "O" goes. */
void entities_group(Entities *list, const Classes *c, Aggregate how, const Tokenizer *t);
/* Of those from several windows that lie over each other the longest, then the surest. */
void entities_merge(Entities *list);

#endif
