#include "filter/texts_alone.h"

#include <string.h>

Str text_plain(const Frame *f, int64_t i)
{
    const char *prefix = frame_meta(f, "prefix");
    Str s = frame_text(f, "row.text", i);
    size_t n = prefix ? strlen(prefix) : 0;
    return n && s.n >= n && memcmp(s.p, prefix, n) == 0 ? str_of(s.p + n, s.n - n) : s;
}

void texts_plain(Frame *f)
{
    Tensor *t = frame_get(f, "row.text");
    int64_t *range = t ? t->data : NULL;
    for (int64_t i = 0; range && i < f->rows; i++)
        range[2 * i] = range[2 * i + 1] - (int64_t)text_plain(f, i).n;
    frame_set_meta(f, "prefix", NULL);
}

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
