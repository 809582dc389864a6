/* encode - token ids to hidden states. */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/encode_filter.h"
#include "io/stream.h"

enum { ATTENTION = OPT_LONG, TOKENS_A_THREAD = 1024, LAYERS_MAX = 1000 };

static const Opt options[] = {
    {'L', "layer", "N", "stop after layer N (default: the last; 0 is what embed gives)"},
    {ATTENTION, "attention", NULL, "add the attention weights, for looking at short inputs"},
    {0},
};

int main(int argc, char **argv)
{
    Args a = args_begin(PROGRAM(encode), options, argc, argv);
    EncodeFilter f = {.common = &a.common, .layers = -1};
    for (int k; (k = args_next(&a)) != -1;) {
        if (k == 'L')
            f.layers = args_int(&a, 0, LAYERS_MAX);
        else
            f.attention = true;
    }
    Err e = {0};
    In *in = in_open(a.files, a.nfiles);
    in_want(in, (int64_t)TOKENS_A_THREAD * a.common.threads);
    if (encode_begin(&f, &e) < 0)
        return stream_refuse(in, &e);
    int status = stream_run_late(in, out_open(), encode_start, encode_finish, &f);
    encode_end(&f);
    return status;
}
