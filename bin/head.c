/* head - hidden states or vectors to logits. Built as weft-head, which `head` becomes when it is
 * ours that is meant (bin/head-choice.c). */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/head_filter.h"
#include "io/stream.h"

static const Opt options[] = {
    {'T', "task", "class|mask|next|token|span|lm", "which of the model's heads"},
    {'a', "all", NULL, "logits for every token (mask and lm)"},
    {0},
};

int main(int argc, char **argv)
{
    Args a = args_begin(PROGRAM(head), options, argc, argv);
    HeadFilter f = {.common = &a.common, .task = -1, .mask = -1};
    for (int k; (k = args_next(&a)) != -1;)
        if (k == 'a')
            f.all = true;
        else
            f.task = args_word(&a, head_task_names);
    if (f.all && (f.task == HEAD_CLASS || f.task == HEAD_NEXT))
        die_usage("-a is for mask and lm: -T %s has one answer a row", head_task_names[f.task]);
    Err e = {0};
    In *in = in_open(a.files, a.nfiles);
    if (head_begin(&f, &e) < 0)
        return stream_refuse(in, &e);
    int status = stream_run_parts(in, out_open(), head_part, head_frame, &f);
    head_end(&f);
    return status;
}
