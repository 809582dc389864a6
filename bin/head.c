/* head - hidden states or vectors to logits. Built as weft-head, which `head` becomes when it is
 * ours that is meant (bin/head-choice.c). */
#include "base/msg.h"
#include "bin/programs.h"
#include "filter/head_filter.h"
#include "io/stream.h"

static const Opt options[] = {
    {'T', "task", "class|mask|next|token|span|lm", "which of the model's heads",
     OPT_WORD(HeadFilter, task, 0, head_task_names)},
    {'a', "all", NULL, "logits for every token (mask and lm)", OPT_FLAG(HeadFilter, all)},
    {0},
};

int main(int argc, char **argv)
{
    HeadFilter f = {.task = -1, .mask = -1};
    Args a = args_read(PROGRAM(head), options, &f, argc, argv);
    f.common = &a.common;
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
