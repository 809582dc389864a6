/* pool - hidden states to one vector a row. */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/pool_filter.h"
#include "io/stream.h"

static const Opt options[] = {
    {OPT_LONG + POOL_MEAN, "mean", NULL, "the mean of the row's tokens", OPT_KEY},
    {OPT_LONG + POOL_CLS, "cls", NULL, "the first token", OPT_KEY},
    {OPT_LONG + POOL_MAX, "max", NULL, "the maximum of the row's tokens, number by number",
     OPT_KEY},
    {OPT_LONG + POOL_LAST, "last", NULL, "the last token", OPT_KEY},
    {OPT_LONG + POOL_POOLER, "pooler", NULL, "the first token through the model's dense layer",
     OPT_KEY},
    {'n', "normalize", NULL, "bring each vector to length 1", OPT_FLAG(PoolFilter, want.normalize)},
    {0},
};

int main(int argc, char **argv)
{
    PoolFilter f = {.want = {.kind = POOL_NONE}};
    Args a = args_begin(PROGRAM(pool), options, &f, argc, argv);
    for (int k; (k = args_next(&a)) != -1;) {
        if (f.want.kind != POOL_NONE)
            die_usage("one way to pool at a time");
        f.want.kind = (PoolKind)(k - OPT_LONG);
    }
    f.common = &a.common;
    int status = stream_run(in_open(a.files, a.nfiles), out_open(), pool_frame, &f);
    pool_end(&f);
    return status;
}
