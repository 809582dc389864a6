#include "model/transformer/transformer_back.h"
#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- buffers ---- */

static int room(Run *u, BackSlot s, KType type, int64_t cols, Err *e)
{
    Back *b = u->t->back;
    int64_t tokens = u->batch.tokens;
    size_t bytes = (size_t)(tokens * cols) * ktype_size(type);
    b->slot[s] = (View){0};
    if (!cols)
        return 0;
    void *p = space_grow(&b->space[s], u->t->dev, bytes, e);
    b->slot[s] = view_of(p, type, tokens, cols);
    return p ? 0 : -1;
}

static int all_room(Run *u, Err *e)
{
    const Transformer *m = u->t;
    const Config *c = &m->config;
    bool crosses = m->plan.halves > 1, projects = m->plan.half[0].project.id >= 0;
    int64_t seen = c->heads * c->size;
    int r = 0;
    for (int i = 0; i < BACK_POINTS && r == 0; i++)
        if (room(u, BACK_STATE + i, K_F32, c->hidden, e) < 0 ||
            room(u, BACK_SUM + i, K_F32, c->hidden, e) < 0 ||
            room(u, BACK_OUT + i, m->compute, c->hidden, e) < 0)
            r = -1;
    if (r < 0 || room(u, BACK_WIDE, m->compute, c->inner, e) < 0 ||
        room(u, BACK_PRE, m->compute, (c->gated ? 2 : 1) * c->inner, e) < 0 ||
        room(u, BACK_SEEN, m->compute, seen, e) < 0 ||
        room(u, BACK_ALL_SEEN, m->compute, u->picked ? seen : 0, e) < 0 ||
        room(u, BACK_ALL_SUM, K_F32, u->picked ? c->hidden : 0, e) < 0 ||
        room(u, BACK_EMBED, K_F32, c->embedding, e) < 0 ||
        room(u, BACK_EMBED_IN, K_F32, projects ? c->embedding : 0, e) < 0 ||
        room(u, BACK_MEMORY, K_F32, crosses ? c->hidden : 0, e) < 0)
        return -1;
    return 0;
}

/* Gradients of what attention adds by distance: each row's own, and their sum over rows and
 * layers. */
static int bias_room(Run *u, Err *e)
{
    Transformer *m = u->t;
    Back *b = m->back;
    int64_t one = m->config.heads * (2 * m->config.distance + 1);
    b->dbias = b->ddistance = NULL;
    if (m->plan.distance < 0 || !u->learn->trains[m->plan.distance])
        return 0;
    size_t bytes = (size_t)one * sizeof(float);
    b->dbias = space_grow(&b->biases[0], m->dev, (size_t)u->batch.rows * bytes, e);
    b->ddistance = space_grow(&b->biases[1], m->dev, bytes, e);
    if (!b->dbias || !b->ddistance)
        return -1;
    m->dev->fill(m->dev, b->ddistance, 0, bytes);
    return 0;
}

/* ---- tables ---- */

typedef struct Use {
    int64_t entry, token;
} Use;

/* By entry, and of one entry by token, as they come in: digit by digit from the lowest, for a batch
 * has thousands at each step. `room` is as large as `use`; the result is in one of the two. */
static Use *by_entry(Use *use, Use *room, int64_t n, int64_t last)
{
    enum { BITS = 10, DIGITS = 1 << BITS };
    for (int shift = 0; last >> shift > 0; shift += BITS) {
        int64_t at[DIGITS + 1] = {0};
        for (int64_t i = 0; i < n; i++)
            at[(use[i].entry >> shift & (DIGITS - 1)) + 1]++;
        for (int d = 0; d < DIGITS; d++)
            at[d + 1] += at[d];
        for (int64_t i = 0; i < n; i++)
            room[at[use[i].entry >> shift & (DIGITS - 1)]++] = use[i];
        Use *sorted = room;
        room = use;
        use = sorted;
    }
    return use;
}

static int put(Transformer *m, Space *s, const int64_t *host, int64_t n, const int64_t **to, Err *e)
{
    size_t bytes = (size_t)n * sizeof *host;
    void *p = space_grow(s, m->dev, bytes, e);
    if (!p)
        return -1;
    m->dev->put(m->dev, p, host, bytes);
    *to = p;
    return 0;
}

