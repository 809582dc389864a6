/* safetensors.h - the format of a frame and of a weights file
 * (https://huggingface.co/docs/safetensors): u64 little-endian length of the header, JSON
 * header, data without holes. Validated in full: header at most ST_HEADER_MAX bytes and beginning
 * with '{', no duplicate keys, no overlap, no hole, last offset = length of the data, shapes whose
 * products do not overflow (shape_bytes), names of types known. Rank 0 and empty tensors are
 * legal. */
#ifndef WEFT_SAFETENSORS_H
#define WEFT_SAFETENSORS_H

#include "base/dtype.h"
#include "base/err.h"
#include "base/mem.h"

enum { ST_HEADER_MAX = 100000000, ST_RANKS = 8, ST_TENSORS_MAX = 1000000, ST_KEYS_MAX = 10000 };

typedef struct StTensor {
    char *name;
    DType type;
    int rank;
    int64_t shape[ST_RANKS];
    uint64_t begin, end; /* bytes in the data part */
} StTensor;

typedef struct StHeader {
    StTensor *tensor; /* in the order of their data */
    int count;
    char **key, **value; /* __metadata__, in the file's order */
    int keys;
    uint64_t data; /* bytes of the data part */
} StHeader;

/* Parses a header's JSON (n bytes, without the length). 0 or -1. At most ST_TENSORS_MAX tensors of
 * ST_RANKS axes and ST_KEYS_MAX keys of metadata; memory is at most some 10 times the header's, as
 * nothing is kept but these. What else a tensor's object holds is passed over. */
int st_parse(const char *json, size_t n, StHeader *h, Err *e);
void st_clear(StHeader *h);
/* Puts the tensors into falling order of element size (equal ones stay in order), which aligns
 * every one to its element, and sets begin, end and data. Returns where each stood before
 * (count indices; the caller frees them). */
int *st_layout(StHeader *h);
/* Writes the u64 length and the JSON, padded with spaces to a multiple of 8, for tensors whose
 * begin/end are set; metadata first. */
void st_format(const StHeader *h, Buf *out);

/* A mapped file (or a sharded folder's files by model.safetensors.index.json). */
typedef struct StFile StFile;
typedef struct StView {
    const char *name;
    DType type;
    int rank;
    const int64_t *shape;
    const void *data; /* mapped, read-only; aligned to nothing in particular */
    size_t bytes;
} StView;

/* PATH.safetensors, or PATH.safetensors.index.json. *e names the file. */
StFile *st_open(const char *path, Err *e);
int st_count(const StFile *s);
StView st_at(const StFile *s, int i); /* files in order of name, tensors in order of data */
int st_find(const StFile *s, const char *name, StView *v); /* 0, or -1: not there */
const char *st_meta(const StFile *s, const char *key);
uint64_t st_bytes(const StFile *s); /* on disk */
/* These bytes of a mapped file have been copied: their pages may go. Others are left alone. */
void st_done(const StFile *s, const void *p, size_t n);
void st_close(StFile *s);

/* Writes a whole file at once (see outfile.h for how files come to be). */
int st_write(const char *path, const StView *t, int count, char **key, char **value, int keys,
             Err *e);

#endif
