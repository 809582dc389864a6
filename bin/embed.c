/* embed - token ids to the hidden states that the first layer reads; of static embeddings to the
 * rows' vectors. */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/encode_filter.h"
#include "io/stream.h"

static const Opt options[] = {{0}};

int main(int argc, char **argv)
{
    Args a = args_read(PROGRAM(embed), options, NULL, argc, argv);
    EncodeFilter f = {.common = &a.common, .layers = 0, .means = true};
    Err e = {0};
    In *in = in_open(a.files, a.nfiles);
    if (encode_begin(&f, &e) < 0)
        return stream_refuse(in, &e);
    int status = stream_run(in, out_open(), encode_frame, &f);
    encode_end(&f);
    return status;
}
