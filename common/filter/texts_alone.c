#include "filter/texts_alone.h"

void texts_alone(Frame *f)
{
    static const char *const meta[] = {"model",  "vocab", "encoder", "layer",   "pool",      "mask",
                                       "prompt", "task",  "classes", "problem", "activation"};
    frame_drop_tokens(f);
    frame_drop(f, "row.vector");
    frame_drop(f, "row.logit");
    for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
        frame_set_meta(f, meta[i], NULL);
}
