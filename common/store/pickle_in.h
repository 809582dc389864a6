/* pickle_in.h - the machine that runs a pickle; for pickle*.c alone. */
#ifndef WEFT_PICKLE_IN_H
#define WEFT_PICKLE_IN_H

#include "base/namemap.h"
#include "store/pickle.h"

/* A tensor takes some 35 instructions, and an instruction up to 100 bytes of memory. */
enum { MOST_STORAGES = 1 << 16, MOST_STEPS = 1 << 21 };

typedef enum Kind { MARK, NONE, NUMBER, TEXT, NAME, ITEMS, DICT, STORAGE, TENSOR } Kind;

/* A value; a dictionary's items are key, value, key, value. */
typedef struct Node {
    Kind kind;
    struct Node *made;   /* the one made before */
    int64_t count, room; /* of items */
    union {
        int64_t number; /* a NAME's place in `names`, a STORAGE's in the dictionary */
        Str text;
        struct Node **item;
        PickleTensor *tensor;
    };
} Node;

typedef struct Machine {
    const unsigned char *p, *end;
    Node *made; /* every node, for the end */
    Node **stack;
    size_t depth, stack_room;
    Node **memo;
    size_t memos, most_memos;
    NameMap storages; /* their places in the dictionary */
    PickleDict *dict;
    Err *e;
} Machine;

/* Runs to the end of a pickle, and what it made; NULL: told in m->e. m->p is behind it then. */
const Node *pickle_run(Machine *m);
void pickle_end(Machine *m); /* all that it holds, results among them */

#endif
