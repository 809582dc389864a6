#include "rows/feed.h"

#include "rows/record_batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Text that one thread does by itself before others are started; and, of the text that waits or
 * is being worked on, so much that no more is taken. */
enum { ALONE_BYTES = 256 << 10, FLIGHT_BYTES = 64 << 20 };

typedef struct Slot {
    RecordBatch batch;
    size_t bytes;
    bool done;
} Slot;

struct Feed {
    FeedSpec spec;
    int fields, rows_each; /* of a record: its fields, the rows it makes at least */
    size_t bytes;          /* of text so far */
    int64_t cut;
    Rows *rows;   /* the caller's thread's own */
    bool several; /* the work is the threads' */
    bool failed;  /* nothing more goes out */
    /* Batches go round a ring: the caller fills `tail`, threads take `next`, what is done goes
     * out at `head`. */
    Slot *slot;
    size_t slots, flight; /* flight: bytes from head to tail */
    pthread_t *thread;
    int threads;
    pthread_mutex_t lock; /* guards what follows, and the slots' done */
    pthread_cond_t work, done;
    size_t head, next, tail;
    bool closing;
};

Feed *feed_new(const FeedSpec *spec)
{
    Feed *f = mem_zero(1, sizeof *f);
    int columns = spec->input->columns;
    *f = (Feed){.spec = *spec,
                .fields = spec->input->kind == REC_CONLL ? 2
                          : columns                      ? columns
                                                         : 1,
                .rows_each = spec->rows->candidates ? spec->rows->candidates : 1,
                .rows = rows_new(spec->rows),
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .work = PTHREAD_COND_INITIALIZER,
                .done = PTHREAD_COND_INITIALIZER};
    return f;
}

/* ---- threads ---- */

/* The next batch to be worked on; NULL: there will be none. */
static Slot *take(Feed *f)
{
    Slot *s = NULL;
    pthread_mutex_lock(&f->lock);
    while (f->next == f->tail && !f->closing)
        pthread_cond_wait(&f->work, &f->lock);
    if (!f->closing)
        s = &f->slot[f->next++ % f->slots];
    pthread_mutex_unlock(&f->lock);
    return s;
}

static void *worker(void *arg)
{
    Feed *f = arg;
    Rows *rows = rows_new(f->spec.rows);
    for (Slot *s; (s = take(f)) != NULL;) {
        record_batch_work(&s->batch, f->spec.fields, f->spec.input, rows);
        pthread_mutex_lock(&f->lock);
        s->done = true;
        pthread_cond_signal(&f->done);
        pthread_mutex_unlock(&f->lock);
    }
    rows_free(rows);
    return NULL;
}

static bool start_thread(Feed *f)
{
    if (f->threads == f->spec.threads ||
        pthread_create(&f->thread[f->threads], NULL, worker, f) != 0)
        return false;
    f->threads++;
    return true;
}

/* From one thread to several, where they can be had. */
static void begin_several(Feed *f)
{
    f->slots = (size_t)f->spec.threads * 2 + 2;
    f->slot = mem_zero(f->slots, sizeof *f->slot);
    f->thread = mem_array((size_t)f->spec.threads, sizeof *f->thread);
    f->several = start_thread(f);
    if (!f->several)
        f->spec.threads = 1;
}

/* ---- frames go out ---- */

static int out(Feed *f, Frame *frame, Err *e)
{
    if (!f->failed && f->spec.frame(f->spec.ctx, frame, e) == 0)
        return 0;
    f->failed = true;
    return -1;
}

static int flush_rows(Feed *f, Err *e)
{
    return rows_waiting(f->rows) ? out(f, rows_take(f->rows), e) : 0;
}

/* What became of the oldest batch. */
static int deliver(Feed *f, Slot *s, Err *e)
{
    RecordBatch *b = &s->batch;
    int status = 0;
    for (int i = 0; i < b->frames; i++)
        if (status == 0)
            status = out(f, b->frame[i], e);
        else
            frame_free(b->frame[i]);
    b->frames = 0;
    f->cut += b->cut;
    f->flight -= s->bytes;
    if (status == 0 && b->failed) {
        *e = b->fault;
        f->failed = true;
        status = -1;
    }
    return status;
}

/* Delivers what is done, in order, and waits for it until `leave` batches are left at most and
 * memory is free again. */
static int drain(Feed *f, size_t leave, Err *e)
{
    int status = 0;
    pthread_mutex_lock(&f->lock);
    while (status == 0 && f->head < f->tail) {
        Slot *s = &f->slot[f->head % f->slots];
        if (!s->done && f->tail - f->head <= leave && f->flight <= FLIGHT_BYTES)
            break;
        while (!s->done)
            pthread_cond_wait(&f->done, &f->lock);
        s->done = false;
        pthread_mutex_unlock(&f->lock);
        status = deliver(f, s, e);
        pthread_mutex_lock(&f->lock);
        f->head++;
    }
    pthread_mutex_unlock(&f->lock);
    return status;
}

/* Hands the batch that is being filled to the threads. */
static void submit(Feed *f)
{
    Slot *s = &f->slot[f->tail % f->slots];
    if (!s->batch.records)
        return;
    s->bytes = s->batch.bytes.n;
    f->flight += s->bytes;
    pthread_mutex_lock(&f->lock);
    bool behind = f->next < f->tail;
    f->tail++;
    pthread_cond_signal(&f->work);
    pthread_mutex_unlock(&f->lock);
    if (behind)
        start_thread(f);
}

/* ---- the interface ---- */

static int put_here(Feed *f, const Record *rec, Err *e)
{
    if (record_rows(f->spec.fields, f->spec.input, rec, f->rows, e) < 0)
        return -1;
    if (!rows_full(f->rows))
        return 0;
    if (f->spec.threads > 1 && f->bytes >= ALONE_BYTES)
        begin_several(f);
    return flush_rows(f, e);
}

int feed_put(Feed *f, const Record *rec, Err *e)
{
    if (!f->several) {
        for (int i = 0; i < f->fields; i++)
            f->bytes += rec->field[i].n;
        return put_here(f, rec, e);
    }
    RecordBatch *b = &f->slot[f->tail % f->slots].batch;
    record_batch_keep(b, rec, f->fields);
    if (!record_batch_full(b, f->rows_each))
        return 0;
    submit(f);
    return drain(f, f->slots - 1, e);
}

int feed_flush(Feed *f, Err *e)
{
    if (f->failed)
        return 0;
    if (!f->several)
        return flush_rows(f, e);
    submit(f);
    return drain(f, 0, e);
}

int feed_end(Feed *f, Err *e)
{
    if (f->several && feed_flush(f, e) < 0)
        return -1;
    Frame *last = rows_take(f->rows);
    last->end = END_OK;
    return out(f, last, e);
}

int64_t feed_cut(const Feed *f)
{
    return f->cut + rows_cut(f->rows);
}

void feed_free(Feed *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->closing = true;
    pthread_cond_broadcast(&f->work);
    pthread_mutex_unlock(&f->lock);
    for (int i = 0; i < f->threads; i++)
        pthread_join(f->thread[i], NULL);
    for (size_t i = 0; i < f->slots; i++)
        record_batch_clear(&f->slot[i].batch);
    rows_free(f->rows);
    free(f->slot);
    free(f->thread);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->work);
    pthread_cond_destroy(&f->done);
    free(f);
}
