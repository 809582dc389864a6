#include "report/stream_report.h"

#include "base/write.h"
#include "io/spool.h"

#include <stdlib.h>

static int add_frame(StreamReport *r, const Frame *f, Err *e)
{
    const Speller *s = &r->spelling.speller;
    if (r->kind == REPORT_OVERVIEW)
        overview_add(r->overview, f);
    if (r->kind == REPORT_DIGEST)
        digest_add(r->digest, f);
    for (int64_t i = 0; i < f->rows; i++) {
        if (r->kind == REPORT_ROWS)
            rows_put_json(&r->out, f, i, s);
        else if (r->kind == REPORT_LENGTHS)
            lengths_add(&r->lengths, rows_length(f, i));
        else if (r->kind == REPORT_PADDED && rows_put_padded(&r->out, f, i, r->pad, s, e) < 0)
            return -1;
    }
    return 0;
}

/* What is said at the end. `whole`: the input's end has come; some: rows have. */
static void add_end(StreamReport *r, bool whole, bool some)
{
    if (r->kind == REPORT_OVERVIEW && (whole || some))
        overview_end(r->overview, whole, &r->out);
    else if (r->kind == REPORT_DIGEST &&
             whole) /* of half a stream it would look like the whole's */
        digest_end(r->digest, &r->out);
    else if (r->kind == REPORT_LENGTHS && whole)
        lengths_end(&r->lengths, &r->out);
}

static int report_frames(StreamReport *r, In *in, Err *e)
{
    Err unsent = {0};
    Frame *f;
    int k, out = 0;
    while (out == 0 && (k = in_next(in, &f, e)) > 0) {
        if (stream_speller_find(&r->spelling, f, e) < 0) {
            frame_free(f);
            return -1;
        }
        k = add_frame(r, f, e);
        if (k < 0)
            err_at(e, "%s: row %lld", in_place(in), (long long)(in_rows(in) - f->rows + e->row));
        frame_free(f);
        out = put_out(&r->out, &unsent);
        if (k < 0)
            break;
    }
    if (out == 0) {
        add_end(r, k == 0, in_rows(in) > 0);
        out = put_out(&r->out, &unsent);
    }
    if (out < 0)
        *e = unsent;
    return out < 0 ? -1 : k;
}

static int spooled_frame(StreamReport *r, const Frame *f, Err *e)
{
    if (stream_speller_find(&r->spelling, f, e) < 0 || add_frame(r, f, e) < 0)
        return -1;
    return put_out(&r->out, e);
}

/* Padded to the longest row, which has to be known before the first is written. */
static int report_padded(StreamReport *r, const Spool *s, Err *e)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < spool_frames(s); i++) {
            Frame *f = spool_frame(s, i, e);
            if (!f)
                return -1;
            bool ids = frame_get(f, "token.id") != NULL; /* else there is nothing to pad */
            for (int64_t row = 0; pass == 0 && ids && row < f->rows; row++)
                r->pad = rows_length(f, row) > r->pad ? rows_length(f, row) : r->pad;
            int status = pass == 0 ? 0 : spooled_frame(r, f, e);
            frame_free(f);
            if (status < 0)
                return -1;
        }
    return 0;
}

int stream_report(StreamReport *r, In *in, Err *e)
{
    if (r->kind == REPORT_PADDED && r->pad == 0) {
        Spool *s = spool_in(in, e);
        int status = s ? report_padded(r, s, e) : -1;
        spool_free(s);
        return status;
    }
    if (r->kind == REPORT_OVERVIEW)
        r->overview = overview_new(&r->spelling.speller);
    if (r->kind == REPORT_DIGEST)
        r->digest = digest_new();
    return report_frames(r, in, e);
}

void stream_report_clear(StreamReport *r)
{
    stream_speller_clear(&r->spelling);
    free(r->out.p);
}
