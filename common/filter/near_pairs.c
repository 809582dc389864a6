#include "filter/near_pairs.h"

#include "base/write.h"
#include "filter/texts_alone.h"
#include "io/stream.h"

#include <stdio.h>
#include <stdlib.h>

static int search(NearPairs *p, const Frame *f, Err *e)
{
    p->source += p->queries;
    p->queries = p->known = 0;
    p->why = (Err){0};
    if (corpus_fits(p->corpus, f, e) < 0 || !frame_need(f, "row.text", DT_I64, 2, e))
        return -1;
    p->near = mem_resize(p->near, (size_t)(f->rows * p->k), sizeof *p->near);
    int bad = corpus_nearest(p->corpus, frame_get(f, "row.vector")->data, f->rows, p->k, p->near,
                             &p->why);
    if (bad && !p->why.row) {
        *e = p->why;
        return -1;
    }
    p->queries = f->rows;
    p->known = bad ? p->why.row - 1 : f->rows;
    return 0;
}

int64_t near_pairs_part(void *pairs, const Frame *f, int64_t first, Err *e)
{
    NearPairs *p = pairs;
    if (first == 0 && search(p, f, e) < 0)
        return -1;
    int64_t n = FRAME_ROWS / p->k, left = f->rows - first;
    p->first = first;
    return n < 1 ? 1 : n < left ? n : left;
}

/* Texts that come one by one. */
typedef struct Column {
    Buf bytes;
    size_t *end; /* of each in them */
    int64_t n;
} Column;

static Column column_new(int64_t n)
{
    return (Column){.end = mem_array((size_t)n, sizeof(size_t))};
}

/* What was added to its bytes is the next text. */
static void column_end(Column *c)
{
    c->end[c->n++] = c->bytes.n;
}

/* Into the frame, and gone. */
static void column_close(Column *c, Frame *f, const char *name)
{
    Str *s = mem_array((size_t)c->n, sizeof *s);
    const char *bytes = c->bytes.p ? c->bytes.p : "";
    size_t from = 0;
    for (int64_t i = 0; i < c->n; from = c->end[i++])
        s[i] = str_of(bytes + from, c->end[i] - from);
    frame_add_text(f, name, s, c->n);
    free(s);
    free(c->end);
    free(c->bytes.p);
}

/* What stands beside the texts of the queries in g, k rows each. */
static int add_candidates(const NearPairs *p, Frame *g, Err *e)
{
    const Near *near = p->near + p->first * p->k;
    Column pair = column_new(g->rows), row = column_new(g->rows), cosine = column_new(g->rows);
    int bad = 0;
    for (int64_t i = 0; !bad && i < g->rows; i++) {
        Str text = {0};
        bad = corpus_text(p->corpus, near[i].row, &text, e);
        buf_add(&pair.bytes, text.p, bad ? 0 : text.n);
        buf_fmt(&row.bytes, "%lld", (long long)near[i].row + 1);
        put_float(&cosine.bytes, near[i].cosine);
        column_end(&pair);
        column_end(&row);
        column_end(&cosine);
    }
    column_close(&pair, g, "row.pair");
    column_close(&row, g, "row.keep.candidate");
    column_close(&cosine, g, "row.keep.cosine");
    return bad;
}

int near_pairs_frame(void *pairs, Frame *f, Err *e)
{
    NearPairs *p = pairs;
    int64_t n = f->rows * p->k;
    if (p->first + f->rows > p->known) {
        *e = p->why;
        e->row = p->known - p->first + 1;
        return -1;
    }
    texts_plain(f);
    texts_alone(f); /* another model reads the pairs */
    int64_t *query = mem_array((size_t)n, sizeof *query);
    for (int64_t i = 0; i < n; i++)
        query[i] = i / p->k;
    Frame *g = frame_select(f, query, n);
    int64_t *source = frame_add(g, "row.source", DT_I64, 1, &n);
    for (int64_t i = 0; i < n; i++)
        source[i] = p->source + p->first + query[i];
    free(query);
    char size[16];
    snprintf(size, sizeof size, "%d", p->k);
    frame_set_meta(g, "group", size);
    int bad = add_candidates(p, g, e);
    frame_replace(f, g);
    return bad;
}

void near_pairs_clear(NearPairs *p)
{
    free(p->near);
}
