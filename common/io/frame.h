/* frame.h - a frame: some rows, their tokens, and named tensors over them (weft-stream(5)).
 *
 * A tensor's first axis is in its name: "row.X" has n rows (row.tokens n+1), "token.X" has t
 * tokens, "pick.X" m picked tokens, "X.utf8" bytes that a range tensor points into. What a
 * program does not know it carries along.
 *
 * Range tensors (I64 [.., 2], bytes [start, end) of a U8 tensor):
 *     row.text -> text.utf8     row.pair -> pair.utf8     row.label, token.label -> label.utf8
 *     row.keep.NAME -> keep.NAME.utf8
 * Any other "row.X" or "token.X" of type I64 [.., 2] for which "X.utf8" exists is one too, unless
 * that is cut by an axis itself ("row.Y.utf8"). */
#ifndef WEFT_FRAME_H
#define WEFT_FRAME_H

#include "base/dtype.h"
#include "base/err.h"
#include "io/block.h"
#include "io/name_index.h"

#include <stdbool.h>

enum { FRAME_RANKS = 8 };

typedef struct Tensor {
    char *name;
    DType type;
    int rank;
    int64_t shape[FRAME_RANKS];
    void *data; /* inside block; aligned to the element */
    size_t bytes;
    Block *block;
} Tensor;

typedef enum End {
    END_NONE,   /* more frames of this stream follow */
    END_OK,     /* the last frame of a stream */
    END_FAILED, /* the program before us failed: only io/ sees it */
} End;

typedef struct Frame {
    int64_t rows, tokens; /* n and t; 0 tokens where no row.tokens is there */
    Tensor *tensor;
    int count;
    char **key, **value; /* metadata without "weft", "end" and "rows", in order */
    int keys;
    End end;
    int64_t end_rows;                  /* what the wire said beside `end`; -1: it said nothing */
    NameIndex tensor_index, key_index; /* private */
} Frame;

Frame *frame_new(int64_t rows, int64_t tokens);
void frame_free(Frame *f);         /* NULL is fine */
Frame *frame_copy(const Frame *f); /* shares the tensors' memory */
/* f takes over all that `with` holds, which is gone then, but ends what it ended before. So a
 * filter leaves rows out: frame_replace(f, frame_select(f, row, n)). */
void frame_replace(Frame *f, Frame *with);

Tensor *frame_get(const Frame *f, const char *name); /* NULL: it has none */
/* frame_get with the type and rank checked: NULL and a message where absent or different.
 * type DT_COUNT, rank -1: any. The remedy is in the message ("run it through `encode` first"). */
Tensor *frame_need(const Frame *f, const char *name, DType type, int rank, Err *e);
/* Adds a tensor of uninitialised memory (or replaces the one of this name); returns its data.
 * The first axis is the caller's, as all others. */
void *frame_add(Frame *f, const char *name, DType type, int rank, const int64_t *shape);
/* The same around memory that is there already (takes over one use of block). */
Tensor *frame_adopt(Frame *f, const char *name, DType type, int rank, const int64_t *shape,
                    Block *block, void *data);
void frame_drop(Frame *f, const char *name);          /* absent is fine */
void frame_drop_prefix(Frame *f, const char *prefix); /* "token." */
void frame_drop_tokens(Frame *f); /* token.*, pick.* and row.tokens: rows alone stay */

size_t frame_bytes(const Frame *f); /* of all its tensors */

const char *frame_meta(const Frame *f, const char *key);           /* NULL: not there */
void frame_set_meta(Frame *f, const char *key, const char *value); /* NULL removes */

/* The axis a tensor's name gives: rows, rows + 1, tokens, or something of its own. */
typedef enum Axis { AXIS_ROW, AXIS_ROW1, AXIS_TOKEN, AXIS_PICK, AXIS_OTHER } Axis;
Axis tensor_axis(const char *name);
/* The bytes that a range tensor points into ("text.utf8" for "row.text"), if it is one in this
 * frame, else NULL; and the range tensors that point into these bytes, two at most: how many. */
Tensor *tensor_bytes(const Frame *f, const Tensor *t);
int tensor_ranges(const Frame *f, const Tensor *bytes, Tensor *range[2]);

/* What a tensor's numbers count from its frame's beginning: behind other frames they count from
 * further back. */
typedef enum Counts { COUNTS_NOTHING, COUNTS_TOKENS, COUNTS_BYTES } Counts;
Counts tensor_counts(const Frame *f, const Tensor *t);
/* Is it cut by rows, so that pieces of it can lie end to end? */
bool tensor_grows(const Frame *f, const Tensor *t);

/* Why a generated row ends, what row.finish holds: its end token was made, no more were allowed, a
 * text was met that stops it. The word for row i's; NULL: the frame does not say. */
typedef enum Finish { FINISH_END, FINISH_LENGTH, FINISH_STOP, FINISHES } Finish;
const char *frame_finish(const Frame *f, int64_t i);

/* Row i's bytes of a range tensor; {NULL, 0} where the frame has no such tensor. */
Str frame_text(const Frame *f, const char *name, int64_t i);
/* Adds a range tensor over n strings and its bytes (equal neighbours by pointer share). */
void frame_add_text(Frame *f, const char *name, const Str *s, int64_t n);

/* Everything a reader relies on: axes agree with rows and tokens, which are no more than bytes are
 * there, row.tokens starts at 0, does not fall and ends at t, ranges lie in their bytes, types and
 * ranks of known tensors are those of weft-stream(5). Sets f->rows and f->tokens from the tensors.
 */
int frame_check(Frame *f, Err *e);

/* A new frame of the given rows (any order, repeats allowed; indices in [0, rows)): every
 * tensor is cut by its axis, bytes no longer referred to are left behind, pick.* follow their
 * tokens. Metadata is copied; end is not. */
Frame *frame_select(const Frame *f, const int64_t *row, int64_t n);
Frame *frame_slice(const Frame *f, int64_t first, int64_t n); /* rows [first, first + n) */
/* May these two stand in one frame: same tensors (names, types, all axes but the first) and
 * same metadata. */
bool frame_agree(const Frame *a, const Frame *b);
/* One frame out of n that agree, in order; takes over the frames. end comes from the last. */
Frame *frame_join(Frame **f, int n);

#endif
