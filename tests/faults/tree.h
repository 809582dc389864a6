/* tree.h - a folder as it stands: what is in it, by path. */
#ifndef WEFT_TREE_H
#define WEFT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct Leaf {
    char *path; /* "a/b" */
    mode_t mode;
    char *p; /* a file's bytes, a link's target; a folder has none */
    size_t n;
} Leaf;

typedef struct Tree {
    Leaf *leaf; /* in order of path: a folder before what it holds */
    int count;
} Tree;

Tree tree_read(const char *folder);
const Leaf *tree_find(const Tree *t, const char *path); /* NULL: not there */
bool leaf_same(const Leaf *a, const Leaf *b);           /* kind and bytes; NULL is none */
/* Makes the folder, of which `now` was read, what `want` says. */
void tree_restore(const char *folder, const Tree *now, const Tree *want);
void tree_free(Tree *t);

#endif
