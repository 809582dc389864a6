#include "rows/record_batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 4 << 20 }; /* bytes that an empty batch holds on to */

/* A field lies in `bytes`, behind the one before. */
typedef struct Field {
    size_t n;
    bool null;
} Field;

typedef struct Held {
    int64_t number, in_file;
    const char *place;
    size_t words;
} Held;

void record_batch_keep(RecordBatch *b, const Record *rec, int fields)
{
    Held h = {rec->number, rec->in_file, rec->place, rec->words};
    buf_add(&b->held, &h, sizeof h);
    for (int i = 0; i < fields; i++) {
        Field f = {rec->field[i].n, rec->null[i]};
        buf_add(&b->fields, &f, sizeof f);
        buf_add(&b->bytes, rec->field[i].p, rec->field[i].n);
    }
    buf_add(&b->words, rec->word, rec->words * sizeof *rec->word);
    b->records++;
}

bool record_batch_full(const RecordBatch *b, int rows)
{
    size_t n = (size_t)rows;
    return b->bytes.n >= RECORD_BATCH_BYTES / n || b->records >= RECORD_BATCH_RECORDS / n;
}

int record_rows(const Fields *fields, const RecSpec *input, const Record *rec, Rows *rows, Err *e)
{
    RowIn row;
    if (fields_row(fields, input, rec, &row, e) == 0 && rows_add(rows, &row, e) == 0)
        return 0;
    return err_at(e, "%s: record %" PRId64, rec->place, rec->in_file);
}

static void add_frame(RecordBatch *b, Rows *rows)
{
    if (!rows_waiting(rows))
        return;
    b->frame = mem_resize(b->frame, (size_t)b->frames + 1, sizeof(Frame *));
    b->frame[b->frames++] = rows_take(rows);
}

static void empty(Buf *b)
{
    b->n = 0;
    if (b->cap <= KEPT_MAX)
        return;
    free(b->p);
    *b = (Buf){0};
}

void record_batch_work(RecordBatch *b, const Fields *fields, const RecSpec *input, Rows *rows)
{
    const Held *h = (const Held *)b->held.p;
    const Field *f = (const Field *)b->fields.p;
    const char *p = b->bytes.p ? b->bytes.p : "";
    const RecWord *word = (const RecWord *)b->words.p;
    size_t n = b->records ? b->fields.n / sizeof *f / b->records : 0;
    Str *field = mem_array(n, sizeof *field);
    bool *null = mem_array(n, sizeof *null);
    int64_t cut = rows_cut(rows);
    for (size_t i = 0; i < b->records && !b->failed; i++, h++) {
        for (size_t k = 0; k < n; k++, p += f++->n) {
            field[k] = str_of(p, f->n);
            null[k] = f->null;
        }
        Record rec = {.field = field,
                      .null = null,
                      .word = word,
                      .words = h->words,
                      .number = h->number,
                      .in_file = h->in_file,
                      .place = h->place};
        word = h->words ? word + h->words : word;
        b->failed = record_rows(fields, input, &rec, rows, &b->fault) < 0;
        if (rows_full(rows))
            add_frame(b, rows);
    }
    add_frame(b, rows);
    b->cut = rows_cut(rows) - cut;
    free(field);
    free(null);
    Buf *kept[] = {&b->bytes, &b->fields, &b->words, &b->held};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        empty(kept[i]);
    b->records = 0;
}

void record_batch_clear(RecordBatch *b)
{
    for (int i = 0; i < b->frames; i++)
        frame_free(b->frame[i]);
    free(b->frame);
    free(b->bytes.p);
    free(b->fields.p);
    free(b->words.p);
    free(b->held.p);
    *b = (RecordBatch){0};
}
