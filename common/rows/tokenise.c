#include "rows/tokenise.h"

#include "rows/feed.h"

typedef struct Way {
    const Tokenise *in;
    Out *out;
} Way;

static int send(void *way, Frame *f, Err *e)
{
    const Way *w = way;
    for (int i = 0; i < TOKENISE_META; i++)
        if (w->in->meta[i][1])
            frame_set_meta(f, w->in->meta[i][0], w->in->meta[i][1]);
    return out_write(w->out, f, e);
}

/* A reader that has nothing for now lets what waits go out. */
static int pump(Records *records, Feed *feed, Err *e)
{
    Record rec;
    Err unsent = {0};
    int k, status = 0;
    while (status == 0 && (k = rec_next(records, &rec, e)) > 0)
        status = k == REC_GOT ? feed_put(feed, &rec, e) : feed_flush(feed, e);
    if (status == 0 && k == 0)
        return feed_end(feed, e);
    if (feed_flush(feed, &unsent) < 0) /* of an earlier record than *e */
        *e = unsent;
    return -1;
}

int tokenise_run(const Tokenise *in, Out *out, int64_t *cut, Err *e)
{
    Way way = {in, out};
    FeedSpec spec = {.fields = in->fields,
                     .input = in->input,
                     .rows = in->rows,
                     .threads = in->threads,
                     .frame = send,
                     .ctx = &way};
    Records *records = rec_open(in->files, in->nfiles, in->input);
    Feed *feed = feed_new(&spec);
    int status = pump(records, feed, e);
    *cut = feed_cut(feed);
    feed_free(feed);
    rec_close(records);
    return status;
}
