#include "task/group.h"

bool group_turns(Group *g, const Frame *f, int64_t row)
{
    int64_t unit = record_step(&g->at, f, row);
    bool turns = !g->open || unit != g->unit;
    g->unit = unit;
    return turns;
}

void group_open(Group *g)
{
    g->open = g->at.open = true;
}

void group_close(Group *g)
{
    g->open = g->at.open = false;
}

/* The end of the last token's bytes in a row; 0 where it has none of that part. */
static size_t covered(const Frame *f, int64_t row, int part)
{
    const Tensor *ends = frame_get(f, "row.tokens"), *parts = frame_get(f, "token.part");
    const Tensor *span = frame_get(f, "token.span");
    if (!ends || !parts || !span)
        return 0;
    const int64_t *at = ends->data;
    for (int64_t i = at[row + 1]; i-- > at[row];)
        if (((const uint8_t *)parts->data)[i] == part)
            return (size_t)((const int32_t(*)[2])span->data)[i][1];
    return 0;
}

/* The next row tells, where this frame has one. Else a window that reaches the text's end is
 * the last one, unless that ends in a character that may be several tokens. */
bool group_ends(const Frame *f, int64_t row, const char *text, int part)
{
    const Tensor *t = frame_get(f, "row.source");
    const int64_t *source = t ? t->data : NULL;
    if (!source)
        return true;
    if (row + 1 < f->rows)
        return source[row + 1] != source[row];
    Str s = frame_text(f, text, row);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s.n == 0 || ((unsigned char)s.p[s.n - 1] < 0x80 && covered(f, row, part) >= s.n);
}
