/* model_still.c - where the head alone learns, what is below it runs once a row: its states are
 * laid aside, and every epoch reads them from there. */
#include "learn/model_learner_in.h"

#include "base/mem.h"
#include "base/msg.h"
#include "io/spool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TOKENS = 4096 }; /* of a pass */

static bool by_token(const Examples *x)
{
    return x->objective == LEARN_TOKEN || x->objective == LEARN_SPAN;
}

/* Room for all of x, in $TMPDIR. */
static int make(ModelStill *c, const Examples *x, int64_t width, Err *e)
{
    int64_t n = by_token(x) ? x->tokens : x->rows;
    *c = (ModelStill){.width = width, .bytes = (size_t)(n * width) * sizeof *c->p};
    int fd = spool_file(e);
    if (fd < 0)
        return -1;
    void *p = posix_fallocate(fd, 0, (off_t)c->bytes) == 0
                  ? mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                  : MAP_FAILED;
    close(fd);
    if (p == MAP_FAILED)
        return err_set(e, "no room in $TMPDIR for %zu bytes, the states of all rows", c->bytes);
    c->p = p;
    return 0;
}

static int fill_batch(ModelLearner *m, ModelStill *c, const Examples *x, const int64_t *row,
                      int64_t n, Err *e)
{
    ModelBatch *b = &m->batch;
    Device *dev = m->base.dev;
    char why[256];
    if (model_batch(m, x, row, n, -1, 1, e) < 0 ||
        transformer_forward(m->spec.t, &b->in, NULL, e) < 0)
        return -1;
    View v = head_learn_read(m->spec.head, &b->items, e);
    int64_t at = by_token(x) ? x->starts[row[0]] : row[0];
    if (!v.p)
        return -1;
    dev->get(dev, c->p + at * c->width, v.p, (size_t)(v.rows * v.cols) * sizeof *c->p);
    return dev->wait(dev, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
}

static int fill(ModelLearner *m, ModelStill *c, const Examples *x, Err *e)
{
    const Learner *l = &m->base;
    int64_t *row = mem_array((size_t)x->rows, sizeof *row), tokens;
    int status = make(c, x, transformer_settings(m->spec.t)->hidden, e);
    for (int64_t i = 0, n; i < x->rows && status == 0; i += n) {
        tokens = 0;
        for (n = 0; i + n < x->rows; n++) {
            tokens += x->starts[i + n + 1] - x->starts[i + n];
            if (n > 0 && tokens > TOKENS)
                break;
            row[n] = i + n;
        }
        status = l->stop && l->stop(l->stop_ctx) ? 1 : fill_batch(m, c, x, row, n, e);
    }
    free(row);
    if (status == 0)
        c->x = x;
    return status;
}

static void drop(ModelStill *c)
{
    if (c->p)
        munmap(c->p, c->bytes);
    *c = (ModelStill){0};
}

int model_still_ready(ModelLearner *m, const Examples *x, Err *e)
{
    ModelStill *c = &m->cache[x != m->rows];
    if (c->x == x)
        return 0;
    drop(c);
    msg_note("what does not learn runs once over %" PRId64 " rows", x->rows);
    int status = fill(m, c, x, e);
    if (status != 0)
        drop(c);
    return status;
}

void model_still_give(ModelLearner *m, const Examples *x, const int64_t *row, int64_t n)
{
    const ModelStill *c = &m->cache[x != m->rows];
    ModelBatch *b = &m->batch;
    int64_t at = 0, items = by_token(x) ? b->in.tokens : n;
    if (items * c->width > m->given_room) {
        m->given_room = 2 * items * c->width;
        free(m->given);
        m->given = mem_array((size_t)m->given_room, sizeof *m->given);
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t from = by_token(x) ? x->starts[row[i]] : row[i];
        int64_t count = by_token(x) ? x->starts[row[i] + 1] - from : 1;
        memcpy(m->given + at * c->width, c->p + from * c->width,
               (size_t)(count * c->width) * sizeof *m->given);
        at += count;
    }
    b->items.given = m->given;
}

void model_still_free(ModelLearner *m)
{
    drop(&m->cache[0]);
    drop(&m->cache[1]);
    free(m->given);
}
