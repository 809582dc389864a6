/* weft-head - hidden states or vectors to logits; what `head` runs when it is ours that is
 * meant (bin/head.c). */
#include "base/msg.h"
#include "io/stream.h"
#include "model/filter.h"

static const Opt options[] = {
    {'T', "task", "class|mask|next|token|span|lm", "which of the model's heads"},
    {'a', "all", NULL, "logits for every token (mask and lm)"},
    {0},
};

int main(int argc, char **argv)
{
    static const char *const tasks[] = {"class", "mask", "next", "token", "span", "lm", NULL};
    Args a = args_begin("head", "[option ...] [file ...]",
                        "Reads hidden states or vectors and adds a head's logits.", options, argc,
                        argv);
    for (int k; (k = args_next(&a)) != -1;) {
        if (k == 'a')
            die_usage("-a is for the tasks mask and lm, which come with a later version of weft");
        int task = args_word(&a, tasks);
        if (task)
            die_usage("-T %s comes with a later version of weft; class is there", tasks[task]);
    }
    HeadFilter f = {.common = &a.common};
    Err e = {0};
    In *in = in_open(a.files, a.nfiles);
    if (head_begin(&f, &e) < 0)
        return stream_refuse(in, &e);
    int status = stream_run(in, out_open(), head_frame, &f);
    head_end(&f);
    return status;
}
