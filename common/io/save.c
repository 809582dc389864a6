#include "io/save.h"

#include "base/outfile.h"
#include "io/spool.h"
#include "io/wire.h"

#include <stdlib.h>

int save_frame(const char *path, Frame *f, Err *e)
{
    OutFile *o = outfile_open(path, e);
    if (!o)
        return -1;
    f->end = END_OK;
    f->end_rows = f->rows;
    if (wire_write(outfile_fd(o), f) == 0)
        return outfile_commit(o, e);
    err_sys(e, "%s: cannot write", path);
    outfile_abort(o);
    return -1;
}

/* One frame of all that a spool holds. */
static Frame *joined(const Spool *s, Err *e)
{
    int n = spool_frames(s), kept = 0, bad = 0;
    Frame **frame = mem_zero((size_t)n, sizeof *frame), *all = NULL;
    for (int i = 0; i < n && !bad; i++) {
        if (spool_frame_rows(s, i) == 0 && (kept || i < n - 1))
            continue;
        Frame *f = spool_frame(s, i, e);
        if (!f)
            bad = -1;
        else if (kept && !frame_agree(frame[0], f))
            bad = err_set(e, "the stream's tensors or metadata change midway: one document cannot "
                             "hold it");
        frame[kept++] = f;
    }
    if (!bad)
        all = frame_join(frame, kept);
    for (int i = 0; bad && i < kept; i++)
        frame_free(frame[i]);
    free(frame);
    return all;
}

int save_stream(const char *path, In *in, Err *e)
{
    Spool *s = spool_in(in, e);
    Frame *all = s ? joined(s, e) : NULL;
    int status = all ? save_frame(path, all, e) : -1;
    frame_free(all);
    spool_free(s);
    return status;
}