/* In order: an entry's gradient is the sum of its tokens'. Where there is none, t->param stays. */
int table_use(Transformer *m, TableUse *t, int param, const int32_t *index, int64_t n, Err *e)
{
    Use *both = mem_array(2 * (size_t)n, sizeof *both), *use = both;
    Back *b = m->back;
    int64_t padding = plan_padding(&m->plan, &m->config, param), tokens = n, last = 0;
    n = 0;
    for (int64_t i = 0; i < tokens; i++)
        if (index[i] != padding) {
            use[n++] = (Use){index[i], i};
            last = index[i] > last ? index[i] : last;
        }
    if (n == 0) {
        free(both);
        return 0;
    }
    use = by_entry(both, both + tokens, n, last);
    if (b->host_room < n + 1) {
        b->host_room = n + 1;
        for (int i = 0; i < 3; i++)
            b->host[i] = mem_resize(b->host[i], (size_t)b->host_room, sizeof *b->host[i]);
    }
    int64_t rows = 0, *out = b->host[0], *starts = b->host[1], *token = b->host[2];
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || use[i].entry != use[i - 1].entry) {
            out[rows] = use[i].entry;
            starts[rows++] = i;
        }
        token[i] = use[i].token;
    }
    starts[rows] = n;
    free(both);
    t->param = param;
    t->rows = rows;
    return put(m, &t->space[0], out, rows, &t->out, e) < 0 ||
                   put(m, &t->space[1], starts, rows + 1, &t->starts, e) < 0 ||
                   put(m, &t->space[2], token, n, &t->token, e) < 0
               ? -1
               : 0;
}

/* A word's gradient is multiplied as its embedding is. */
static int scale_words(Transformer *m, TableUse *t, Err *e)
{
    float *host;
    size_t bytes = (size_t)t->rows * sizeof *host;
    t->weight = NULL;
    if (m->config.embed_scale == 1)
        return 0;
    host = mem_alloc(bytes);
    for (int64_t i = 0; i < t->rows; i++)
        host[i] = m->config.embed_scale;
    float *p = space_grow(&t->space[3], m->dev, bytes, e);
    if (p)
        m->dev->put(m->dev, p, host, bytes);
    t->weight = p;
    free(host);
    return p ? 0 : -1;
}

static int use_tables(Run *u, const TransformerIn *in, Err *e)
{
    Transformer *m = u->t;
    for (int i = 0; i < m->plan.halves; i++) {
        const HalfPlan *h = &m->plan.half[i];
        TableUse *t = m->back->table[i];
        const int param[TABLES] = {m->plan.word, h->position, h->kind};
        const int32_t *index[TABLES] = {i ? m->ids : in->id, m->positions, m->kinds};
        for (int k = 0; k < TABLES; k++) {
            t[k].param = -1;
            if (param[k] >= 0 && u->learn->trains[param[k]] &&
                table_use(m, &t[k], param[k], index[k], in->tokens, e) < 0)
                return -1;
        }
        if (t[TABLE_WORD].param >= 0 && scale_words(m, &t[TABLE_WORD], e) < 0)
            return -1;
    }
    return 0;
}

int back_begin(Run *u, const TransformerIn *in, Err *e)
{
    if (all_room(u, e) < 0 || bias_room(u, e) < 0)
        return -1;
    return u->learn->embeds ? use_tables(u, in, e) : 0;
}

static void use_free(Transformer *m, TableUse *t)
{
    for (int i = 0; i < 4; i++)
        m->dev->free(m->dev, t->space[i].p);
}

void back_free(Transformer *m)
{
    Back *b = m->back;
    if (!b)
        return;
    for (int i = 0; i < BACK_SLOTS; i++)
        m->dev->free(m->dev, b->space[i].p);
    for (int i = 0; i < 2; i++)
        m->dev->free(m->dev, b->biases[i].p);
    for (int i = 0; i < HALVES * TABLES; i++)
        use_free(m, &b->table[i / TABLES][i % TABLES]);
    use_free(m, &m->buckets);
    use_free(m, &m->spread);
    for (int i = 0; i < 3; i++)
        free(b->host[i]);
    free(b);
    m->back = NULL;
}
