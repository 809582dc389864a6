/* prefix.h - what prompts begin with: its tokens, and the keys and values that a model keeps of
 * them, in a file that a later run begins from. A safetensors file with `token.id` I32 [n] and
 * `layer.N` F32 [n, wide] for each layer; `prefix` in its metadata says of which weights and form
 * they are. */
#ifndef WEFT_PREFIX_H
#define WEFT_PREFIX_H

#include "generate/settings.h"
#include "model/transformer/speaker.h"

typedef struct Prefix {
    Ids ids;
    int64_t layers, wide;
    float **layer; /* [n, wide] each */
} Prefix;

/* 1: it was read; 0: there is no such file; -1: *e. Another model's is refused. */
int prefix_load(const char *path, const Speaker *s, Prefix *p, Err *e);
int prefix_save(const char *path, const Speaker *s, const Prefix *p, Err *e);
/* Of the n tokens at the track's beginning. */
int prefix_take(Prefix *p, Speaker *s, const int32_t *id, int64_t n, const Track *t, Err *e);
/* The track, which is empty, becomes that of the prefix; there is room for it. */
void prefix_put(const Prefix *p, Speaker *s, Track *t);
void prefix_clear(Prefix *p);

#endif
