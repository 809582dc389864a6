#include "io/save.h"

#include "base/outfile.h"
#include "io/wire.h"

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
