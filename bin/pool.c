/* pool - hidden states to one vector a row. */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/pool_filter.h"
#include "io/stream.h"

static const Opt options[] = {
    {OPT_LONG + POOL_MEAN, "mean", NULL, "the mean of the row's tokens"},
    {OPT_LONG + POOL_CLS, "cls", NULL, "the first token"},
    {OPT_LONG + POOL_MAX, "max", NULL, "the maximum of the row's tokens, number by number"},
    {OPT_LONG + POOL_LAST, "last", NULL, "the last token"},
    {OPT_LONG + POOL_POOLER, "pooler", NULL, "the first token through the model's dense layer"},
    {'n', "normalize", NULL, "bring each vector to length 1"},
    {0},
};

int main(int argc, char **argv)
{
    Args a = args_begin(PROGRAM(pool), options, argc, argv);
    PoolFilter f = {.common = &a.common, .want = {.kind = POOL_NONE}};
    for (int k; (k = args_next(&a)) != -1;) {
        if (k == 'n')
            f.want.normalize = true;
        else if (f.want.kind != POOL_NONE)
            die_usage("one way to pool at a time");
        else
            f.want.kind = (PoolKind)(k - OPT_LONG);
    }
    int status = stream_run(in_open(a.files, a.nfiles), out_open(), pool_frame, &f);
    pool_end(&f);
    return status;
}
