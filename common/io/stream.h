/* stream.h - the loop over frames. No program touches the wire: it gets the next frame here
 * and hands one back.
 *
 *     In *in = in_open(a.files, a.nfiles);
 *     Out *out = out_open();
 *     return stream_run(in, out, filter, ctx);
 *
 * A filter changes each frame in place, or puts another in its place by frame_replace: with fewer
 * rows, with more, with none. Everything about ends, failure, order and delivery is stream_run's:
 * frames before a fault are written, the fault is told, the stream that we write then ends in
 * `failed`. */
#ifndef WEFT_STREAM_H
#define WEFT_STREAM_H

#include "io/frame.h"

enum { FRAME_TOKENS = 8192, FRAME_ROWS = 1024, FRAME_BYTES = 64 << 20 };

typedef struct In In;
typedef struct Out Out;

/* Files are read one after another, as by cat(1); "-" or none is standard input. A file that
 * cannot be opened is reported by in_next in its turn. */
In *in_open(char **files, int nfiles);
/* Join waiting frames that agree until about so many tokens are there (0: never join). */
void in_want(In *in, int64_t tokens);
/* 1: *f is the next frame (owned by the caller; checked by frame_check; f->end says whether a
 *    stream ends with it, never END_FAILED).
 * 0: the end of the input, which was complete.
 * -1: *e says why, place included ("stdin: stream ends early after 7 rows"); the text is
 *    empty where the program before us has failed and has said so itself, just now: of a regular
 *    file that ends so it is told. 0 bytes of input
 *    are an error. Frames whole before the fault have been returned before. A change of model,
 *    vocab or encoder in the metadata from one frame to the next is an error that names both.
 * A foreign safetensors document counts as one complete stream of one frame. */
int in_next(In *in, Frame **f, Err *e);
/* Would in_next return at once? */
bool in_ready(In *in);
/* Rows returned so far over all streams, and the place ("stdin", "a.weft"). */
int64_t in_rows(const In *in);
const char *in_place(const In *in);
void in_close(In *in);

/* Standard output; where that is a terminal nothing is written, and the first frame is an error.
 * Frames are written by a thread of their own, two at most waiting. A frame is cut where it is
 * larger than FRAME_BYTES (a row is never cut). */
Out *out_open(void);
/* A regular file (made beside its place, renamed into it by out_close) or whatever else PATH
 * is; see outfile.h. */
Out *out_file(const char *path, Err *e);
/* Takes the frame. The end is written where f->end says so, with the rows counted since the
 * last one. SIGPIPE (EPIPE) ends the program quietly. */
int out_write(Out *out, Frame *f, Err *e);
/* Writes a frame without rows that says end = failed, if something can still be written; also
 * behind an end, since there is more that the reader does not get. */
void out_fail(Out *out);
/* Everything is on its way, or -1 (a full disk shows here at the latest). Frees out. */
int out_close(Out *out, Err *e);
/* The same for files that belong together, none of which is put in its place unless all are
 * (outfile_commit_all). NULLs among them are passed over. */
int out_close_all(Out **out, int n, Err *e);

/* The loop of a filter. fn gets frames that have rows; it returns 0, or -1 with *e. When e->row is
 * 1 + r, row r of the frame as it came, the rows before it are put through fn again and delivered,
 * so fn must find such faults before it changes the frame. What fn leaves without rows is written
 * only where a stream ends with it, and an end counts the rows that are written; messages count
 * those that came. Returns the program's exit status; messages have been printed. */
typedef int StreamFn(void *ctx, Frame *f, Err *e);
int stream_run(In *in, Out *out, StreamFn *fn, void *ctx);
/* The same where what fn makes of a frame may be too much for memory at once: it gets parts of
 * frames. `part` says how many of f's rows from `first` on make the next one (1 at least), or -1
 * with *e. */
typedef int64_t PartFn(void *ctx, const Frame *f, int64_t first, Err *e);
int stream_run_parts(In *in, Out *out, PartFn *part, StreamFn *fn, void *ctx);
/* The same where fn's work may go on after it, on a device that works on its own: then it returns
 * 1, and `finish` waits for the frame. While one frame is worked on the next goes through fn, if
 * it has come already. */
int stream_run_late(In *in, Out *out, StreamFn *fn, StreamFn *finish, void *ctx);
/* What stands in its place when the program cannot begin: tells e, writes `failed`, closes in. */
int stream_refuse(In *in, const Err *e);

#endif
