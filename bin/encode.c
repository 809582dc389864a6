/* encode - token ids to hidden states. */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/encode_filter.h"
#include "io/stream.h"

enum { LAYERS_MAX = 1000 };

static const Opt options[] = {
    {'L', "layer", "N", "stop after layer N (default: the last; 0 is what embed gives)",
     OPT_INT(EncodeFilter, layers, 0, LAYERS_MAX)},
    {0, "attention", NULL, "add the attention weights, for looking at short inputs",
     OPT_FLAG(EncodeFilter, attention)},
    {0},
};

int main(int argc, char **argv)
{
    EncodeFilter f = {.layers = -1};
    Args a = args_read(PROGRAM(encode), options, &f, argc, argv);
    f.common = &a.common;
    Err e = {0};
    In *in = in_open(a.files, a.nfiles);
    f.in = in;
    if (encode_begin(&f, &e) < 0)
        return stream_refuse(in, &e);
    int status = stream_run_late(in, out_open(), encode_start, encode_finish, &f);
    encode_end(&f);
    return status;
}
